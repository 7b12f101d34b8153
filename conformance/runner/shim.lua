-- The child behind the shim protocol: its frames, turn by turn, and everything that can be wrong with
-- them. docs/shim-protocol.md is the reference.

local address = require("codec.address")

local Shim = {}
Shim.__index = Shim

local VERSION = 1
local TURN_S = 60 -- of real time
local FRAMES_MAX, OCTETS_MAX = 100000, 1 << 24 -- in one turn
local OCTETS_OF_BOX_MAX = 1 << 27
local STREAMS_MAX = 65536                      -- of one box
local WAKE_MAX = 1 << 53 -- later than any case lives

local KIND = { hello = 0x01, configuration = 0x02, port = 0x03, route = 0x04, start = 0x05,
  turn = 0x06, go = 0x07, packet = 0x10, stream_open = 0x11, stream_accept = 0x12,
  stream_octets = 0x13, stream_close = 0x14, stream_reset = 0x15, trigger = 0x20, restart = 0x30,
  ["end"] = 0x31 }

local FROM_SHIM = { [0x81] = "hello", [0x86] = "quiet", [0x90] = "packet", [0x91] = "stream_open",
  [0x92] = "stream_accept", [0x93] = "stream_octets", [0x94] = "stream_close",
  [0x95] = "stream_reset", [0xA0] = "trigger_done", [0xB0] = "log", [0xBF] = "fault" }

-- Bodies -----------------------------------------------------------------------------------------

