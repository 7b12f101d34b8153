-- The IXIT's trigger commands, by which an IUT that is an initiator opens and closes sessions. Each
-- runs beside the runner, bounded in time.

local Trigger = {}
Trigger.__index = Trigger

-- `template` with its {names} replaced by `values`; an unknown name is left as it is. Calls
-- on_end(this trigger), where it is given, when the command has ended.
function Trigger.start(case, template, values, on_end)
  local self = setmetatable({ case = case, limit_s = case.ixit.trigger.timeout_s }, Trigger)
  self.command = template:gsub("{([%w_]+)}", values)
  local running = case.net.run(self.command, self.limit_s, function(status, output)
    self.status, self.output = status, output:gsub("%s+", " "):sub(1, 400)
    if on_end then on_end(self) end
    case:_wake()
  end)
  case:defer(function()
    self:wait()
    running:cancel()
  end)
  return self
end

-- The exit status, once it has ended; 124 is that of a command that took too long.
function Trigger:wait()
  return self.case:_await((self.limit_s + 1) * 1000, function() return self.status end)
end

-- What is known of it, for a report.
function Trigger:summary()
  if not self.status then return "still running" end
  return string.format("exit status %d: %s", self.status, self.output)
end

return Trigger
