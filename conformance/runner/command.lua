-- A command in a shell beside the runner, bounded in time. How it ended and what it printed come
-- through a file, which is looked at every few milliseconds, for the runner's loop waits for
-- sockets and timers only.

local Command = {}
Command.__index = Command

local LOOK_AGAIN_MS = 10

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function look(self)
  local file = io.open(self.path, "rb")
  local content = file and file:read("a") or ""
  if file then file:close() end
  local output, status = content:match("^(.-)exit status (%d+)\n$")
  if not status then
    self.timer = self.after(LOOK_AGAIN_MS, function() look(self) end)
    return
  end
  os.remove(self.path)
  self.on_end(tonumber(status), output)
end

-- Calls on_end(exit status, output) once, from `after`: 124 is the status of a command that took
-- longer than limit_s seconds. cancel() on what it returns: on_end will not be called any more.
function Command.run(after, line, limit_s, on_end)
  local self = setmetatable({ after = after, on_end = on_end, path = os.tmpname() }, Command)
  os.execute(string.format(
    "{ timeout %s sh -c %s; echo \"exit status $?\"; } >%s 2>&1 </dev/null &",
    limit_s, quoted(line), quoted(self.path)))
  self.timer = after(LOOK_AGAIN_MS, function() look(self) end)
  return self
end

function Command:cancel()
  self.timer:cancel()
  os.remove(self.path)
end

return Command
