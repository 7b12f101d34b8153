-- The verdict engine against a scripted firewall: no false fail when it is right, no false pass
-- when it breaks one thing, and the failing assertion carries the requirement that was broken.

local support = require("tests.support")
local verdicts = require("report.verdicts")

local test, expect = support.test, support.expect
local BOUNDS = { ["ics.lowers_lifetime"] = true, ["ics.rejects_small_lifetime"] = true,
  ["lifetime.max_s"] = 120, ["lifetime.min_s"] = 2 }

local function run_all(options)
  options = options or {}
  options.settings = options.settings or BOUNDS
  options.box = options.box or {}
  options.box.max_s, options.box.min_s = 120, 2
  return support.run(support.cases(), options)
end


local function expect_all_pass(results)
  for _, case in ipairs(results) do
    expect(case.verdict == "pass" or case.verdict == "not applicable",
      case.definition.id .. " is " .. case.verdict .. ": " .. tostring(case.reason))
  end
end

test("a right firewall passes every case that applies", function() expect_all_pass(run_all()) end)

test("forty at once, in any order, give the same verdicts as one by one", function()
  expect_all_pass(run_all({ jobs = 1 }))
  expect_all_pass(run_all({ jobs = 40, seed = 7 }))
  expect_all_pass(run_all({ jobs = 40, seed = 8 }))
end)

test("both readings of ruling A38 pass, and the report says which was seen", function()
  for literal, wanted in pairs({ [true] = "the session dies",
    [false] = "the old state is kept" }) do
    local results = support.run({ support.case("3.7.3-error-response-to-refresh") },
      { box = { literal = literal } })
    expect_all_pass(results)
    local seen = tostring(results[1].seen_readings.A38)
    expect(seen:find("^" .. wanted), "saw " .. seen)
  end
end)

test("a firewall that refuses long lifetimes passes as well as one that lowers them", function()
  local settings = { ["ics.rejects_large_lifetime"] = true, ["lifetime.max_s"] = 120 }
  local results = support.run({ support.case("3.4-lifetime-too-large"),
    support.case("3.4-lifetime-lowered") },
    { box = { max_s = 120, too_large = "reject" }, settings = settings })
  expect(results[1].verdict == "pass", tostring(results[1].reason))
  expect(results[2].verdict == "not applicable", results[2].verdict)
  results = support.run({ support.case("3.4-lifetime-too-large") },
    { box = { max_s = 120 }, settings = settings })
  expect(results[1].verdict == "fail" and results[1].results["RFC5973-3.4-8b"] ~= "pass",
    results[1].verdict)
end)

-- Another reading than this project's passes, unless --strict-rulings asks for that.
for id, box in pairs({ ["3.7.3-error-response-to-refresh"] = { literal = true },
  ["gist-5.2.2-address-of-that-side"] = { breaks = { ["other-side"] = true } },
  ["3.5-stale-response-installs-nothing"] = { breaks = { ["any-msn"] = true } },
  ["3.7.1-response-from-the-wrong-side"] = { breaks = { ["any-side"] = true } },
  ["3.3-notify-without-info"] = { breaks = { ["answers-faults"] = true } } }) do
  test(id .. " passes another reading, but for strict rulings", function()
    for strict, wanted in pairs({ [false] = "pass", [true] = "fail" }) do
      local case = support.run({ support.case(id) }, { box = box, strict = strict })[1]
      expect(case.verdict == wanted, case.verdict .. ": " .. tostring(case.reason))
    end
  end)
end

