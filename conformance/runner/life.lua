-- Whether the IUT lives. It is asked before the first case, when several cases in a row have heard
-- nothing of it, and at the end; without an IUT there is nothing to judge.
--
-- Where the IXIT has a restart command, a dead IUT is brought back. Each case that may have killed it
-- then runs again, alone, and the IUT is asked after it: a case that kills it twice fails the
-- requirement whose answer is missing.

local verdicts = require("report.verdicts")

local Life = {}
Life.__index = Life

local SILENT_MAX = 3 -- cases in a row that hear nothing of the IUT
local DEATHS_OF_CASE = 2 -- after so many the case is to blame
local TOO_LONG = 124 -- the exit status of a command that was ended
local SUSPICIONS_MAX = 2 -- of one case: something else kills the IUT, too

-- options: reach (the case that asks; nil: nobody does), restart (of the IXIT; nil: there is no
-- command), run(command, limit_s, on_end), and what the suite does: again(entry) has one run once more,
-- settle(entry, is_final) takes the verdict of its last run, proceed() goes on.
function Life.new(options)
  local restart = options.restart
  local self = setmetatable({ reach = options.reach, run = options.run, again = options.again,
    settle = options.settle, proceed = options.proceed, silent = 0, suspects = {} }, Life)
  if restart and restart.command ~= "" then self.restart = restart end
  self.is_due = options.reach ~= nil
  return self
end

-- Whether each case gets an IUT that was restarted for it: then one runs at a time.
function Life:renews_each() return self.restart ~= nil and self.restart.each_case end

-- The entry of the case that asks, where that is the next to run.
function Life:next_question()
  if not self.is_due then return nil end
  self.is_due, self.question = false, self.question or { definition = self.reach }
  return self.question
end

-- A case has run. Says whether its verdict has to wait until the IUT was asked.
function Life:note(entry, case)
  if case.heard then
    self.silent, self.last_heard = 0, case.definition.id
  else
    self.silent = self.silent + 1
    self.is_due = self.is_due or self.reach ~= nil and self.silent % SILENT_MAX == 0
  end
  if case.verdict == "not applicable" then return false end
  if case.verdict == "pass" then -- none does with a dead IUT
    if not entry.suspicions then self.suspects = {} end
    return false
  end
  if self.restart and (entry.suspicions or self:renews_each()) then
    self.accused, self.is_due = entry, self.reach ~= nil
    return self.is_due
  end
  table.insert(self.suspects, entry)
  return false
end

-- The runner could not hear the answer: it asks again.
function Life:ask_again() self.is_due = true end

-- Nothing is left to run: whether the IUT has to be asked once more.
function Life:ends_in_doubt()
  self.is_due = self.is_due or self.reach ~= nil and #self.suspects > 0
  return self.is_due
end

-- The case fails what it had not proved when the IUT died: what its failed step carries, or all of that.
local function blame(case)
  local step = verdicts.failed_step(case)
  local missing = step and step.ids or {}
  for _, id in ipairs(#missing == 0 and case.definition.requirements or {}) do
    if case.results[id] ~= "pass" then missing = { id, table.unpack(missing) } end
  end
  for _, id in ipairs(missing) do case.results[id] = "fail" end
  case.verdict = #missing > 0 and "fail" or "inconclusive"
  case.reason = string.format("the IUT died of it, %d times: %s", DEATHS_OF_CASE, case.reason)
end

-- Nothing is known of those that may have talked to a dead IUT.
local function doubt(case)
  if case.is_doubted then return end
  case.is_doubted = true
  case.verdict, case.reason = "inconclusive", case.reason .. "; then the IUT was found dead"
  for _, id in ipairs(case.definition.requirements) do
    if case.results[id] == "fail" then case.results[id] = "inconclusive" end
  end
end

local function give_up(self, why)
  self.dead = "the IUT is not there: " .. why
    .. (self.last_heard and "; last heard from in case " .. self.last_heard or "")
  for _, entry in ipairs(self.suspects) do
    doubt(entry.last)
    self.settle(entry, true)
  end
end

-- The IUT was found dead: after the accused, or after one of the suspects. What they have failed before
-- is no failure of theirs.
function Life:find_culprits()
  local accused, suspects = self.accused, self.suspects
  self.accused, self.suspects = nil, {}
  for _, entry in ipairs(accused and {} or suspects) do
    entry.suspicions = (entry.suspicions or 0) + 1
    if entry.suspicions <= SUSPICIONS_MAX then
      self.again(entry)
    else
      doubt(entry.last)
      self.settle(entry, true)
    end
  end
  if not accused then return end
  accused.deaths = (accused.deaths or 0) + 1
  if accused.deaths < DEATHS_OF_CASE then return self.again(accused) end
  blame(accused.last)
  self.settle(accused, true)
end

-- Restarts the IUT, and says by and by whether the command could. The answer is the next question's.
function Life:bring_back(on_end)
  self.is_restarting = true
  self.run(self.restart.command, self.restart.timeout_s, function(status, output)
    self.is_restarting = false
    if status ~= 0 then
      local said = output:gsub("%s+", " "):sub(1, 400)
      give_up(self, "the restart command " .. (status == TOO_LONG
        and string.format("took longer than restart.timeout_s, %d s", self.restart.timeout_s)
        or "ended with exit status " .. status) .. (said ~= "" and ": " .. said or ""))
    end
    on_end()
  end)
end

-- The case that asks has ended; what is true of the IUT is known now.
function Life:answered(case)
  self.silent, self.question = 0, nil
  if case.verdict == "pass" then
    local accused = self.accused
    self.accused, self.suspects, self.was_revived = nil, {}, false
    if accused then self.settle(accused) end
    return self.proceed()
  end
  if not self.restart or self.was_revived then
    give_up(self, case.reason)
    return self.proceed()
  end
  self:find_culprits()
  self.was_revived = true
  self:bring_back(function()
    self.is_due = not self.dead
    self.proceed()
  end)
end

return Life
