-- Runs the chosen cases: so many at once, so many started a second, in file order or shuffled by a
-- seed, each with addresses of its own; and hands out what arrives by address.

local Case = require("runner.case")
local ixit = require("runner.ixit")
local packet = require("codec.packet")
local repetition = require("runner.repetition")

local suite = {}

-- A generator of its own, so that a seed gives the same order everywhere.
local function shuffle(list, seed)
  local state = seed
  local function below(limit)
    state = (state * 6364136223846793005 + 1442695040888963407) & 0x7FFFFFFFFFFFFFFF
    return (state >> 16) % limit
  end
  for i = #list, 2, -1 do
    local j = below(i) + 1
    list[i], list[j] = list[j], list[i]
  end
end

local function take_out(list, item)
  for place, one in ipairs(list) do
    if one == item then return table.remove(list, place) end
  end
end

-- What arrives goes to the neighbour whose address it is for.
function suite.route_packets(net, owners)
  for _, name in ipairs({ "inside", "outside" }) do
    net[name].on_packet = function(bytes, at)
      local parts = packet.parse(bytes)
      local neighbour = parts and owners[name][parts.destination]
      if neighbour then neighbour:_received_packet(parts, at) end
    end
  end
end

-- nil, or why the case does not apply to this IUT.
function suite.reason_not_to(definition, settings)
  local plays = false
  for _, role in ipairs(definition.roles) do
    for _, claimed in ipairs(settings.ics.roles) do plays = plays or role == claimed end
  end
  if not plays then return "the IUT does not claim this role" end
  for _, option in ipairs(definition.needs or {}) do
    if settings.ics[option] == false then return "the ICS says no to " .. option end
    if option == "lossless" and settings.path.loses then return "the path loses datagrams" end
    local bound = option:match("^lifetime%.(.*)")
    if bound and settings.lifetime[bound] == 0 then return "the IXIT gives no " .. option end
  end
  return nil
end

-- The neighbours of a case get what is for its addresses.
function suite.own_addresses(owners, case)
  owners.inside[case.addresses.ni] = case.ni
  owners.inside[case.addresses.source] = case.ni
  owners.outside[case.addresses.nr] = case.nr
  owners.outside[case.addresses.destination] = case.nr
end

-- The result of a case that did not run.
function suite.not_run(definition, verdict, reason, now_ms)
  return { definition = definition, verdict = verdict, reason = reason, steps = {}, results = {},
    measured = {}, seen_readings = {}, remarks = {}, started_at = now_ms, finished_at = now_ms }
end

local function record(case, net, options)
  if not options.pcap then return end
  for _, name in ipairs({ "inside", "outside" }) do
    local capture = net[name].capture
    if capture then
      local addresses = case.addresses
      local number, why = capture:record(options.pcap .. "/" .. case.recorded_as .. "." .. name
        .. ".pcap",
        addresses.ni, addresses.nr, addresses.source, addresses.destination, addresses.other_ni)
      if not number then error(why, 0) end
      case:defer(function() capture:stop(number) end)
    end
  end
end

local SILENT_MAX = 3 -- cases in a row that hear nothing of the IUT