-- What is broken, the case that has to notice, the requirement that its failing step carries.
local BROKEN = {
  { "not-lowered", "3.4-lifetime-lowered", "RFC5973-3.4-7" },
  { "accepts-larger", "3.4-granted-lifetime-raised", "RFC5973-3.4-12" },
  { "no-notify", "3.4-granted-lifetime-raised", "RFC5973-3.4-14" },
  { "no-expiry", "3.4-expiry-udp", "RFC5973-3.4-1b" },
  { "no-expiry", "3.4-expiry-tcp", "RFC5973-3.4-1b" },
  { "session-stays", "3.4-expiry-udp", "RFC5973-3.4-1a" },
  { "forward-msn", "3.5-msn-forwarded-unchanged", "RFC5973-3.5-1b" },
  { "stale", "3.5-stale-msn-discarded", "RFC5973-3.5-6" },
  { "response-msn", "3.5-response-carries-received-msn", "RFC5973-3.5-5" },
  { "installs-early", "3.7.1-create-opens-udp", "RFC5973-3.7.1-7" },
  { "error-installs", "3.7.1-error-response-discards-rule", "RFC5973-3.7.1-i23" },
  { "no-peer-error", "3.7.1-no-responder", "RFC5973-3.7.1-2" },
  { "forgets-to-delete", "3.7.4-deletion-udp", "RFC5973-3.7.4-1" },
  { "forgets-to-delete", "3.7.4-deletion-tcp", "RFC5973-3.7.4-1" },
  { "propagates", "3.7.4-aggregated-deletion", "RFC5973-3.7.4-4a" },
  { "reserved", "4.1-messages-sent-are-well-formed", "RFC5973-4.1-2a" },
  { "sets-p", "4.1-messages-sent-are-well-formed", "RFC5973-4.1-5" },
  { "p-flag", "4.1-proxy-flags-ignored-in-response", "RFC5973-4.1-6" },
  { "info-reserved", "4.2.5-reserved-bits-ignored", "RFC5973-4.2.5-1b" },
  { "wrong-code", "3.3-create-type-5", "RFC5973-4.1-3" },
  { "wrong-code", "3.3-create-lt-long", "RFC5973-4.2-1" },
  { "wrong-code", "3.3-create-lt-ab-11", "RFC5973-4.2-3b" },
  { "accepts-faults", "3.3-create-unknown-0x3f0", "RFC5973-4.2-2" },
  { "accepts-faults", "3.3-create-rule-action-3", "RFC5973-4.2.4-3" },
  { "accepts-faults", "3.3-create-sub-ports-2", "RFC5973-4.2.4-4b" },
  { "accepts-faults", "4.3-missing-object", "RFC5973-4.3-2" },
  { "accepts-faults", "3.3-create-with-info", "RFC5973-4.3-3" },
  { "accepts-faults", "3.3-create-two-lt", "RFC5973-4.3-4" },
  { "keeps-ab01", "4.2-unknown-optional-object", "RFC5973-4.2-i4" },
  { "drops-ab10", "4.2-unknown-forward-object", "RFC5973-4.2-i5" },
  { "reverse-ends-early", "3.4-expiry-udp", "RFC5973-3.4-i1" },
  { "ends-early", "3.4-expiry-udp", "RFC5973-3.4-i1" },
  { "any-cookie", "gist-5.7.1-wrong-responder-cookie", "RFC5971-5.7.1-14a" },
  { "any-cookie", "gist-5.7.1-changed-stack-proposal", "RFC5971-5.7.1-13" },
  { "no-alert", "gist-5.3.2-query-is-q-mode", "RFC5971-5.3.2.1-2" },
  { "no-distance", "gist-5.2.2-distance-in-a-refresh", "RFC5971-5.2.2-6" },
  { "tells-again", "3.7.5-route-change-once", "RFC5973-3.7.5-3" },
  { "no-r-flag", "gist-4.4.1-response-to-query", "RFC5971-5.1-11a" },
  { "association-data-nli", "gist-5.1-confirm", "RFC5971-5.1-17b" },
  { "spreads", "gist-4.1.2-in-order-once", "RFC5971-4.3.3-8a" },
  { "slow-response", "gist-5.3.1-response-datagram", "RFC5971-5.3.3-7" },
  { "multicast-nli", "gist-5.3.1-response-datagram", "RFC5971-7.4-3c" },
  { "mri-of-ipv6", "gist-5.3.2-query-datagram", "RFC5971-7.4-1a" },
  { "wrong-error", "gist-4.3.1-data-with-hop-count-zero", "RFC5971-4.3.1-5" },
  { "wrong-error", "gist-4.3.1-query-with-hop-count-zero", "RFC5971-4.3.1-5" },
  { "wrong-subcode", "gist-4.4.5-confirm-without-hold-time", "RFC5971-4.4.5-7" },
}

