-- The history of runs: their order, what is told apart, what changed since when, and the page.

local support = require("tests.support")
local history = require("report.history")
local history_html = require("report.history_html")
local json = require("codec.json")
local verdicts = require("report.verdicts")

local test, expect = support.test, support.expect

-- The text of a report with these verdicts by id; `more` goes into it, or into the cases by id.
local function report(started, cases, more, of_cases)
  local out = { suite = "natfw-conform", iut = "Wall 7.2", version = "0.1.0", hash = ("a"):rep(64),
    started = started, cases = json.array({}) }
  for key, value in pairs(more or {}) do out[key] = value end
  for id, verdict in pairs(cases) do
    local case = { id = id, verdict = verdict, purpose = "To be <" .. id .. ">",
      steps = { { kind = "check" } } }
    for key, value in pairs(of_cases and of_cases[id] or {}) do case[key] = value end
    table.insert(out.cases, case)
  end
  return json.encode(out)
end

local function day(number) return string.format("2026-01-%02dT03:04:05Z", number) end

-- The history of these reports, as if their files were called 1.json, 2.json, …
local function of(...)
  local runs = {}
  for i, content in ipairs({ ... }) do
    runs[i] = assert(history.read(content, i .. ".json"))
  end
  local result = history.of(runs)
  result.unread = json.array({})
  return result
end

local function files(box)
  local names = {}
  for i, run in ipairs(box.runs) do names[i] = run.file:match("%d+") end
  return table.concat(names, " ")
end

local function ids(list)
  local names = {}
  for i, case in ipairs(list) do names[i] = case.id or case end
  return table.concat(names, " ")
end

test("runs stand in the order of the times that they hold", function()
  local box = of(report(day(3), {}), report(day(1), {}), report(day(2), {})).boxes[1]
  expect(files(box) == "2 3 1", files(box))
end)

test("runs of virtual time hold none, and stand in the order of their names' numbers", function()
  local contents = {}
  for i = 1, 11 do contents[i] = report("", {}) end
  local box = of(table.unpack(contents)).boxes[1]
  expect(files(box) == "1 2 3 4 5 6 7 8 9 10 11", files(box))
end)

test("boxes stand apart by name, and versions of one stand together", function()
  local result = of(report(day(1), {}, { iut = "Wall 7.2" }), report(day(2), {}, { iut = "Gate 7.2" }),
    report(day(3), {}, { iut = "Wall, v7.3-rc1" }), report(day(4), {}, { iut = "Wall 2" }))
  local found = {}
  for i, box in ipairs(result.boxes) do found[i] = box.name .. "=" .. files(box) end
  expect(table.concat(found, ", ") == "Gate=2, Wall=1 3, Wall 2=4", table.concat(found, ", "))
  local wall = result.boxes[2]
  expect(wall.runs[1].version == "7.2" and wall.runs[2].version == "v7.3-rc1", "versions")
  expect(result.boxes[3].runs[1].version == nil, "2 is no version")
end)

