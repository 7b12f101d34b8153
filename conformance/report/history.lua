-- What became of a box over many runs, from their JSON reports: the verdicts of each run, and the cases
-- whose verdict changed. Boxes stand apart, by their name without its version.

local compare = require("report.compare")
local json = require("codec.json")
local tables = require("codec.tables")
local verdicts = require("report.verdicts")
local wording = require("codec.wording")

local history = {}

-- Reading ------------------------------------------------------------------------------------------

local TIME = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$"

-- "Wall 7.2" is version 7.2 of the box "Wall", and of the same behind a shim: "Wall 7.2, by SHIM 0.1".
local function box_of(name)
  name = name:gsub(", by .*", "")
  local box, version = name:match("^(.-)[%s,]+(v?%d+%.%S*)$")
  return box or name, version
end

-- A case that was not asked says nothing: of a box that was dead, or in a run that was broken off.
local function was_asked(case, report)
  if case.verdict ~= "inconclusive" then return true end
  local has_steps = type(case.steps) == "table" and #case.steps > 0
  return has_steps and not report.dead and case.reason ~= "interrupted"
end

-- What is kept of a report, or nil and why it is none.
function history.read(content, file)
  local report, why = compare.read(content)
  if not report then return nil, why end
  for _, key in ipairs({ "iut", "version", "hash", "started" }) do
    if type(report[key]) ~= "string" then return nil, "has no " .. key end
  end
  if report.started ~= "" and not report.started:find(TIME) then
    return nil, "has a time that is none: " .. report.started
  end
  local run = { file = file, started = report.started, suite = report.version, hash = report.hash,
    dead = type(report.dead) == "string" and report.dead or nil, cases = #report.cases,
    verdicts = {}, is_there = {}, purposes = {}, counts = verdicts.count(report.cases) }
  run.box, run.version = box_of(report.iut)
  for _, case in ipairs(report.cases) do
    run.is_there[case.id] = true
    run.purposes[case.id] = type(case.purpose) == "string" and case.purpose or nil
    if was_asked(case, report) then run.verdicts[case.id] = case.verdict end
  end
  return run
end

-- Changes ------------------------------------------------------------------------------------------