local function address_octets(text)
  local octets = address.parse(text)
  return string.char(#octets == 4 and 4 or 6) .. octets
end

local function endpoint(value)
  return address_octets(value.address) .. string.pack(">I2", value.port)
end

local build = {
  hello = function(of) return string.pack(">I2I8", VERSION, of.seed) end,
  configuration = function(of) return string.pack(">s2", of.text) end,
  port = function(of)
    return string.pack(">Bs1B", of.port, of.name, of.side) .. address_octets(of.address)
      .. string.pack(">BI2", of.prefix, of.mtu)
  end,
  route = function(of)
    return address_octets(of.prefix) .. string.pack(">BB", of.length, of.port)
  end,
  start = function(of) return string.pack(">I8", of.seed) end,
  turn = function(of) return string.pack(">I8", of.time) end,
  packet = function(of) return string.pack(">Bs2", of.port, of.octets) end,
  stream_open = function(of)
    return string.pack(">I4B", of.stream, of.port) .. endpoint(of.peer) .. endpoint(of.own)
      .. string.pack(">Bs2", of.stack, of.name)
  end,
  stream_accept = function(of)
    return string.pack(">I4", of.stream) .. (of.name and string.pack(">s2", of.name) or "")
  end,
  stream_octets = function(of) return string.pack(">I4s2", of.stream, of.octets) end,
  trigger = function(of)
    local parts = { string.pack(">I4s1B", of.number, of.operation, #of.fields) }
    for _, field in ipairs(of.fields) do
      parts[#parts + 1] = string.pack(">s1s1", field.key, field.value)
    end
    return table.concat(parts)
  end,
  restart = function(of) return string.char(of.how) end,
}
build.stream_close, build.stream_reset = build.stream_accept, build.stream_accept

local function frame(kind, of)
  local body = build[kind] and build[kind](of) or ""
  return string.pack(">I4B", #body + 1, KIND[kind]) .. body
end

-- A reader over a body: each call takes the next field.
local function reader(body)
  local position = 1
  local self = {}
  function self.field(format)
    local value
    value, position = string.unpack(">" .. format, body, position)
    return value
  end
  function self.address()
    local version = self.field("B")
    if version ~= 4 and version ~= 6 then error("an address of version " .. version, 0) end
    return address.format(self.field(version == 4 and "c4" or "c16"))
  end
  function self.endpoint() return { address = self.address(), port = self.field("I2") } end
  function self.done() return position > #body end
  return self
end

-- A child's text goes to terminals and reports: what could steer them is shown instead.
local function plain(text)
  local function shown(octets)
    return (octets:gsub(".", function(octet) return string.format("\\x%02X", octet:byte()) end))
  end
  text = text:gsub("%c", shown):gsub("\xC2[\x80-\x9F]", shown)
  return utf8.len(text) and text or (text:gsub("[\x80-\xFF]", shown))
end

local read = {
  hello = function(r) return { version = r.field("I2"), name = plain(r.field("s1")) } end,
  quiet = function(r) return { wake = r.field("I8") } end,
  packet = function(r) return { port = r.field("B"), octets = r.field("s2") } end,
  stream_open = function(r)
    return { stream = r.field("I4"), port = r.field("B"), peer = r.endpoint(), own = r.endpoint(),
      stack = r.field("B"), name = r.field("s2") }
  end,
  stream_accept = function(r) return { stream = r.field("I4") } end,
  stream_octets = function(r) return { stream = r.field("I4"), octets = r.field("s2") } end,
  trigger_done = function(r)
    return { number = r.field("I4"), status = r.field("B"), text = plain(r.field("s2")) }
  end,
  log = function(r) return { text = plain(r.field("s2")) } end,
}
read.stream_close, read.stream_reset, read.fault = read.stream_accept, read.stream_accept, read.log

-- The process ------------------------------------------------------------------------------------

local DIED = "has died"

-- The child is no use any more: it is ended, and the case says why. How it ends then is told only of one
-- that died: else it depends on what it was just doing.
local function give_up(self, why, ...)
  local ended = self.child:close()
  self.child = nil
  error({ reason = "the shim " .. string.format(why, ...)
    .. (why == DIED and ended and " (" .. ended .. ")" or "") })
end

local FAILED = {
  silence = "has not answered in " .. TURN_S .. " seconds",
  ["end"] = DIED,
  length = "sends a frame of %d octets, which is none",
}

local function seconds_left(self) return math.max(self.deadline - self.host.now(), 0) / 1000 end

local INTERRUPTED = "interrupted"

-- The next frame: a signal wakes who waits, and ends the wait only where it ends the run.
local function receive_frame(self)
  while true do
    local kind, body, number = self.child:receive(seconds_left(self))
    if kind or body ~= "signal" then return kind, body, number end
    if self.host.has_caught_signal() then
      self.child:close()
      self.child = nil
      error({ reason = INTERRUPTED })
    end
  end
end

local function receive(self)
  local kind, body, number = receive_frame(self)
  if body == "silence" then self.hung() end
  if not kind then give_up(self, FAILED[body], number) end
  local name = FROM_SHIM[kind]
  if not name then give_up(self, "sends a frame of kind 0x%02X, which there is none of", kind) end
  local r = reader(body)
  local ok, value = pcall(read[name], r)
  if not ok then
    give_up(self, "sends a %s that cannot be read: %s", name,
      value:find("data string too short", 1, true) and "its body ends too early" or value)
  end
  if not r.done() then give_up(self, "sends a %s with octets left over", name) end
  value.kind = name
  return value, #body
end

-- What is sent begins a wait for the child: all of its answer has to come within it.
local function send(self, octets)
  self.deadline = self.host.now() + TURN_S * 1000
  local ok, why = self.child:send(octets, TURN_S)
  if not ok then give_up(self, FAILED[why]) end
end

-- What no box can do is nonsense, too, though its frames are right.
function Shim:reject(why, ...) give_up(self, why, ...) end

-- Starts the command; an error where it does not even greet. hung() is called whenever it is silent for
-- too long.
function Shim.start(host, command, seed, hung)
  local child, why = host.child(command)
  if not child then error({ usage = "cannot start the shim: " .. why }, 0) end
  local self = setmetatable({ host = host, child = child, streams = {}, stream_count = 0,
    octets_of_box = 0, hung = hung }, Shim)
  send(self, frame("hello", { seed = seed }))
  local hello = receive(self)
  if hello.kind ~= "hello" then give_up(self, "sends a %s before its hello", hello.kind) end
  if hello.version ~= VERSION then
    give_up(self, "speaks version %d of the protocol, not %d", hello.version, VERSION)
  end
  self.name = hello.name
  return self
end

-- Whether it can be asked again.
function Shim:lives() return self.child ~= nil end

-- The numbers that a box gives to the streams that it opens.
local function note_stream(self, number)
  if number == 0 or number % 2 == 1 then
    give_up(self, "opens a stream of number %d: even wanted, from 2 up", number)
  end
  if self.streams[number] then give_up(self, "opens a second stream of number %d", number) end
  self.streams[number], self.stream_count = true, self.stream_count + 1
  if self.stream_count > STREAMS_MAX then give_up(self, "opens more than %d streams", STREAMS_MAX) end
end

-- The turn is over: when the box wants its next, nil for never.
local function end_turn(self, time, wake, fault)
  if fault then error({ reason = "the shim cannot do this: " .. fault }) end
  if math.ult(WAKE_MAX, wake) then return nil end
  if wake < time then
    give_up(self, "lies about time: it wants a turn %d microseconds ago", time - wake)
  end
  return wake
end

-- One turn at this time (microseconds): the events happen to the box, each a table with its kind.
-- Returns what the box does, and when it wants its next turn: nil for never.
function Shim:turn(time, events)
  if self.child:pending() then give_up(self, "sends something outside a turn") end
  local parts = { frame("turn", { time = time }) }
  for i, event in ipairs(events) do parts[i + 1] = frame(event.kind, event) end
  parts[#parts + 1] = frame("go")
  send(self, table.concat(parts))
  local done, octets, fault = {}, 0, nil
  while true do
    local item, length = receive(self)
    if item.kind == "quiet" then return done, end_turn(self, time, item.wake, fault) end
    if item.kind == "hello" then give_up(self, "sends a second hello") end
    if item.kind == "stream_open" then note_stream(self, item.stream) end
    if item.kind == "fault" then fault = fault or item.text end
    done[#done + 1], octets = item, octets + length
    if #done > FRAMES_MAX then give_up(self, "sends more than %d frames in a turn", FRAMES_MAX) end
    if octets > OCTETS_MAX then give_up(self, "sends more than %d octets in a turn", OCTETS_MAX) end
    self.octets_of_box = self.octets_of_box + length
    if self.octets_of_box > OCTETS_OF_BOX_MAX then
      give_up(self, "sends more than %d octets in a case", OCTETS_OF_BOX_MAX)
    end
  end
end

-- The box is done with; what it does in this last turn reaches nobody.
function Shim:finish(time)
  local ok, problem = pcall(self.turn, self, time, { { kind = "end" } })
  self.streams, self.stream_count, self.octets_of_box = {}, 0, 0
  if not ok then error(problem, 0) end
end

-- Ends the child. Returns what is wrong with the way in which it ends, or nil.
function Shim:close()
  local ended = self.child and self.child:close()
  self.child = nil
  if not ended or ended == "exit status 0" then return nil end
  return "the shim ends with " .. ended .. " after its input; exit status 0 is right"
end

return Shim
