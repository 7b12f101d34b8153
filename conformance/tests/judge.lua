-- Offline judgement on a conversation made here: a right firewall conforms, however its segments
-- come; each broken message violates the rule that is about it, and no other verdict gets lost.

local judge = require("judge.judge")
local made = require("tests.conversation")
local messages = require("runner.messages")
local packet = require("runner.packet")
local support = require("tests.support")

local test, expect = support.test, support.expect

local conversation, packets_of, IUT, session = made.conversation, made.packets, made.iut,
  made.session

local function judged(steps, spread)
  local list = packets_of(steps, { seed = spread })
  local gathered = assert(judge.gather({ "made up" }, IUT, made.reader(list)))
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
  local gathered = judge.gather({ "x" }, IUT, made.reader(kept))
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
