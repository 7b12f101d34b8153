-- The named fields that a step of a case takes: { ids = …, text = … }. One that the step does not
-- have is an error of the case, for else it would be ignored in silence.

local tables = require("codec.tables")

local fields = {}

local function is_list_of_texts(value)
  if type(value) ~= "table" then return false end
  for key, item in tables.sorted(value) do
    if math.type(key) ~= "integer" or type(item) ~= "string" then return false end
  end
  return true
end

-- Returns `given`, or an empty table where nothing was.
function fields.of(step, given, names)
  if given ~= nil and type(given) ~= "table" then
    error(step .. " takes a table of fields; it has " .. names, 3)
  end
  for name in tables.sorted(given or {}) do
    if not (" " .. names .. " "):find(" " .. tostring(name) .. " ", 1, true) then
      error(string.format("%s has no field '%s'; it has %s", step, tostring(name), names), 3)
    end
  end
  given = given or {}
  if given.ids ~= nil and not is_list_of_texts(given.ids) then
    error(step .. ": ids has to be a list of requirements, as { \"RFC5973-3.5-6\" }", 3)
  end
  return given
end

-- The same, where these fields have to be texts.
function fields.with_texts(step, given, names, texts)
  given = fields.of(step, given, names)
  for name in texts:gmatch("%S+") do
    if type(given[name]) ~= "string" then error(step .. ": " .. name .. " has to be a text", 3) end
  end
  return given
end

return fields
