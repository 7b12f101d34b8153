-- JSON for reports: tables with a key 1, or marked by json.array(), are arrays; keys are sorted.
-- What is read comes back in the same form: arrays marked, null as json.null.

local tables = require("codec.tables")

local json = {}

local array_mark = {}

function json.array(list) return setmetatable(list or {}, array_mark) end

json.null = setmetatable({}, { __tostring = function() return "null" end })

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\\127-\255]', function(character)
    return escapes[character] or string.format("\\u%04x", character:byte())
  end) .. '"'
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  if math.floor(value) == value and math.abs(value) < 2 ^ 53 then
    return string.format("%.0f", value)
  end
  return string.format("%.3f", value)
end

local encode

local function encode_table(value, indent, out)
  local inner = indent and indent .. "  "
  local newline = indent and "\n" .. inner or ""
  local is_array = getmetatable(value) == array_mark or value[1] ~= nil
  local keys = is_array and {} or tables.keys(value)
  out[#out + 1] = is_array and "[" or "{"
  for i = 1, is_array and #value or #keys do
    out[#out + 1] = (i > 1 and "," or "") .. newline
    if not is_array then
      out[#out + 1] = quote(keys[i]) .. (indent and ": " or ":")
      local item = value[keys[i]]
      if item == nil then item = value[tonumber(keys[i])] end
      encode(item, inner, out)
    else
      encode(value[i], inner, out)
    end
  end
  if (is_array and #value or #keys) > 0 and indent then out[#out + 1] = "\n" .. indent end
  out[#out + 1] = is_array and "]" or "}"
end

function encode(value, indent, out)
  local kind = type(value)
  if value == json.null or value == nil then
    out[#out + 1] = "null"
  elseif kind == "table" then
    encode_table(value, indent, out)
  elseif kind == "string" then
    out[#out + 1] = quote(value)
  elseif kind == "number" then
    out[#out + 1] = number(value)
  else
    out[#out + 1] = tostring(value)
  end
end

-- `indent` "" for readable output, nil for one line.
function json.encode(value, indent)
  local out = {}
  encode(value, indent, out)
  return table.concat(out)
end

-- Reading ----------------------------------------------------------------------------------------

local DEEPEST = 64

local decode_value

local function fail(at, what) error({ json = string.format("octet %d: %s", at, what) }, 0) end

local function skip(text, at) return text:find("[^ \t\r\n]", at) or #text + 1 end

local unescaped = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\",
  ["/"] = "/" }

-- A code point below 256 is the octet that quote() wrote.
local function character(hex)
  local code = tonumber(hex, 16)
  return code < 256 and string.char(code) or utf8.char(code)
end

local function decode_string(text, at)
  local parts = {}
  local position = at + 1
  while true do
    local stop = text:find('["\\]', position)
    if not stop then fail(at, "a string without an end") end
    parts[#parts + 1] = text:sub(position, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
    local hex = text:match("^u(%x%x%x%x)", stop + 1)
    local plain = unescaped[text:sub(stop + 1, stop + 1)]
    if not (hex or plain) then fail(stop, "an unknown escape") end
    parts[#parts + 1] = hex and character(hex) or plain
    position = stop + (hex and 6 or 2)
  end
end

local function decode_list(text, at, depth)
  local list = json.array({})
  local position = skip(text, at + 1)
  if text:sub(position, position) == "]" then return list, position + 1 end
  while true do
    list[#list + 1], position = decode_value(text, position, depth)
    position = skip(text, position)
    local mark = text:sub(position, position)
    if mark == "]" then return list, position + 1 end
    if mark ~= "," then fail(position, "',' or ']' is missing") end
    position = skip(text, position + 1)
  end
end

local function decode_object(text, at, depth)
  local object = {}
  local position = skip(text, at + 1)
  if text:sub(position, position) == "}" then return object, position + 1 end
  while true do
    if text:sub(position, position) ~= '"' then fail(position, "a key is missing") end
    local key
    key, position = decode_string(text, position)
    position = skip(text, position)
    if text:sub(position, position) ~= ":" then fail(position, "':' is missing") end
    object[key], position = decode_value(text, skip(text, position + 1), depth)
    position = skip(text, position)
    local mark = text:sub(position, position)
    if mark == "}" then return object, position + 1 end
    if mark ~= "," then fail(position, "',' or '}' is missing") end
    position = skip(text, position + 1)
  end
end

local words = { ["true"] = true, ["false"] = false, null = json.null }

function decode_value(text, at, depth)
  if depth > DEEPEST then fail(at, "nested too deeply") end
  local first = text:sub(at, at)
  if first == "{" then return decode_object(text, at, depth + 1) end
  if first == "[" then return decode_list(text, at, depth + 1) end
  if first == '"' then return decode_string(text, at) end
  local word = text:match("^%a+", at)
  if word and words[word] ~= nil then return words[word], at + #word end
  local digits = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local value = digits and tonumber(digits)
  if not value then fail(at, "a value is missing") end
  return value, at + #digits
end

-- The value, or nil and what is wrong where.
function json.decode(text)
  local ok, value, position = pcall(decode_value, text, skip(text, 1), 0)
  if not ok then return nil, type(value) == "table" and value.json or tostring(value) end
  position = skip(text, position)
  if position <= #text then
    return nil, string.format("octet %d: more after the value", position)
  end
  return value
end

return json
