-- Replay against the scripted firewall: the same comes back, or the report says which field differs.

local made = require("tests.conversation")
local replay = require("runner.replay")
local support = require("tests.support")

local test, expect = support.test, support.expect

local function script_of(player)
  return replay.read("made.pcap", player, made.reader(made.packets(made.conversation())))
end

local function replayed(script, options)
  return support.run({ replay.definition(script, { "NF-FW" }) }, options)[1]
end

-- The texts of the checks that did not hold.
local function differences(case)
  local out = {}
  for _, step in ipairs(case.steps) do
    if step.kind == "check" and not step.ok then
      out[#out + 1] = step.text .. ": expected " .. step.expected .. ", got " .. step.actual
    end
  end
  return table.concat(out, "\n")
end

test("what a right firewall answered, a right firewall answers again", function()
  local script = assert(script_of())
  expect(script.player == made.NI, "plays " .. script.player)
  local case = replayed(script)
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
  local compared = {}
  for _, step in ipairs(case.steps) do
    if step.kind == "check" then compared[step.text] = true end
  end
  for _, text in ipairs({ "GIST Response Query-Cookie cookie", "GIST Response MRI d",
    "NATFW RESPONSE NATFW_MSN msn", "NATFW RESPONSE NATFW_LT lifetime_s",
    "NATFW RESPONSE NATFW_INFO class", "GIST Data SID sid" }) do
    expect(compared[text], "never compared " .. text)
  end
end)

test("another answer fails, and names the field", function()
  local case = replayed(assert(script_of()), { box = { max_s = 30 } })
  expect(case.verdict == "fail", case.verdict)
  expect(differences(case):find("lifetime_s: expected 60, got 30", 1, true), differences(case))
end)

test("without the IUT between the neighbours nothing passes", function()
  local definition = replay.definition(assert(script_of()), { "NF-FW" })
  local case = support.router_run({ definition })[1]
  expect(case.verdict == "fail" and differences(case):find("it is the IUT that answers", 1, true),
    case.verdict .. ": " .. differences(case))
end)

test("what cannot be played is said, with its frame", function()
  local script, why = replay.read("none.pcap", nil, made.reader({}))
  expect(script == nil and why == "none.pcap: has no Query", tostring(why))
  script, why = script_of("192.0.2.250")
  expect(script == nil and why:find("nothing that 192.0.2.250 sent", 1, true), tostring(why))
  local steps = made.conversation()
  steps[1].bytes = steps[1].bytes:sub(1, 4) .. "\0\40" .. steps[1].bytes:sub(7)
  script, why = replay.read("other.pcap", nil, made.reader(made.packets(steps)))
  expect(script == nil and why == "other.pcap: frame 1: NSLPID 40 is not NATFW's", tostring(why))
end)

support.finish()
