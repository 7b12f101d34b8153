-- Runs the chosen cases against a box behind a shim, one after the other, each in a world of its own:
-- a box started anew, a clock at its beginning, and a seed that is the case's. So a verdict depends on
-- nothing but the case, the box and the seed, whatever else runs.

local Case = require("runner.case")
local Shim = require("runner.shim")
local ixit = require("runner.ixit")
local shim_net = require("runner.shim_net")
local suite = require("runner.suite")

local shim_suite = { started_ms = shim_net.START_MS }

-- A number from the seed of the run and the case's id, the same for any selection of cases.
local function seed_of(seed, id)
  local mixed = 0xCBF29CE484222325 ~ seed
  for i = 1, #id do mixed = (mixed ~ id:byte(i)) * 0x100000001B3 end
  return mixed & 0x7FFFFFFFFFFFFFFF
end

-- A case that waits for something that cannot happen any more would wait for ever.
local function nothing_left(case)
  case.interrupted = "nothing can happen any more, and the case still waits"
  case:_wake()
end

local function perform(case, net)
  local finished = false
  case.done = function() finished = true end
  local ok, problem = xpcall(function()
    case:_start()
    if not net.run_until(function() return finished end) then nothing_left(case) end
  end, function(what) return type(what) == "table" and what or debug.traceback(what, 2) end)
  if ok then return end
  case.verdict, case.reason = "error", tostring(problem)
  if type(problem) == "table" then case.verdict, case.reason = problem.verdict, problem.reason end
  case:_give_up()
end

-- options: host, command, settings, seed, strict, on_start, on_done. Returns the results in the order
-- of `definitions`, and what the shim calls itself.
function shim_suite.run(definitions, options)
  local settings, results = options.settings, {}
  local seed = options.seed or 1
  local shim, name

  local function run_one(definition)
    local reason = suite.reason_not_to(definition, settings)
    if reason then return suite.not_run(definition, "not applicable", reason, shim_net.START_MS) end
    shim = shim and shim:lives() and shim or Shim.start(options.host, options.command, seed)
    name = name or shim.name
    local own_seed = seed_of(seed, definition.id)
    local net = shim_net.open(shim, settings, own_seed)
    local owners = { inside = {}, outside = {} }
    local case = Case.new(definition, { net = net, ixit = settings, strict = options.strict,
      addresses = ixit.addresses(settings, 1, 1), owners = owners })
    suite.route_packets(net, owners)
    suite.own_addresses(owners, case)
    if options.on_start then options.on_start(case) end
    perform(case, net)
    shim:finish()
    return case
  end

  for place, definition in ipairs(definitions) do
    results[place] = run_one(definition)
    if options.on_done then options.on_done(results[place]) end
  end
  if shim then shim:close() end
  return results, name
end

return shim_suite
