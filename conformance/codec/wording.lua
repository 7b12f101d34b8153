-- Words of what is said to people: numbers of things, their order, and what a word that is none was
-- meant to be.

local tables = require("codec.tables")

local wording = {}

-- "1 case", "2 cases".
function wording.counted(number, noun)
  return string.format("%d %s%s", number, noun, number == 1 and "" or "s")
end

-- What to sort a text by, whose numbers compare as numbers: 3.7.2 before 3.7.10.
function wording.by_number(text)
  return (text:gsub("%d+", function(digits) return ("0"):rep(12 - #digits) .. digits end))
end

-- How many letters have to be added, left out, replaced or swapped with the next, from one to the other.
local function distance(one, other)
  local before, last = {}, {}
  for j = 0, #other do last[j] = j end
  for i = 1, #one do
    local row = { [0] = i }
    for j = 1, #other do
      local same = one:byte(i) == other:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and one:byte(i) == other:byte(j - 1) and one:byte(i - 1) == other:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#other]
end

local LONGEST = 64 -- letters of a word that is looked at

-- The name among the keys of `known` that a word is likely to mean, or nil: at most a third of it is
-- wrong.
function wording.nearest(word, known)
  if type(word) ~= "string" or #word > LONGEST then return nil end
  local best, fewest = nil, math.max(#word // 3, 1)
  for name in tables.sorted(known) do
    local wrong = type(name) == "string" and distance(word, name) or math.huge
    if wrong <= fewest and (not best or wrong < fewest) then best, fewest = name, wrong end
  end
  return best
end

-- The same as the end of a complaint: "; did you mean 'this'?", or nothing.
function wording.hint(word, known)
  local name = wording.nearest(word, known)
  return name and "; did you mean '" .. name .. "'?" or ""
end

return wording