test("a case that changed says since when, from what, and when it first went wrong", function()
  local box = of(report(day(1), { a = "pass", b = "fail", c = "pass", d = "fail" }),
    report(day(2), { a = "fail", b = "pass", c = "pass", d = "fail" }, { iut = "Wall 7.3" }),
    report(day(3), { a = "inconclusive", b = "pass", c = "pass", d = "fail" })).boxes[1]
  expect(ids(box.changed) == "a b", ids(box.changed))
  local a, b = box.changed[1], box.changed[2]
  expect(a.now == "inconclusive" and a.since == 3 and a.first_wrong == 2, "a")
  expect(#a.changes == 2 and a.changes[1].from == "pass" and a.changes[1].to == "fail", "changes of a")
  expect(b.now == "pass" and b.since == 2 and b.first_wrong == 1, "b")
  expect(ids(box.always_wrong) == "d", "wrong ever since: " .. ids(box.always_wrong))
  local lines = table.concat(history.lines({ boxes = { box } }), "\n")
  expect(lines:find("first went wrong in run 2 of 7.3, 2026-01-02", 1, true), lines)
end)

test("a case that is new or withdrawn changed nothing, and its suite is marked", function()
  local box = of(report(day(1), { a = "pass", old = "fail" }),
    report(day(2), { a = "pass", new = "fail" }, { hash = ("b"):rep(64) })).boxes[1]
  expect(#box.changed == 0, ids(box.changed))
  expect(box.runs[1].has_other_suite == false and box.runs[2].has_other_suite, "not marked")
  expect(ids(box.runs[2].added) == "new" and ids(box.runs[2].withdrawn) == "old", "new and withdrawn")
  local result = { boxes = { box }, unread = {} }
  expect(table.concat(history.lines(result), "\n"):find("another suite: 1 case new, 1 withdrawn", 1,
    true), "no line")
  local page = history_html.render(result)
  expect(page:find("new (new)<br>old (withdrawn)", 1, true), "not on the page")
  local _, marks = page:gsub("<span>2<br>&#9670;</span>", "")
  expect(marks == 1, marks .. " marks at run 2")
end)

test("what is wrong now stands before what was mended later", function()
  local box = of(report(day(1), { a = "fail", b = "pass" }), report(day(2), { a = "fail", b = "fail" }),
    report(day(3), { a = "pass", b = "fail" })).boxes[1]
  expect(ids(box.changed) == "b a", ids(box.changed))
end)

test("a case that changed together with the suite says so", function()
  local other = { hash = ("b"):rep(64) }
  local box = of(report(day(1), { a = "pass", b = "pass" }),
    report(day(2), { a = "fail", b = "pass" }, other),
    report(day(3), { a = "fail", b = "fail" }, other)).boxes[1]
  for i, id in ipairs({ "b", "a" }) do
    local case = box.changed[i]
    expect(case.id == id and case.changes[1].has_other_suite == (id == "a"), id)
  end
end)

test("a case that was left out of a run by a filter changed nothing", function()
  local box = of(report(day(1), { a = "pass", b = "pass" }), report(day(2), { a = "pass" }),
    report(day(3), { a = "pass", b = "fail" })).boxes[1]
  expect(#box.runs[2].withdrawn == 0, "withdrawn from the same suite")
  expect(ids(box.changed) == "b" and box.changed[1].since == 3, ids(box.changed))
end)

test("a box that is not there, and a run that was broken off, change no case", function()
  local open_now = { a = "inconclusive", b = "inconclusive" }
  local not_asked = { a = { steps = json.array({}) }, b = { reason = "interrupted" } }
  local all_well = { a = "pass", b = "pass" }
  for what, content in pairs({
    ["a dead box"] = report(day(2), open_now, { dead = "the IUT is not there" }),
    ["an interrupted run"] = report(day(2), open_now, {}, not_asked),
  }) do
    local box = of(report(day(1), all_well), content, report(day(3), all_well)).boxes[1]
    expect(#box.changed == 0, what .. ": " .. ids(box.changed))
    expect(box.runs[2].counts.inconclusive == 2, what .. " is not in the counts")
  end
  local box = of(report(day(1), all_well), report(day(2), open_now)).boxes[1]
  expect(ids(box.changed) == "a b", "what was asked and stays open: " .. ids(box.changed))
end)

test("what is no report says why", function()
  for content, wanted in pairs({ ["{"] = "is no JSON: octet 2", ['{"suite":"other"}'] = "is no report",
    [report(day(1), { a = "good" })] = "no verdict that I know",
    [report("yesterday", {})] = "has a time that is none: yesterday",
    [report(3, {})] = "has no started", [report(day(1), {}, { hash = json.null })] = "has no hash",
    [report(day(1), {}, { iut = 7 })] = "has no iut" }) do
    local run, why = history.read(content, "x.json")
    expect(run == nil and why:find(wanted, 1, true), wanted .. ": " .. tostring(why))
  end
end)

-- Two runs of one box, which has each verdict once, then all "pass"; and one of another.
local function every_verdict()
  local each, passes = {}, {}
  for i, verdict in ipairs(verdicts.order) do each["case-" .. i] = verdict end
  for id in pairs(each) do passes[id] = "pass" end
  return of(report(day(1), each), report(day(2), passes), report(day(3), {}, { iut = "Zone <1>" }))
end

test("the page needs no other file and no script, and hides nothing of what it is told", function()
  local result = every_verdict()
  result.unread = { { file = "<odd>.json", why = "is no JSON" } }
  local page = history_html.render(result)
  for _, mark in ipairs({ "<script", "<link", " src=", "@import", "url(", "<1>", "<odd>" }) do
    expect(not page:find(mark, 1, true), "has " .. mark)
  end
  expect(page:find("Left out: &lt;odd&gt;.json is no JSON", 1, true), "does not say what is left out")
  expect(page:find("prefers-color-scheme: dark", 1, true), "has no dark")
end)

test("each verdict has a place in the plot, and the bar of a run is as high as its cases", function()
  local page = history_html.render(every_verdict())
  local plot = page:sub(page:find("<svg viewBox", 1, true), page:find("</svg>", 1, true))
  for _, verdict in ipairs(verdicts.order) do
    expect(plot:find("run 1 of 7.2, 2026-01-01: 1 " .. verdict .. "<", 1, true), verdict)
  end
  local sum = 0
  for x, height in plot:gmatch('<rect class="[^"]*" x="(%d+)" y="[%d.]+" width="8" height="([%d.]+)"') do
    if x == "1" then sum = sum + height end
  end
  expect(math.abs(sum - 100) < 0.1, "the first bar is " .. sum)
end)

test("one case of a thousand shows in the plot", function()
  local many = { a = "fail" }
  for i = 1, 999 do many["b" .. i] = "pass" end
  local page = history_html.render(of(report(day(1), many)))
  local height = page:match('<rect class="fail[^>]*height="([%d.]+)"')
  expect(tonumber(height) == 2, "its height is " .. tostring(height))
end)

test("cases that changed in the same way stand in one row", function()
  local page = history_html.render(of(
    report(day(1), { a = "pass", b = "pass", c = "pass", d = "fail" }),
    report(day(2), { a = "fail", b = "fail", c = "fail", d = "pass" })))
  local _, strips = page:gsub("<svg class=strip", "")
  expect(strips == 2 and page:find("<summary>3 cases, from a on", 1, true), strips .. " rows")
end)

test("the JSON reads back, with runs, counts and changes", function()
  local read = assert(json.decode(history.json(every_verdict())))
  expect(#read.boxes == 2 and read.boxes[1].name == "Wall", "boxes")
  local wall = read.boxes[1]
  expect(wall.runs[2].counts.pass == #verdicts.order and wall.runs[2].version == "7.2", "counts")
  expect(#wall.changed == #verdicts.order - 1 and wall.changed[1].changes[1].to == "pass", "changes")
  expect(read.boxes[2].runs[1].file == "3.json", "file")
end)

support.finish()
