-- What the text only recommends, and what it lets one read in several ways, fails nobody: remarks and
-- readings, from the step that takes them to every report.

local support = require("tests.support")
local json = require("codec.json")
local report = require("report.report")
local verdicts = require("report.verdicts")

local test, expect = support.test, support.expect

local MUST, SHOULD = "RFC5973-3.4-1a", "RFC5973-3.2.8-4"

local known = support.requirements()

local function case(requirements, run)
  local levels = {}
  for _, id in ipairs(requirements) do levels[id] = known[id].level end
  return { id = "test", purpose = "test", roles = { "NF-FW" }, requirements = requirements, run = run,
    levels = levels, document = "RFC5973", section = "3.4" }
end

local function run(requirements, body, options)
  return support.run({ case(requirements, body) }, options)
end

-- A body that does what the text demands, and not what it recommends.
local function does_otherwise(t)
  t:body()
  t:remark{ ids = { SHOULD }, text = "waits", expected = 1, actual = 2 }
  t:check{ ids = { MUST }, text = "does", expected = 1, actual = 1 }
end

local function has(text, part) return text:find(part, 1, true) ~= nil end

test("a SHOULD that is not followed is a remark, and the case goes on and passes", function()
  local results = run({ MUST, SHOULD }, does_otherwise)
  local done = results[1]
  expect(done.verdict == "pass", done.verdict .. ": " .. tostring(done.reason))
  expect(done.results[SHOULD] == "remark" and done.results[MUST] == "pass", "the requirements")
  expect(verdicts.by_requirement(results)[SHOULD] == "remark", "of the run")
  expect(verdicts.exit_status(verdicts.count(results)) == 0, "exit status")
  expect(verdicts.failed_step(done) == nil, "it has no failed step")
end)

