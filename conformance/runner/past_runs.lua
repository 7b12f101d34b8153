-- The commands that read the JSON reports of earlier runs: compare and history.

local console = require("runner.console")
local json = require("codec.json")
local suite_files = require("runner.suite_files")

local past_runs = {}

local complain = console.complain

function past_runs.compare(parsed)
  local compare = require("report.compare")
  if #parsed.words ~= 2 then return complain("compare wants OLD.json NEW.json") end
  local reports = {}
  for i, path in ipairs(parsed.words) do
    local content, why = suite_files.read(path)
    if not content then return complain("%s", why) end
    reports[i], why = compare.read(content)
    if not reports[i] then return complain("%s %s", path, why) end
  end
  local result = compare.reports(reports[1], reports[2])
  if parsed.as_json then
    print(json.encode(result, ""))
  else
    print(table.concat(compare.lines(result), "\n"))
  end
  return result.got_worse and 1 or 0
end

local LEFT_OUT, NOTHING = 1, 4

-- What the reports of a folder say, and the list of files that are none, { file, why }.
local function read_folder(folder)
  local history = require("report.history")
  local runs, unread = {}, json.array({})
  for _, path in ipairs(require("host").glob(folder .. "/*.json")) do
    local run
    local file, content, why = path:match("[^/]*$"), suite_files.read(path)
    if content then run, why = history.read(content, file) end
    if run then
      runs[#runs + 1] = run
    else
      unread[#unread + 1] = { file = file, why = why }
      complain("%s: left out: %s", path, why)
    end
  end
  return runs, unread
end

function past_runs.history(parsed)
  local history = require("report.history")
  if #parsed.words ~= 1 then return complain("history wants one DIR of JSON reports") end
  local folder = parsed.words[1]
  local there = io.open(folder .. "/.")
  if not there then return complain("%s: is no folder", folder) end
  there:close()
  local runs, unread = read_folder(folder)
  if #runs == 0 then
    complain("%s: has no report, NAME.json as run --json writes it", folder)
    return NOTHING
  end
  local result = history.of(runs)
  result.unread = unread
  print(parsed.as_json and history.json(result) or table.concat(history.lines(result), "\n"))
  if parsed.html then
    local ok, problem = console.write_file(parsed.html,
      require("report.history_html").render(result))
    if not ok then return complain("%s", problem) end
  end
  return #unread > 0 and LEFT_OUT or 0
end

return past_runs
