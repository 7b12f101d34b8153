-- One direction of a TCP connection of a capture, put back in order: segments that come early, late
-- or again, and sequence numbers that wrap.

local tcp = {}

local WRAP, HALF = 4294967296, 2147483648
local MOST_PENDING = 1024

local Direction = {}
Direction.__index = Direction

-- `receive(octets, frame, at)` gets the octets in order, with the frame that made them complete.
function tcp.direction(receive)
  return setmetatable({ receive = receive, pending = {}, from_start = false }, Direction)
end

-- How far `sequence` lies ahead of what is next; negative for what has been seen.
local function ahead(self, sequence)
  local distance = (sequence - self.next) % WRAP
  return distance >= HALF and distance - WRAP or distance
end

local function accept(self, segment, frame, at)
  local seen = -ahead(self, segment.sequence)
  if seen >= #segment.payload then return end
  local fresh = segment.payload:sub(seen + 1)
  self.next = (self.next + #fresh) % WRAP
  self.receive(fresh, frame, at)
end

-- Hands on what has become due, and forgets what has been seen.
local function drain(self, frame, at)
  local again = true
  while again do
    again = false
    for place = #self.pending, 1, -1 do
      local segment = self.pending[place]
      if ahead(self, segment.sequence) <= 0 then
        table.remove(self.pending, place)
        accept(self, segment, frame, at)
        again = true
      end
    end
  end
end

-- There are octets up to this sequence number: the sender goes on behind them, or the receiver
-- acknowledges them.
local function reaches(self, sequence)
  if not self.next then return end
  if not self.reached or (sequence - self.reached) % WRAP < HALF then self.reached = sequence end
end

-- What the other direction's packet { acknowledges, ack, rst } tells of this one.
function Direction:acknowledged(parts)
  if parts.ack and not parts.rst then reaches(self, parts.acknowledges) end
end

-- A packet of this direction: { sequence, syn, fin, rst, payload }.
function Direction:segment(parts, frame, at)
  local sequence = parts.sequence
  if parts.syn then
    sequence = (sequence + 1) % WRAP
    if self.initial ~= sequence then
      self.initial, self.next, self.from_start, self.pending = sequence, sequence, true, {}
      self.reached, self.finished = nil, false
    end
  end
  self.finished = self.finished or parts.fin
  if not parts.rst then reaches(self, sequence) end
  if #parts.payload == 0 then return end
  if not self.next then self.next = sequence end
  local segment = { sequence = sequence, payload = parts.payload }
  if ahead(self, sequence) > 0 then
    if #self.pending < MOST_PENDING then self.pending[#self.pending + 1] = segment end
    return
  end
  accept(self, segment, frame, at)
  drain(self, frame, at)
end

-- Octets that wait behind a hole which the capture never filled.
function Direction:waiting()
  local count = 0
  for _, segment in ipairs(self.pending) do count = count + #segment.payload end
  return count
end

-- Whether octets are known to have been sent that the capture lacks. A FIN counts as one.
function Direction:lacks_octets()
  local missing = self.reached and ahead(self, self.reached) or 0
  return missing > (self.finished and 1 or 0)
end

return tcp
