-- Runs the chosen cases against a box behind a shim, one after the other, each in a world of its own:
-- a box started anew, a clock at its beginning, and a seed that is the case's. So a verdict depends on
-- nothing but the case, the box and the seed, whatever else runs.

local Case = require("runner.case")
local Shim = require("runner.shim")
local ixit = require("runner.ixit")
local shim_net = require("runner.shim_net")
local suite = require("runner.suite")

local shim_suite = { started_ms = shim_net.START_MS, SEED = 1 } -- the seed where none is given

local GARBAGE_PERCENT = 400 -- of what is in use: a run is short, and collecting took a quarter of it

-- A number from the seed of the run and the case's id, the same for any selection of cases.
local function seed_of(seed, id)
  local mixed = 0xCBF29CE484222325 ~ seed
  for i = 1, #id do mixed = (mixed ~ id:byte(i)) * 0x100000001B3 end
  return mixed & 0x7FFFFFFFFFFFFFFF
end

-- What a fault of the shim says; anything else that is raised is a fault of the runner, and goes on.
local function fault_of(action, ...)
  local ok, problem = xpcall(action, function(what)
    return type(what) == "table" and what or debug.traceback(what, 2)
  end, ...)
  if ok then return nil, problem end
  if type(problem) ~= "table" then error(problem, 0) end
  return problem.reason or problem.usage
end

-- Where the shim fails, the case ends as an interrupted one does, without a box: what it has found
-- wrong stands, what it has found right does not.
local function perform(case, net, shim)
  local finished = false
  local function is_finished() return finished end
  case.done = function() finished = true end
  local fault = fault_of(function()
    case:_start()
    net.run_until(is_finished)
  end)
  if fault then
    net.cut_off()
    case.interrupted = fault
    case:_wake()
    net.run_until(is_finished)
  end
  assert(finished, "nothing can happen any more, and the case still waits")
  local last = shim:lives() and fault_of(net.finish)
  if last then net.note(last .. ", at the end of the case") end
  fault = fault or last
  if fault and (case.verdict == "pass" or case.verdict == "not applicable") then
    case.verdict, case.reason = "inconclusive", fault
  elseif last then
    case.reason = case.reason .. "; at its end " .. last
  end
end

-- What a report needs of a case that is over. The rest, its network and its messages' neighbours, would
-- only fill the memory.
local function outcome(case)
  return { definition = case.definition, verdict = case.verdict, reason = case.reason,
    steps = case.steps, results = case.results, measured = case.measured,
    seen_readings = case.seen_readings, remarks = case.remarks, started_at = case.started_at,
    finished_at = case.finished_at, addresses = case.addresses }
end

local HUNG_MAX = 3 -- cases, each of which may take a minute

-- options: host, command, settings, seed, strict, on_start, on_done. Returns the results in the order
-- of `definitions`, what the shim calls itself, and what is wrong with the way in which it ended.
function shim_suite.run(definitions, options)
  local settings, results = options.settings, {}
  collectgarbage("incremental", GARBAGE_PERCENT)
  local seed = options.seed
  local shim, name, before, wrong_end
  local hung = 0

  local function start()
    return Shim.start(options.host, options.command, seed, function() hung = hung + 1 end)
  end

  -- A child that has died since it was last asked is no fault of the case that comes: an empty turn
  -- tells.
  local function outlives_the_case_before()
    if not (shim and shim:lives()) then return false end
    local fault = fault_of(shim.turn, shim, shim_net.START_US, {})
    if fault and not options.host.has_caught_signal() then
      wrong_end = wrong_end or string.format("%s, after the end of %s", fault, before)
    end
    return not fault
  end

  -- That not even the first child greets ends the run: there is nothing to judge.
  local function fault_at_start()
    if hung >= HUNG_MAX then return "not run: the shim has hung " .. HUNG_MAX .. " times" end
    local lives = outlives_the_case_before()
    if options.host.has_caught_signal() then return "interrupted" end
    if lives then return nil end
    if not name then
      shim = start()
      name = shim.name
      return nil
    end
    local fault, started = fault_of(start)
    shim = started or shim
    return fault
  end

  local function run_one(definition)
    local reason = suite.reason_not_to(definition, settings)
    if reason then return suite.not_run(definition, "not applicable", reason, shim_net.START_MS) end
    local fault = fault_at_start()
    if fault then return suite.not_run(definition, "inconclusive", fault, shim_net.START_MS) end
    local own_seed = seed_of(seed, definition.id)
    local net = shim_net.open(shim, settings, own_seed)
    local owners = { inside = {}, outside = {} }
    local case = Case.new(definition, { net = net, ixit = settings, strict = options.strict,
      addresses = ixit.addresses(settings, 0), owners = owners })
    net.note = function(text) case:_note(text) end
    suite.route_packets(net, owners)
    suite.own_addresses(owners, case)
    if options.on_start then options.on_start(case) end
    perform(case, net, shim)
    before = definition.id
    return outcome(case)
  end

  for place, definition in ipairs(definitions) do
    results[place] = run_one(definition)
    if options.on_done then options.on_done(results[place]) end
  end
  outlives_the_case_before()
  return results, name, wrong_end or shim and shim:close()
end

return shim_suite
