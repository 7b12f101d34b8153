-- Builds and reads messages from the tables of codec/gist.lua and codec/natfw.lua, whose rows
-- codec/rows.lua explains.
--
-- decode() reads on past a fault wherever it can, so that its list of faults is complete. encode()
-- takes what it is given: every length, count, flag and object can be made wrong. build() refuses
-- what the texts forbid.

local bits = require("codec.bits")
local rows = require("codec.rows")
local sender = require("codec.sender")
local tables = require("codec.tables")

local floor = math.floor

local engine = { layout = rows.layout }

-- What an object is: of this protocol, or of another document (`foreign`).
function engine.object_of(spec, number)
  return spec.objects[number] or spec.foreign and spec.foreign[number]
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
    if rows.all_hold(constraint, values, 3) then
      add(constraint[1], object.name .. ": " .. constraint[2], type_number)
    end
  end
  local empty = object.empty_list
  for _, item in ipairs(empty and values[empty.list] or {}) do
    if item[empty.count] == 0 then
      add(empty.fault, object.name .. ": an empty profile", type_number)
    end
  end
end

local function is_kind(item, by, kind)
  return item[by[1]] == kind[1] and (not kind[2] or item[by[2]] == kind[2])
end

local function count_kind(list, by, kind)
  local count = 0
  for _, item in ipairs(list) do count = count + (is_kind(item, by, kind) and 1 or 0) end
  return count
end

local item_rules = {
  last = function(list, by, kind)
    for place = 1, #list - 1 do
      if is_kind(list[place], by, kind) then return "is not the last" end
    end
  end,
  once = function(list, by, kind)
    if count_kind(list, by, kind) > 1 then return "is there more than once" end
  end,
  needs = function(list, by, kind, needed)
    if count_kind(list, by, kind) > 0 and count_kind(list, by, needed) == 0 then
      return "is there without " .. table.concat(needed, "/")
    end
  end,
}

-- What each item of an object's whole list is at fault of, and what they are together.
local function check_items(object, values, add, type_number)
  local items = object.items
  local list = items and values[items.list] or {}
  local function name(kind) return string.format("%s: %s %s ", object.name,
    table.concat(items.by, "/"), table.concat(kind, "/")) end
  for _, item in ipairs(list) do
    if item.flaw then
      add(object.fault, name({ item[items.by[1]], item[items.by[2]] }) .. item.flaw, type_number)
    end
  end
  for _, rule in ipairs(items and items.rules or {}) do
    local text = item_rules[rule[1]](list, items.by, rule[2], rule[3])
    if text then add(object.fault, name(rule[2]) .. text, type_number) end
  end
end

local function decode_value(spec, object, found, add)
  local reader = bits.reader(found.raw)
  local values, fault, text = rows.read(object.fields, reader, {})
  found.values = values
  if fault then
    add(object.fault or spec.faults[fault], object.name .. ": " .. text, found.type)
    if fault == "value" then return check_values(object, values, add, found.type) end
  elseif reader:left() > 0 then
    add(spec.faults.length, object.name .. ": longer than its fields", found.type)
  end
  if not fault then check_items(object, values, add, found.type) end
  check_values(object, values, add, found.type)
end

-- What engine.decode() has found the values of objects to be, so that the same octets need not be read
-- again: such objects share their values, which nobody may change. Neither what has one field only is
-- worth that, nor what is long.
local MOST_REMEMBERED, LONGEST_REMEMBERED = 8192, 128

function engine.memory() return { count = 0, known = {} } end

local function known_by(memory, object)
  if memory.count >= MOST_REMEMBERED then memory.count, memory.known = 0, {} end
  local known = memory.known[object]
  if not known then
    known = {}
    memory.known[object] = known
  end
  return known
end

