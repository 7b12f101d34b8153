-- The packets of capture files that make one recording, in the order of time. Of each file only so
-- much is kept as may have to wait for a packet that was recorded late.

local frames = {}

-- A packet that stands further behind its time is handed out when it comes.
local WINDOW_S, WINDOW_PACKETS = 10, 4096

local Frames = {}
Frames.__index = Frames

-- Of a file, the time of its first packet; nil and why where it cannot be read.
local function begins_at(path, reader)
  local file, why = reader.open_capture(path)
  if not file then return nil, why end
  local _, at = file:next()
  file:close()
  return type(at) == "number" and at or math.huge
end

-- A source of packets is { begins_at, next(), path }; next() gives one of { at, frame, … }, or nil.
local function source_of_file(self, path, rank)
  local source = { path = path, rank = rank, queue = {}, first = 1, last = 0 }
  local why
  source.begins_at, why = begins_at(path, self.reader)
  if not source.begins_at then return nil, why end
  local name = self.several and path:match("[^/]*$") .. ":" or ""
  function source.next()
    source.file = source.file or assert(self.reader.open_capture(path))
    local bytes, at, frame = source.file:next(self.filter)
    if bytes then return { bytes = bytes, at = at, frame = name .. frame } end
    local problem, breaks_off = at, frame
    local read, passed = source.file:counts()
    self.read, self.kept_back = self.read + read, self.kept_back + read - passed
    source.file:close()
    if problem then self:_complain(path .. ": " .. problem, breaks_off) end
  end
  return source
end

-- paths; reader: open_capture(path), and packet_filter() where there is one; records: iterators
-- over what is under TLS, each entry with its time, handed out behind all packets of that time. Nil
-- and why where a file cannot be read.
function frames.open(paths, reader, records)
  local self = setmetatable({ reader = reader, several = #paths > 1, sources = {}, active = {},
    warnings = {}, read = 0, kept_back = 0, late = 0,
    filter = reader.packet_filter and reader.packet_filter() }, Frames)
  for rank, path in ipairs(paths) do
    local source, why = source_of_file(self, path, rank)
    if not source then return nil, why end
    self.sources[rank] = source
  end
  for place, next_record in ipairs(records or {}) do
    table.insert(self.sources, { next = next_record, begins_at = -math.huge, rank = #paths + place,
      queue = {}, first = 1, last = 0 })
  end
  table.sort(self.sources, function(a, b)
    if a.begins_at ~= b.begins_at then return a.begins_at < b.begins_at end
    return a.rank < b.rank
  end)
  return self
end

-- A file that breaks off is read up to there; one that cannot be read on makes the whole useless.
function Frames:_complain(text, breaks_off)
  if breaks_off then
    table.insert(self.warnings, text)
  else
    self.problem = self.problem or text
  end
end

-- The entries that wait are a ring, so that their table never has to grow.
local function place_of(number) return number % WINDOW_PACKETS + 1 end

local function head(source) return source.queue[place_of(source.first)] end

local function last(source) return source.queue[place_of(source.last)] end

local function enqueue(source, entry)
  local queue, number = source.queue, source.last + 1
  while number > source.first and queue[place_of(number - 1)].at > entry.at do
    queue[place_of(number)] = queue[place_of(number - 1)]
    number = number - 1
  end
  queue[place_of(number)], source.last = entry, source.last + 1
end

-- Reads on until what comes first has waited long enough.
local function fill(source, self)
  while not source.ended do
    local waiting = source.last - source.first + 1
    if waiting == WINDOW_PACKETS or waiting > 0 and last(source).at - head(source).at > WINDOW_S then
      return
    end
    local entry = source.next()
    if entry then
      if source.reached and entry.at < source.reached then self.late = self.late + 1 end
      enqueue(source, entry)
    else
      source.ended = true
    end
  end
end

local function is_empty(source) return source.first > source.last end

-- The source whose turn it is. A file is opened only once its time has come.
local function first_source(self)
  local first
  for place = #self.active, 1, -1 do
    local source = self.active[place]
    fill(source, self)
    if is_empty(source) then
      table.remove(self.active, place)
    elseif not first or head(source).at < head(first).at
      or head(source).at == head(first).at and source.rank < first.rank then
      first = source
    end
  end
  local waiting = self.sources[1]
  if waiting and (not first or waiting.begins_at - WINDOW_S <= head(first).at) then
    table.insert(self.active, table.remove(self.sources, 1))
    return first_source(self)
  end
  return first
end

-- The next packet { bytes, at, frame } or record, or nil at the end.
function Frames:next()
  local source = first_source(self)
  if not source or self.problem then return nil end
  local entry = head(source)
  source.first = source.first + 1
  source.reached = entry.at
  return entry
end

-- The connection of this TCP packet carries no GIST, in this direction or in both.
function Frames:ignore(bytes, both)
  if self.filter then self.filter:ignore(bytes, both) end
end

return frames
