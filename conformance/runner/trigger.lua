-- The IXIT's trigger commands, by which an IUT that is an initiator opens and closes sessions. Each
-- runs in a shell beside the runner, bounded in time; how it ended and what it printed come through a
-- file, which is looked at every few milliseconds.

local Trigger = {}
Trigger.__index = Trigger

local LOOK_AGAIN_MS = 10

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function look(self)
  local file = io.open(self.path, "rb")
  local content = file and file:read("a") or ""
  if file then file:close() end
  local output, status = content:match("^(.-)exit status (%d+)\n$")
  if not status then
    self.timer = self.case.net.after(LOOK_AGAIN_MS, function() look(self) end)
    return
  end
  self.status = tonumber(status)
  self.output = output:gsub("%s+", " "):sub(1, 400)
  self.case:wake()
end

-- `template` with its {names} replaced by `values`; an unknown name is left as it is.
function Trigger.start(case, template, values)
  local self = setmetatable({ case = case, path = os.tmpname() }, Trigger)
  self.command = template:gsub("{([%w_]+)}", values)
  self.limit_s = case.ixit.trigger.timeout_s
  os.execute(string.format("{ timeout %d sh -c %s; echo \"exit status $?\"; } >%s 2>&1 </dev/null &",
    self.limit_s, quoted(self.command), quoted(self.path)))
  case:defer(function()
    self:wait()
    if self.timer then self.timer:cancel() end
    os.remove(self.path)
  end)
  look(self)
  return self
end

-- The exit status, once it has ended; 124 is that of a command that took too long.
function Trigger:wait()
  return self.case:await((self.limit_s + 1) * 1000, function() return self.status end)
end

-- What is known of it, for a report.
function Trigger:summary()
  if not self.status then return "still running" end
  return string.format("exit status %d: %s", self.status, self.output)
end

return Trigger
