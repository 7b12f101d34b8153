-- Wireshark dissector for GIST (RFC 5971) and the NATFW NSLP (RFC 5973), from the runner's own
-- codec tables: tshark -X lua_script:natfw.lua. UDP port 270 by the magic number, TCP by heuristic.
--
-- Filters are layer.object.field, for instance natfw.natfw_msn.msn, gist.mri.source_port or
-- gist.type; what is wrong with a message is expert information: gist.fault, natfw.fault.

local here = debug.getinfo(1, "S").source:match("^@(.*)wireshark[/\\][^/\\]*$")
local data_dir = os.getenv("NATFW_CONFORM_DATA")
package.path = (data_dir and data_dir .. "/?.lua;" or "") .. (here or "../") .. "?.lua;"
  .. package.path

local engine = require("codec.engine")
local rows = require("codec.rows")
local sender = require("codec.sender")
local show = require("codec.show")
local gist_spec = require("codec.gist")
local natfw_spec = require("codec.natfw")
local response_codes = require("codec.response_codes")
local tables = require("codec.tables")

local HEADER_OCTETS, LAST_TYPE, NSLP_DATA = 8, 5, 8
local MAGIC = 0x4e04bda5

local gist = Proto("gist", "General Internet Signalling Transport")
local natfw = Proto("natfw", "NAT/Firewall NSLP")

-- Fields -----------------------------------------------------------------------------------------

local function slug(name) return (name:lower():gsub("[^%w]", "_")) end

local function names_of(messages)
  local names = {}
  for number, message in tables.sorted(messages) do names[number] = message.name end
  return names
end

local value_names = {
  ["gist.type"] = names_of(gist_spec.messages), ["natfw.type"] = names_of(natfw_spec.messages),
  ["gist.error.code"] = gist_spec.error_names, ["natfw.natfw_info.class"] = natfw_spec.class_names,
  ["natfw.natfw_efi.rule_action"] = { "allow", "deny" },
  ["gist.mri.d"] = { [0] = "downstream", [1] = "upstream" },
  ["gist.mri.mrm"] = { [0] = "path-coupled", [1] = "loose-end" },
  ["gist.error.class"] = gist_spec.class_names,
  ["gist.error.type"] = { "Message Length Info", "MTU Info", "Object Type Info",
    "Object Value Info" },
  ["natfw.session_auth.x_type"] = natfw_spec.foreign[0x016].names.x_type,
}

local WIDTHS = { { 8, "uint8" }, { 16, "uint16" }, { 24, "uint24" }, { 32, "uint32" } }

local function number_field(abbreviation, name, width)
  for _, one in ipairs(WIDTHS) do
    if width <= one[1] then
      return ProtoField[one[2]](abbreviation, name, base.DEC, value_names[abbreviation])
    end
  end
end

local function add_field(fields, prefix, row, kind)
  local abbreviation = prefix .. "." .. row[1]
  if fields[abbreviation] then return end
  if type(kind) == "number" then
    fields[abbreviation] = number_field(abbreviation, row[1], kind)
  elseif kind == "address" then
    fields[abbreviation] = ProtoField.ipv4(abbreviation, row[1])
    fields[abbreviation .. "_v6"] = ProtoField.ipv6(abbreviation .. "_v6", row[1])
  elseif row.text then
    fields[abbreviation] = ProtoField.string(abbreviation, row[1])
  else
    fields[abbreviation] = ProtoField.bytes(abbreviation, row[1])
  end
end

-- What is within the octets of a row has the row's name before its own.
local function add_fields(fields, prefix, list)
  for _, row in ipairs(list) do
    local inside = row.as_by and row.as or { row.as }
    for _, fields_inside in tables.sorted(inside) do
      add_fields(fields, prefix .. "." .. row[1], fields_inside)
    end
    if row[2] == "variant" then
      for _, variant in tables.sorted(row.of) do add_fields(fields, prefix, variant) end
    elseif row[2] == "part" then
      add_fields(fields, prefix, row.other)
      for _, kinds in tables.sorted(row.of) do
        for _, kind in tables.sorted(kinds) do add_fields(fields, prefix, kind) end
      end
    elseif row[2] == "list" and type(row.of) == "table" then
      add_fields(fields, prefix, row.of)
    else
      add_field(fields, prefix, row, row[2] == "list" and row.of or row[2])
    end
  end
end

local layers = {}

