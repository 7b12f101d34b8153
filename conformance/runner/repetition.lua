-- Cases that run again, alone: one that failed, before that counts (limits.failures_needed of the IXIT),
-- and one whose failure a stall of the runner could have made. A verdict that changes is none: the case
-- is unstable, and both runs are reported.

local tables = require("codec.tables")
local verdicts = require("report.verdicts")

local repetition = {}

local STALLED_RUNS_MAX = 3

-- The step that a case failed at, without the addresses and ports that each run has of its own.
local function failed_step(case)
  local step = verdicts.failed_step(case)
  return step and (step.text:gsub("%d+", "#"))
end

-- Whether the case of this entry has to run once more. The entry remembers its runs.
function repetition.wants_another(entry, case, needed)
  if case.stalled then
    entry.stalled_runs = (entry.stalled_runs or 0) + 1
    return entry.stalled_runs < STALLED_RUNS_MAX
  end
  if case.verdict ~= "fail" then return false end
  local failed = entry.failed
  if failed and failed_step(failed) ~= failed_step(case) then return false end
  entry.failed, entry.failures = case, (entry.failures or 0) + 1
  return entry.failures < needed
end

-- What it has failed before counts no more.
function repetition.forget(entry) entry.failed, entry.failures = nil, 0 end

-- The same case without its failure.
local function without_failure(case, verdict, reason)
  case.verdict, case.reason = verdict, reason .. ": " .. case.reason
  for id, result in tables.sorted(case.results) do
    if result == "fail" then case.results[id] = "inconclusive" end
  end
  return case
end

-- What counts of an entry that ran several times: the last run, unless it does not confirm the failure
-- before it. An error of the runner stays one.
function repetition.result(entry, last)
  local failed = entry.failed
  if not failed or failed == last or last.verdict == "error" then return last end
  failed.other_run = last
  return without_failure(failed, "unstable",
    string.format("failed, but not again (%s)", last.verdict))
end

-- What counts where nothing runs any more: a failure that had to be confirmed is none.
function repetition.unfinished(entry, last, needed, why)
  local failed = entry.failed or last
  if failed.verdict ~= "fail" or needed <= 1 then return last end
  return without_failure(failed, "inconclusive", "failed, and did not run again (" .. why .. ")")
end

return repetition