-- options: net, settings, jobs, seed, strict, pcap, on_start, on_done, on_end, and reach, the case that
-- says whether the IUT is there (nil: nobody asks). Returns a handle with interrupt(); on_end gets the
-- list of results, in the order of `definitions`, and why the IUT is taken for dead, where it is.
function suite.run(definitions, options)
  local net, settings = options.net, options.settings
  local owners = { inside = {}, outside = {} }
  local queue, again, results, running = {}, {}, {}, {}
  local active, next_index = 0, 1
  local over, dead -- why nothing runs any more
  local asks_for_life, silent, last_heard = options.reach ~= nil, 0, nil
  local question -- the entry of the case that asks, until it is answered
  -- Sessions of cases before may still live, also of another run: so addresses and ports come from the
  -- time. No more cases can have begun since then than have numbers before this one.
  local next_number = math.floor(net.wall_ms() / 1000 * settings.limits.max_rate)
  local most_at_once, used = ixit.most_at_once(settings), {}
  for i, definition in ipairs(definitions) do queue[i] = { definition = definition, place = i } end
  if options.seed then shuffle(queue, options.seed) end
  suite.route_packets(net, owners)

  local start_next

  -- Where several cases have heard nothing the IUT may be dead.
  local function note_life(case)
    if case.heard then
      silent, last_heard = 0, case.definition.id
    elseif case.addresses then
      silent = silent + 1
      asks_for_life = asks_for_life or options.reach and silent % SILENT_MAX == 0
    end
  end

  local function has_shown_life(case)
    silent, question = 0, nil
    if case.verdict == "pass" or over then return end
    dead = "the IUT is not there: " .. case.reason
      .. (last_heard and "; last heard from in case " .. last_heard or "")
    over = dead
  end

  local function finished(entry, case)
    if case.addresses then
      used[entry.number % most_at_once] = nil
      owners.inside[case.addresses.ni] = nil
      owners.inside[case.addresses.other_ni] = nil
      owners.inside[case.addresses.source] = nil
      owners.outside[case.addresses.nr] = nil
      owners.outside[case.addresses.destination] = nil
    end
    take_out(running, case)
    active = active - 1
    local has_to_repeat = not over
      and repetition.wants_another(entry, case, settings.limits.failures_needed)
    if entry == question then
      asks_for_life = has_to_repeat
      if not has_to_repeat then has_shown_life(case) end
      return start_next()
    end
    note_life(case)
    if has_to_repeat then
      again[#again + 1] = entry
      return start_next()
    end
    results[entry.place] = repetition.result(entry, case)
    if options.on_done then options.on_done(results[entry.place]) end
    start_next()
  end

  -- The next whose addresses no running case has; there is one, for fewer run than there are.
  local function free_number()
    local number = next_number
    while used[number % most_at_once] do number = number + 1 end
    used[number % most_at_once], next_number = true, number + 1
    return number
  end

  local function launch(entry)
    local reason = suite.reason_not_to(entry.definition, settings)
    local verdict = reason and "not applicable" or "inconclusive"
    reason = reason or over
    active = active + 1
    if reason then
      return finished(entry, suite.not_run(entry.definition, verdict, reason, net.now()))
    end
    entry.runs = (entry.runs or 0) + 1
    entry.number = free_number()
    local case = Case.new(entry.definition, { net = net, ixit = settings, strict = options.strict,
      addresses = ixit.addresses(settings, entry.number), owners = owners,
      done = function(done_case) finished(entry, done_case) end })
    running[#running + 1] = case
    suite.own_addresses(owners, case)
    case.recorded_as = entry.definition.id:gsub(":", ".")
      .. (entry.runs > 1 and "." .. entry.runs or "")
    record(case, net, options)
    local is_first = entry.runs == 1 and entry ~= question
    if options.on_start and is_first then options.on_start(case) end
    case:_start()
  end

  -- The next of the queue; what has to run again does so at the end, with nothing beside it.
  local function next_entry()
    if asks_for_life and not over then
      if active > 0 then return nil end
      asks_for_life, question = false, question or { definition = options.reach }
      return question
    end
    if next_index <= #queue then
      if active >= math.min(options.jobs, most_at_once) then return nil end
      next_index = next_index + 1
      return queue[next_index - 1]
    end
    return active == 0 and table.remove(again, 1) or nil
  end

  local pending
  function start_next()
    if next_index > #queue and active == 0 and #again == 0 then
      return options.on_end(results, dead)
    end
    if pending then return end
    local entry = next_entry()
    if not entry then return end
    pending = net.after(1000 / settings.limits.max_rate, function()
      pending = nil
      start_next()
    end)
    launch(entry)
  end

  local handle = {}
  function handle.interrupt()
    over = "interrupted"
    for _, case in ipairs(table.move(running, 1, #running, 1, {})) do
      case.interrupted = "interrupted"
      case:_wake()
    end
  end
  net.after(0, start_next)
  return handle
end

return suite
