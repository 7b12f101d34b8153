-- What there is to run: requirements from core/spec/requirements.def, cases from cases/, and the
-- tombstones of ids that must never be used again.

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

local function problem_with(case, seen, buried, known)
  if type(case.id) ~= "string"
    or not case.id:match("^[%w.%-]+$") then return "a case without an id" end
  if seen[case.id] then return case.id .. " is there twice" end
  if buried[case.id] then return case.id .. " is buried in tombstones.txt" end
  for _, key in ipairs({ "purpose", "requirements", "roles", "run" }) do
    if case[key] == nil then return case.id .. " has no " .. key end
  end
  for _, id in ipairs(case.requirements) do
    if not known[id] then return case.id .. " claims " .. id .. ", which is no requirement" end
  end
  if #case.requirements == 0 then return case.id .. " claims no requirement" end
  return nil
end

-- The cases of these files in their order, or nil and what is wrong.
function catalogue.cases(files, tombstones, known)
  local cases, seen = {}, {}
  for _, path in ipairs(files) do
    local chunk, why = loadfile(path, "t")
    if not chunk then return nil, why end
    local place = path:match(".*cases/(.*)%.lua$") or path
    for _, case in ipairs(chunk()) do
      local problem = problem_with(case, seen, tombstones, known)
      if problem then return nil, path .. ": " .. problem end
      seen[case.id] = true
      case.file = "cases/" .. place .. ".lua"
      case.document, case.section = place:match("^rfc(%d+)/([%w.]+)")
      case.document = case.document and "RFC" .. case.document or ""
      case.section = case.section or ""
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

-- filters: ids (globs), sections, requirements, profile.
function catalogue.select(cases, filters)
  local chosen = {}
  for _, case in ipairs(cases) do
    local wanted = (#filters.ids == 0 or any(filters.ids, function(glob) return matches(glob,
      case.id) end))
      and (#filters.sections == 0 or any(filters.sections, function(section)
        return section == case.section or case.section:sub(1, #section + 1) == section .. "."
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