local failing_step = support.failing_step

for _, row in ipairs(BROKEN) do
  test(row[2] .. " fails when the firewall is broken by " .. row[1], function()
    local results = support.run({ support.case(row[2]) },
      { box = { breaks = { [row[1]] = true }, max_s = 120, min_s = 2 }, settings = BOUNDS })
    local case = results[1]
    expect(case.verdict == "fail", case.verdict .. ": " .. tostring(case.reason))
    local carried = " " .. table.concat(failing_step(case).ids, " ") .. " "
    expect(carried:find(" " .. row[3] .. " ", 1, true), "the failing step carries" .. carried)
    expect(case.results[row[3]] == "fail", row[3] .. " is " .. tostring(case.results[row[3]]))
  end)
end

-- A case that runs again and again: what it does each time, as "pass" or the name of a step.
local function unsteady(...)
  local outcomes, run = { ... }, 0
  return { id = "unsteady", document = "RFC5973", section = "3.4", purpose = "To waver.",
    requirements = { "RFC5973-3.4-1a" }, roles = { "NF-FW" }, run = function(t)
      run = run + 1
      local outcome = assert(outcomes[run], "it runs more often than it should")
      t:body()
      t:check{ ids = { "RFC5973-3.4-1a" }, text = outcome, expected = true,
        actual = outcome == "pass" }
    end }
end

local function settled(definition, failures_needed)
  local results = support.run({ definition },
    { settings = { ["limits.failures_needed"] = failures_needed } })
  return results[1].verdict, results[1].results["RFC5973-3.4-1a"], results[1]
end

test("a failure counts at once where nothing else is asked for", function()
  local verdict, requirement = settled(unsteady("a step"), 1)
  expect(verdict == "fail" and requirement == "fail", verdict)
end)

test("a failure counts that came as often as is asked for, at the same step", function()
  local verdict, requirement = settled(unsteady("a step", "a step", "a step"), 3)
  expect(verdict == "fail" and requirement == "fail", verdict)
end)

test("a failure that does not come again leaves the case unstable, with both runs", function()
  local verdict, requirement, case = settled(unsteady("a step", "pass"), 2)
  expect(verdict == "unstable" and requirement == "inconclusive", verdict)
  expect(failing_step(case).text == "a step" and case.other_run.verdict == "pass", case.reason)
end)

test("a failure that comes again at another step leaves the case unstable", function()
  local verdict = settled(unsteady("a step", "another step"), 2)
  expect(verdict == "unstable", verdict)
end)

test("where nothing else is asked for a failure has to come twice", function()
  expect(settled(unsteady("a step", "a step")) == "fail", "it did not fail")
  expect(settled(unsteady("a step", "pass")) == "unstable", "it is not unstable")
end)

test("what runs again does so with nothing beside it", function()
  local running, most = 0, 0
  local function long(id, failing)
    local runs = 0
    return { id = id, document = "RFC5973", section = "3.4", purpose = "To take long.",
      requirements = { "RFC5973-3.4-1a" }, roles = { "NF-FW" }, run = function(t)
        runs, running = runs + 1, running + 1
        if runs > 1 then most = math.max(most, running) end
        t:defer(function() running = running - 1 end)
        t:pause(5000)
        t:body()
        t:check{ ids = { "RFC5973-3.4-1a" }, text = "a step", holds = not failing }
      end }
  end
  local results = support.run({ long("one", true), long("two", true), long("three") })
  expect(results[1].verdict == "fail" and results[3].verdict == "pass", results[1].verdict)
  expect(most == 1, most .. " ran at once")
end)

