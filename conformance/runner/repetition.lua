-- On a path that loses packets a failure may be the path's. Where the IXIT says so
-- (limits.failures_needed), a case that failed runs again, and fails only when it fails at the same
-- step each time.

local tables = require("codec.tables")

local repetition = {}

local function failed_step(case)
  for place = #case.steps, 1, -1 do
    local step = case.steps[place]
    if step.kind == "check" and not step.ok then return step.text end
  end
  return nil
end

-- Whether the case of this entry has to run once more. The entry remembers its failures.
function repetition.wants_another(entry, case, needed)
  if case.verdict ~= "fail" then return false end
  local failed = entry.failed
  if failed and failed_step(failed) ~= failed_step(case) then return false end
  entry.failed, entry.failures = case, (entry.failures or 0) + 1
  return entry.failures < needed
end

-- What counts of an entry that ran several times: its failure, if the last run confirmed it; else
-- the same exchange without a verdict.
function repetition.result(entry, last)
  local failed = entry.failed
  if not failed or failed == last then return last end
  failed.verdict = "inconclusive"
  failed.reason = string.format("failed once, but not again (%s): %s", last.verdict, failed.reason)
  for id, result in tables.sorted(failed.results) do
    if result == "fail" then failed.results[id] = "inconclusive" end
  end
  return failed
end

return repetition
