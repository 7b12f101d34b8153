-- What there is to run: requirements from core/spec/requirements.def, cases from cases/ and from
-- folders of a vendor's own, and the tombstones of ids that must never be used again.

local instruction_bound = require("runner.instruction_bound")
local ixit = require("runner.ixit")
local tables = require("codec.tables")
local wording = require("codec.wording")

local catalogue = {}

local function read(path)
  local file, why = io.open(path)
  if not file then return nil, why end
  local content = file:read("a")
  file:close()
  return content
end

-- id -> { id, document, section, level, roles, summary, restates }.
function catalogue.requirements(path)
  local content, why = read(path)
  if not content then return nil, why end
  local known = {}
  for kind, arguments in content:gmatch("(%u+)(%b())") do
    local fields = {}
    for field in arguments:gmatch('"([^"]*)"') do fields[#fields + 1] = field end
    local first = kind == "RESTATEMENT" and 2 or 1
    if (kind == "RESTATEMENT" or kind == "REQUIREMENT") and #fields >= first + 6 then
      known[fields[first]] = { id = fields[first], document = fields[first + 1],
        section = fields[first + 2], level = fields[first + 3], roles = fields[first + 4],
        observable = fields[first + 5], summary = fields[first + 6],
        restates = first == 2 and fields[1] or nil }
    end
  end
  return known
end

function catalogue.tombstones(path)
  local buried = {}
  for line in (read(path) or ""):gmatch("[^\n]+") do
    local id = line:match("^([%w.%-]+)")
    if id and not line:match("^#") then buried[id] = true end
  end
  return buried
end

local PLAIN_ID, VENDORS_ID = "^[%w.%-]+$", "^%l[%l%d]*:[%w.%-]+$"

local function problem_with_id(id, vendor, seen, buried)
  if type(id) ~= "string" then return "a case without an id" end
  if vendor and not id:match(VENDORS_ID) then
    local of_suite = seen[id] and "is an id of the suite" or "has no prefix"
    return string.format("%s %s: yours has to begin with a name of your own, in small letters, and a "
      .. "colon, as in acme:%s", id, of_suite, id:gsub("^.*:", ""))
  end
  if not vendor and not id:match(PLAIN_ID) then return id .. " is no id of the suite" end
  if seen[id] then return id .. " is there twice" end
  if buried[id] then return id .. " is buried in tombstones.txt" end
  return nil
end

local FIELDS = { id = true, purpose = true, requirements = true, roles = true, needs = true,
  smoke = true, run = true }

-- What is wrong with a case, and the words of its file that are.
local function problem_with(case, known)
  for name in tables.sorted(case) do
    if not FIELDS[name] then
      return string.format("has a field '%s', which no case has%s", tostring(name),
        wording.hint(name, FIELDS)), case.id
    end
  end
  for _, wanted in ipairs({ { "purpose", "string" }, { "requirements", "table" },
    { "roles", "table" }, { "run", "function" } }) do
    if type(case[wanted[1]]) ~= wanted[2] then return "has no " .. wanted[1], case.id end
  end
  for _, role in ipairs(case.roles) do
    if not ixit.roles[role] then
      return "is for " .. tostring(role) .. ", which is no role" .. wording.hint(role, ixit.roles), role
    end
  end
  for _, id in ipairs(case.requirements) do
    if not known[id] then return "claims " .. tostring(id) .. ", which is no requirement", id end
  end
  for _, option in ipairs(case.needs or {}) do
    if not ixit.needs[option] then
      return "needs " .. tostring(option) .. ", which no IXIT says" .. wording.hint(option, ixit.needs),
        option
    end
  end
  if #case.requirements == 0 then return "claims no requirement", case.id end
  return nil
end

-- The line where a case has these words, or where it begins; where its file makes the id, that of its
-- function.
local function line_of(source, case, words)
  local start = type(case.id) == "string" and source:find('"' .. case.id .. '"', 1, true)
  local place = start and words and source:find('"' .. words .. '"', start, true) or start
  if place then return select(2, source:sub(1, place):gsub("\n", "")) + 1 end
  return type(case.run) == "function" and debug.getinfo(case.run, "S").linedefined or 1
end

-- The cases of a file as it returns them, or nil and what is wrong; and the source.
local function load_file(path)
  local source, why = read(path)
  if not source then return nil, why end
  local chunk
  chunk, why = load(source, "@" .. path, "t")
  if not chunk then return nil, why end
  local ok, list = instruction_bound.call(chunk)
  if not ok then
    local said = type(list) == "table" and list.reason and path .. ": " .. list.reason or tostring(list)
    return nil, (said:match("^[^\n]*"))
  end
  if type(list) ~= "table" then return nil, path .. ":1: returns no list of cases" end
  return list, source
end

-- A case is found by the sections of all that it verifies, whatever file it stands in.
local function sections_of(case, known)
  local sections = { case.section }
  for _, id in ipairs(case.requirements) do sections[#sections + 1] = known[id].section end
  return sections
end

local function levels_of(case, known)
  local levels = {}
  for _, id in ipairs(case.requirements) do levels[id] = known[id].level end
  return levels
end

-- Where a case stands: the suite's by its folder and file, a vendor's by its first requirement.
local function place(case, path, vendor, known)
  if vendor then
    local first = known[case.requirements[1]]
    case.file, case.document, case.section = path, first.document, first.section
    return
  end
  local name = path:match(".*cases/(.*)%.lua$") or path
  case.file = "cases/" .. name .. ".lua"
  case.document, case.section = name:match("^rfc(%d+)/([%w.]+)")
  case.document = case.document and "RFC" .. case.document or ""
  case.section = case.section or ""
end

-- The cases of these files in their order, or nil and what is wrong. options: known (the
-- requirements), tombstones, and for a vendor's own files `suite`, the cases that they are added to.
function catalogue.cases(files, options)
  local vendor, cases, seen = options.suite ~= nil, {}, {}
  for _, case in ipairs(options.suite or {}) do
    cases[#cases + 1], seen[case.id] = case, true
  end
  for _, path in ipairs(files) do
    local list, source = load_file(path)
    if not list then return nil, source end
    for _, case in ipairs(list) do
      if type(case) ~= "table" then return nil, path .. ":1: returns more than cases" end
      local problem, words = problem_with_id(case.id, vendor, seen, options.tombstones or {})
      if not problem then
        problem, words = problem_with(case, options.known)
        problem = problem and case.id .. " " .. problem
      end
      if problem then
        return nil, string.format("%s:%d: %s", path, line_of(source, case, words), problem)
      end
      seen[case.id] = true
      place(case, path, vendor, options.known)
      case.sections, case.levels = sections_of(case, options.known), levels_of(case, options.known)
      cases[#cases + 1] = case
    end
  end
  return cases
end

local function matches(glob, name)
  local pattern = glob:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return name:match("^" .. pattern .. "$") ~= nil
end

local function any(list, test)
  for _, item in ipairs(list) do if test(item) then return true end end
  return false
end

-- Is it this section, or beneath it? Both RFCs have sections of the same numbers: both are meant.
local function is_of(section, wanted)
  return section == wanted or section:sub(1, #wanted + 1) == wanted .. "."
end

-- filters: ids (globs), sections, requirements, profile.
function catalogue.select(cases, filters)
  local chosen = {}
  for _, case in ipairs(cases) do
    local wanted = (#filters.ids == 0 or any(filters.ids, function(glob) return matches(glob,
      case.id) end))
      and (#filters.sections == 0 or any(filters.sections, function(wanted)
        return any(case.sections, function(section) return is_of(section, wanted) end)
      end))
      and (#filters.requirements == 0 or any(filters.requirements, function(id)
        return any(case.requirements, function(claimed) return claimed == id end)
      end))
      and (filters.profile ~= "smoke" or case.smoke == true)
    if wanted then chosen[#chosen + 1] = case end
  end
  return chosen
end

return catalogue
