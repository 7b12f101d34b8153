-- Ends what a case computes without end: code in Lua that runs too many instructions and does not wait.
-- A fault of that kind is an error of its case, and the run goes on.
--
-- Counting makes every instruction slower. So the host's watchdog tells who has run for a while
-- already, and only that is counted; without a host, all is. What runs in C is not counted, nor what
-- runs in a coroutine that a case makes for itself.

local instruction_bound = {
  most = 1000000000, -- instructions between two waits: some seconds
}

local function explain(problem)
  return type(problem) == "table" and problem or debug.traceback(problem, 2)
end

local may_end = { [explain] = true } -- functions of this file that run while an error comes to `call`

-- Once too many have run, each further instruction is refused, so that no pcall of the case keeps it
-- going, until the error has come to `call`.
local function refuse()
  local running = debug.getinfo(2, "fSl")
  if may_end[running.func] then return end
  debug.sethook(refuse, "", 1)
  error({ verdict = "error", reason = debug.traceback(string.format(
    "it runs too long without waiting: more than %d instructions of Lua, the last at %s:%d",
    instruction_bound.most, running.short_src, running.currentline), 2) }, 0)
end

local function count() debug.sethook(refuse, "", instruction_bound.most) end

local has_host, host = pcall(require, "host")
local watch = has_host and assert(host.watchdog(count)) or function(is_on)
  if is_on then count() end
end
may_end[watch] = true

local bounded = setmetatable({}, { __mode = "k" }) -- the coroutines that are within a `call`

-- Calls action(...) in this coroutine. Returns true and what that returns, or false and what it raised:
-- a table as it is, anything else as text with a traceback, { verdict, reason } where it ran too long.
local function call(action, ...)
  local own = coroutine.running()
  bounded[own] = true
  watch(true)
  local ok, result = xpcall(action, explain, ...)
  watch(false)
  debug.sethook()
  bounded[own] = nil
  return ok, result
end

instruction_bound.call, may_end[call] = call, true

-- The same; what was raised is raised again.
function instruction_bound.run(action, ...)
  local ok, result = call(action, ...)
  if not ok then error(result, 0) end
  return result
end

-- Yields. What runs after that in this coroutine counts anew.
function instruction_bound.wait()
  watch(false)
  debug.sethook()
  coroutine.yield()
  if bounded[coroutine.running()] then watch(true) end
end

return instruction_bound
