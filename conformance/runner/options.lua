-- The command line.

local options = {}

options.usage = [[
Usage: natfw-conform COMMAND [OPTION]…

Judges an implementation of the NATFW NSLP (RFC 5973 over RFC 5971) from outside.

  list [FILTER]… [--json]              the cases, or those that match
  run --ixit FILE [FILTER]… [OPTION]…  runs them against the implementation under test
  check-ixit [--shim COMMAND] FILE     says what is wrong with the file, if anything
  compare OLD.json NEW.json [--json]   what changed between two runs
  history DIR [--json] [--html FILE]   what changed over all runs whose JSON reports are in DIR
  replay --ixit FILE [--as WHO | {--iut ADDRESS}…] FILE.pcap…    plays a side of a capture, or both,
                                       and compares what the IUT says; WHO is an address,
                                       initiator or responder
  judge {--iut ADDRESS}… [--tls-keylog FILE] [--html FILE] [--json FILE] FILE.pcap…|DIR…
                                       verdicts on captures of somebody else's runs
  decode HEX… | FILE.pcap…             decodes messages: all fields, all faults; of captures also counts
                                       what is left out
  decode --lines                       reads "gist HEX" or "natfw HEX" lines, answers each in JSON
  --help, --version

Filters:
  --id GLOB            cases by id; may be repeated
  --section S          cases of section S and below; may be repeated
  --requirement ID     cases that verify it; may be repeated
  --profile NAME       smoke or full (default)
  --cases DIR|FILE     the cases of this folder, or of FILE.lua, as well, see natfw-conform(1); may be
                       repeated

Options of run:
  --html FILE          a report for people, in one file
  --junit FILE, --tap FILE, --json FILE    reports for programs
  --pcap DIR           one capture for each case and side
  --jobs N             cases at once (8 for each core), at most the IXIT's max_concurrent
  --seed N             run in the random order that N gives; with --shim, all that is random
  --set KEY=VALUE      another value for an entry of the IXIT; may be repeated
  --expected-failures FILE    lines of a case id and a reason
  --decoded            in JSON, decode the messages of cases that passed, too
  --strict-rulings     ask for this project's readings of the RFC
  --verbose            show the steps of each case that did not pass
  --shim COMMAND       the implementation is a child process that speaks the shim protocol:
                       virtual time, no privileges, no network; see natfw-conform(1)
  --data-dir DIR       where the suite is (environment: NATFW_CONFORM_DATA)

Exit status: 0 all passed, as expected or not applicable; 1 failures or unexpected passes; 2 wrong
usage or IXIT; 3 an error of the runner; 4 inconclusive cases, or nothing that applies.
compare: 0 nothing got worse, 1 something did. history: 0 every file of DIR is in it, 1 some are no
report and left out, 4 there is no report. judge: 0 nothing is violated, 1 something is,
4 the captures have no message of the IUT, 5 they have GIST of it, and no NATFW.
]]

local values = { ["--ixit"] = "ixit", ["--profile"] = "profile", ["--junit"] = "junit",
  ["--json"] = "json", ["--tap"] = "tap", ["--html"] = "html",
  ["--pcap"] = "pcap", ["--jobs"] = "jobs", ["--seed"] = "seed",
  ["--expected-failures"] = "expected_failures", ["--data-dir"] = "data_dir", ["--as"] = "player",
  ["--tls-keylog"] = "tls_keylog",
  ["--shim"] = "shim" }
local lists = { ["--id"] = "ids", ["--section"] = "sections", ["--requirement"] = "requirements",
  ["--set"] = "settings", ["--iut"] = "iuts", ["--cases"] = "case_places" }
local switches = { ["--strict-rulings"] = "strict", ["--decoded"] = "decoded", ["--verbose"] = "verbose",
  ["--lines"] = "lines",
  ["--help"] = "help", ["--version"] = "version", ["-h"] = "help" }

-- Commands whose --json takes no file: they print it.
local prints_json = { list = true, compare = true, history = true }

local function number(parsed, key)
  if parsed[key] == nil then return true end
  parsed[key] = math.tointeger(tonumber(parsed[key]))
  return parsed[key] ~= nil and parsed[key] >= (key == "jobs" and 1 or 0)
end

-- The options that a command takes.
local FILTERS = " --id --section --requirement --profile --cases --data-dir "
local REPORTS = " --html --junit --tap --json "
local takes = {
  list = FILTERS .. "--json ",
  run = FILTERS .. REPORTS .. "--ixit --shim --set --seed --jobs --pcap --expected-failures --decoded "
    .. "--strict-rulings --verbose ",
  ["check-ixit"] = " --shim --set --data-dir ",
  compare = " --json --data-dir ",
  history = " --json --html --data-dir ",
  replay = REPORTS .. "--ixit --shim --set --seed --as --iut --pcap --jobs --decoded --strict-rulings "
    .. "--verbose --data-dir ",
  judge = " --iut --tls-keylog --html --json --data-dir ",
  decode = " --lines --data-dir ",
}
-- And those that take nothing but options.
local takes_no_words = { list = true, run = true }

-- What the command does not take of what was given, or nil.
local function misplaced(parsed, given)
  local command = parsed.command
  for _, word in ipairs(takes[command] and given or {}) do
    if not takes[command]:find(" " .. word .. " ", 1, true) then
      return word .. " is no option of " .. command
    end
  end
  if parsed.words[1] and takes_no_words[command] then
    return string.format("%s takes no '%s'; --id chooses cases", command, parsed.words[1])
  end
  if parsed.words[1] and command == "decode" and parsed.lines then
    return "decode --lines reads its standard input, and no '" .. parsed.words[1] .. "'"
  end
end

-- A table of options with `command` and `words`, or nil and what is wrong.
function options.parse(arguments)
  local parsed = { ids = {}, sections = {}, requirements = {}, settings = {}, iuts = {},
    case_places = {}, words = {} }
  local i, given = 1, {}
  while i <= #arguments do
    local word, attached = arguments[i]:match("^(%-%-[%w-]+)=(.*)$")
    word = word or arguments[i]
    local flag = switches[word] or (word == "--json" and prints_json[parsed.command] and "as_json")
    if flag and attached then return nil, word .. " takes no value" end
    if flag or values[word] or lists[word] then given[#given + 1] = word end
    if flag then
      parsed[flag] = true
    elseif values[word] or lists[word] then
      if not attached then
        i = i + 1
        attached = arguments[i]
      end
      if not attached then return nil, word .. " wants a value" end
      if lists[word] then table.insert(parsed[lists[word]],
        attached) else parsed[values[word]] = attached end
    elseif word:sub(1, 1) == "-" and #word > 1 then
      return nil, "no option " .. word
    elseif not parsed.command then
      parsed.command = word
    else
      parsed.words[#parsed.words + 1] = word
    end
    i = i + 1
  end
  if not number(parsed, "jobs") then return nil, "--jobs wants a whole number above zero" end
  if not number(parsed, "seed") then return nil, "--seed wants a whole number" end
  if parsed.profile and parsed.profile ~= "smoke" and parsed.profile ~= "full" then
    return nil, "--profile is smoke or full"
  end
  local wrong = not (parsed.help or parsed.version) and misplaced(parsed, given)
  if wrong then return nil, wrong end
  return parsed
end

return options
