-- IP addresses between their text and their octets.

local address = {}

local function format_v6(bytes)
  local words, best, best_length = {}, nil, 1
  for i = 1, 16, 2 do
    words[#words + 1] = bytes:byte(i) * 256 + bytes:byte(i + 1)
  end
  local i = 1
  while i <= 8 do
    local run = i
    while run <= 8 and words[run] == 0 do run = run + 1 end
    if run - i > best_length then best, best_length = i, run - i end
    i = run > i and run or i + 1
  end
  local function join(first, last)
    local out = {}
    for w = first, last do out[#out + 1] = string.format("%x", words[w]) end
    return table.concat(out, ":")
  end
  if not best then return join(1, 8) end
  return join(1, best - 1) .. "::" .. join(best + best_length, 8)
end

local function parse_v6(text)
  local head, tail = text:match("^(.-)::(.*)$")
  local function words(part)
    local out = {}
    for word in (part or ""):gmatch("%x+") do
      local value = tonumber(word, 16)
      out[#out + 1] = string.char(math.floor(value / 256), value % 256)
    end
    return table.concat(out)
  end
  if not head then return words(text) end
  local front, back = words(head), words(tail)
  return front .. ("\0"):rep(16 - #front - #back) .. back
end

-- What was asked for before: a run has few addresses, and asks for them again and again.
local KNOWN_MAX = 4096
local function remembering(ask)
  local known, count = {}, 0
  return function(key)
    local answer = known[key]
    if answer then return answer end
    answer = ask(key)
    if count == KNOWN_MAX then known, count = {}, 0 end
    if answer then known[key], count = answer, count + 1 end
    return answer
  end
end

-- The text of an address of 4 or 16 octets.
address.format = remembering(function(bytes)
  if #bytes == 4 then return string.format("%d.%d.%d.%d", bytes:byte(1, 4)) end
  return format_v6(bytes)
end)

-- The octets of an address, or nil where the text is none.
address.parse = remembering(function(text)
  if text:find(":", 1, true) then
    local bytes = parse_v6(text)
    return #bytes == 16 and bytes or nil
  end
  local a, b, c, d = text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  if not a then return nil end
  a, b, c, d = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  if a > 255 or b > 255 or c > 255 or d > 255 then return nil end
  return string.char(a, b, c, d)
end)

-- IPv4 address text plus a number.
function address.add(text, number)
  local a, b, c, d = address.parse(text):byte(1, 4)
  local value = ((a * 256 + b) * 256 + c) * 256 + d + number
  return string.format("%d.%d.%d.%d", math.floor(value / 16777216) % 256,
    math.floor(value / 65536) % 256, math.floor(value / 256) % 256, value % 256)
end

return address
