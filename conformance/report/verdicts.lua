-- From what a case says to what a run reports: expected failures, counts, exit codes.

local tables = require("codec.tables")

local verdicts = {}

verdicts.order = { "pass", "fail", "inconclusive", "unstable", "not applicable", "expected failure",
  "unexpected pass", "error" }

-- Those that want somebody's attention.
verdicts.wrong = { fail = true, error = true, inconclusive = true, unstable = true,
  ["unexpected pass"] = true }

-- A file of expected failures: "case id, white space, the reason" a line; # starts a comment.
function verdicts.expectations(path)
  local file, why = io.open(path)
  if not file then return nil, why end
  local content, problem = file:read("a")
  file:close()
  if not content then return nil, path .. ": " .. problem end
  local expected, number = {}, 0
  for line in content:gmatch("([^\n]*)\n?") do
    number = number + 1
    local bare = line:gsub("#.*", "")
    local id, reason = bare:match("^%s*(%S+)%s+(.-)%s*$")
    if id and expected[id] then
      return nil, string.format("%s:%d: %s stands twice", path, number, id)
    elseif id and #reason > 0 then
      expected[id] = reason
    elseif bare:match("%S") then
      return nil, string.format("%s:%d: wants a case id and a reason", path, number)
    end
  end
  return expected
end

-- nil, or the first id that no case has.
function verdicts.unknown_expectation(expected, cases)
  local known = {}
  for _, case in ipairs(cases) do known[case.id] = true end
  for id in tables.sorted(expected) do
    if not known[id] then return id end
  end
  return nil
end

-- Turns a failure that was expected, and a pass that was not, into what they are.
function verdicts.apply(results, expected)
  for _, case in ipairs(results) do
    local reason = expected[case.definition.id]
    if reason and case.verdict == "fail" then
      case.reason = case.reason .. " (expected: " .. reason .. ")"
      case.verdict = "expected failure"
    elseif reason and case.verdict == "pass" then
      case.verdict, case.reason = "unexpected pass", "expected to fail: " .. reason
    end
  end
end

-- What became of a check: "ok", "FAIL", or "note" where it is a remark.
function verdicts.step_word(step)
  return step.ok and "ok  " or step.weight == "remark" and "note" or "FAIL"
end

-- The step that a case failed at first, or nil.
function verdicts.failed_step(case)
  for _, step in ipairs(case.steps) do
    if step.kind == "check" and not step.ok and step.weight ~= "remark" then return step end
  end
end

-- How many requirements have which verdict; what is neither of these three is "other".
function verdicts.judged(by_requirement)
  local judged = { pass = 0, remark = 0, fail = 0, other = 0 }
  for _, result in tables.sorted(by_requirement) do
    local key = judged[result] and result or "other"
    judged[key] = judged[key] + 1
  end
  return judged
end

function verdicts.count(results)
  local counts = {}
  for _, name in ipairs(verdicts.order) do counts[name] = 0 end
  for _, case in ipairs(results) do counts[case.verdict] = counts[case.verdict] + 1 end
  return counts
end

-- 0 all passed, as expected or not applicable; 1 a failure or an unexpected pass; 3 an error of the
-- runner; 4 something inconclusive or unstable, or nothing that applied.
function verdicts.exit_status(counts)
  if counts.error > 0 then return 3 end
  if counts.fail > 0 or counts["unexpected pass"] > 0 then return 1 end
  if counts.inconclusive + counts.unstable > 0 then return 4 end
  return counts.pass + counts["expected failure"] == 0 and 4 or 0
end

-- Requirement id -> "pass", "fail", … over all cases: one failure, or one remark, outweighs every pass.
function verdicts.by_requirement(results)
  local rank = { fail = 5, remark = 4, pass = 3, inconclusive = 2, ["not reached"] = 1 }
  local found = {}
  for _, case in ipairs(results) do
    for _, id in ipairs(case.definition.requirements) do
      local result = case.results[id] or "not reached"
      local is_settled = case.verdict ~= "inconclusive" and case.verdict ~= "unstable"
        and case.verdict ~= "error"
      if (result == "pass" or result == "remark") and not is_settled then
        result = "inconclusive"
      end
      if case.verdict == "not applicable" then result = nil end
      if result and (not found[id] or rank[result] > rank[found[id]]) then found[id] = result end
    end
  end
  return found
end

local BINDING = { MUST = true, ["MUST NOT"] = true, REQUIRED = true }
local SEEN_FROM_OUTSIDE = { wire = true, dataplane = true }
-- Of every role: what each GIST node and each codec has to do.
local EVERY_ROLE = { "GIST-any", "GIST-querier", "GIST-responder", "codec" }

local function binds(requirement, roles)
  for role in requirement.roles:gmatch("[^,]+") do
    if roles[role] then return true end
  end
  return false
end

-- How many requirements with MUST bind these roles and show from outside, and which of them have
-- no verdict in `judged` (id -> verdict).
function verdicts.coverage(judged, requirements, roles)
  local bound = {}
  for _, list in ipairs({ roles, EVERY_ROLE }) do
    for _, role in ipairs(list) do bound[role], bound[role .. "+"] = true, true end
  end
  local count, unjudged = 0, {}
  for id, requirement in tables.sorted(requirements) do
    if BINDING[requirement.level] and SEEN_FROM_OUTSIDE[requirement.observable]
      and not requirement.restates and binds(requirement, bound) then
      count = count + 1
      if judged[id] ~= "pass" and judged[id] ~= "fail" then unjudged[#unjudged + 1] = id end
    end
  end
  return { binding = count, unjudged = unjudged }
end

return verdicts
