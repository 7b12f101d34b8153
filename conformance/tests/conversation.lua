-- A CREATE through a firewall and its deletion, as messages and as the packets of a capture of both
-- wires, for the tests of what reads captures.

local address = require("codec.address")
local messages = require("runner.messages")
local packet = require("codec.packet")

local made = {}

local NI, INSIDE, OUTSIDE, NR = "198.51.100.5", "198.51.100.1", "203.0.113.1", "203.0.113.5"
local FLOW = { source = "192.0.2.10", destination = "192.0.2.20", protocol = "udp",
  source_port = 1000, destination_port = 2000 }
local IUT = { [INSIDE] = true, [OUTSIDE] = true }

local function peer(at, letter)
  return { address = at, identity = letter:rep(16), validity_ms = 30000, hold_time_ms = 30000 }
end

local ni, inside, outside, nr = peer(NI, "a"), peer(INSIDE, "b"), peer(OUTSIDE, "c"), peer(NR, "d")
local session = { sid = ("s"):rep(16), flow = FLOW }

-- Every message of a CREATE through the firewall and its deletion, as steps { from, to, mode,
-- bytes }; `change(name, message, step)` may spoil what the IUT sends.
function made.conversation(change)
  local steps = {}
  local function say(from, to, mode, name, message)
    local step = { from = from, to = to, mode = mode, options = mode == "Q"
      and packet.router_alert(65) or nil }
    if IUT[from] and change then change(name, message, step) end
    step.bytes = messages.encode_gist(message)
    steps[#steps + 1] = step
  end
  local function handshake(querier, responder, port)
    local cookie, answer = ("q"):rep(8), ("r"):rep(16)
    say(querier.address, responder.address, "Q", "Query",
      messages.query(querier, session, cookie, 1))
    local response = messages.response(responder, session, cookie, answer, port)
    say(responder.address, querier.address, "D", "Response", response)
    local raw = messages.read(messages.encode_gist(response)).gist.by_type[3]
    say(querier.address, responder.address, "C", "Confirm", messages.confirm(querier, session,
      answer, raw and raw.raw, true))
  end
  local function nslp(from, to, direction, name, message)
    if IUT[from] and change then change(name, message, {}) end
    say(from, to, "C", "Data", messages.data(session, direction, messages.encode_natfw(message)))
  end
  local function create(from, to, lifetime_s, msn)
    nslp(from, to, 0, "CREATE", messages.create({ lifetime_s = lifetime_s, msn = msn }))
  end
  local function respond(from, to, msn)
    nslp(from, to, 1, "RESPONSE", messages.nslp_response({ class = 2, msn = msn,
      lifetime_s = 60 }))
  end
  handshake(ni, inside, 30000)
  create(NI, INSIDE, 60, 7)
  handshake(outside, nr, 31000)
  create(OUTSIDE, NR, 60, 7)
  respond(NR, OUTSIDE, 7)
  respond(INSIDE, NI, 7)
  say(INSIDE, NI, "C", "MA-Hello", messages.hello(0, false))
  create(NI, INSIDE, 0, 8)
  create(OUTSIDE, NR, 0, 8)
  return steps
end

local FIN, SYN, PSH_ACK, SYN_ACK = 1, 2, 24, 18

local function tcp_packet(from, to, from_port, to_port, sequence, acknowledges, flags, payload)
  local body = string.pack(">I2I2I4I4BBI2I2I2", from_port, to_port, sequence & 0xFFFFFFFF,
    acknowledges & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0) .. payload
  return string.pack(">BBI2I2I2BBI2", 0x45, 0, 20 + #body, 0, 0x4000, 64, 6, 0)
    .. address.parse(from) .. address.parse(to) .. body
end

local PORTS = { [NI] = 40000, [INSIDE] = 30000, [OUTSIDE] = 41000, [NR] = 31000 }
local START = 0xFFFFFFF0 -- the sequence numbers wrap at once

-- The packets of a conversation, a second after another and later where a step says so by after_s.
-- options: seed (segments are torn, repeated and overlap), in_order
-- (but none overlaps, comes before its time or is shorter than a header), open_ended (nothing is
-- closed).
function made.packets(steps, options)
  options = options or {}
  local spread, least = options.seed, options.in_order and 20 or 1
  local list, sent = {}, {}
  local random = spread and math.random or function() return 1 end
  math.randomseed(spread or 1)
  local time = 0
  local function add(bytes, later)
    time = time + 1
    list[#list + 1] = { bytes = bytes, at = time + (later or 0) }
  end
  local function open(from, to)
    if sent[from] then return end
    sent[from], sent[to] = START + 1, START + 1
    add(tcp_packet(from, to, PORTS[from], PORTS[to], START, 0, SYN, ""))
    add(tcp_packet(to, from, PORTS[to], PORTS[from], START, START + 1, SYN_ACK, ""))
  end
  local function stream(from, to, bytes)
    open(from, to)
    local position = 1
    while position <= #bytes do
      local size = spread and random(least, 40) or #bytes
      local overlap = spread and not options.in_order and random(0, 9) or 0
      local from_here = math.max(1, position - overlap)
      local segment = tcp_packet(from, to, PORTS[from], PORTS[to], sent[from] + from_here - 1,
        sent[to], PSH_ACK, bytes:sub(from_here, position + size - 1))
      add(segment, spread and not options.in_order and random(0, 6) or 0)
      if spread and random(3) == 1 then add(segment, options.in_order and 0 or random(0, 6)) end
      position = position + size
    end
    sent[from] = sent[from] + #bytes
  end
  for _, step in ipairs(steps) do
    time = time + (step.after_s or 0)
    if step.mode == "C" then
      stream(step.from, step.to, step.bytes)
    else
      add(packet.build({ source = step.source or step.from, source_port = step.source_port or 270,
        destination = step.mode == "Q" and (step.destination or FLOW.destination) or step.to,
        destination_port = 270, payload = (step.magic or "\78\4\189\165") .. step.bytes,
        options = step.options, df = step.df, ttl = step.ttl }))
    end
  end
  if options.open_ended then return list end
  add(tcp_packet(NI, INSIDE, PORTS[NI], PORTS[INSIDE], sent[NI], sent[INSIDE],
    FIN | 16, ""))
  return list
end

-- What the host has for files, for one that is such a capture.
function made.reader(list)
  return { open_capture = function()
    local read = 0
    local file = {}
    function file:next()
      local one = list[read + 1]
      if not one then return nil end
      read = read + 1
      return one.bytes, one.at, read
    end
    function file:counts() return read, read end
    function file:close() end
    return file
  end }
end

made.ni, made.firewall, made.nr = ni, inside, nr
made.NI, made.INSIDE, made.OUTSIDE, made.NR = NI, INSIDE, OUTSIDE, NR
made.iut, made.session, made.outside = IUT, session, outside

return made
