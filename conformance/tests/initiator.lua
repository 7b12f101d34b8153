-- The runner against a scripted initiator: what a trigger does, how it can fail, and whose a
-- session is that the IUT opens.

local Command = require("runner.command")
local support = require("tests.support")

local test, expect = support.test, support.expect

local function run_all(options) return support.initiator_run(support.cases(), options) end

local function run_one(id, broken)
  return support.initiator_run({ support.case(id) },
    { box = { breaks = { [broken or ""] = true } } })[1]
end

local function expect_all_pass(results)
  local passed = 0
  for _, case in ipairs(results) do
    passed = passed + (case.verdict == "pass" and 1 or 0)
    expect(case.verdict == "pass" or case.verdict == "not applicable",
      case.definition.id .. " is " .. case.verdict .. ": " .. tostring(case.reason))
  end
  expect(passed > 0, "nothing applied")
end

test("a right initiator passes every case that applies, one by one and at once", function()
  expect_all_pass(run_all({ jobs = 1 }))
  expect_all_pass(run_all({ jobs = 40 }))
end)

test("a trigger that fails leaves every case inconclusive, with what it printed", function()
  for _, case in ipairs(run_all({ box = { breaks = { ["trigger-fails"] = true } } })) do
    if case.verdict ~= "not applicable" then
      expect(case.verdict == "inconclusive"
        and case.reason:find("exit status 3: no such host", 1, true),
        case.definition.id .. " is " .. case.verdict .. ": " .. tostring(case.reason))
    end
  end
end)

test("a trigger that never ends and opens nothing makes no case pass", function()
  for _, case in ipairs(run_all({ box = { breaks = { ["never-comes"] = true } } })) do
    expect(case.verdict ~= "pass", case.definition.id .. " passes")
  end
  local case = run_one("ni-3.7.1-create", "never-comes")
  expect(case.verdict == "fail" and case.reason:find("expected a Query, got nothing", 1, true),
    tostring(case.reason))
  expect(case.finished_at - case.started_at <= 25000, "the command is bounded in time")
end)

test("an address that nothing can be sent to ends no run", function()
  for _, case in ipairs(run_all({ box = { breaks = { ["multicast-nli"] = true } } })) do
    expect(case.verdict ~= "error", case.definition.id .. ": " .. tostring(case.reason))
  end
  local case = run_one("ni-3.7.4-deletion", "multicast-nli")
  expect(case.verdict == "inconclusive" and case.reason == "cannot send to 234.0.0.1",
    case.verdict .. ": " .. tostring(case.reason))
end)

-- What is broken, the case that has to notice, the requirement that its failing step carries.
local BROKEN = {
  { "wrong-flow", "ni-3.7.1-create", "RFC5973-4.3.1-2" },
  { "wrong-flow", "ni-3.7.4-deletion", "RFC5973-4.3.1-2" },
  { "no-refresh", "ni-3.7.3-refresh", "RFC5973-3.7.3-i8" },
  { "waits-for-ever", "ni-3.2.8-session-without-answer-ends", "RFC5973-3.2.8-2" },
  { "keeps-msn", "ni-3.7.3-refresh", "RFC5973-3.5-3" },
  { "keeps-msn", "ni-3.7.4-deletion", "RFC5973-3.5-3" },
  { "hides-refusals", "ni-3.7.1-error-reported-5-02", "RFC5973-3.2.7-i4" },
  { "accepts-faults", "ni-3.2.7-response-unknown", "RFC5973-3.3-i2" },
  { "accepts-faults", "3.3-response-two-msn", "RFC5973-3.3-i2" },
}

for _, row in ipairs(BROKEN) do
  test(row[2] .. " fails when the initiator is broken by " .. row[1], function()
    local case = run_one(row[2], row[1])
    expect(case.verdict == "fail", case.verdict .. ": " .. tostring(case.reason))
    local carried = " " .. table.concat(support.failing_step(case).ids, " ") .. " "
    expect(carried:find(" " .. row[3] .. " ", 1, true), "the failing step carries" .. carried)
  end)
end

-- Two sessions whose triggers are pulled before either Query comes.
local function two_at_once(broken)
  local ids = { "RFC5973-3.7.1-i1" }
  return support.initiator_run({ { id = "test", purpose = "test", roles = { "NI" },
    requirements = ids, document = "RFC0", section = "0", run = function(t)
      t:body()
      local first, second = t:trigger_session(), t:trigger_session()
      for _ = 1, 2 do
        local item = t.nr:expect{ message = "CREATE", ids = ids, text = "a CREATE comes" }
        t:check{ ids = ids, text = "of the session whose flow it has",
          expected = item.session and item.session.flow.destination_port,
          actual = item:values("MRI").dest_port }
        item.session.forwarded, item.session.msn = item, item.msn
        item.session:respond()
      end
      first:expect_reported{ ids = ids, text = "the first trigger reports success" }
      second:expect_reported{ ids = ids, text = "the second trigger reports success" }
    end } }, { box = { breaks = { [broken or ""] = true } } })[1]
end

test("two sessions at once are told apart by their flows", function()
  local case = two_at_once()
  expect(case.verdict == "pass", tostring(case.reason))
end)

test("of two sessions at once, neither is taken for one with another flow", function()
  local case = two_at_once("wrong-flow")
  expect(case.verdict == "fail" and case.reason:find("got nothing", 1, true), tostring(case.reason))
end)

-- A loop of its own for real commands: it looks again as fast as it can, within a bound.
local function run_command(line, limit_s)
  local actions, status, output = {}, nil, nil
  local function after(_, action)
    local timer = { cancel = function(self) self.over = true end, action = action }
    actions[#actions + 1] = timer
    return timer
  end
  Command.run(after, line, limit_s, function(...) status, output = ... end)
  local deadline = os.time() + 10
  while not status and os.time() < deadline do table.remove(actions, 1).action() end
  return status, output
end

test("a command gives its exit status and all that it prints", function()
  local status, output = run_command("echo out; echo 'it''s err' >&2; exit 3", 5)
  expect(status == 3, "exit status " .. tostring(status))
  expect(output == "out\nits err\n", tostring(output))
  expect(run_command("true", 5) == 0, "true")
end)

test("a command that takes too long is ended, and says 124", function()
  expect(run_command("sleep 5", 0.1) == 124, "not ended")
end)

support.finish()