-- By time. A run in virtual time holds none: those go by the names of their files, and first.
local function in_order(runs)
  local sorted = table.move(runs, 1, #runs, 1, {})
  table.sort(sorted, function(a, b)
    if a.started ~= b.started then return a.started < b.started end
    return wording.by_number(a.file) < wording.by_number(b.file)
  end)
  return sorted
end

-- The cases that a run of another suite has for the first time, and those that it has no more.
local function compare_suites(run, before, seen)
  run.has_other_suite = before ~= nil and before.hash ~= run.hash
  run.added, run.withdrawn = json.array({}), json.array({})
  for id in tables.sorted(run.has_other_suite and run.is_there or {}) do
    if not seen[id] then table.insert(run.added, id) end
  end
  for id in tables.sorted(run.has_other_suite and before.is_there or {}) do
    if not run.is_there[id] then table.insert(run.withdrawn, id) end
  end
  tables.copy(run.is_there, seen)
end

-- A case over the runs that asked it: { id, purpose, now, last, first_wrong, changes }.
local function follow(id, runs)
  local case, before = { id = id, changes = json.array({}) }, nil
  for _, run in ipairs(runs) do
    local verdict = run.verdicts[id]
    if verdict then
      if before and verdict ~= case.now then
        table.insert(case.changes, { run = run.number, from = case.now, to = verdict,
          has_other_suite = before.hash ~= run.hash })
      end
      if verdicts.wrong[verdict] then case.first_wrong = case.first_wrong or run.number end
      case.now, case.last, case.purpose = verdict, run.number, run.purposes[id]
      before = run
    end
  end
  local last_change = case.changes[#case.changes]
  case.since = last_change and last_change.run
  return case
end

-- What is wrong now stands first, then what changed last.
local function sort_changed(cases)
  table.sort(cases, function(a, b)
    local first, second = verdicts.wrong[a.now] or false, verdicts.wrong[b.now] or false
    if first ~= second then return first end
    if a.since ~= b.since then return a.since > b.since end
    return wording.by_number(a.id) < wording.by_number(b.id)
  end)
end

local function box_history(name, runs)
  local box, seen = { name = name, runs = json.array(runs), changed = json.array({}),
    always_wrong = json.array({}) }, {}
  for number, run in ipairs(runs) do
    run.number = number
    compare_suites(run, runs[number - 1], seen)
  end
  for id in tables.sorted(seen) do
    local case = follow(id, runs)
    if #case.changes > 0 then
      table.insert(box.changed, case)
    elseif verdicts.wrong[case.now] then
      table.insert(box.always_wrong, case)
    end
  end
  sort_changed(box.changed)
  return box
end

-- { boxes: list of { name, runs, changed, always_wrong } }, boxes by name, runs by time.
function history.of(runs)
  local by_box, boxes = {}, json.array({})
  for _, run in ipairs(in_order(runs)) do
    by_box[run.box] = by_box[run.box] or {}
    table.insert(by_box[run.box], run)
  end
  for name, its_runs in tables.sorted(by_box) do
    boxes[#boxes + 1] = box_history(name, its_runs)
  end
  return { boxes = boxes }
end

-- Output -------------------------------------------------------------------------------------------

-- The verdicts from the worst: what wants attention, then the rest.
function history.from_the_worst()
  local wrong, others = {}, {}
  for _, verdict in ipairs(verdicts.order) do
    table.insert(verdicts.wrong[verdict] and wrong or others, verdict)
  end
  return table.move(others, 1, #others, #wrong + 1, wrong)
end

-- "run 3 of 7.2, 2026-01-02".
function history.name_of(run)
  local day = run.started:match("^[^T]+")
  return "run " .. run.number .. (run.version and " of " .. run.version or "")
    .. (day and ", " .. day or "")
end

-- "405 pass, 2 fail".
function history.counts_of(run)
  local parts = {}
  for _, verdict in ipairs(verdicts.order) do
    if run.counts[verdict] > 0 then parts[#parts + 1] = run.counts[verdict] .. " " .. verdict end
  end
  return #parts > 0 and table.concat(parts, ", ") or "no case"
end

-- What differs about the suite of a run, or nil.
function history.suite_note(run)
  if not run.has_other_suite then return nil end
  if #run.added + #run.withdrawn == 0 then return "another suite, with the same cases" end
  return string.format("another suite: %s new, %d withdrawn", wording.counted(#run.added, "case"),
    #run.withdrawn)
end

local function run_lines(box, out)
  for _, run in ipairs(box.runs) do
    out[#out + 1] = string.format("  run %d  %s%s  suite %s (%s)  %s  %s", run.number,
      run.started ~= "" and run.started or "in virtual time", run.version and "  " .. run.version or "",
      run.suite, run.hash:sub(1, 8), run.file, history.counts_of(run))
    for _, note in ipairs({ run.dead or false, history.suite_note(run) }) do
      if note then out[#out + 1] = "      " .. note end
    end
  end
end

local function case_lines(box, out)
  out[#out + 1] = string.format("  %s changed", wording.counted(#box.changed, "verdict"))
  for _, case in ipairs(box.changed) do
    out[#out + 1] = string.format("    %-44s %s since %s; before: %s%s", case.id, case.now,
      history.name_of(box.runs[case.since]), case.changes[#case.changes].from,
      case.changes[#case.changes].has_other_suite and " by another suite" or "")
    if case.first_wrong and case.first_wrong ~= case.since then
      out[#out + 1] = "      first went wrong in " .. history.name_of(box.runs[case.first_wrong])
    end
  end
  for _, case in ipairs(box.always_wrong) do
    out[#out + 1] = string.format("    %-44s %s ever since %s", case.id, case.now,
      history.name_of(box.runs[case.first_wrong]))
  end
end

-- Lines for people.
function history.lines(result)
  local out = {}
  for _, box in ipairs(result.boxes) do
    out[#out + 1] = box.name
    run_lines(box, out)
    case_lines(box, out)
  end
  return out
end

-- The same for programs.
function history.json(result)
  local boxes = json.array({})
  for i, box in ipairs(result.boxes) do
    local runs = json.array({})
    for number, run in ipairs(box.runs) do
      runs[number] = { run = number, file = run.file, started = run.started, version = run.version,
        suite_version = run.suite, suite_hash = run.hash, dead = run.dead, counts = run.counts,
        cases = run.cases, has_other_suite = run.has_other_suite, added = run.added,
        withdrawn = run.withdrawn }
    end
    boxes[i] = { name = box.name, runs = runs, changed = box.changed,
      always_wrong = box.always_wrong }
  end
  return json.encode({ boxes = boxes, unread = result.unread }, "")
end

return history
