-- The fields of a decoded header or object as one line of HTML, in the order of the RFC's figure.

local specs = { gist = require("codec.gist"), natfw = require("codec.natfw") }
local markup = require("report.markup")
local tables = require("codec.tables")

local report_fields = {}

local text = markup.text

-- Calls `visit` with each row of the table that has a value, a variant's rows in its place.
local function each(rows, values, visit)
  for _, row in ipairs(rows) do
    if row[2] == "variant" then
      each(row.of[values[row.by]] or {}, values, visit)
    elseif values[row[1]] ~= nil then
      visit(row, values[row[1]])
    end
  end
end

local function item_text(row, item)
  if type(row.of) == "number" then return tostring(item) end
  local parts = {}
  each(row.of, item, function(inner, value)
    parts[#parts + 1] = inner[1] .. " " .. report_fields.value(inner, value)
  end)
  return "[" .. table.concat(parts, ", ") .. "]"
end

-- A value as text; the items of a list stand in brackets of their own.
function report_fields.value(row, value)
  if type(value) ~= "table" then return value == "" and "none" or tostring(value) end
  if #value == 0 then return "none" end
  local items = {}
  for i, item in ipairs(value) do items[i] = item_text(row, item) end
  return table.concat(items, " ")
end

local function html(rows, values)
  local out = {}
  each(rows, values, function(row, value)
    out[#out + 1] = "<i>" .. text(row[1]) .. "</i> " .. text(report_fields.value(row, value))
  end)
  return "<div class=fields>" .. table.concat(out, " ") .. "</div>"
end

function report_fields.header(layer, values) return html(specs[layer].header, values) end

function report_fields.object(layer, object)
  local spec = specs[layer].objects[object.type]
  if not spec or not object.fields or tables.is_empty(object.fields) then
    return "<div class=fields><i>octets</i> " .. text(object.raw) .. "</div>"
  end
  return html(spec.fields, object.fields)
end

return report_fields