test("a SHOULD that is followed passes, and one remark outweighs what else passed", function()
  local function follows(t, ...)
    t:body()
    for _, actual in ipairs({ ... }) do
      t:remark{ ids = { SHOULD }, text = "waits", expected = 1, actual = actual }
    end
  end
  expect(run({ SHOULD }, function(t) follows(t, 1) end)[1].results[SHOULD] == "pass", "followed")
  for _, order in ipairs({ { 1, 2 }, { 2, 1 } }) do
    local done = run({ SHOULD }, function(t) follows(t, table.unpack(order)) end)[1]
    expect(done.results[SHOULD] == "remark", "once of two: " .. tostring(done.results[SHOULD]))
    expect(#done.remarks == 1, #done.remarks .. " remarks")
  end
end)

test("a failure after a remark is a failure, and its step is the one that is shown", function()
  local done = run({ MUST, SHOULD }, function(t)
    t:body()
    t:remark{ ids = { SHOULD }, text = "waits", expected = 1, actual = 2 }
    t:check{ ids = { MUST }, text = "does", expected = 1, actual = 2 }
  end)[1]
  expect(done.verdict == "fail" and done.results[MUST] == "fail", done.verdict)
  expect(verdicts.failed_step(done).text == "does", "another step is shown")
end)

test("a check that carries a SHOULD, and a remark that carries a MUST, are errors", function()
  local done = run({ SHOULD }, function(t)
    t:body()
    t:check{ ids = { SHOULD }, text = "x", expected = 1, actual = 1 }
  end)[1]
  expect(done.verdict == "error" and has(done.reason, "a remark has to"), tostring(done.reason))
  done = run({ MUST }, function(t)
    t:body()
    t:remark{ ids = { MUST }, text = "x", expected = 1, actual = 1 }
  end)[1]
  expect(done.verdict == "error" and has(done.reason, "a check has to"), tostring(done.reason))
end)

test("after a wait in which the runner was deaf nothing is remarked", function()
  local done = run({ SHOULD }, function(t)
    t:body()
    t.net.stalled = function(began, now) return now - began end
    t:pause(100)
    t:remark{ ids = { SHOULD }, text = "waits", expected = 1, actual = 2 }
  end)[1]
  expect(done.verdict == "inconclusive" and #done.remarks == 0, done.verdict)
  expect(done.stalled, "it is not tried again")
end)

test("every report says what was remarked", function()
  local results = run({ MUST, SHOULD }, does_otherwise)
  local settings = { version = "0", hash = ("0"):rep(64), iut = "box", roles = { "NF-FW" }, jobs = 1,
    started_ms = 0, started = "2026-01-02T03:04:05Z", catalogue = known }
  local remark = "waits: expected 1, got 2"
  local document = json.decode(report.json(results, settings))
  expect(document.cases[1].remarks[1] == remark, "JSON")
  expect(document.requirements[SHOULD] == "remark", "JSON, of the requirement")
  expect(has(report.html(results, settings), '<span class="badge remark">remark</span> waits'), "HTML")
  expect(has(report.tap(results, settings), "# remark: " .. remark), "TAP")
  local junit = report.junit(results, settings)
  expect(has(junit, "note waits") and not has(junit, "<failure"), "JUnit")
  expect(has(report.line(results[1]), "remark: " .. remark), "the line")
  expect(has(report.summary(results), "1 requirement passed, 1 with a remark, 0 failed"), "the summary")
end)

test("what a step takes is checked before it is believed", function()
  for text, wrong in pairs({
    ["check: ids has to be a list"] = function(t)
      t:check{ ids = MUST, text = "x", expected = 1, actual = 1 }
    end,
    ["remark: text has to be a text"] = function(t) t:remark{ ids = { SHOULD }, holds = true } end,
    ["reading: seen has to be a text"] = function(t) t:reading{ of = "A38" } end,
    ["reading: of has to be a text"] = function(t) t:reading{ seen = "dead" } end,
    ["a step carries RFC5973-99-6, which the case does not claim"] = function(t)
      t:reading{ of = "A38", seen = "dead", ids = { "RFC5973-99-6" } }
    end,
    ["check takes a table of fields"] = function(t) t:check("x") end,
  }) do
    local done = run({ MUST, SHOULD }, wrong)[1]
    expect(done.verdict == "error" and has(done.reason, text), text .. ": " .. tostring(done.reason))
    expect(done.reason:find("kinds.lua:%d+: "), "no place: " .. done.reason)
  end
end)

test("a back-off doubles, within half of that; where packets get lost, what is left of it", function()
  local function verdict(times, loses)
    local results = support.run({ case({ MUST }, function(t)
      t:body()
      t:expect_backoff{ ids = { MUST }, times = times }
    end) }, { settings = loses and { ["path.loses"] = true } or nil })
    return results[1].verdict
  end
  for second, wanted in pairs({ [1400] = "fail", [1600] = "pass", [2000] = "pass", [2400] = "pass",
    [2600] = "fail", [4000] = "fail", [1000] = "fail" }) do
    expect(verdict({ 0, 1000, 1000 + second }) == wanted, second .. " ms are no " .. wanted)
  end
  expect(verdict({ 0, 1000, 5000 }, true) == "pass" and verdict({ 0, 1000, 7000 }, true) == "pass",
    "one or two were lost")
  expect(verdict({ 0, 1000, 4000 }, true) == "fail" and verdict({ 0, 1000, 2000 }, true) == "fail",
    "no loss makes this")
end)

-- Reads the text as the box does.
local function reads(seen)
  return function(t)
    t:body()
    t:reading{ of = "A38", seen = seen, ours = "kept", ids = { MUST } }
    t:check{ ids = { MUST }, text = "does", expected = 1, actual = 1 }
  end
end

test("another reading passes and is named beside this project's; strictly it fails", function()
  local done = run({ MUST }, reads("dead"))[1]
  expect(done.verdict == "pass", done.verdict)
  expect(done.seen_readings.A38 == "dead (this project: kept)", done.seen_readings.A38)
  done = run({ MUST }, reads("dead"), { strict = true })[1]
  expect(done.verdict == "fail" and has(done.reason, "as this project reads A38"), tostring(done.reason))
end)

test("this project's reading passes, strictly too", function()
  for _, strict in ipairs({ false, true }) do
    local done = run({ MUST }, reads("kept"), { strict = strict })[1]
    expect(done.verdict == "pass" and done.seen_readings.A38 == "kept", done.verdict)
  end
end)

-- Boxes that do otherwise than a SHOULD: the case that sees it, and the requirement.
for broken, row in pairs({
  ["forgets-transitory"] = { "3.7.5-transitory-held", "RFC5973-3.2.8-4" },
  ["asks-again"] = { "gist-5.3.2-query-is-q-mode", "RFC5971-5.3.3-9a" },
}) do
  test(row[1] .. " remarks on a firewall that " .. broken, function()
    for breaks, wanted in pairs({ [""] = "pass", [broken] = "remark" }) do
      local done = support.run({ support.case(row[1]) }, { box = { breaks = { [breaks] = true } } })[1]
      expect(done.verdict == "pass", done.verdict .. ": " .. tostring(done.reason))
      expect(done.results[row[2]] == wanted, row[2] .. " is " .. tostring(done.results[row[2]]))
    end
  end)
end

support.finish()
