-- Offline judgement on a conversation made here: a right firewall conforms, however its segments
-- come; each broken message violates the rule that is about it, and no other verdict gets lost.

local address = require("codec.address")
local judge = require("judge.judge")
local messages = require("runner.messages")
local packet = require("runner.packet")
local support = require("tests.support")

local test, expect = support.test, support.expect

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
local function conversation(change)
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

local function tcp_packet(from, to, from_port, to_port, sequence, flags, payload)
  local body = string.pack(">I2I2I4I4BBI2I2I2", from_port, to_port, sequence & 0xFFFFFFFF, 0, 0x50,
    flags, 65535, 0, 0) .. payload
  return string.pack(">BBI2I2I2BBI2", 0x45, 0, 20 + #body, 0, 0x4000, 64, 6, 0)
    .. address.parse(from) .. address.parse(to) .. body
end

local PORTS = { [NI] = 40000, [INSIDE] = 30000, [OUTSIDE] = 41000, [NR] = 31000 }
local START = 0xFFFFFFF0 -- the sequence numbers wrap at once

-- The packets of a conversation; `spread` shuffles, repeats and overlaps segments.
local function packets_of(steps, spread)
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
    add(tcp_packet(from, to, PORTS[from], PORTS[to], START, SYN, ""))
    add(tcp_packet(to, from, PORTS[to], PORTS[from], START, SYN_ACK, ""))
  end
  local function stream(from, to, bytes)
    open(from, to)
    local position = 1
    while position <= #bytes do
      local size = spread and random(1, 40) or #bytes
      local from_here = spread and math.max(1, position - random(0, 9)) or position
      local segment = tcp_packet(from, to, PORTS[from], PORTS[to], sent[from] + from_here - 1,
        PSH_ACK, bytes:sub(from_here, position + size - 1))
      add(segment, spread and random(0, 6) or 0)
      if spread and random(3) == 1 then add(segment, random(0, 6)) end
      position = position + size
    end
    sent[from] = sent[from] + #bytes
  end
  for _, step in ipairs(steps) do
    if step.mode == "C" then
      stream(step.from, step.to, step.bytes)
    else
      add(packet.build({ source = step.source or step.from, source_port = step.source_port or 270,
        destination = step.mode == "Q" and (step.destination or FLOW.destination) or step.to,
        destination_port = 270, payload = (step.magic or "\78\4\189\165") .. step.bytes,
        options = step.options, df = step.df, ttl = step.ttl }))
    end
  end
  add(tcp_packet(NI, INSIDE, PORTS[NI], PORTS[INSIDE], sent[NI], FIN | 16, ""))
  return list
end

local function judged(steps, spread)
  local list = packets_of(steps, spread)
  local gathered = assert(judge.gather({ "made up" }, IUT, function(_, give)
    for frame, one in ipairs(list) do give(one.bytes, one.at, frame) end
    return true
  end))
  return judge.evaluate(gathered)
end

local function violated(result)
  local ids = {}
  for _, rule in ipairs(result.rules) do
    if rule.verdict == "violates" then ids[#ids + 1] = rule.id end
  end
  return table.concat(ids, " ")
end

local function rule_of(result, id)
  for _, rule in ipairs(result.rules) do if rule.id == id then return rule end end
  error("no rule " .. id)
end

local plain = judged(conversation())

test("a right conversation violates nothing, and says what it never exercised", function()
  expect(violated(plain) == "", violated(plain))
  expect(judge.exit_status(plain) == 0, "exit status")
  expect(rule_of(plain, "gist-error").verdict == "never exercised", "an Error was seen?")
  expect(rule_of(plain, "natfw-notify-class").verdict == "never exercised", "a NOTIFY was seen?")
  expect(plain.counts.conforms > 30, plain.counts.conforms .. " rules conform")
end)

test("segments out of order, repeated, overlapping and with wrapped numbers change no verdict",
  function()
    for seed = 1, 50 do
      local result = judged(conversation(), seed)
      expect(violated(result) == "", "seed " .. seed .. ": " .. violated(result))
      for i, rule in ipairs(result.rules) do
        expect(rule.observations == plain.rules[i].observations, "seed " .. seed .. ": " .. rule.id)
      end
    end
  end)

test("a capture without the IUT is no pass", function()
  local gathered = judge.gather({}, IUT, error)
  expect(judge.exit_status(judge.evaluate(gathered)) == 4, "exit status")
end)

test("octets behind a hole are counted, not guessed", function()
  local list = packets_of((conversation()))
  local kept = {}
  for i, one in ipairs(list) do
    local is_create = one.bytes:find(session.sid, 1, true) and one.bytes:byte(10) == 6
      and one.bytes:find("\0\12\0\1", 1, true)
    if not (is_create and not kept.hole) then kept[#kept + 1] = one else kept.hole = i end
  end
  local gathered = judge.gather({ "x" }, IUT, function(_, give)
    for frame, one in ipairs(kept) do give(one.bytes, one.at, frame) end
    return true
  end)
  expect(kept.hole and gathered.counts.behind_holes > 0, "no hole seen")
  expect(violated(judge.evaluate(gathered)) == "", violated(judge.evaluate(gathered)))
end)

local function object(message, type_number)
  for place, one in ipairs(message.objects) do
    if one.type == type_number then return one, place end
  end
end

local function set(type_number, field, value)
  return function(message) object(message, type_number).values[field] = value end
end

local function drop(type_number)
  return function(message)
    local _, place = object(message, type_number)
    table.remove(message.objects, place)
  end
end

local function flag(name, value) return function(message) message.header[name] = value end end

local function wire(name, value) return function(_, step) step[name] = value end end

local NLI_OBJECT = messages.nli(outside, 64)

-- { the rule that has to be violated, the message, how it is spoilt }
local broken = {
  { "gist-header", "Query", flag("r", 0) },
  { "gist-header", "Data", flag("version", 2) },
  { "gist-hop-count", "Confirm", flag("hops", 0) },
  { "gist-objects", "Response", drop(2) },
  { "gist-values", "Query", set(2, "validity_ms", 0) },
  { "gist-reserved-bits", "Response", flag("reserved", 1) },
  { "gist-magic-number", "Response", wire("magic", "\0\0\0\0") },
  { "gist-c-mode-s-flag", "Data", flag("s", 0) },
  { "gist-query-encapsulation", "Query", wire("mode", "C") },
  { "gist-query-dont-fragment", "Query", wire("df", false) },
  { "gist-query-router-alert", "Query", wire("options", packet.router_alert(0)) },
  { "gist-query-destination", "Query", wire("destination", "192.0.2.99") },
  { "gist-query-source", "Query", wire("source", "203.0.113.77") },
  { "gist-nli-address", "Response", set(2, "interface", "198.51.100.9") },
  { "gist-d-mode-s-flag", "Response", flag("s", 0) },
  { "gist-nli-ttl", "Query", set(2, "ip_ttl", 3) },
  { "gist-response-cookie", "Response", set(5, "cookie", "someelse") },
  { "gist-response-mri", "Response", set(0, "d", 0) },
  { "gist-response-mri", "Response", set(0, "dest_port", 9) },
  { "gist-response-r-flag", "Response", flag("r", 0) },
  { "gist-response-ports", "Response", wire("source_port", 271) },
  { "gist-confirm-cookie", "Confirm", set(6, "cookie", ("x"):rep(16)) },
  { "gist-confirm-mri", "Confirm", set(0, "d", 1) },
  { "gist-confirm-stack", "Confirm", function(message)
    object(message, 3).raw = "\1\0\0\0\1\2\0\0"
  end },
  { "gist-confirm-first", "Confirm", function(message) message.header.type = 3 end },
  { "gist-data-nli", "Data", function(message) table.insert(message.objects, 3, NLI_OBJECT) end },
  { "gist-hello", "MA-Hello", flag("nslpid", 33) },
  { "gist-hello-reply", "MA-Hello", set(10, "hello_id", 77) },
  { "natfw-well-formed", "CREATE", drop(0x00F) },
  { "natfw-reserved-bits", "RESPONSE", flag("reserved", 1) },
  { "natfw-proxy-flags", "RESPONSE", flag("p", 1) },
  { "natfw-response-info", "RESPONSE", set(0x010, "class", 1) },
  { "natfw-response-msn", "RESPONSE", set(0x012, "msn", 6) },
  { "natfw-request-msn", "CREATE", set(0x012, "msn", 99) },
  { "natfw-lifetime-forwarded", "CREATE", set(0x00C, "lifetime_s", 61) },
  { "natfw-lifetime-granted", "RESPONSE", set(0x00C, "lifetime_s", 61) },
  { "natfw-deletion-silent", "RESPONSE", set(0x012, "msn", 8) },
  { "natfw-create-direction", "Data", set(0, "d", 1) },
}

test("each broken message violates the rule that is about it", function()
  for _, one in ipairs(broken) do
    local result = judged((conversation(function(name, message, step)
      if name == one[2] then one[3](message, step) end
    end)))
    local rule = rule_of(result, one[1])
    expect(rule.verdict == "violates", one[1] .. " is " .. rule.verdict .. "; violated: "
      .. violated(result))
    local first = rule.violations[1]
    expect(first.frame and first.expected ~= first.actual, one[1] .. " does not say what")
    expect(judge.exit_status(result) == 1, "exit status")
  end
end)

test("every rule judges requirements that exist", function()
  local known = support.requirements()
  local ids = {}
  for _, group in ipairs(judge.groups) do
    for _, rule in ipairs(group.rules) do
      expect(not ids[rule.id], rule.id .. " is there twice")
      ids[rule.id] = true
      for _, id in ipairs(rule.requirements) do
        expect(known[group.document .. "-" .. id], rule.id .. ": no requirement " .. id)
      end
    end
  end
end)

support.finish()