-- The runner was deaf for so long in each run of a case that waits ten seconds and then one, and fails.
local function after_stalls(...)
  local stalls, runs = { ... }, 0
  local definition = { id = "late", document = "RFC5973", section = "3.4", purpose = "To be late.",
    requirements = { "RFC5973-3.4-1a" }, roles = { "NF-FW" }, run = function(t)
      runs = runs + 1
      t.net.stalled = function(from, to)
        if to - from > 1001 then return 0 end
        return to - from == 1000 and assert(stalls[runs], "it runs more often than it should") or 0
      end
      t:pause(10000)
      t:pause(1000)
      t:body()
      t:check{ text = "another of that moment", holds = true }
      t:check{ ids = { "RFC5973-3.4-1a" }, text = "a step", holds = false }
    end }
  local case = support.run({ definition })[1]
  return case.verdict, case.reason, runs, case.results["RFC5973-3.4-1a"]
end

test("a failure that a stall could have made blames nobody, and the case runs again", function()
  local verdict, _, runs = after_stalls(101, 99, 99)
  expect(verdict == "fail" and runs == 3, verdict .. " after " .. runs)
end)

test("a failure that stalls could have made three times is inconclusive, and says why", function()
  local verdict, reason, runs, requirement = after_stalls(101, 500, 1000)
  expect(verdict == "inconclusive" and runs == 3, verdict .. " after " .. runs)
  expect(requirement == "not reached", "the requirement is " .. requirement)
  expect(reason:find("deaf for 1000 of 1000 ms", 1, true), reason)
end)

test("a quarter of a second is too long in any wait, and what a check came after is over", function()
  local function verdict_after(stall_ms, checks_before)
    local definition = { id = "late", document = "RFC5973", section = "3.4", purpose = "To be late.",
      requirements = { "RFC5973-3.4-1a" }, roles = { "NF-FW" }, run = function(t)
        t.net.stalled = function(from, to) return to - from == 60000 and stall_ms or 0 end
        t:pause(60000)
        if checks_before then
          t:check{ text = "a step before", holds = true }
          t:pause(10)
        end
        t:body()
        t:check{ ids = { "RFC5973-3.4-1a" }, text = "a step", holds = false }
      end }
    return support.run({ definition })[1].verdict
  end
  expect(verdict_after(251) == "inconclusive", "251 ms of a minute")
  expect(verdict_after(249) == "fail", "249 ms of a minute")
  expect(verdict_after(251, true) == "fail", "before another check")
end)

test("a step is the same one whatever the addresses in its text", function()
  local number = 0
  local definition = { id = "same", document = "RFC5973", section = "3.4", purpose = "To fail.",
    requirements = { "RFC5973-3.4-1a" }, roles = { "NF-FW" }, run = function(t)
      number = number + 1
      t:body()
      t:check{ ids = { "RFC5973-3.4-1a" }, text = "data passes: 10.0.0." .. number, holds = false }
    end }
  expect(support.run({ definition })[1].verdict == "fail", "it did not fail")
end)

test("a pass is not asked for twice", function()
  expect(settled(unsteady("pass"), 3) == "pass", "it did not pass")
end)

-- What a lawful box may do as well, by a ruling, and what the verdict is then.
local LEFT_OPEN = { ["3.3-notify-with-msn"] = "not applicable", ["4-create-known-ab-01"] = "pass",
  ["4-create-known-ab-10"] = "pass", ["4-create-object-reserved"] = "pass" }