local function register(proto, spec, layer)
  local fields = {}
  add_fields(fields, layer, spec.header)
  for _, list in ipairs({ spec.objects, spec.foreign or {} }) do
    for _, object in tables.sorted(list) do
      add_fields(fields, layer .. "." .. slug(object.name), object.fields)
    end
  end
  fields.object_type = ProtoField.uint16(layer .. ".object.type", "Object type", base.HEX)
  fields.object_ab = ProtoField.uint8(layer .. ".object.ab", "AB")
  fields.object_length = ProtoField.uint16(layer .. ".object.length", "Length in words")
  fields.object_value = ProtoField.bytes(layer .. ".object.value", "Octets")
  local list = {}
  for _, field in tables.sorted(fields) do list[#list + 1] = field end
  proto.fields = list
  layers[layer] = { proto = proto, spec = spec, fields = fields,
    fault = ProtoExpert.new(layer .. ".fault", "What the texts forbid", expert.group.MALFORMED,
      expert.severity.ERROR),
    sender = ProtoExpert.new(layer .. ".sender_fault", "What no sender may do",
      expert.group.PROTOCOL, expert.severity.WARN),
    reserved = ProtoExpert.new(layer .. ".reserved_set", "Reserved bits are not zero",
      expert.group.PROTOCOL, expert.severity.NOTE) }
  proto.experts = { layers[layer].fault, layers[layer].sender, layers[layer].reserved }
end

register(gist, gist_spec, "gist")
register(natfw, natfw_spec, "natfw")
local magic_field = ProtoField.uint32("gist.magic", "Magic number", base.HEX)
local mode_field = ProtoField.string("gist.mode", "Mode")
gist.fields = { magic_field, mode_field }

-- Trees ------------------------------------------------------------------------------------------

-- The octets of `width` bits from bit `first`, within a range that ends at `last`.
local function octets(range, first, width)
  local from = math.floor(first / 8)
  local to = math.ceil((first + width) / 8)
  if to > range:len() then to = range:len() end
  if to <= from then return range(math.min(from, range:len() - 1), 1) end
  return range(from, to - from)
end

-- A line for each item of a list that the tables name by type.
local function item_tree(layer, tree, object, owner, place)
  local title = show.item_name(object, owner)
  local item = tree:add(layer.proto, place, title)
  if owner.flaw then item:add_proto_expert_info(layer.fault, title .. " " .. owner.flaw) end
  return item
end

local function show_fields(layer, tree, prefix, fields, values, range, object)
  local items = {}
  rows.layout(fields, values, function(row, value, first, width, owner)
    local place = octets(range, first, width)
    local under = tree
    if object and object.items and owner ~= values and owner[object.items.by[2]] then
      items[owner] = items[owner] or item_tree(layer, tree, object, owner, place)
      under = items[owner]
    end
    local name = prefix .. "." .. row[1]
    local field = layer.fields[name]
    if row[2] == "address" then
      if width == 128 then field = layer.fields[name .. "_v6"] end
      under:add(field, place)
    elseif type(value) == "number" then
      under:add(field, place, value)
    elseif width > 0 then
      local inner, inside = rows.inside(row, value, owner)
      local shown = row.text and under:add(field, place, value) or under:add(field, place)
      if inner then show_fields(layer, shown, name, inner, inside, place) end
    end
  end)
end

local function gloss(found)
  local values = found.values or {}
  if values.code and found.name == "Error" then
    local entry = gist_spec.errors[values.code]
    local subcode = entry and entry.subcodes and entry.subcodes[values.subcode]
    return string.format("%s%s", gist_spec.error_names[values.code] or "code " .. values.code,
      subcode and ", " .. subcode or "")
  elseif values.attributes then
    return #values.attributes .. " attributes"
  elseif values.class and found.name == "NATFW_INFO" then
    return string.format("%d/0x%02X %s", values.class, values.code or 0,
      response_codes.natfw(values.class, values.code) or "")
  elseif values.destination then
    return string.format("%s:%s to %s:%s", values.source, tostring(values.source_port or "*"),
      values.destination, tostring(values.dest_port or "*"))
  elseif values.lifetime_s then
    return values.lifetime_s .. " s"
  end
  return values.msn and tostring(values.msn)
end

local show_message

local function show_object(layer, tree, found, tvb, start, nslpid)
  local size = math.min(4 + found.length * 4, tvb:len() - start - found.offset)
  local range = tvb(start + found.offset, size)
  local note = gloss(found)
  local item = tree:add(layer.proto, range, found.name .. (note and ": " .. note or ""))
  item:add(layer.fields.object_ab, range(0, 1), found.ab)
  item:add(layer.fields.object_type, range(0, 2), found.type)
  item:add(layer.fields.object_length, range(2, 2), found.length)
  if size <= 4 then return item end
  local body = range(4)
  local object = engine.object_of(layer.spec, found.type)
  if layer.spec == gist_spec and found.type == NSLP_DATA and nslpid == gist_spec.nslpid then
    return item, body
  elseif object and found.values then
    show_fields(layer, item, layer.spec.layer .. "." .. slug(object.name), object.fields,
      found.values, body, object)
  else
    item:add(layer.fields.object_value, body)
  end
  return item
end

-- Where a text that begins with an object's name belongs.
local function place_of(text, item, items, decoded)
  local name = text:match("^([^:]*):")
  for _, found in ipairs(decoded.objects) do
    if found.name == name then return items[found.type] end
  end
  return item
end

local function show_problems(layer, item, items, decoded)
  local form = layer.spec == natfw_spec and "%d/0x%02X %s" or "error %d, subcode %d: %s"
  for _, fault in ipairs(decoded.faults) do
    place_of(fault.text, item, items, decoded):add_proto_expert_info(layer.fault,
      string.format(form, fault.class, fault.code, fault.text))
  end
  for _, text in ipairs(sender.faults(layer.spec, decoded)) do
    place_of(text, item, items, decoded):add_proto_expert_info(layer.sender, text)
  end
  for _, where in ipairs(engine.reserved_set(layer.spec, decoded)) do
    item:add_proto_expert_info(layer.reserved, where .. " is not zero")
  end
end

local function summary(decoded)
  local parts = { decoded.name }
  for _, found in ipairs(decoded.objects) do
    local text = decoded.layer == "natfw" and found.name ~= "NATFW_EFI" and gloss(found)
    if text then parts[#parts + 1] = found.name:gsub("^NATFW_", "") .. " " .. text end
  end
  return table.concat(parts, ", ")
end

-- One message: the header, objects, and in GIST the NSLP's message. Returns what it says in short.
function show_message(layer, tvb, start, size, tree)
  local decoded = engine.decode(layer.spec, tvb(start, size):raw())
  local range = tvb(start, size)
  local item = tree:add(layer.proto, range, layer.proto.description .. ", " .. decoded.name)
  local short = summary(decoded)
  local head = math.min(layer.spec.header_bytes, size)
  show_fields(layer, item, layer.spec.layer, layer.spec.header, decoded.header, range(0, head))
  local items, inner = {}, nil
  for _, found in ipairs(decoded.objects) do
    local shown, body = show_object(layer, item, found, tvb, start, decoded.header.nslpid)
    items[found.type] = items[found.type] or shown
    inner = inner or body
  end
  show_problems(layer, item, items, decoded)
  if inner then
    local nested = show_message(layers.natfw, inner:tvb(), 0, inner:len(), tree)
    short = short .. ": " .. nested
  end
  return short, decoded, item
end

-- Packets ----------------------------------------------------------------------------------------

local function in_d_mode(tvb, pinfo, tree)
  local short, decoded, item = show_message(layers.gist, tvb, 4, tvb:len() - 4, tree)
  item:add(magic_field, tvb(0, 4))
  item:add(mode_field, decoded.header.c == 1 and "Q-mode" or "D-mode"):set_generated()
  pinfo.cols.protocol = short:find(":", 1, true) and "NATFW" or "GIST"
  pinfo.cols.info = short
  return tvb:len()
end

local function length_of(tvb, _, offset)
  return HEADER_OCTETS + tvb(offset + 2, 2):uint() * 4
end

local separator = "" -- between the messages of one segment

local function in_c_mode(tvb, pinfo, tree)
  local short, _, item = show_message(layers.gist, tvb, 0, tvb:len(), tree)
  item:add(mode_field, "C-mode"):set_generated()
  pinfo.cols.protocol = short:find(":", 1, true) and "NATFW" or "GIST"
  pinfo.cols.info:append(separator .. short)
  separator = " | "
  return tvb:len()
end

local function dissect(tvb, pinfo, tree)
  if tvb:len() >= 4 + HEADER_OCTETS and tvb(0, 4):uint() == MAGIC then
    return in_d_mode(tvb, pinfo, tree)
  end
  if pinfo.port_type ~= 2 then return 0 end -- anything but TCP
  pinfo.cols.info = ""
  separator = ""
  dissect_tcp_pdus(tvb, tree, HEADER_OCTETS, length_of, in_c_mode)
  return tvb:len()
end

gist.dissector = dissect

-- Whether a segment can begin with a GIST header, and its first object with one of GIST.
local function plausible(tvb)
  if tvb:len() < HEADER_OCTETS + 4 then return false end
  local kind = tvb(6, 1):uint()
  return tvb(0, 1):uint() == 1 and tvb(2, 2):uint() > 0 and kind <= LAST_TYPE
    and gist_spec.objects[tvb(8, 2):uint() % 4096] ~= nil
end

gist:register_heuristic("tcp", function(tvb, pinfo, tree)
  if not plausible(tvb) then return false end
  pinfo.conversation = gist
  -- Not gist.dissector(): one call more, and Wireshark would no longer put segments together.
  dissect(tvb, pinfo, tree)
  return true
end)

DissectorTable.get("udp.port"):add(gist_spec.port, gist)
