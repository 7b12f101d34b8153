-- The TCP connections of captures: which carry GIST, and the messages of those that do, in order.

local gist = require("codec.gist")
local Item = require("codec.item")
local recent = require("judge.recent")
local tables = require("codec.tables")
local tcp = require("judge.tcp")

local connections = {}

local HEADER_OCTETS, LAST_TYPE = 8, 5
local MAGIC = gist.magic
local TLS_HANDSHAKE = "\22\3" -- how a TLS connection begins: its record type, and version 3

-- An association is kept alive by MA-Hellos; one that says nothing for as long is gone.
local IDLE_S, MOST = 1800, 32768

-- What is left of a connection that has been found to carry something else.
local NO_GIST = { sides = {} }

local Connections = {}
Connections.__index = Connections

local Connection = {}
Connection.__index = Connection

-- Whether both its sides were seen from their start, up to now without a hole.
function Connection:is_whole()
  local count = 0
  for _, side in tables.sorted(self.sides) do
    count = count + 1
    if not side.direction.from_start or side.direction:lacks_octets() then return false end
  end
  return count == 2
end

-- Whether it carries GIST, or may where it was not seen.
local function may_matter(connection)
  for _, side in tables.sorted(connection.sides) do
    if side.known then return true end
    local may = not side.other and (side.buffer ~= "" or side.direction:lacks_octets())
    if may and connection.of_iut then return true end
  end
  return false
end

local function finish(self, connection)
  if connection == NO_GIST then return end
  local known = false
  for _, side in tables.sorted(connection.sides) do
    known = known or side.known
    if not side.other then
      self.counts.behind_holes = self.counts.behind_holes + side.direction:waiting()
    end
  end
  if not known then self.counts.no_gist = self.counts.no_gist + connection.packets end
  if connection.is_tls and not connection.is_read and connection.of_iut then
    self.counts.tls = self.counts.tls + 1
    self.whole = false
  end
  if may_matter(connection) and not connection:is_whole() then
    self.whole = false
    self.counts.not_whole = self.counts.not_whole + 1
  end
  if connection.at_end and connection:is_whole() then
    for _, action in ipairs(connection.at_end) do action() end
  end
end

-- options: addresses (the IUT's), counts, memory (of engine.memory()), receive(message),
-- ignore(bytes, both), keeps_tls (what is under TLS will be told).
function connections.new(options)
  local self = setmetatable({ addresses = options.addresses, counts = options.counts,
    memory = options.memory, receive = options.receive, ignore = options.ignore,
    keeps_tls = options.keeps_tls, whole = true, tls_ports = {} }, Connections)
  self.open = recent.new({ period_s = IDLE_S, most = MOST,
    forgotten = function(connection) finish(self, connection) end })
  return self
end

-- Whether octets can be the beginning of a GIST message.
local function plausible(buffer)
  local version, _, words, _, kind = string.unpack(">BBI2I2B", buffer)
  return version == 1 and kind & 127 <= LAST_TYPE and words > 0
end

-- The side turns out to carry something else.
local function is_other(self, side)
  local connection = side.connection
  side.other = true
  if side.buffer:sub(1, 2) == TLS_HANDSHAKE then
    connection.is_tls = true
    if connection.opened then self.tls_ports[connection.opened.port] = true end
  end
  side.buffer = ""
end

local function cut_messages(self, side, frame, at)
  while #side.buffer >= HEADER_OCTETS do
    local magic = side.buffer:sub(1, 4) == MAGIC
    local start = magic and 5 or 1
    if #side.buffer < start - 1 + HEADER_OCTETS then return end
    if not side.known and not plausible(side.buffer:sub(start)) then return is_other(self, side) end
    side.known = true
    local size = HEADER_OCTETS + string.unpack(">I2", side.buffer, start + 2) * 4
    if #side.buffer < start - 1 + size then return end
    local bytes = side.buffer:sub(start, start - 1 + size)
    side.buffer = side.buffer:sub(start + size)
    side.count = side.count + 1
    self.receive({ frame = frame, at = at, item = Item.read_with(self.memory, bytes), mode = "C",
      magic = magic, source = side.source, destination = side.destination,
      source_port = side.source_port, destination_port = side.destination_port,
      connection = side.connection, number = side.count, from_start = side.direction.from_start })
  end
end

local function side_of(self, connection, parts)
  local side = { connection = connection, source = parts.source, destination = parts.destination,
    source_port = parts.source_port, destination_port = parts.destination_port, buffer = "",
    count = 0 }
  side.direction = tcp.direction(function(octets, frame, at)
    if side.other then return end
    side.buffer = side.buffer .. octets
    cut_messages(self, side, frame, at)
  end)
  return side
end

local function key_of(from, to) return from < to and from .. "|" .. to or to .. "|" .. from end

local function end_of(address, port) return address .. "|" .. port end

-- A side that carries something else need not be read any more; one that was seen from its start says so
-- of the whole connection.
local function forget_other(self, connection, key, side, bytes)
  if not side.other or connection.is_tls and self.keeps_tls then return end
  local both = side.direction.from_start
  self.ignore(bytes, both)
  if not both then return end
  finish(self, connection)
  self.open:put(key, NO_GIST)
end

function Connections:segment(parts, bytes, frame, at)
  self.open:pass(at)
  local from = end_of(parts.source, parts.source_port)
  local to = end_of(parts.destination, parts.destination_port)
  local key = key_of(from, to)
  local connection = self.open:get(key)
  local opens = parts.syn and not parts.ack
  if not connection or opens and connection.opening ~= parts.sequence then
    if connection then finish(self, connection) end
    connection = setmetatable({ sides = {}, packets = 0, of_iut = self.addresses[parts.source]
      or self.addresses[parts.destination] or false }, Connection)
    self.open:put(key, connection)
  elseif connection == NO_GIST then
    self.counts.no_gist = self.counts.no_gist + 1
    return
  end
  if opens then
    connection.opening, connection.opener, connection.opened = parts.sequence, parts.source,
      { address = parts.destination, port = parts.destination_port }
  end
  connection.packets = connection.packets + 1
  local side = connection.sides[from]
  if not side then
    side = side_of(self, connection, parts)
    connection.sides[from] = side
  end
  side.direction:segment(parts, frame, at)
  if connection.sides[to] then connection.sides[to].direction:acknowledged(parts) end
  forget_other(self, connection, key, side, bytes)
end

-- What a connection under TLS carries, of tls.records(); in order, and not before the packet that it
-- is in.
function Connections:clear_text(record, frame)
  local from = end_of(record.source, record.source_port)
  local connection = self.open:get(key_of(from, end_of(record.destination, record.destination_port)))
  local side = connection and connection.sides[from]
  if not side then return end
  connection.is_read = true
  side.clear = side.clear or { connection = connection, source = side.source,
    destination = side.destination, source_port = side.source_port,
    destination_port = side.destination_port, direction = side.direction, buffer = "", count = 0 }
  if side.clear.other then return end
  side.clear.buffer = side.clear.buffer .. record.octets
  cut_messages(self, side.clear, frame, record.at)
  side.known = side.clear.known
end

function Connections:finish() self.open:finish() end

return connections
