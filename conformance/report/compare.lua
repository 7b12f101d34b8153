-- Compares two runs by their JSON reports: what got worse, what was mended, what changed otherwise.

local json = require("codec.json")
local tables = require("codec.tables")
local verdicts = require("report.verdicts")
local wording = require("codec.wording")

local compare = {}

-- The better a verdict, the higher. What neither passed nor went wrong is between.
local WORTH = { pass = 4, ["expected failure"] = 3, ["not applicable"] = 3,
  inconclusive = 2, unstable = 2, ["unexpected pass"] = 1, error = 1, fail = 1 }
local BAD = verdicts.wrong

compare.groups = {
  { "new_failures", "New failures" },
  { "worse", "Worse otherwise" },
  { "missing", "Missing cases" },
  { "still_failing", "Still failing" },
  { "fixed", "Fixed" },
  { "changed", "Changed otherwise" },
  { "added", "Added cases" },
}

local WORSE = { new_failures = true, worse = true, missing = true }

-- Checks that a decoded report is one, as far as it is used here.
local function problem_with(report)
  if type(report) ~= "table" or report.suite ~= "natfw-conform" then
    return "is no report of natfw-conform"
  end
  if type(report.cases) ~= "table" then return "has no cases" end
  for place, case in ipairs(report.cases) do
    if type(case) ~= "table" or type(case.id) ~= "string" or not WORTH[case.verdict] then
      return string.format("case %d has no id or no verdict that I know", place)
    end
  end
end

-- The report in a text, or nil and why.
function compare.read(text)
  local report, why = json.decode(text)
  if not report then return nil, "is no JSON: " .. why end
  why = problem_with(report)
  if why then return nil, why end
  return report
end

local function by_id(report)
  local cases = {}
  for _, case in ipairs(report.cases) do cases[case.id] = case end
  return cases
end

local function group_of(old, new)
  if not new then return "missing" end
  if not old then return BAD[new.verdict] and "new_failures" or "added" end
  if BAD[new.verdict] and not BAD[old.verdict] then return "new_failures" end
  if WORTH[new.verdict] < WORTH[old.verdict] then return "worse" end
  if BAD[old.verdict] and not BAD[new.verdict] then return "fixed" end
  if BAD[new.verdict] then return "still_failing" end
  if new.verdict ~= old.verdict then return "changed" end
end

local function entry(old, new)
  return { id = (new or old).id, old = old and old.verdict, new = new and new.verdict,
    reason = new and new.reason or nil, purpose = (new or old).purpose,
    reason_changed = old and new and old.reason ~= new.reason or nil }
end

local function add_requirements(old, new, out)
  out.requirements = { worse = json.array({}), better = json.array({}) }
  local before, after = old.requirements or {}, new.requirements or {}
  local ids = {}
  for id in tables.sorted(before) do ids[#ids + 1] = id end
  for id in tables.sorted(after) do if before[id] == nil then ids[#ids + 1] = id end end
  table.sort(ids)
  for _, id in ipairs(ids) do
    local list = before[id] == "pass" and after[id] ~= "pass" and out.requirements.worse
      or after[id] == "pass" and before[id] ~= "pass" and out.requirements.better
    if list then
      list[#list + 1] = { id = id, old = before[id] or "no verdict", new = after[id]
        or "no verdict" }
    end
  end
end

-- { new_failures, fixed, …: lists of { id, old, new, reason }; requirements; notes; got_worse }.
function compare.reports(old, new)
  local out = { notes = json.array({}), unchanged = 0 }
  for _, group in ipairs(compare.groups) do out[group[1]] = json.array({}) end
  local before, after = by_id(old), by_id(new)
  local function place(first, second)
    local group = group_of(first, second)
    if not group then
      out.unchanged = out.unchanged + 1
      return
    end
    table.insert(out[group], entry(first, second))
    out.got_worse = out.got_worse or WORSE[group] or false
  end
  for _, case in ipairs(old.cases) do place(case, after[case.id]) end
  for _, case in ipairs(new.cases) do
    if not before[case.id] then place(nil, case) end
  end
  add_requirements(old, new, out)
  out.got_worse = out.got_worse or #out.requirements.worse > 0
  for _, key in ipairs({ "iut", "version", "hash", "strict_rulings" }) do
    if old[key] ~= new[key] then
      table.insert(out.notes, string.format("%s differs: %s, then %s", key, tostring(old[key]),
        tostring(new[key])))
    end
  end
  return out
end

-- Lines for people.
function compare.lines(result)
  local out = {}
  for _, note in ipairs(result.notes) do out[#out + 1] = "note: " .. note end
  for _, group in ipairs(compare.groups) do
    local list = result[group[1]]
    if #list > 0 then out[#out + 1] = string.format("%s (%d)", group[2], #list) end
    for _, case in ipairs(list) do
      local reason = type(case.reason) == "string" and case.reason:match("[^\n]*")
      out[#out + 1] = string.format("  %-44s %s -> %s%s", case.id, case.old or "absent",
        case.new or "absent", reason and "  (" .. reason .. ")" or "")
    end
  end
  for _, list in ipairs({ "worse", "better" }) do
    if #result.requirements[list] > 0 then
      out[#out + 1] = string.format("Requirements that got %s (%d)", list,
        #result.requirements[list])
    end
    for _, item in ipairs(result.requirements[list]) do
      out[#out + 1] = string.format("  %-44s %s -> %s", item.id, item.old, item.new)
    end
  end
  out[#out + 1] = string.format("%s unchanged; %s", wording.counted(result.unchanged, "case"),
    result.got_worse and "something got worse" or "nothing got worse")
  return out
end

return compare
