-- A decoded message as a plain table for JSON, and as text for people.

local engine = require("codec.engine")
local rows = require("codec.rows")
local gist = require("codec.gist")
local natfw = require("codec.natfw")
local json = require("codec.json")
local tables = require("codec.tables")

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

-- Octets are text where the row says so and they are printable, else hex.
local function octets(row, value)
  if row.text and not value:find("[^\32-\126]") then return value end
  return show.hex(value)
end

-- Values for JSON, by the rows that describe them.
local function plain(fields, values)
  local out = {}
  for _, row in ipairs(fields) do
    local value = values[row[1]]
    if row[2] == "variant" or row[2] == "part" then
      tables.copy(plain(rows.inner(row, values), values), out)
    elseif value ~= nil and not row.reserved then
      if row[2] == "bytes" then
        local list, inside = rows.inside(row, value, values)
        value = list and plain(list, inside) or octets(row, value)
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
  local out = { layer = decoded.layer, name = decoded.name,
    header = plain(spec.header, decoded.header), objects = json.array({}),
    faults = plain_faults(decoded.faults) }
  for i, found in ipairs(decoded.objects) do
    local object = engine.object_of(spec, found.type)
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

-- What an item of an object's list is called, by the object's names of its types.
function show.item_name(object, item)
  local by = object.items.by
  local kind, sub = item[by[1]], item[by[2]]
  local names = object.names
  local subs = names[by[2]][kind]
  local name = names[by[1]][kind] or string.format("%s %s", by[1], tostring(kind))
  if subs then return name .. " " .. (subs[sub] or "sub-type " .. tostring(sub)) end
  return sub == 0 and name or name .. " sub-type " .. tostring(sub)
end

-- Lines for people: one a header, one an object, one a fault.
function show.lines(decoded, indent)
  indent = indent or ""
  local shown = show.plain(decoded)
  local out = {}
  local function fields(values)
    local parts = {}
    for key, value in tables.sorted(values) do parts[#parts + 1] = key .. "=" .. text_of(value) end
    return table.concat(parts, " ")
  end
  out[1] = indent .. decoded.layer:upper() .. " " .. decoded.name .. "  " .. fields(shown.header)
  for i, object in ipairs(shown.objects) do
    local definition = engine.object_of(specs[decoded.layer], object.type)
    local items = definition and definition.items and object.fields
      and object.fields[definition.items.list]
    local has_fields = object.fields and not tables.is_empty(object.fields)
    local body = has_fields and fields(object.fields) or object.raw
    if decoded.layer == "gist" and object.type == 8 then
      body = string.format("%d octets", #object.raw / 2)
    elseif items then
      body = string.format("%d %s", #items, definition.items.list)
    end
    local usual = definition and definition.ab or 0
    out[#out + 1] = string.format("%s  %s%s: %s", indent, object.name,
      object.ab ~= usual and " AB=" .. object.ab or "", body)
    for place, item in ipairs(items or {}) do
      local flaw = decoded.objects[i].values[definition.items.list][place].flaw
      local inner = tables.copy(item)
      inner.length, inner[definition.items.by[1]], inner[definition.items.by[2]] = nil, nil, nil
      out[#out + 1] = string.format("%s    %s: %s%s", indent, show.item_name(definition, item),
        fields(inner), flaw and " (" .. flaw .. ")" or "")
    end
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
