-- natfw-conform's commands. Returns the exit status.

local address = require("codec.address")
local catalogue = require("runner.catalogue")
local console = require("runner.console")
local ixit = require("runner.ixit")
local json = require("codec.json")
local options = require("runner.options")
local past_runs = require("runner.past_runs")
local show = require("codec.show")
local suite_files = require("runner.suite_files")
local tables = require("codec.tables")
local wording = require("codec.wording")

local USAGE, BROKEN, INCONCLUSIVE = console.USAGE, 3, 4

local complain, write_file = console.complain, console.write_file

-- list --------------------------------------------------------------------------------------------

local function list(parsed, data_dir)
  local cases, why = suite_files.cases(data_dir, parsed.case_places)
  if not cases then return complain("%s", why) end
  local chosen = catalogue.select(cases, parsed)
  if parsed.as_json then
    local out = json.array({})
    for i, case in ipairs(chosen) do
      out[i] = { id = case.id, document = case.document, section = case.section, file = case.file,
        purpose = case.purpose, roles = json.array(case.roles), smoke = case.smoke or false,
        requirements = json.array(case.requirements) }
    end
    print(json.encode(out, ""))
    return 0
  end
  for _, case in ipairs(chosen) do
    print(string.format("%-48s %s", case.id, case.purpose))
    print("    " .. table.concat(case.requirements, " "))
  end
  print(wording.counted(#chosen, "case"))
  return 0
end

-- check-ixit --------------------------------------------------------------------------------------

-- The text of the file that the shim's box is configured by: beside the IXIT, unless its path says
-- where.
local function read_configuration(settings, path)
  local name = settings.shim.configuration
  if name == "" then
    settings.shim.text = ""
    return settings
  end
  if name:sub(1, 1) ~= "/" then name = (path:match("^(.*/)") or "") .. name end
  local content, why = suite_files.read(name)
  if not content then return nil, { path .. ": shim.configuration: " .. why } end
  if #content > 65535 then
    return nil, { path .. ": shim.configuration: " .. name .. " has more than 65535 octets" }
  end
  settings.shim.text = content
  return settings
end

local function load_ixit(path, overrides, by_shim)
  local host = require("host")
  local source, why = suite_files.read(path)
  if not source then return nil, { why } end
  local given
  given, why = host.load_settings(path)
  if not given then return nil, { why } end
  for _, assignment in ipairs(overrides) do
    local ok, problem = ixit.override(given, assignment)
    if not ok then return nil, { problem } end
  end
  local settings, problems = ixit.check(given, path, source, by_shim, overrides)
  if not settings or not by_shim then return settings, problems end
  return read_configuration(settings, path)
end

local function complain_all(lines)
  for _, line in ipairs(lines) do complain("%s", line) end
  return USAGE
end

-- What is not there of the machine's, of what the IXIT names; a list of errors.
local function missing_on_machine(settings, path)
  local host, missing = require("host"), {}
  local why_not = settings.process ~= "" and host.watch_stalls(settings.process)
  if why_not then missing[1] = path .. ": process: " .. why_not end
  for _, side in ipairs({ "inside", "outside" }) do
    local given = settings[side]
    if given then
      local netns, why = host.netns(given.netns)
      local ok, said = true, nil
      if netns then ok, said = netns:ip("link", "show", "dev", given.interface) end
      if not netns then
        missing[#missing + 1] = string.format("%s: %s.netns: %s", path, side, why)
      elseif not ok then
        missing[#missing + 1] = string.format("%s: %s.interface: in %s: %s", path, side, given.netns,
          (said:gsub("%s+$", "")))
      end
      if netns then netns:close() end
    end
  end
  return missing
end

local function check_ixit(parsed)
  if #parsed.words ~= 1 then return complain("check-ixit wants one FILE") end
  local settings, problems = load_ixit(parsed.words[1], parsed.settings, parsed.shim ~= nil)
  if not settings then return complain_all(problems) end
  problems = parsed.shim and {} or missing_on_machine(settings, parsed.words[1])
  if #problems > 0 then return complain_all(problems) end
  print(parsed.words[1] .. ": " .. settings.name .. " as " .. table.concat(settings.ics.roles,
    ", "))
  return 0
end

-- decode ------------------------------------------------------------------------------------------

local function decode_captures(paths)
  for _, path in ipairs(paths) do
    local warnings, why = require("runner.decode").capture(path, require("host"))
    if not warnings then return complain("%s", why) end
    for _, warning in ipairs(warnings) do complain("warning: %s", warning) end
  end
  return 0
end

local function decode(parsed)
  if parsed.lines then
    for line in io.lines() do
      io.stdout:write(json.encode(show.line(line)), "\n")
      io.stdout:flush()
    end
    return 0
  end
  if #parsed.words == 0 then return complain("decode wants HEX, a pcap file, or --lines") end
  if parsed.words[1]:match("%.pcap") then return decode_captures(parsed.words) end
  local bytes = show.unhex(table.concat(parsed.words))
  if not bytes then return complain("'%s' is neither hex nor a .pcap file", parsed.words[1]) end
  local gist, engine = require("codec.gist"), require("codec.engine")
  if bytes:sub(1, 4) == gist.magic then bytes = bytes:sub(5) end
  print(table.concat(show.lines(engine.decode(gist, bytes)), "\n"))
  return 0
end

-- judge -------------------------------------------------------------------------------------------

-- The capture files that the words name; a folder stands for those in it.
local function captures_of(words)
  local host = require("host")
  local files = {}
  for _, word in ipairs(words) do
    local inside = host.glob(word .. "/*.pcap*")
    for _, path in ipairs(inside) do files[#files + 1] = path end
    if #inside == 0 then files[#files + 1] = word end
  end
  return files
end

-- Addresses as a set in their usual form, or nil and which is none.
local function address_set(texts, option)
  local found = {}
  for _, text in ipairs(texts) do
    local octets = address.parse(text)
    if not octets then return nil, string.format("%s %s is no IP address", option, text) end
    found[address.format(octets)] = true
  end
  return found
end

local function warn_all(warnings)
  for _, warning in ipairs(warnings) do complain("warning: %s", warning) end
end

local function judge_captures(parsed, data_dir, version)
  local judge = require("judge.judge")
  if #parsed.iuts == 0 then return complain("judge wants --iut ADDRESS") end
  if #parsed.words == 0 then return complain("judge wants at least one capture FILE or folder") end
  local addresses, why = address_set(parsed.iuts, "--iut")
  if not addresses then return complain("%s", why) end
  local files = captures_of(parsed.words)
  why = parsed.tls_keylog and require("judge.tls").obstacle(parsed.tls_keylog)
  if why then return complain("%s", why) end
  local result
  result, why = judge.captures(files, addresses, require("host"), parsed.tls_keylog)
  if not result then return complain("%s", why) end
  warn_all(result.warnings)
  result.warnings = nil
  result.suite, result.version, result.hash = "natfw-conform judge", version, suite_files.hash(data_dir)
  result.iut, result.files = table.concat(parsed.iuts, ", "), json.array(files)
  print(table.concat(judge.lines(result), "\n"))
  for kind, render in tables.sorted({
    json = function() return json.encode(result, "") .. "\n" end,
    html = function()
      return require("judge.judge_html").render(result, suite_files.requirements(data_dir) or {})
    end }) do
    if parsed[kind] then
      local ok, problem = write_file(parsed[kind], render())
      if not ok then return complain("%s", problem) end
    end
  end
  return judge.exit_status(result)
end

-- run ---------------------------------------------------------------------------------------------

local function report_progress(state, terminal)
  if terminal then
    io.stdout:write(string.format("\r\27[K%d of %d done, %d running", state.done, state.total,
      state.running))
    io.stdout:flush()
  end
end

-- What a report says of the run as a whole.
local function describe_run(parsed, settings, data_dir, version)
  return { version = version, hash = suite_files.hash(data_dir, parsed.case_places), iut = settings.name,
    roles = settings.ics.roles, seed = parsed.seed, strict = parsed.strict or false,
    told = { ics = settings.ics, lifetime = settings.lifetime, timing = settings.timing,
      path = settings.path, limits = settings.limits },
    decoded = parsed.decoded, pack = require("host").pack,
    pcap = parsed.pcap, catalogue = suite_files.requirements(data_dir) }
end

-- Writes what is asked for. Returns the exit status.
local function conclude(results, run, parsed)
  local report, verdicts = require("report.report"), require("report.verdicts")
  print(report.summary(results))
  for _, kind in ipairs(report.kinds) do
    if parsed[kind] then
      local ok, why = write_file(parsed[kind], report[kind](results, run, parsed[kind]))
      if not ok then
        complain("%s", why)
        return BROKEN
      end
    end
  end
  return verdicts.exit_status(verdicts.count(results))
end

-- A finished case on the terminal, and how many there were.
local function show_done(case, state, parsed)
  local report, verdicts = require("report.report"), require("report.verdicts")
  if not state.seen[case.definition] then state.done = state.done + 1 end
  state.seen[case.definition] = true -- one comes twice that ran before the IUT was found dead
  if #case.steps > 0 then state.running = math.max(state.running - 1, 0) end
  verdicts.apply({ case }, parsed.expected)
  print((state.terminal and "\r\27[K" or "") .. report.line(case, state.terminal))
  if parsed.verbose and case.verdict ~= "pass" then
    print(table.concat(report.steps_of(case), "\n"))
  end
  report_progress(state, state.terminal)
end

local function show_started(state)
  state.running = state.running + 1
  report_progress(state, state.terminal)
end

local JOBS_OF_CORE = 8 -- cases mostly wait

local function perform(chosen, parsed, settings, network, data_dir, version)
  local host, suite = require("host"), require("runner.suite")
  local state = { done = 0, seen = {}, running = 0, total = #chosen, terminal = host.is_terminal(1) }
  local run = describe_run(parsed, settings, data_dir, version)
  run.started, run.started_ms = os.date("!%Y-%m-%dT%H:%M:%SZ"), host.now()
  run.jobs = math.min(parsed.jobs or JOBS_OF_CORE * host.cores(), settings.limits.max_concurrent)
  local results
  local handle = suite.run(chosen, { net = network, settings = settings, jobs = run.jobs,
    seed = parsed.seed, strict = parsed.strict, pcap = parsed.pcap, reach = parsed.reach,
    on_start = function() show_started(state) end,
    on_done = function(case) show_done(case, state, parsed) end,
    on_end = function(all, dead)
      results, run.dead = all, dead
      host.stop()
    end })
  host.on_signal(function() handle.interrupt() end)
  host.run()
  if state.terminal then io.stdout:write("\r\27[K") end
  if run.dead then complain("%s", run.dead) end
  return conclude(results, run, parsed)
end

local SLOWEST = 5

-- In virtual time how long a case took is of the machine, and not for a report.
local function show_slowest(taken)
  if #taken == 0 then return end
  table.sort(taken, function(a, b) return a.seconds > b.seconds end)
  local parts, total = {}, 0
  for place, one in ipairs(taken) do
    total = total + one.seconds
    if place <= SLOWEST then
      parts[place] = string.format("%s %.0f ms", one.id, one.seconds * 1000)
    end
  end
  print(string.format("%.2f s; the slowest: %s", total, table.concat(parts, ", ")))
end

-- The same against a child that speaks the shim protocol: cases one by one, in virtual time.
local function perform_by_shim(chosen, parsed, settings, data_dir, version)
  local host, shim_suite = require("host"), require("runner.shim_suite")
  local state = { done = 0, seen = {}, running = 0, total = #chosen, terminal = host.is_terminal(1) }
  local run = describe_run(parsed, settings, data_dir, version)
  run.started_ms, run.jobs, run.virtual_time = shim_suite.started_ms, 1, true
  run.seed = run.seed or shim_suite.SEED
  local taken, began = {}, 0
  host.catch_signals()
  local results, name, wrong_end = shim_suite.run(chosen, { host = host, command = parsed.shim,
    settings = settings, seed = run.seed, strict = parsed.strict,
    on_start = function()
      began = host.now()
      show_started(state)
    end,
    on_done = function(case)
      if #case.steps > 0 then
        taken[#taken + 1] = { id = case.definition.id, seconds = (host.now() - began) / 1000 }
      end
      show_done(case, state, parsed)
    end })
  if state.terminal then io.stdout:write("\r\27[K") end
  show_slowest(taken)
  if name then run.iut = run.iut .. ", by " .. name end
  local status = conclude(results, run, parsed)
  if not wrong_end then return status end
  complain("%s", wrong_end)
  return status == 0 and INCONCLUSIVE or status
end

-- Everything that is written at the end has to be writable before anything runs.
local function outputs_problem(parsed)
  for _, kind in ipairs(require("report.report").kinds) do
    if parsed[kind] then
      local file, why = io.open(parsed[kind], "ab")
      if not file then return why end
      file:close()
    end
  end
  if not parsed.pcap then return nil end
  local ok, why = require("host").make_folder(parsed.pcap)
  if not ok then return why end
  local folder = io.open(parsed.pcap .. "/.")
  if not folder then return parsed.pcap .. ": is no folder" end
  folder:close()
  return nil
end

-- The status that action() returns; what it raises is complained of.
local function guarded(action)
  local ok, status = xpcall(action, function(problem)
    return type(problem) == "table" and problem or debug.traceback(problem)
  end)
  if ok then return status end
  complain("%s", type(status) == "table" and (status.usage or status.reason) or status)
  return type(status) == "table" and status.usage and USAGE or BROKEN
end

-- Opens the network that the IXIT names, performs these cases in it, and closes it.
local function run_cases(chosen, settings, parsed, data_dir, version)
  local why = outputs_problem(parsed)
  if why then return complain("%s", why) end
  if parsed.shim then
    return guarded(function()
      return perform_by_shim(chosen, parsed, settings, data_dir, version)
    end)
  end
  local ok, network = pcall(require("runner.net").open, require("host"), settings)
  if not ok then return complain("%s", type(network) == "table" and network.usage or network) end
  local status = guarded(function()
    local late = network.why_no_stamps()
    if late then complain("%s; arrival times are of the runner, not of the kernel", late) end
    if parsed.pcap then network.capture() end
    return perform(chosen, parsed, settings, network, data_dir, version)
  end)
  network.close()
  return status
end

local NO_PCAP = "--pcap goes with a network, not with --shim"

local function run(parsed, data_dir, version)
  if not parsed.ixit then return complain("run wants --ixit FILE") end
  if parsed.shim and parsed.pcap then return complain(NO_PCAP) end
  local settings, problems = load_ixit(parsed.ixit, parsed.settings, parsed.shim ~= nil)
  if not settings then return complain_all(problems) end
  local cases, why = suite_files.cases(data_dir, parsed.case_places)
  if not cases then return complain("%s", why) end
  local chosen = catalogue.select(cases, parsed)
  if #chosen == 0 then return complain("no case matches") end
  parsed.expected, parsed.reach = {}, require("runner.reach")
  if parsed.expected_failures then
    parsed.expected, why = require("report.verdicts").expectations(parsed.expected_failures)
    if not parsed.expected then return complain("%s", why) end
    local unknown = require("report.verdicts").unknown_expectation(parsed.expected, cases)
    if unknown then
      return complain("%s: no case is called %s", parsed.expected_failures, unknown)
    end
  end
  return run_cases(chosen, settings, parsed, data_dir, version)
end

-- replay ------------------------------------------------------------------------------------------

local function replay_captures(parsed, data_dir, version)
  local replay = require("runner.replay")
  if #parsed.words == 0 then return complain("replay wants at least one FILE.pcap") end
  if parsed.player and #parsed.iuts > 0 then return complain("--as and --iut exclude each other") end
  local players, iuts, why = { [parsed.player or false] = true }
  if parsed.player ~= "initiator" and parsed.player ~= "responder" then
    players, why = address_set({ parsed.player }, "--as")
    if not players then return complain("%s", why) end
  end
  iuts, why = address_set(parsed.iuts, "--iut")
  if not iuts then return complain("%s", why) end
  if not parsed.ixit then return complain("replay wants --ixit FILE") end
  if parsed.shim and parsed.pcap then return complain(NO_PCAP) end
  local settings, problems = load_ixit(parsed.ixit, parsed.settings, parsed.shim ~= nil)
  if not settings then return complain_all(problems) end
  local script
  script, why = replay.read(captures_of(parsed.words), { player = tables.keys(players)[1], iuts = iuts,
    judges_initiator = settings.initiator ~= nil }, require("host"))
  why = why or replay.obstacle(script, settings)
  if why then return complain("%s", why) end
  warn_all(script.warnings)
  parsed.expected, parsed.verbose = {}, true
  local definition = replay.definition(script, settings.ics.roles)
  local status = run_cases({ definition }, settings, parsed, data_dir, version)
  if script.compared then print(replay.summary(script)) end
  return status
end

return function(arguments, data_dir, version)
  local parsed, why = options.parse(arguments)
  if not parsed then return complain("%s (see --help)", why) end
  if parsed.help then
    io.stdout:write(options.usage)
    return 0
  elseif parsed.version then
    print("natfw-conform " .. version .. ", suite " .. suite_files.hash(data_dir):sub(1, 16))
    return 0
  end
  local command = parsed.command
  if command == "list" then return list(parsed, data_dir) end
  if command == "replay" then return replay_captures(parsed, data_dir, version) end
  if command == "run" then return run(parsed, data_dir, version) end
  if command == "check-ixit" then return check_ixit(parsed) end
  if command == "decode" then return decode(parsed) end
  if command == "judge" then return judge_captures(parsed, data_dir, version) end
  if command == "compare" then return past_runs.compare(parsed) end
  if command == "history" then return past_runs.history(parsed) end
  return complain(command and "no command '" .. command .. "' (see --help)"
    or "wants a command (see --help)")
end
