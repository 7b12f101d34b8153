-- Builds and reads messages from the tables of codec/gist.lua and codec/natfw.lua.
--
-- decode() reads on past a fault wherever it can, so that its list of faults is complete. encode()
-- takes what it is given: every length, count, flag and object can be made wrong.
--
-- Kinds of a row { name, kind or bits, ... }:
--   bits (a number)   unsigned; reserved = true: sent as zero unless a value is given
--   "address"         IPv4 or IPv6, by `version` (a number, or the name of the field that has it)
--   "bytes"           `size` octets, or `length` (a field's name) times `unit`, or all that is left
--   "list"            `count` (a field's name) items, or as many as fit; `of` is rows or a width
--   "variant"         rows chosen from `of` by the field `by`
-- when: all of these conditions; either: one of them. pad: up to the next word.

local bits = require("codec.bits")
local address = require("codec.address")

local engine = {}

local function holds(condition, values)
  local value, operator, wanted = values[condition[1]], condition[2], condition[3]
  if value == nil then return false end
  if operator == "==" then return value == wanted end
  if operator == "~=" then return value ~= wanted end
  return value > wanted
end

local function all_hold(conditions, values, first)
  for i = first or 1, #conditions do
    if not holds(conditions[i], values) then return false end
  end
  return true
end

local function present(row, values)
  if row.when then return all_hold(row.when, values) end
  if not row.either then return true end
  for _, condition in ipairs(row.either) do
    if holds(condition, values) then return true end
  end
  return false
end

-- Decoding ---------------------------------------------------------------------------------------

local read_rows

local readers = {}

function readers.address(row, reader, values)
  local version = type(row.version) == "number" and row.version or values[row.version]
  if version ~= 4 and version ~= 6 then return nil, "value", "IP-Ver is neither 4 nor 6" end
  local bytes = reader.take_bytes(version == 4 and 4 or 16)
  if not bytes then return nil, "length", "ends inside an address" end
  return address.format(bytes)
end

function readers.bytes(row, reader, values)
  local count = row.size or (row.length and values[row.length] * (row.unit or 1)) or reader.left()
  local bytes = reader.take_bytes(count)
  if not bytes then return nil, "length", row[1] .. " runs past the end" end
  return bytes
end

function readers.list(row, reader, values)
  local list = {}
  local count = row.count and values[row.count] or math.huge
  while #list < count do
    if not row.count and reader.left() == 0 then break end
    local item, fault, text
    if type(row.of) == "number" then
      item = reader.take(row.of)
      if not item then return list, "length", row[1] .. " runs past the end" end
    else
      item, fault, text = read_rows(row.of, reader, {})
    end
    list[#list + 1] = item
    if fault then return list, fault, text end
  end
  return list
end

local function read_row(row, reader, values)
  local kind = row[2]
  if type(kind) == "number" then
    local value = reader.take(kind)
    if not value then return nil, "length", "ends inside " .. row[1] end
    return value
  end
  return readers[kind](row, reader, values)
end

function read_rows(rows, reader, values)
  for _, row in ipairs(rows) do
    if row[2] == "variant" then
      local variant = row.of[values[row.by]]
      if not variant then return values, "value", row.by .. " is unknown" end
      local _, fault, text = read_rows(variant, reader, values)
      if fault then return values, fault, text end
    elseif present(row, values) then
      local value, fault, text = read_row(row, reader, values)
      values[row[1]] = value -- of a list, what was read before the fault
      if fault then return values, fault, text end
      if row.pad and not reader.align() then return values, "length", "padding is missing" end
    end
  end
  return values
end

-- A list of faults; add() takes { error, subcode } of GIST or { class, code } of NATFW.
local function fault_list(spec)
  local list = {}
  local function add(code, text, object)
    list[#list + 1] = { layer = spec.layer, class = code[1], code = code[2], object = object or 0,
      text = text }
  end
  return list, add
end

local function check_values(object, values, add, type_number)
  for _, constraint in ipairs(object.constraints or {}) do
    if all_hold(constraint, values, 3) then add(constraint[1], constraint[2], type_number) end
  end
  local empty = object.empty_list
  for _, item in ipairs(empty and values[empty.list] or {}) do
    if item[empty.count] == 0 then add(empty.fault, "an empty profile", type_number) end
  end
end

local function decode_value(spec, object, found, add)
  local reader = bits.reader(found.raw)
  local values, fault, text = read_rows(object.fields, reader, {})
  found.values = values
  if fault then
    add(spec.faults[fault], object.name .. ": " .. text, found.type)
    if fault == "value" then return check_values(object, values, add, found.type) end
  elseif reader.left() > 0 then
    add(spec.faults.length, object.name .. ": longer than its fields", found.type)
  end
  check_values(object, values, add, found.type)
end

-- The TLVs after the header: { type, name, ab, reserved, reserved_length, length, raw, values }.
local function read_objects(spec, bytes, start, add)
  local list = {}
  local position = start
  while position < #bytes do
    if position + 4 > #bytes then
      add(spec.faults.message_length, "ends inside an object header")
      add(spec.faults.length, "ends inside an object header")
      break
    end
    local reader = bits.reader(bytes:sub(position + 1, position + 4))
    local found = { ab = reader.take(2), reserved = reader.take(2), type = reader.take(12),
      reserved_length = reader.take(4), length = reader.take(12), offset = position }
    local last = position + 4 + found.length * 4
    found.raw = bytes:sub(position + 5, last)
    local object = spec.objects[found.type]
    found.name = object and object.name or string.format("0x%03X", found.type)
    list[#list + 1] = found
    if last > #bytes then
      found.overrun = true
      add(spec.faults.overrun or spec.faults.message_length,
        found.name .. ": runs past the end of the message", found.type)
      if not spec.faults.overrun then
        add(spec.faults.length, found.name .. ": runs past the end of the message", found.type)
      end
    end
    position = last
  end
  return list
end

local function check_object(spec, found, seen, allowed, add)
  if found.ab == 3 then add(spec.faults.extensibility, found.name .. ": AB is 11", found.type) end
  local object = spec.objects[found.type]
  if not object then
    if found.ab == 0 then add(spec.faults.unknown, found.name .. ": unknown", found.type) end
    return
  end
  if seen[found.type] then add(spec.faults.duplicate, found.name .. ": twice", found.type) end
  if allowed and not allowed[found.type] then
    add(spec.faults.illegal, found.name .. ": not allowed in this message", found.type)
  end
  seen[found.type] = seen[found.type] or found
  decode_value(spec, object, found, add)
end

local function check_order(spec, list, rank, add)
  local last = -1
  for _, found in ipairs(list) do
    local place = rank[found.type]
    if place and place < last then
      add(spec.faults.order, found.name .. ": out of order", found.type)
    end
    last = place and math.max(place, last) or last
  end
end

local function check_present(spec, message, seen, header, add)
  for _, row in ipairs(message.objects) do
    local wanted = row[2] == "M" or (row[2] == "P" and header.p == 1)
    if wanted and not seen[row[1]] then
      local name = spec.objects[row[1]].name
      add(spec.faults.missing, name .. ": missing", row[1])
      local also = spec.missing_also and spec.missing_also[row[1]]
      if also then add(also, name .. ": missing", row[1]) end
    end
  end
  for _, pair in ipairs(message.needs or {}) do
    if seen[pair[1]] and not seen[pair[2]] then
      add(spec.faults.missing, spec.objects[pair[2]].name .. ": missing beside "
        .. spec.objects[pair[1]].name, pair[2])
    end
  end
end

local function has(list, wanted)
  for _, item in ipairs(list or {}) do
    if item == wanted then return true end
  end
  return false
end

-- Whether an option field is of this protocol and of the profile with this number.
local function is_option_of(option, protocol, number)
  return option.protocol == protocol and (option.profile == 0 or option.profile == number)
end

-- RFC 5971, 5.7.1: a proposal and its configuration speak of the same protocols and profiles; 5.7.2:
-- Forwards-TCP (1) has options wherever it is offered. A Confirm only repeats the proposal.
local function check_stack(spec, header, seen, add)
  local proposal, configuration = seen[3] and seen[3].values, seen[4] and seen[4].values
  if spec.layer ~= "gist" or not (proposal and configuration) then return end
  if not (proposal.profiles and configuration.options) then return end
  for _, option in ipairs(configuration.options) do
    local offered = false
    for number, profile in ipairs(proposal.profiles) do
      offered = offered
        or is_option_of(option, option.protocol, number) and has(profile.layers, option.protocol)
    end
    if not offered then
      add(spec.faults.mismatch, "options for a protocol or profile that is not proposed", 4)
    end
  end
  for number, profile in ipairs(header.type ~= 2 and proposal.profiles or {}) do
    local found = not has(profile.layers, 1)
    for _, option in ipairs(configuration.options) do
      found = found or is_option_of(option, 1, number)
    end
    if not found then add(spec.faults.mismatch, "Forwards-TCP is proposed without options", 4) end
  end
end

local function check_gist_header(spec, header, message, seen, add)
  if header.version ~= 1 then add(spec.faults.version, "version is not 1") end
  if header.hops == 0 then add(spec.faults.hop_limit, "hop count is zero") end
  for _, flag in ipairs({ "c", "r", "e" }) do
    local wanted = message and message.flags[flag]
    if wanted and header[flag] ~= wanted then
      add(spec.faults[flag .. "_flag"], flag:upper() .. "-flag is wrong in this message")
    end
  end
  if message and message.r_with and seen[message.r_with] and header.r ~= 1 then
    add(spec.faults.r_flag, "R-flag is clear, but there is a Responder-Cookie")
  end
  if message and message.name == "MA-Hello" and header.r == 1 and seen[10]
    and seen[10].values.hello_id == 0 then
    add(spec.faults.value, "Hello-ID is zero in a request", 10)
  end
end

-- The grammar that holds for a message: a RESPONSE has two, by the class in its NATFW_INFO.
local function grammar_of(message, list)
  local other = message and message.other_class
  if not other then return message end
  for _, found in ipairs(list) do
    if found.type == 0x010 and #found.raw >= 4 and found.raw:byte(1) % 16 ~= other.unless then
      return other
    end
  end
  return message
end

local function check_message(spec, header, message, list, add)
  local seen, allowed, rank = {}, nil, {}
  local grammar = grammar_of(message, list)
  if grammar then
    allowed = {}
    for place, row in ipairs(grammar.objects) do
      allowed[row[1]], rank[row[1]] = true, place
    end
  end
  for _, found in ipairs(list) do check_object(spec, found, seen, allowed, add) end
  if not spec.any_order then check_order(spec, list, rank, add) end
  if grammar then check_present(spec, grammar, seen, header, add) end
  check_stack(spec, header, seen, add)
  if spec.layer == "gist" then check_gist_header(spec, header, message, seen, add) end
  return seen
end

-- Returns { header, name, objects (list), by_type, faults (list), bytes }. Never fails.
function engine.decode(spec, bytes)
  local faults, add = fault_list(spec)
  local result = { layer = spec.layer, bytes = bytes, objects = {}, by_type = {}, faults = faults,
    header = {}, name = "?" }
  local reader = bits.reader(bytes)
  local header, short = read_rows(spec.header, reader, {})
  result.header = header
  if short then
    add(spec.faults.message_length, "shorter than the header")
    return result
  end
  if header.length and spec.header_bytes + header.length * 4 ~= #bytes then
    add(spec.faults.message_length, "message length is not that of the objects")
  elseif not header.length and #bytes % 4 ~= 0 then
    add(spec.faults.message_length, "not a whole number of words")
  end
  local message = spec.messages[header.type]
  result.name = message and message.name or string.format("type %d", header.type)
  if not message then add(spec.faults.unknown_message, "message type is unknown") end
  local last = header.length and spec.header_bytes + header.length * 4 or #bytes
  result.objects = read_objects(spec, bytes:sub(1, last), spec.header_bytes, add)
  result.by_type = check_message(spec, header, message, result.objects, add)
  return result
end

-- Encoding ---------------------------------------------------------------------------------------

local write_rows

local function implied(row, values)
  local counted = row.count_of and values[row.count_of]
  if counted then return #counted end
  local measured = row.length_of and values[row.length_of]
  if measured then return #measured end
  return row.default or 0
end

local function write_row(row, writer, values)
  local kind, value = row[2], values[row[1]]
  if type(kind) == "number" then
    writer.put(value or implied(row, values), kind)
  elseif kind == "address" then
    writer.put_bytes(assert(address.parse(value), "not an address: " .. tostring(value)))
  elseif kind == "bytes" then
    writer.put_bytes(value or ("\0"):rep(row.size or 0))
  else
    for _, item in ipairs(value or {}) do
      if type(row.of) == "number" then writer.put(item, row.of) else write_rows(row.of, writer,
        item) end
    end
  end
  if row.pad then writer.align() end
end

function write_rows(rows, writer, values)
  local given = setmetatable({}, { __index = function(_, key) return values[key] end })
  for _, row in ipairs(rows) do
    if type(row[2]) == "number" and values[row[1]] == nil then given[row[1]] = implied(row,
      values) end
    if row[2] == "variant" then
      write_rows(row.of[given[row.by]], writer, values)
    elseif present(row, given) then
      write_row(row, writer, values)
    end
  end
end

-- One object: { type, values = {} or raw = "", ab =, length = (a wrong one) }.
local function write_object(spec, object, out)
  local raw = object.raw
  if not raw then
    local writer = bits.writer()
    write_rows(spec.objects[object.type].fields, writer, object.values or {})
    raw = writer.bytes()
  end
  local writer = bits.writer()
  writer.put(object.ab or 0, 2)
  writer.put(object.reserved or 0, 2)
  writer.put(object.type, 12)
  writer.put(object.reserved_length or 0, 4)
  writer.put(object.length or math.floor((#raw + 3) / 4), 12)
  out[#out + 1] = writer.bytes() .. raw
end

-- { header = { field = value }, objects = { … } } to octets. What is not given is what is right.
function engine.encode(spec, message)
  local objects = {}
  for _, object in ipairs(message.objects or {}) do write_object(spec, object, objects) end
  local body = table.concat(objects) .. (message.tail or "")
  local values = {}
  for key, value in pairs(message.header) do values[key] = value end
  if spec.layer == "gist" and not values.length then values.length = math.floor(#body / 4) end
  local writer = bits.writer()
  write_rows(spec.header, writer, values)
  return writer.bytes() .. body
end

-- Where each field lies, for who shows octets beside values: visit(row, value, first bit, bits) for
-- every field that was decoded, lists item by item. Bits count from the beginning of the rows, which
-- is that of a word. Returns the bit after the last.
function engine.layout(rows, values, visit, position)
  position = position or 0
  for _, row in ipairs(rows) do
    local value = values[row[1]]
    if row[2] == "variant" then
      local variant = row.of[values[row.by]]
      if variant then position = engine.layout(variant, values, visit, position) end
    elseif value ~= nil and present(row, values) then
      local width
      if row[2] == "list" then
        for _, item in ipairs(value) do
          if type(row.of) == "number" then
            visit(row, item, position, row.of)
            position = position + row.of
          else
            position = engine.layout(row.of, item, visit, position)
          end
        end
        width = 0
      elseif row[2] == "address" then
        width = #address.parse(value) * 8
      else
        width = type(row[2]) == "number" and row[2] or #value * 8
      end
      if row[2] ~= "list" then visit(row, value, position, width) end
      position = position + width
      if row.pad then position = math.ceil(position / 32) * 32 end
    end
  end
  return position
end

-- Reserved bits that are not zero, as a list of texts: what a sender must never do.
function engine.reserved_set(spec, decoded)
  local list = {}
  local function scan(rows, values, where)
    for _, row in ipairs(rows) do
      if row[2] == "variant" then
        local variant = row.of[values[row.by]]
        if variant then scan(variant, values, where) end
      elseif row.reserved and (values[row[1]] or 0) ~= 0 then
        list[#list + 1] = where .. "." .. row[1]
      end
    end
  end
  scan(spec.header, decoded.header, "header")
  for _, found in ipairs(decoded.objects) do
    if found.reserved ~= 0 or found.reserved_length ~= 0 then list[#list + 1] = found.name
      .. " header" end
    if found.values then scan(spec.objects[found.type].fields, found.values, found.name) end
  end
  return list
end

return engine
