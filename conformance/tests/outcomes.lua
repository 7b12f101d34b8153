-- What becomes of each verdict: where the case is expected to fail, in the exit status, in JUnit and in
-- TAP; and that whoever reads reports knows it.

local support = require("tests.support")
local compare = require("report.compare")
local history = require("report.history")
local json = require("codec.json")
local report = require("report.report")
local style = require("report.style")
local suite = require("runner.suite")
local verdicts = require("report.verdicts")

local test, expect = support.test, support.expect

-- Of a run that has one such case: the exit status, alone and beside a pass; the element of JUnit, the
-- point of TAP. Then what the verdict is where the case is expected to fail.
local OUTCOMES = {
  ["pass"] = { alone = 0, beside = 0, junit = "", tap = "ok", expected = "unexpected pass" },
  ["fail"] = { alone = 1, beside = 1, junit = "failure", tap = "not ok",
    expected = "expected failure" },
  ["inconclusive"] = { alone = 4, beside = 4, junit = "skipped", tap = "not ok",
    expected = "inconclusive" },
  ["unstable"] = { alone = 4, beside = 4, junit = "skipped", tap = "not ok", expected = "unstable" },
  ["not applicable"] = { alone = 4, beside = 0, junit = "skipped", tap = "ok # SKIP",
    expected = "not applicable" },
  ["expected failure"] = { alone = 0, beside = 0, junit = "skipped", tap = "not ok # TODO",
    expected = "expected failure" },
  ["unexpected pass"] = { alone = 1, beside = 1, junit = "failure", tap = "not ok",
    expected = "unexpected pass" },
  ["error"] = { alone = 3, beside = 3, junit = "error", tap = "not ok", expected = "error" },
}

local RUN = { version = "0", hash = "0", roles = {}, iut = "box", jobs = 1, started_ms = 0,
  started = "2026-01-02T03:04:05Z", catalogue = {} }

-- A case that ended so, and is expected to fail where a reason is given.
local function ended(verdict, expected)
  local definition = { id = "the-case", document = "RFC5973", section = "3.4", purpose = "To be.",
    file = "none.lua", requirements = {}, roles = {} }
  local case = suite.not_run(definition, verdict, "why it is so", 0)
  if expected then verdicts.apply({ case }, { ["the-case"] = expected }) end
  return case
end

local function status_of(...)
  local results = {}
  for i, case in ipairs({ ... }) do
    results[i] = type(case) == "string" and ended(case) or case
  end
  return verdicts.exit_status(verdicts.count(results))
end

-- "failure", "error", "skipped" or "", and the totals of the suite.
local function junit_form(case)
  local xml = report.junit({ case }, RUN)
  local found = {}
  for _, element in ipairs({ "failure", "error", "skipped" }) do
    if xml:find("<" .. element .. " ", 1, true) then found[#found + 1] = element end
  end
  return table.concat(found, " "), xml:match('<testsuites [^>]-(tests="[^>]-) time=')
end

-- "ok", "not ok", with the directive.
local function tap_form(case)
  local tap = report.tap({ case }, RUN)
  local point, rest = tap:match("\n(n?o?t? ?ok) 1 %- the%-case([^\n]*)")
  local directive = rest:match("^ (# %u+) ")
  expect(directive or rest == "", "no directive: " .. rest)
  return point .. (directive and " " .. directive or "")
end

local function each(visit)
  for _, verdict in ipairs(verdicts.order) do visit(verdict, OUTCOMES[verdict]) end
end

test("each verdict there is has a row here", function()
  local rows = 0
  for verdict in pairs(OUTCOMES) do
    rows = rows + 1
    expect(verdicts.count({ { verdict = verdict } })[verdict] == 1, verdict .. " is none")
  end
  expect(rows == #verdicts.order, rows .. " rows")
end)

test("each verdict has its exit status, alone and beside a pass", function()
  each(function(verdict, row)
    expect(status_of(verdict) == row.alone, verdict .. " alone: " .. status_of(verdict))
    local beside = status_of("pass", verdict)
    expect(beside == row.beside, verdict .. " beside a pass: " .. beside)
    expect(status_of(verdict, "pass") == beside, verdict .. " before a pass")
  end)
end)

test("where a failure is expected, a pass and a failure become something else, nothing more", function()
  each(function(verdict, row)
    local case = ended(verdict, "since ever")
    expect(case.verdict == row.expected, verdict .. " is " .. case.verdict)
    local changed = row.expected ~= verdict
    expect((case.reason:find("since ever", 1, true) ~= nil) == changed,
      verdict .. ": " .. case.reason)
    expect(status_of("pass", case) == OUTCOMES[row.expected].beside, verdict .. ", expected to fail")
  end)
end)

test("an expectation is of one case, and says nothing of another", function()
  local case = ended("fail")
  verdicts.apply({ case }, { ["another-case"] = "since ever" })
  expect(case.verdict == "fail" and case.reason == "why it is so", case.verdict .. ": " .. case.reason)
end)

test("each verdict has its element of JUnit, and counts where that says", function()
  each(function(verdict, row)
    for _, case in ipairs({ ended(verdict), ended(verdict, "since ever") }) do
      local wanted = OUTCOMES[case.verdict].junit
      local element, totals = junit_form(case)
      expect(element == wanted, case.verdict .. ": " .. element)
      expect(totals == string.format('tests="1" failures="%d" errors="%d" skipped="%d"',
        wanted == "failure" and 1 or 0, wanted == "error" and 1 or 0, wanted == "skipped" and 1 or 0),
        case.verdict .. ": " .. totals)
    end
    expect(row.junit == "" or report.junit({ ended(verdict) }, RUN):find("why it is so", 1, true),
      verdict .. ": no reason")
  end)
end)

test("each verdict has its point of TAP", function()
  each(function(verdict)
    for _, case in ipairs({ ended(verdict), ended(verdict, "since ever") }) do
      local form = tap_form(case)
      expect(form == OUTCOMES[case.verdict].tap, case.verdict .. ": " .. form)
    end
  end)
end)

test("what wants attention ends no run with success, and the other verdicts do", function()
  each(function(verdict, row)
    expect((row.beside ~= 0) == (verdicts.wrong[verdict] or false), verdict)
  end)
end)

local WORST = { "error", "fail", "unexpected pass", "inconclusive", "unstable", "expected failure",
  "not applicable", "pass" }

test("the worst verdict decides the exit status, and of nothing there is no success", function()
  expect(status_of() == 4, "nothing ran")
  for place, verdict in ipairs(WORST) do
    for other = place + 1, #WORST do
      local wanted = OUTCOMES[verdict].beside
      expect(status_of(verdict, WORST[other], "pass") == wanted, verdict .. " with " .. WORST[other])
    end
  end
  expect(#WORST == #verdicts.order, "a verdict is missing here")
end)

test("who compares runs or follows them knows each verdict, and pages have its colour", function()
  each(function(verdict)
    local content = report.json({ ended(verdict) }, RUN)
    expect(compare.read(content), verdict .. ": compare does not read it")
    local same = compare.reports(json.decode(content), json.decode(content))
    expect(not same.got_worse, verdict .. " got worse than itself")
    local run = history.read(content, "x.json")
    expect(run and run.counts[verdict] == 1, verdict .. ": history does not count it")
    expect(style:find("%." .. verdict:gsub(" ", "%%-") .. "[ ,{]"), verdict .. " has no colour")
  end)
end)

support.finish()
