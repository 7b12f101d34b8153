-- The files that the suite is made of: its requirements, its cases with a vendor's own, and the hash
-- that says in a report which they were.

local catalogue = require("runner.catalogue")

local suite_files = {}

-- What a file has in it, or nil and why not.
function suite_files.read(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local content, problem = file:read("a")
  file:close()
  return content, problem and path .. ": " .. problem
end

-- By id; of the suite as it is installed, or of the source tree.
function suite_files.requirements(data_dir)
  return catalogue.requirements(data_dir .. "/requirements.def")
    or catalogue.requirements(data_dir .. "/../core/spec/requirements.def")
end

-- The files of a folder of a vendor's, or the one that is named.
local function vendors_files(place)
  local files = require("host").glob(place .. "/*.lua")
  if #files == 0 and place:match("%.lua$") then files[1] = place end
  return files
end

-- The suite's cases, and those of a vendor's folders and files after them.
function suite_files.cases(data_dir, places)
  local host = require("host")
  local known = suite_files.requirements(data_dir)
  if not known then return nil, "no requirements.def beside " .. data_dir end
  local cases, why = catalogue.cases(host.glob(data_dir .. "/cases/*/*.lua"), { known = known,
    tombstones = catalogue.tombstones(data_dir .. "/cases/tombstones.txt") })
  for _, place in ipairs(places) do
    local files = vendors_files(place)
    if not cases then break end
    if #files == 0 then return nil, place .. ": has no file of cases, NAME.lua" end
    cases, why = catalogue.cases(files, { known = known, suite = cases })
  end
  return cases, why
end

-- One hash over every file of the suite, so that a report says exactly what judged; a vendor's files
-- count as well.
function suite_files.hash(data_dir, vendors_places)
  local host = require("host")
  local parts = {}
  local function add(files, name_of)
    for _, path in ipairs(files) do
      parts[#parts + 1] = name_of(path) .. "\0" .. host.sha256(suite_files.read(path) or "")
    end
  end
  for _, folder in ipairs({ "codec", "report", "judge", "runner", "cases/*" }) do
    add(host.glob(data_dir .. "/" .. folder .. "/*.lua"),
      function(path) return path:sub(#data_dir + 2) end)
  end
  for _, place in ipairs(vendors_places or {}) do
    add(vendors_files(place), function(path) return path:match("[^/]*$") end)
  end
  return host.sha256(table.concat(parts, "\n"))
end

return suite_files
