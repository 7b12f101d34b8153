-- Offline judgement on a conversation made here: a right firewall conforms, however its segments
-- come; each broken message violates the rule that is about it, and no other verdict gets lost.

local judge = require("judge.judge")
local made = require("tests.conversation")
local messages = require("runner.messages")
local packet = require("codec.packet")
local support = require("tests.support")

local test, expect = support.test, support.expect

local conversation, packets_of, IUT, session = made.conversation, made.packets, made.iut,
  made.session

local function judged_packets(list, iut)
  return assert(judge.captures({ "made up" }, iut or IUT, made.reader(list)))
end

local function judged(steps, spread, iut)
  return judged_packets(packets_of(steps, { seed = spread }), iut)
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
  expect(judge.exit_status(judged_packets({})) == 4, "exit status")
end)

test("octets behind a hole are counted, not guessed", function()
  local list = packets_of((conversation()))
  local kept = {}
  for i, one in ipairs(list) do
    local is_create = one.bytes:find(session.sid, 1, true) and one.bytes:byte(10) == 6
      and one.bytes:find("\0\12\0\1", 1, true)
    if not (is_create and not kept.hole) then kept[#kept + 1] = one else kept.hole = i end
  end
  local result = judged_packets(kept)
  expect(kept.hole and result.capture.octets_behind_holes > 0, "no hole seen")
  expect(violated(result) == "", violated(result))
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

local NLI_OBJECT = messages.nli(made.outside, 64)

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
  { "gist-response-destination", "Response", wire("to", "198.51.100.77") },
  { "gist-confirm-destination", "Confirm", function(_, step)
    step.mode, step.to = "D", "203.0.113.99"
  end },
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
    for _, id in ipairs(rule.requirements) do
      expect(result.requirements[id] == "violates", id .. " is " .. result.requirements[id])
    end
  end
end)

test("who says a Stack-Proposal again may set its padding to zero, and nothing else", function()
  local said, padding = "\1\0\0\0\1\1", "\7\9"
  local function verdict(again)
    local steps = conversation(function(name, message)
      if name == "Response" then object(message, 3).raw = said .. padding end
    end)
    local confirm = steps[3]
    confirm.bytes = confirm.bytes:gsub(said .. padding, again)
    return rule_of(judged(steps, nil, { [made.NI] = true }), "gist-confirm-stack").verdict
  end
  expect(verdict(said .. padding) == "conforms", "octet for octet")
  expect(verdict(said .. "\0\0") == "conforms", "padding of zero")
  expect(verdict(said .. "\0\1") == "violates", "other padding")
  expect(verdict("\1\0\0\0\1\2\0\0") == "violates", "another layer")
end)

-- More of a conversation -------------------------------------------------------------------------

local OTHER, NONE = { sid = ("t"):rep(16), flow = session.flow }, { sid = ("\0"):rep(16),
  flow = session.flow }

local function nslp(from, to, direction, message, of)
  return { from = from, to = to, mode = "C", bytes = messages.encode_gist(messages.data(of or session,
    direction, messages.encode_natfw(message))) }
end

local function query_of(other)
  return { from = made.NI, to = made.INSIDE, mode = "Q", options = packet.router_alert(65),
    bytes = messages.encode_gist(messages.query({ address = made.NI, identity = ("a"):rep(16),
      validity_ms = 30000, hold_time_ms = 30000 }, other, "cookies!", 1)) }
end

-- The conversation with these steps before its deletion.
local function with(...)
  local steps = conversation()
  for _, step in ipairs({ ... }) do table.insert(steps, #steps - 1, step) end
  return steps
end

local function refusal(code, lifetime_s)
  return nslp(made.INSIDE, made.NI, 1, messages.nslp_response({ class = 7, code = code, msn = 7,
    lifetime_s = lifetime_s }))
end

local function create(from, to, msn, of)
  return nslp(from, to, 0, messages.create({ lifetime_s = 60, msn = msn }), of)
end

local HOST = { [made.NI] = true, [session.flow.source] = true }

-- { the rule, steps that it conforms to, steps that violate it, the IUT where it is not the
-- firewall }
local more = {
  { "natfw-notify-direction", { nslp(made.INSIDE, made.NI, 1, messages.notify("1/0x02")) },
    { nslp(made.OUTSIDE, made.NR, 0, messages.notify("1/0x02")) } },
  { "natfw-notify-originator", {}, { nslp(made.NI, made.INSIDE, 0, messages.notify("1/0x03")) }, HOST },
  { "natfw-msn-increments", {}, { create(made.NI, made.INSIDE, 9) }, HOST },
  { "natfw-response-session", {}, { query_of(OTHER), nslp(made.INSIDE, made.NI, 1,
    messages.nslp_response({ msn = 7, lifetime_s = 60 }), OTHER) } },
  { "natfw-request-order", {},
    { create(made.OUTSIDE, made.NR, 7) } },
  { "natfw-lifetime-bound", { refusal(0x11, 60) }, { refusal(0x11) } },
  { "natfw-lifetime-bound", { refusal(0x12, 2) }, { refusal(0x12) } },
  { "natfw-aggregate-stays", { create(made.NI, made.INSIDE, 9, NONE) },
    { create(made.NI, made.INSIDE, 9, NONE), create(made.OUTSIDE, made.NR, 9, NONE) } },
}

test("each rule about more than one message knows the right from the wrong", function()
  for _, one in ipairs(more) do
    local right = rule_of(judged(with(table.unpack(one[2])), nil, one[4]), one[1])
    expect(right.verdict == "conforms", one[1] .. " is " .. right.verdict)
    local result = judged(with(table.unpack(one[3])), nil, one[4])
    local wrong = rule_of(result, one[1])
    expect(wrong.verdict == "violates", one[1] .. " is " .. wrong.verdict)
    for _, id in ipairs(wrong.requirements) do
      expect(result.requirements[id] == "violates", id .. " is " .. result.requirements[id])
    end
  end
end)

test("an association that is opened elsewhere than a Response says violates", function()
  local steps = conversation()
  for _, step in ipairs(steps) do
    if step.from == made.NR then step.bytes = step.bytes:gsub(string.pack(">I2", 31000), "\121\25") end
  end
  local rule = rule_of(judged(steps), "gist-association-destination")
  expect(rule.verdict == "violates" and rule.violations[1].actual == "port 31000", rule.verdict)
end)

test("an initiator whose own session is asked for by another is its initiator still", function()
  local result = judged(with(create(made.INSIDE, made.NI, 99)), nil, HOST)
  expect(violated(result) == "", violated(result))
  expect(rule_of(result, "natfw-msn-increments").verdict == "conforms", "not judged as its initiator")
end)

-- Time -------------------------------------------------------------------------------------------

local function later(list, count, seconds)
  for place = count, #list do list[place].at = list[place].at + seconds end
  return list
end

test("a Response that is late by more than the way can explain violates", function()
  local rule = rule_of(judged_packets(later(packets_of(conversation()), 2, 0.01)),
    "gist-response-prompt")
  expect(rule.verdict == "violates" and rule.violations[1].frame == "2", rule.verdict)
end)

test("a NOTIFY of a lifetime that has expired comes no sooner", function()
  local list = packets_of(with(nslp(made.INSIDE, made.NI, 1, messages.notify("1/0x04"))))
  local rule = rule_of(judged_packets(list), "natfw-expired-notify")
  expect(rule.verdict == "violates", rule.verdict)
  rule = rule_of(judged_packets(later(list, #list - 3, 60)), "natfw-expired-notify")
  expect(rule.verdict == "conforms", rule.verdict)
end)

-- What is passed on from the other wire looks made up where that was not captured.
test("a capture of one side of a firewall says nothing of what the other side explains", function()
  local expired = messages.notify("1/0x04")
  local inside = with(nslp(made.INSIDE, made.NI, 1, expired))
  local outside = with(nslp(made.OUTSIDE, made.NR, 0, expired))
  for port, steps in pairs({ [made.INSIDE] = inside, [made.OUTSIDE] = outside }) do
    local kept = {}
    for _, step in ipairs(steps) do
      if step.from == port or step.to == port then kept[#kept + 1] = step end
    end
    local result = judged_packets(packets_of(kept, { open_ended = true }))
    expect(violated(result) == "", port .. ": " .. violated(result))
    local rule = rule_of(result, "natfw-expired-notify")
    expect(#rule.notes == 1 and rule.verdict == "never exercised", port .. ": " .. rule.verdict)
  end
end)

test("a session that a firewall refuses is judged where the capture has both its sides", function()
  local steps = { query_of(OTHER), create(made.NI, made.INSIDE, 7, OTHER),
    nslp(made.INSIDE, made.NI, 1, messages.nslp_response({ msn = 7, lifetime_s = 61 }), OTHER) }
  local both = rule_of(judged(with(table.unpack(steps))), "natfw-lifetime-granted")
  expect(both.verdict == "violates", "both sides: " .. both.verdict)
  local one = rule_of(judged(steps), "natfw-lifetime-granted")
  expect(one.verdict == "never exercised" and #one.notes == 1, "one side: " .. one.verdict)
end)

-- Queries of the firewall that nobody answers, at these times.
local function queries(...)
  local list = {}
  for place, at in ipairs({ ... }) do
    local bytes = messages.encode_gist(messages.query(made.outside, session, "cookie-" .. place, 1))
    list[place] = { at = at, bytes = packet.build({ source = made.OUTSIDE, source_port = 270,
      destination = session.flow.destination, destination_port = 270, payload = "\78\4\189\165"
        .. bytes, options = packet.router_alert(65) }) }
  end
  return rule_of(judged_packets(list), "gist-query-backoff").verdict
end

test("the intervals of a Query's retransmissions double, and loss makes no violation of that", function()
  expect(queries(0, 0.5, 1.5, 3.5) == "conforms", "doubling")
  expect(queries(0, 0.5, 1.0, 1.5) == "violates", "constant")
  expect(queries(0, 0.5, 1.0) == "never exercised", "three Queries say nothing")
  local times = { 0, 0.05, 0.15, 0.35, 0.75, 1.55, 3.15 }
  for lost = 0, (1 << #times) - 1 do
    local left = {}
    for place, at in ipairs(times) do
      if lost & (1 << (place - 1)) == 0 then left[#left + 1] = at end
    end
    expect(queries(table.unpack(left)) ~= "violates", "with loss " .. lost)
  end
end)

test("an upstream Query has TTL 255, by its packet, and S=1", function()
  local function verdicts(ttl, s_flag, told)
    local query = messages.query(made.outside, session, "cookies!", s_flag)
    query.objects[1].values.d, query.objects[3].values.ip_ttl = 1, told or ttl
    local result = judged_packets({ { at = 0, bytes = packet.build({ source = made.OUTSIDE,
      source_port = 270, destination = session.flow.source, destination_port = 270, ttl = ttl,
      payload = "\78\4\189\165" .. messages.encode_gist(query) }) } })
    return rule_of(result, "gist-upstream-query-ttl").verdict .. ", "
      .. rule_of(result, "gist-upstream-query-source").verdict
  end
  expect(verdicts(255, 1) == "conforms, conforms", verdicts(255, 1))
  expect(verdicts(64, 0) == "violates, violates", verdicts(64, 0))
  expect(verdicts(255, 1, 0) == "conforms, conforms", verdicts(255, 1, 0))
  expect(verdicts(255, 1, 64) == "conforms, conforms", verdicts(255, 1, 64))
  expect(verdicts(64, 1, 0) == "violates, conforms", verdicts(64, 1, 0))
  expect(verdicts(254, 1, 255) == "never exercised, conforms", verdicts(254, 1, 255))
end)

-- What a capture lacks ----------------------------------------------------------------------------

test("a capture that lacks any one packet, or all before one, makes no violation", function()
  local steps = conversation()
  steps[#steps + 1] = create(made.NI, made.INSIDE, 9)
  steps[#steps + 1] = create(made.OUTSIDE, made.NR, 9)
  local whole = packets_of(steps)
  for missing = 1, #whole do
    local one, tail = {}, {}
    for place, each in ipairs(whole) do
      if place ~= missing then one[#one + 1] = each end
      if place > missing then tail[#tail + 1] = each end
    end
    for _, iut in ipairs({ IUT, HOST }) do
      expect(violated(judged_packets(one, iut)) == "", "without " .. missing .. ": "
        .. violated(judged_packets(one, iut)))
      expect(violated(judged_packets(tail, iut)) == "", "after " .. missing .. ": "
        .. violated(judged_packets(tail, iut)))
    end
  end
end)

test("frames that are cut short make no violation", function()
  for size = 20, 120 do
    local list = packets_of(conversation())
    for _, one in ipairs(list) do one.bytes = one.bytes:sub(1, size) end
    expect(violated(judged_packets(list)) == "", size .. ": " .. violated(judged_packets(list)))
  end
end)

test("options that are longer than their object end in no error", function()
  local steps = conversation()
  for _, step in ipairs(steps) do
    if step.from == made.NR then step.bytes = step.bytes:gsub("\2\0\121\24", "\200\0\121\24") end
  end
  expect(rule_of(judged(steps), "gist-association-destination").verdict == "never exercised", "judged?")
end)

-- The packets, some with wrong octets, cut short, left out, late or twice.
local function spoilt(list)
  local out = {}
  for _, one in ipairs(list) do
    local bytes, kind, late = one.bytes, math.random(10), 0
    if kind <= 4 then
      local place = math.random(#bytes)
      bytes = bytes:sub(1, place - 1) .. string.char(math.random(0, 255)) .. bytes:sub(place + 1)
    elseif kind == 5 then
      bytes = bytes:sub(1, math.random(0, #bytes))
    elseif kind == 6 then
      late = math.random() * 100
    end
    if kind ~= 7 then out[#out + 1] = { bytes = bytes, at = one.at + late } end
    if kind == 8 then out[#out + 1] = { bytes = bytes, at = one.at } end
  end
  return out
end

test("no capture, however spoilt, ends in an error", function()
  for seed = 1, 300 do
    local list = packets_of(conversation())
    math.randomseed(seed)
    local ok, why = pcall(function() return judge.lines(judged_packets(spoilt(list))) end)
    expect(ok, "seed " .. seed .. ": " .. tostring(why))
  end
end)

-- The IPv4 packet as fragments of at most `size` octets, the last first, one of them twice.
local function fragmented(bytes, size, id)
  local head, body = bytes:sub(1, (bytes:byte(1) & 15) * 4), bytes:sub((bytes:byte(1) & 15) * 4 + 1)
  local out = {}
  for offset = 0, #body - 1, size do
    local piece = body:sub(offset + 1, offset + size)
    local more_follow = offset + size < #body and 0x2000 or 0
    table.insert(out, 1, head:sub(1, 2) .. string.pack(">I2I2I2", #head + #piece, id,
      more_follow | offset // 8) .. head:sub(9) .. piece)
  end
  out[#out + 1] = out[1]
  return out
end

test("fragments are put together, padding is taken off", function()
  local plainly = packets_of(conversation())
  local list = {}
  for place, one in ipairs(plainly) do
    for _, piece in ipairs(fragmented(one.bytes, 64, place)) do
      list[#list + 1] = { bytes = piece .. ("\0"):rep(18), at = place }
    end
  end
  local result = judged_packets(list)
  -- Fragments have no DF, which is what the rule about Q-mode sees, and right so.
  expect(violated(result) == "gist-query-dont-fragment", violated(result))
  for i, rule in ipairs(result.rules) do
    expect(rule.observations == plain.rules[i].observations, rule.id)
  end
end)

test("fragments that are missing, contradict each other or are too many are given up", function()
  local fragments = require("judge.fragments")
  local one = fragments.new()
  expect(one:add("a", { offset = 0, more = true, octets = "12345678" }, 0) == nil, "not whole")
  expect(one:add("a", { offset = 4, more = false, octets = "xxxxxxxx" }, 0) == nil, "contradicts")
  expect(one:unfinished() == 1, "is not counted")
  expect(one:add("a", { offset = 8, more = false, octets = "9" }, 0) == nil, "its beginning is lost")
  expect(one:add("a", { offset = 0, more = true, octets = "12345678" }, 0) == "123456789", "whole")
  for number = 1, 10000 do one:add(number, { offset = 0, more = true, octets = "12345678" }, 0) end
  expect(#one.order <= 64, #one.order .. " are kept")
  one:add("late", { offset = 0, more = true, octets = "12345678" }, 100)
  expect(#one.order == 1, "old ones are kept")
  expect(one:add("b", { offset = 65528, more = false, octets = ("x"):rep(16) }, 100) == nil
    and one.datagrams.b == nil, "too long a datagram is kept")
end)

test("IPv6 fragments are put together", function()
  local ip, fragments = require("judge.ip"), require("judge.fragments")
  local udp = string.pack(">I2I2I2I2", 270, 270, 8 + 24, 1) .. ("p"):rep(24)
  local ends = ("\32\1\13\184" .. ("\0"):rep(11) .. "\1") .. ("\32\1\13\184" .. ("\0"):rep(11) .. "\2")
  local function piece(offset, more_follow, octets)
    return string.pack(">I4I2BB", 0x60000000, 8 + #octets, 44, 64) .. ends
      .. string.pack(">BBI2I4", 17, 0, offset | more_follow, 99) .. octets
  end
  local reassembly = fragments.new()
  expect(ip.parse(piece(16, 0, udp:sub(17)), reassembly, 0) == nil, "the last alone")
  local parts = ip.parse(piece(0, 1, udp:sub(1, 16)), reassembly, 0)
  expect(parts and parts.udp and parts.payload == ("p"):rep(24) and parts.source == "2001:db8::1",
    "not put together")
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