local function expect_failure(definition, broken)
  local case = support.run({ definition }, { box = { breaks = { [broken] = true } },
    settings = BOUNDS })[1]
  local wanted = LEFT_OPEN[definition.id] or "fail"
  expect(case.verdict == wanted, definition.id .. ": " .. case.verdict .. ": " .. tostring(case.reason))
  if wanted ~= "fail" then return expect(next(case.seen_readings), definition.id .. ": no reading") end
  expect(#failing_step(case).ids > 0, definition.id .. ": the failing step carries nothing")
end

test("every case about one fault fails when the firewall does not look for faults", function()
  for _, definition in ipairs(support.cases()) do
    if definition.id:find("^3%.3%-") then expect_failure(definition, "accepts-faults") end
  end
end)

test("every case about what is ignored fails when the firewall does not ignore it", function()
  for _, definition in ipairs(support.cases()) do
    if definition.id:find("^4%-") then expect_failure(definition, "strict") end
  end
end)

-- Cases made for one rule of the engine each.
local function one(requirements, run)
  return { id = "test", purpose = "test", roles = { "NF-FW" }, requirements = requirements,
    run = run,
    document = "RFC0", section = "0" }
end

-- A step that wants a 1.
local function check(t, ids, actual)
  t:check{ ids = ids, text = "x", expected = 1, actual = actual }
end

local function verdict_of(requirements, run, options)
  return support.run({ one(requirements, run) }, options)[1]
end

test("a case that touches nothing is an error, not a pass", function()
  local case = verdict_of({ "RFC5973-3.5-6" }, function() end)
  expect(case.verdict == "error" and case.reason:find("RFC5973-3.5-6", 1, true),
    tostring(case.reason))
end)

test("a case without a body, which nothing could fail, is an error", function()
  local ids = { "RFC5973-3.5-6" }
  local case = verdict_of(ids, function(t) check(t, ids, 1) end)
  expect(case.verdict == "error" and case.reason:find("never says t:body"), tostring(case.reason))
end)

test("a failure in the preamble is inconclusive, in the body a failure", function()
  local ids = { "RFC5973-3.5-6" }
  expect(verdict_of(ids, function(t) check(t, ids, 2) end).verdict == "inconclusive",
    "preamble")
  expect(verdict_of(ids, function(t)
    t:body()
    check(t, ids, 2)
  end).verdict == "fail", "body")
  expect(verdict_of(ids, function(t)
    t:body()
    check(t, ids, 1)
    t:control()
    check(t, nil, 2)
  end).verdict == "inconclusive", "control")
end)

test("a failing postamble is an error", function()
  local ids = { "RFC5973-3.5-6" }
  local case = verdict_of(ids, function(t)
    t:body()
    t:defer(function() check(t, nil, 2) end)
    error({ verdict = "not applicable", reason = "said so" })
  end)
  expect(case.verdict == "not applicable", case.verdict)
  case = verdict_of(ids, function(t)
    t:body()
    check(t, ids, 1)
    t:defer(function() check(t, nil, 2) end)
  end)
  expect(case.verdict == "error", case.verdict)
end)

test("'nothing came' without a positive control is inconclusive", function()
  local ids = { "RFC5973-3.5-6" }
  local case = verdict_of(ids, function(t)
    t:session():establish()
    t:body()
    t.nr:expect_nothing{ ids = ids, text = "nothing comes" }
  end)
  expect(case.verdict == "inconclusive" and case.reason:find("positive control"),
    tostring(case.reason))
  case = verdict_of(ids, function(t)
    local session = t:session():establish()
    t:body()
    t.nr:expect_nothing{ ids = ids, text = "nothing comes" }
    session:send_create():expect_create()
  end)
  expect(case.verdict == "pass", tostring(case.reason))
end)

test("'no data passes' without a flow that does is inconclusive", function()
  local ids = { "RFC5973-3.7.1-7" }
  local case = verdict_of(ids, function(t)
    local session = t:session():connect()
    t:body()
    session.data:expect_blocked{ ids = ids }
  end)
  expect(case.verdict == "inconclusive" and case.reason:find("positive control"),
    tostring(case.reason))
end)

test("a message that nobody waits for fails the case", function()
  local ids = { "RFC5973-3.5-1b" }
  local case = verdict_of(ids, function(t)
    local session = t:session():connect()
    t:body()
    session:send_create()
    t.nr:expect{ message = "NOTIFY", session = session, ids = ids, text = "a NOTIFY comes" }
  end)
  expect(case.verdict == "fail" and case.reason:find("got CREATE", 1, true), tostring(case.reason))
end)

test("a message of another session does not do for the one that is waited for", function()
  local ids = { "RFC5973-3.5-1b" }
  local function two_sessions(t)
    t:session():establish()
    local second = t:session()
    second:send_create():expect_create()
    t:body()
    second:respond():expect_response{ ids = ids, text = "the RESPONSE of the second session comes" }
  end
  expect(verdict_of(ids, two_sessions).verdict == "pass", "a right firewall passes")
  local case = verdict_of(ids, two_sessions, { box = { breaks = { ["swaps-sessions"] = true } } })
  expect(case.verdict == "fail" and case.reason:find("of another session", 1, true),
    tostring(case.reason))
end)

test("a flow that had ended before the deletion did not stop at it", function()
  local ids = { "RFC5973-3.7.4-1" }
  local function late_deletion(t)
    local other, session = t:session(), t:session():establish()
    session.data:expect_passing()
    t:pause(2000)
    t:body()
    session:delete()
    session.data:expect_stop{ ids = ids, early_ids = ids, text = "running flow stops at deletion",
      at_ms = session.deleted_at }
    session:expect_create()
    t:control()
    other:establish().data:expect_passing()
  end
  expect(verdict_of(ids, late_deletion).verdict == "pass", "a right firewall passes")
  for _, broken in ipairs({ "ends-early", "reverse-ends-early" }) do
    local case = verdict_of(ids, late_deletion, { box = { breaks = { [broken] = true } } })
    expect(case.verdict == "fail" and case.reason:find("stops at deletion", 1, true),
      broken .. ": " .. case.verdict .. ": " .. tostring(case.reason))
  end
end)

-- What breaks a NAT, the case that has to notice, the requirement that its failing step carries.
for _, row in ipairs({
  { "external-anywhere", "3.7.2-external-on-external-side", "RFC5973-3.7.2-12" },
  { "wrong-code", "3.7.2-external-without-dtinfo-at-a-nat", "RFC5973-3.7.2-16" },
}) do
  test(row[2] .. " passes a right NAT, and fails one broken by " .. row[1], function()
    local function judged(breaks)
      return support.run({ support.case(row[2]) }, { box = { nat = true, breaks = breaks },
        roles = { "edge-NAT" } })[1]
    end
    local right, wrong = judged({}), judged({ [row[1]] = true })
    expect(right.verdict == "pass", tostring(right.reason))
    expect(wrong.verdict == "fail" and wrong.results[row[3]] == "fail",
      wrong.verdict .. ": " .. tostring(wrong.reason))
  end)
end

test("a path without the IUT is never a pass", function()
  local router = support.router_run(support.cases(), BOUNDS)
  for _, case in ipairs(router) do
    expect(case.verdict ~= "pass", case.definition.id .. " passes without an IUT")
  end
end)

test("a bug in a case is an error of the runner, with its place", function()
  local case = verdict_of({ "RFC5973-3.5-6" }, function(t) t.no_such_thing.at_all() end)
  expect(case.verdict == "error" and case.reason:find("engine.lua:%d+"), tostring(case.reason))
end)

test("a step that carries what its case does not claim is an error", function()
  local case = verdict_of({ "RFC5973-3.5-6" }, function(t) check(t, { "RFC5973-3.5-4" }, 1) end)
  expect(case.verdict == "error", case.verdict)
end)

test("expected failures and unexpected passes are told apart", function()
  local ids = { "RFC5973-3.5-6" }
  local bad = verdict_of(ids, function(t)
    t:body()
    check(t, ids, 2)
  end)
  local good = verdict_of(ids, function(t)
    t:body()
    check(t, ids, 1)
  end)
  verdicts.apply({ bad, good }, { test = "known" })
  expect(bad.verdict == "expected failure", bad.verdict)
  expect(good.verdict == "unexpected pass", good.verdict)
  expect(verdicts.exit_status(verdicts.count({ bad })) == 0, "an expected failure breaks no run")
  expect(verdicts.exit_status(verdicts.count({ bad, good })) == 1, "an unexpected pass does")
end)

test("exit status tells failures, errors and inconclusive runs apart", function()
  local function status(list)
    local results = {}
    for i, verdict in ipairs(list) do results[i] = { verdict = verdict } end
    return verdicts.exit_status(verdicts.count(results))
  end
  expect(status({ "pass", "not applicable" }) == 0, "pass")
  expect(status({ "pass", "fail", "inconclusive" }) == 1, "fail")
  expect(status({ "fail", "error" }) == 3, "error")
  expect(status({ "pass", "inconclusive" }) == 4, "inconclusive")
  expect(status({ "not applicable" }) == 4, "nothing applies")
end)

support.finish()
