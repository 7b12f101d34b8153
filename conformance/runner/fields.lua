-- The named fields that a step of a case takes: { ids = …, text = … }. One that the step does not
-- have is an error of the case, for else it would be ignored in silence.

local tables = require("codec.tables")

local fields = {}

-- Returns `given`, or an empty table where nothing was.
function fields.of(step, given, names)
  for name in tables.sorted(given or {}) do
    if not (" " .. names .. " "):find(" " .. tostring(name) .. " ", 1, true) then
      error(string.format("%s has no field '%s'; it has %s", step, tostring(name), names), 3)
    end
  end
  return given or {}
end

return fields