local function remembered_value(spec, object, found, add, memory)
  local row = object.fields[1]
  if #object.fields == 1 and row[2] == "bytes" and #found.raw == (row.size or #found.raw) then
    found.values = { [row[1]] = found.raw }
    return
  elseif #object.fields == 1 or #found.raw > LONGEST_REMEMBERED then
    return decode_value(spec, object, found, add)
  end
  local known = known_by(memory, object)
  local before = known[found.raw]
  if not before then
    before = { faults = {} }
    decode_value(spec, object, found, function(code, text)
      before.faults[#before.faults + 1] = { code, text }
    end)
    before.values = found.values
    known[found.raw], memory.count = before, memory.count + 1
  end
  found.values, found.remembered = before.values, before
  for _, fault in ipairs(before.faults) do add(fault[1], fault[2], found.type) end
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
    local first, second, third, fourth = bytes:byte(position + 1, position + 4)
    local found = { ab = floor(first / 64), reserved = floor(first / 16) % 4,
      type = first % 16 * 256 + second, reserved_length = floor(third / 16),
      length = third % 16 * 256 + fourth, offset = position }
    local last = position + 4 + found.length * 4
    found.raw = bytes:sub(position + 5, last)
    local object = engine.object_of(spec, found.type)
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

local function check_object(spec, found, seen, allowed, add, memory)
  local decode = memory and remembered_value or decode_value
  if found.ab == 3 then add(spec.faults.extensibility, found.name .. ": AB is 11", found.type) end
  local object = spec.objects[found.type]
  if not object then
    if found.ab == 0 then add(spec.faults.unknown, found.name .. ": unknown", found.type) end
    local foreign = engine.object_of(spec, found.type)
    if foreign then
      seen[found.type] = seen[found.type] or found
      decode(spec, foreign, found, add, memory)
    end
    return
  end
  if seen[found.type] then add(spec.faults.duplicate, found.name .. ": twice", found.type) end
  if allowed and not allowed[found.type] then
    add(spec.faults.illegal, found.name .. ": not allowed in this message", found.type)
  end
  seen[found.type] = seen[found.type] or found
  decode(spec, object, found, add, memory)
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

-- RFC 5971, 5.7.1: a proposal and its configuration speak of the same protocols and profiles;
-- 5.7.2: Forwards-TCP (1) has options wherever it is offered. A Confirm only repeats the proposal.
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

local FLAGS = { "c", "r", "e" }

local function check_gist_header(spec, header, message, seen, add)
  if header.version ~= 1 then add(spec.faults.version, "version is not 1") end
  if header.hops == 0 then add(spec.faults.hop_limit, "hop count is zero") end
  for _, flag in ipairs(FLAGS) do
    local wanted = message and message.flags[flag]
    if wanted and header[flag] ~= wanted then
      add(spec.faults[flag .. "_flag"], flag:upper() .. "-flag is wrong in this message")
    end
  end
  if message and message.r_with and seen[message.r_with] and header.r ~= 1 then
    add(spec.faults.r_flag, "R-flag is clear, but there is a Responder-Cookie")
  end
  local routing = seen[0] and seen[0].values or {}
  if header.c == 1 and routing.mrm == 1 and routing.d == 1 then
    add(spec.faults.value, "D is set in a loose-end MRI in Q-mode", 0)
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

-- The place of each object in a grammar, by its type. Grammars are few, and stay.
local places = {}
local function places_in(grammar)
  local rank = places[grammar]
  if not rank then
    rank = {}
    for place, row in ipairs(grammar.objects) do rank[row[1]] = place end
    places[grammar] = rank
  end
  return rank
end

local function check_message(spec, header, message, list, add, memory)
  local seen, grammar = {}, grammar_of(message, list)
  local rank = grammar and places_in(grammar)
  for _, found in ipairs(list) do check_object(spec, found, seen, rank, add, memory) end
  if rank and not spec.any_order then check_order(spec, list, rank, add) end
  if grammar then check_present(spec, grammar, seen, header, add) end
  check_stack(spec, header, seen, add)
  if spec.layer == "gist" then check_gist_header(spec, header, message, seen, add) end
  return seen
end

-- Returns { header, name, objects (list), by_type, faults (list), bytes }. Never fails. `memory`, of
-- engine.memory(), where many messages are decoded that have much in common.
function engine.decode(spec, bytes, memory)
  local faults, add = fault_list(spec)
  local result = { layer = spec.layer, bytes = bytes, objects = {}, by_type = {}, faults = faults,
    header = {}, name = "?" }
  local reader = bits.reader(bytes)
  local header, short = rows.read(spec.header, reader, {})
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
  result.by_type = check_message(spec, header, message, result.objects, add, memory)
  return result
end

-- Encoding ---------------------------------------------------------------------------------------

local function default_ab(spec, number)
  local object = engine.object_of(spec, number)
  return object and object.ab or 0
end

-- One object: { type, values = {} or raw = "", ab =, length = (a wrong one) }.
local function write_object(spec, object, out, strict)
  local raw = object.raw
  if not raw then
    local writer = bits.writer()
    local known = engine.object_of(spec, object.type)
    local ok, fault = pcall(rows.write, known.fields, writer, object.values or {})
    if not ok then error(known.name .. ": " .. tostring(fault), 0) end
    raw = writer.bytes()
  end
  if strict and #raw % 4 ~= 0 then
    local known = engine.object_of(spec, object.type)
    error((known and known.name or "an object") .. ": not a whole number of words", 0)
  end
  local writer = bits.writer()
  writer.put(object.ab or default_ab(spec, object.type), 2)
  writer.put(object.reserved or 0, 2)
  writer.put(object.type, 12)
  writer.put(object.reserved_length or 0, 4)
  writer.put(object.length or math.floor((#raw + 3) / 4), 12)
  out[#out + 1] = writer.bytes() .. raw
end

-- { header = { field = value }, objects = { … } } to octets. What is not given is what is valid.
local function encode(spec, message, strict)
  local objects = {}
  for _, object in ipairs(message.objects or {}) do
    write_object(spec, object, objects, strict)
  end
  local body = table.concat(objects) .. (message.tail or "")
  local values = tables.copy(message.header)
  if spec.layer == "gist" and not values.length then values.length = math.floor(#body / 4) end
  local writer = bits.writer()
  rows.write(spec.header, writer, values)
  return writer.bytes() .. body
end

function engine.encode(spec, message) return encode(spec, message, false) end

-- The octets of a valid message, or nil and a text that says what the texts forbid, and where.
function engine.build(spec, message)
  local ok, bytes = pcall(encode, spec, message, true)
  if not ok then return nil, tostring(bytes) end
  local decoded = engine.decode(spec, bytes)
  local fault = decoded.faults[1]
  if fault then return nil, fault.text end
  local set = engine.reserved_set(spec, decoded)[1]
  if set then return nil, set .. " is not zero" end
  local text = sender.faults(spec, decoded)[1]
  if text then return nil, text end
  return bytes
end

-- What decode() returned as build() takes it; all that was left out as not significant is gone.
function engine.rebuildable(decoded)
  local objects = {}
  for i, found in ipairs(decoded.objects) do
    objects[i] = { type = found.type, ab = found.ab, reserved = found.reserved,
      reserved_length = found.reserved_length, values = found.values,
      raw = not found.values and found.raw or nil }
  end
  return { header = decoded.header, objects = objects }
end

local function scan_reserved(list, fields, values, where)
  rows.walk(fields, values, function(row, value, owner)
    if row.reserved and value ~= 0 or row.zero_when and value ~= 0
      and rows.all_hold(row.zero_when, owner) then
      list[#list + 1] = where .. "." .. row[1]
    end
  end, function(_, owner)
    if owner.padding_set then list[#list + 1] = where .. ".padding" end
  end)
  return list
end

-- Those among the values of an object.
local function reserved_values(object, found)
  local before = found.remembered
  if before and before.reserved then return before.reserved end
  local list = scan_reserved({}, object.fields, found.values, found.name)
  if before then before.reserved = list end
  return list
end

-- Reserved bits that are not zero, as a list of texts: what a sender must never do.
function engine.reserved_set(spec, decoded)
  local list = scan_reserved({}, spec.header, decoded.header, "header")
  for _, found in ipairs(decoded.objects) do
    local object = engine.object_of(spec, found.type)
    if found.reserved ~= 0 or found.reserved_length ~= 0
      or object and object.foreign and found.ab ~= object.ab then
      list[#list + 1] = found.name .. " header"
    end
    if found.values then
      for _, name in ipairs(reserved_values(object, found)) do list[#list + 1] = name end
    end
  end
  return list
end

return engine
