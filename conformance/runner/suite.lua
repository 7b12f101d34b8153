-- Runs the chosen cases: so many at once, so many started a second, in file order or shuffled by a
-- seed, each with addresses of its own; and hands out what arrives by address.

local Case = require("runner.case")
local Life = require("runner.life")
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

-- options: net, settings, jobs, seed, strict, pcap, on_start, on_done, on_end, and reach, the case that
-- says whether the IUT is there (nil: nobody asks). Returns a handle with interrupt(); on_end gets the
-- list of results, in the order of `definitions`, and why the IUT is taken for dead, where it is.
function suite.run(definitions, options)
  local net, settings = options.net, options.settings
  local owners = { inside = {}, outside = {} }
  local queue, again, results, running = {}, {}, {}, {}
  local active, next_index = 0, 1
  local interrupted, ended
  -- Sessions of cases before may still live, also of another run: so addresses and ports come from the
  -- time. No more cases can have begun since then than have numbers before this one.
  local next_number = math.floor(net.wall_ms() / 1000 * settings.limits.max_rate)
  local most_at_once, used = ixit.most_at_once(settings), {}
  for i, definition in ipairs(definitions) do queue[i] = { definition = definition, place = i } end
  if options.seed then shuffle(queue, options.seed) end
  suite.route_packets(net, owners)

  local life, start_next

  -- Why nothing runs any more, or nil.
  local function over() return interrupted or life.dead end

  local function has_to_repeat(entry, case)
    return not over() and repetition.wants_another(entry, case, settings.limits.failures_needed)
  end

  local function settle(entry, is_final)
    take_out(again, entry)
    if is_final then
      repetition.forget(entry)
    elseif has_to_repeat(entry, entry.last) then
      again[#again + 1] = entry
      return
    end
    results[entry.place] = over() and not is_final
      and repetition.unfinished(entry, entry.last, settings.limits.failures_needed, over())
      or repetition.result(entry, entry.last)
    if options.on_done then options.on_done(results[entry.place]) end
  end

  local function start_over(entry)
    repetition.forget(entry)
    take_out(again, entry)
    again[#again + 1] = entry
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
    if entry ~= life.question then
      entry.last = case
      if not (case.addresses and life:note(entry, case)) then settle(entry) end
      return start_next()
    end
    if has_to_repeat(entry, case) then
      life:ask_again()
      return start_next()
    end
    life:answered(case)
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
    reason = reason or over()
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
    local is_first = entry.runs == 1 and entry ~= life.question
    if options.on_start and is_first then options.on_start(case) end
    case:_start()
  end

  -- The next of the queue; what has to run again does so at the end, with nothing beside it. Nor does
  -- anything run beside the question whether the IUT lives.
  local function next_entry()
    if life.question and active > 0 then return nil end
    if life.is_due and not over() then return active == 0 and life:next_question() or nil end
    if next_index <= #queue then
      if active >= math.min(options.jobs, most_at_once) then return nil end
      next_index = next_index + 1
      return queue[next_index - 1]
    end
    return active == 0 and table.remove(again, 1) or nil
  end

  local pending
  function start_next()
    if life.is_restarting or ended then return end
    if next_index > #queue and active == 0 and #again == 0 and (over() or not life:ends_in_doubt()) then
      ended = true
      return options.on_end(results, life.dead)
    end
    if pending then return end
    local entry = next_entry()
    if not entry then return end
    pending = net.after(1000 / settings.limits.max_rate, function()
      pending = nil
      start_next()
    end)
    if life:renews_each() and entry ~= life.question and not over() then
      return life:bring_back(function() launch(entry) end)
    end
    launch(entry)
  end

  life = Life.new({ reach = options.reach, restart = settings.restart, run = net.run,
    again = start_over, settle = settle, proceed = function() start_next() end })
  if life:renews_each() then most_at_once = 1 end
  local handle = {}
  function handle.interrupt()
    interrupted = "interrupted"
    for _, case in ipairs(table.move(running, 1, #running, 1, {})) do
      case.interrupted = "interrupted"
      case:_wake()
    end
  end
  net.after(0, start_next)
  return handle
end

return suite
