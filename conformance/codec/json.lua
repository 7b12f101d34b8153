-- JSON for reports: tables with a key 1, or marked by json.array(), are arrays; keys are sorted.

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
  local keys = {}
  if not is_array then
    for key in pairs(value) do keys[#keys + 1] = tostring(key) end
    table.sort(keys)
  end
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

return json
