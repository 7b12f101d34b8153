-- What the rows of the codec's tables mean: reads values from octets by them, writes octets, and
-- tells where each field lies. Nothing here knows a message; codec/engine.lua does.
--
-- Kinds of a row { name, kind or bits, ... }:
--   bits (a number)   unsigned; reserved = true: sent as zero unless a value is given
--   "address"         IPv4 or IPv6, by `version` (a number, or the name of the field that has it)
--   "bytes"           `size` octets, or `length` (a field's name) times `unit`, or all that is left
--   "list"            `count` (a field's name) items, or as many as fit; `of` is rows or a width;
--                     `remember`: what an item tells those after it, { condition, as =, from = }
--   "variant"         rows chosen from `of` by the field `by`
--   "part"            `length` less `minus` octets, padded to a word; rows chosen from `of` by both
--                     fields of `by`, "any" and `other` standing for those that it does not have
-- as: what octets are inside, for who shows them; by the field `as_by` where there are several.
-- when: all of these conditions; either: one of them. pad: up to the next word. if_left: only where
-- octets are left. count_of, length_of: what is written unless a value is given; so is `measures`,
-- the length of a part and `plus`.

local bits = require("codec.bits")
local address = require("codec.address")
local tables = require("codec.tables")

local rows = {}

local function has(list, wanted)
  for _, item in ipairs(list) do
    if item == wanted then return true end
  end
  return false
end

local operators = {
  ["=="] = function(value, wanted) return value == wanted end,
  ["~="] = function(value, wanted) return value ~= wanted end,
  [">"] = function(value, wanted) return value > wanted end,
  even = function(value) return value % 2 == 0 end,
  ["in"] = function(value, wanted) return has(wanted, value) end,
}

local function holds(condition, values)
  local value = values[condition[1]]
  return value ~= nil and operators[condition[2]](value, condition[3])
end

-- Whether all conditions from the first-th on hold; one about a field that is not there does not.
function rows.all_hold(conditions, values, first)
  for i = first or 1, #conditions do
    if not holds(conditions[i], values) then return false end
  end
  return true
end

local function present(row, values)
  if row.when then return rows.all_hold(row.when, values) end
  if not row.either then return true end
  for _, condition in ipairs(row.either) do
    if holds(condition, values) then return true end
  end
  return false
end

-- The rows of a part, and whether the tables know them.
local function rows_of_part(row, values)
  local by_first = row.of[values[row.by[1]]]
  local found = by_first and (by_first[values[row.by[2]]] or by_first.any)
  return found or row.other, found ~= nil
end

-- The rows that a variant or a part stands for; none where it is not known or not there.
function rows.inner(row, values)
  if row[2] == "variant" then return row.of[values[row.by]] or {} end
  local size = values[row.length]
  return size and size > row.minus and rows_of_part(row, values) or {}
end

-- What the octets of a row are inside, where the tables say and they are just that: rows and
-- values.
function rows.inside(row, octets, values)
  local list = row.as
  if row.as_by then list = row.as[values[row.as_by]] end
  if not list then return nil end
  local reader = bits.reader(octets)
  local found, fault = rows.read(list, reader, {})
  if fault or reader:left() > 0 then return nil end
  return list, found
end

-- What the items of a list have told those after them; item(value) gives one that sees it.
local function memory(row)
  local told = {}
  return {
    item = function(values)
      return setmetatable(values, row.remember and { __index = told } or nil)
    end,
    note = function(values)
      if row.remember and holds(row.remember[1], values) then
        told[row.remember.as] = values[row.remember.from]
      end
    end,
  }
end

-- Reading ----------------------------------------------------------------------------------------

local readers = {}

function readers.address(row, reader, values)
  local version = type(row.version) == "number" and row.version or values[row.version]
  if version ~= 4 and version ~= 6 then return nil, "value", "IP-Ver is neither 4 nor 6" end
  local bytes = reader:take_bytes(version == 4 and 4 or 16)
  if not bytes then return nil, "length", "ends inside an address" end
  return address.format(bytes)
end

function readers.bytes(row, reader, values)
  local count = row.size or (row.length and values[row.length] * (row.unit or 1)) or reader:left()
  local bytes = reader:take_bytes(count)
  if not bytes then return nil, "length", row[1] .. " runs past the end" end
  return bytes
end

function readers.list(row, reader, values)
  local list, told = {}, memory(row)
  local count = row.count and values[row.count] or math.huge
  while #list < count do
    if not row.count and reader:left() == 0 then break end
    local item, fault, text
    if type(row.of) == "number" then
      item = reader:take(row.of)
      if not item then return list, "length", row[1] .. " runs past the end" end
    else
      item, fault, text = rows.read(row.of, reader, told.item({}))
      told.note(item)
    end
    list[#list + 1] = item
    if fault then return list, fault, text end
  end
  return list
end

local function read_row(row, reader, values)
  local kind = row[2]
  if type(kind) == "number" then
    local value = reader:take(kind)
    if not value then return nil, "length", "ends inside " .. row[1] end
    return value
  end
  return readers[kind](row, reader, values)
end

-- A part that is not as its rows say does not end the reading of what follows it.
local function read_part(row, reader, values)
  local size = values[row.length] - row.minus
  if size <= 0 then return "length", row.length .. " is not above " .. row.minus end
  local octets = reader:take_bytes(size)
  if not octets then return "length", "runs past the end" end
  local padding = reader:take_bytes(-size % 4)
  if not padding then return "length", "padding is missing" end
  local inner = bits.reader(octets)
  local part, known = rows_of_part(row, values)
  local _, _, text = rows.read(part, inner, values)
  if not known then text = "has an unknown type" end
  if not text and inner:left() > 0 then text = "is longer than its fields" end
  if padding:find("[^%z]") then
    values.padding_set = true
    text = text or "has padding that is not zero"
  end
  values.flaw = text
end

-- Fills `values`; returns it, and on a fault its kind and a text. Goes on past faults of parts,
-- whose texts are left in the `flaw` of an item.
function rows.read(list, reader, values)
  for _, row in ipairs(list) do
    local fault, text
    if row[2] == "variant" then
      local variant = row.of[values[row.by]]
      if not variant then return values, "value", row.by .. " is unknown" end
      _, fault, text = rows.read(variant, reader, values)
    elseif row[2] == "part" then
      fault, text = read_part(row, reader, values)
    elseif (not (row.when or row.either) or present(row, values))
      and not (row.if_left and reader:left() == 0) then
      local value
      value, fault, text = read_row(row, reader, values)
      values[row[1]] = value -- of a list, what was read before the fault
      if not fault and row.pad then
        local whole, zero = reader:align()
        if not whole then return values, "length", "padding is missing" end
        values.padding_set = values.padding_set or not zero
      end
    end
    if fault then return values, fault, text end
  end
  return values
end

-- Writing ----------------------------------------------------------------------------------------

local function write_items(row, writer, list)
  local told = memory(row)
  for _, item in ipairs(list) do
    if type(row.of) == "number" then
      writer.put(item, row.of)
    else
      local given = rows.write(row.of, writer, told.item(tables.copy(item)))
      told.note(given)
    end
  end
end

local function write_part(row, writer, values)
  local inner = bits.writer()
  rows.write((rows_of_part(row, values)), inner, values)
  local octets = inner.bytes()
  writer.put_bytes(octets .. ("\0"):rep(-#octets % 4))
end

local function size_of_part(list, name, values)
  for _, row in ipairs(list) do
    if row[1] == name then
      local inner = bits.writer()
      rows.write((rows_of_part(row, values)), inner, values)
      return #inner.bytes()
    end
  end
end

local function implied(list, row, values)
  if row.measures then return size_of_part(list, row.measures, values) + row.plus end
  local counted = row.count_of and values[row.count_of]
  if counted then return #counted end
  local measured = row.length_of and values[row.length_of]
  if measured then return math.floor((#measured + (row.unit or 1) - 1) / (row.unit or 1)) end
  return row.default or 0
end

local function write_row(row, writer, values)
  local kind, value = row[2], values[row[1]]
  if type(kind) == "number" then
    if value < 0 or value >= 2 ^ kind then
      error(string.format("%s: %s does not fit into %d bits", row[1], tostring(value), kind), 0)
    end
    writer.put(value, kind)
  elseif kind == "address" then
    local octets = type(value) == "string" and address.parse(value)
    if not octets then error(row[1] .. ": no address: " .. tostring(value), 0) end
    writer.put_bytes(octets)
  elseif kind == "bytes" then
    writer.put_bytes(value or ("\0"):rep(row.size or 0))
  else
    write_items(row, writer, value or {})
  end
  if row.pad then writer.align() end
end

-- Writes values as given; what is not given is what is valid. A value that its field cannot hold is
-- an error that names the field. Returns the values with all that was implied.
function rows.write(list, writer, values)
  local given = setmetatable({}, { __index = function(_, key) return values[key] end })
  for _, row in ipairs(list) do
    if type(row[2]) == "number" and values[row[1]] == nil and not row.if_left then
      given[row[1]] = implied(list, row, values)
    end
    if row[2] == "variant" then
      local variant = row.of[given[row.by]]
      if not variant then error(row.by .. ": has no form for " .. tostring(given[row.by]), 0) end
      rows.write(variant, writer, values)
    elseif row[2] == "part" then
      write_part(row, writer, given)
    elseif present(row, given) and not (row.if_left and values[row[1]] == nil) then
      write_row(row, writer, given)
    end
  end
  return given
end

-- Places -----------------------------------------------------------------------------------------

-- Visits the rows of every field that has a value, those of variants, items and parts in their
-- place: visit(row, value, values). For a part its end is told as well: at_end(row, values).
function rows.walk(list, values, visit, at_end)
  for _, row in ipairs(list) do
    local value = values[row[1]]
    if row[2] == "variant" or row[2] == "part" then
      rows.walk(rows.inner(row, values), values, visit, at_end)
      if row[2] == "part" and at_end then at_end(row, values) end
    elseif value ~= nil and present(row, values) then
      if row[2] == "list" and type(row.of) == "table" then
        for _, item in ipairs(value) do rows.walk(row.of, item, visit, at_end) end
      elseif row[2] == "list" then
        for _, item in ipairs(value) do visit(row, item, values) end
      else
        visit(row, value, values)
      end
      if row.pad and at_end then at_end(row, values) end
    end
  end
end

local function width_of(row, value)
  if row[2] == "list" then return row.of end
  if row[2] == "address" then return #address.parse(value) * 8 end
  return type(row[2]) == "number" and row[2] or #value * 8
end

-- Where each field lies, for who shows octets beside values: visit(row, value, first bit, bits) for
-- every field that was decoded, lists item by item. Bits count from the beginning of the rows,
-- which is that of a word.
function rows.layout(list, values, visit)
  local position, start = 0, 0
  rows.walk(list, values, function(row, value, owner)
    local width = width_of(row, value)
    if row.measures then start = position end
    visit(row, value, position, width, owner)
    position = position + width
  end, function(row, owner)
    if row[2] == "part" then position = start + owner[row.length] * 8 end
    position = math.ceil(position / 32) * 32
  end)
end

return rows
