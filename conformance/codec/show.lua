-- A decoded message as a plain table for JSON, and as text for people.

local engine = require("codec.engine")
local gist = require("codec.gist")
local natfw = require("codec.natfw")
local json = require("codec.json")

local show = {}

local specs = { gist = gist, natfw = natfw }

function show.hex(bytes)
  return (bytes:gsub(".", function(character) return string.format("%02x", character:byte()) end))
end

function show.unhex(text)
  text = text:gsub("%s", "")
  if #text % 2 ~= 0 or text:find("[^%x]") then return nil end
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- Values for JSON: octets become hex, by the rows that describe them.
local function plain(rows, values)
  local out = {}
  for _, row in ipairs(rows) do
    local value = values[row[1]]
    if row[2] == "variant" then
      local variant = row.of[values[row.by]]
      for key, item in pairs(variant and plain(variant, values) or {}) do out[key] = item end
    elseif value ~= nil and not row.reserved then
      if row[2] == "bytes" then
        value = show.hex(value)
      elseif row[2] == "list" then
        local list = json.array({})
        for i, item in ipairs(value) do
          list[i] = type(row.of) == "number" and item or plain(row.of, item)
        end
        value = list
      end
      out[row[1]] = value
    end
  end
  return out
end

local function plain_faults(faults)
  local list = json.array({})
  for i, fault in ipairs(faults) do
    if fault.layer == "gist" then
      list[i] = { error = fault.class, subcode = fault.code, object = fault.object,
        text = fault.text }
    else
      list[i] = { class = fault.class, code = fault.code, object = fault.object, text = fault.text }
    end
  end
  return list
end

-- { layer, name, header, objects, faults, nslp (a decoded NATFW message within GIST) }.
function show.plain(decoded)
  local spec = specs[decoded.layer]
  local out = { layer = decoded.layer, name = decoded.name, header = plain(spec.header,
    decoded.header),
    objects = json.array({}), faults = plain_faults(decoded.faults) }
  for i, found in ipairs(decoded.objects) do
    local object = spec.objects[found.type]
    out.objects[i] = { type = found.type, name = found.name, ab = found.ab, length = found.length,
      raw = show.hex(found.raw),
      fields = object and found.values and plain(object.fields, found.values) or nil }
  end
  local data = decoded.layer == "gist" and decoded.by_type[8]
  if data and decoded.header.nslpid == gist.nslpid then
    out.nslp = show.plain(engine.decode(natfw, data.raw))
  end
  return out
end

local function text_of(value)
  if type(value) ~= "table" then return tostring(value) end
  return json.encode(value)
end

-- Lines for people: one a header, one an object, one a fault.
function show.lines(decoded, indent)
  indent = indent or ""
  local shown = show.plain(decoded)
  local out = {}
  local function fields(values)
    local keys, parts = {}, {}
    for key in pairs(values) do keys[#keys + 1] = key end
    table.sort(keys)
    for _, key in ipairs(keys) do parts[#parts + 1] = key .. "=" .. text_of(values[key]) end
    return table.concat(parts, " ")
  end
  out[1] = indent .. decoded.layer:upper() .. " " .. decoded.name .. "  " .. fields(shown.header)
  for _, object in ipairs(shown.objects) do
    local body = object.fields and next(object.fields) and fields(object.fields) or object.raw
    if decoded.layer == "gist" and object.type == 8 then body = string.format("%d octets",
      #object.raw / 2) end
    out[#out + 1] = string.format("%s  %s%s: %s", indent, object.name,
      object.ab ~= 0 and " AB=" .. object.ab or "", body)
  end
  for _, fault in ipairs(decoded.faults) do
    out[#out + 1] = string.format("%s  ! %d/0x%02X %s", indent, fault.class, fault.code, fault.text)
  end
  local data = decoded.layer == "gist" and decoded.by_type[8]
  if data and decoded.header.nslpid == gist.nslpid then
    for _, line in ipairs(show.lines(engine.decode(natfw, data.raw), indent .. "    ")) do
      out[#out + 1] = line
    end
  end
  return out
end

-- One line of `natfw-conform decode --lines`: "gist HEX" or "natfw HEX"; a magic number is skipped.
function show.line(line)
  local layer, hex = line:match("^%s*(%a+)%s+(.-)%s*$")
  local spec, bytes = specs[layer], hex and show.unhex(hex)
  if not spec or not bytes then return { error = "expected 'gist HEX' or 'natfw HEX'" } end
  if layer == "gist" and bytes:sub(1, 4) == gist.magic then bytes = bytes:sub(5) end
  return show.plain(engine.decode(spec, bytes))
end

return show
