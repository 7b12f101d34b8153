-- The numbers of a protocol's tables, by the names that the texts give them. A name that the tables
-- do not have is an error, and no nil.

local tables = require("codec.tables")

local numbers = {}

local function strict(by_name, kind)
  return setmetatable(by_name, { __index = function(_, name)
    error(string.format("no %s is called '%s'", kind, tostring(name)), 2)
  end })
end

-- { [5] = { name = "Query-Cookie" } } gives { ["Query-Cookie"] = 5 }.
function numbers.of(rows, kind)
  local by_name = {}
  for number, row in tables.sorted(rows) do by_name[row.name or row] = number end
  return strict(by_name, kind)
end

-- The errors of GIST: "5" by the name of an error that has no subcodes, "9/2" by that of a subcode.
function numbers.of_errors(names, errors)
  local by_name = {}
  for code, name in tables.sorted(names) do
    for subcode, subname in tables.sorted(errors[code].subcodes or {}) do
      by_name[subname] = code .. "/" .. subcode
    end
    if not errors[code].subcodes then by_name[name] = tostring(code) end
  end
  return strict(by_name, "error")
end

return numbers
