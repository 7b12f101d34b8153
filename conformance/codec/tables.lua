-- Tables by their keys, in one order always. Lua's own order differs from one process to the next, and
-- what follows it would too: a report, or a search that stops at the first find. So nothing else of the
-- suite walks through a table by pairs or next; .luacheckrc says so.

local tables = {}

local function before(a, b)
  local first, second = type(a), type(b)
  if first ~= second then return first < second end
  if first == "boolean" then return not a and b end
  return a < b
end

-- The keys, which are numbers, texts or booleans: numbers first, each kind from the lowest.
function tables.keys(of)
  local keys = {}
  for key in pairs(of) do keys[#keys + 1] = key end
  table.sort(keys, before)
  return keys
end

-- For a loop: each key with its value. The values may be changed meanwhile, and taken out.
function tables.sorted(of)
  local keys, place = tables.keys(of), 0
  return function()
    place = place + 1
    return keys[place], of[keys[place]]
  end
end

-- Each key and value of the table put into another, a new one where none is given, which is returned.
function tables.copy(of, into)
  into = into or {}
  for key, value in pairs(of) do into[key] = value end
  return into
end

-- Lists of the items for which key_of(item) is the same, in the order of the first of each.
function tables.grouped(items, key_of)
  local groups, by_key = {}, {}
  for _, item in ipairs(items) do
    local key = key_of(item)
    if not by_key[key] then
      by_key[key] = {}
      groups[#groups + 1] = by_key[key]
    end
    table.insert(by_key[key], item)
  end
  return groups
end

function tables.is_empty(of) return next(of) == nil end

-- This list with these at its end, as a new one.
function tables.appended(list, ...)
  return table.move({ ... }, 1, select("#", ...), #list + 1, table.move(list, 1, #list, 1, {}))
end

return tables
