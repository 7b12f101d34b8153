-- A GIST message that the runner received, with what it carries: { gist, natfw, name, sid, msn,
-- lifetime_s, class, code, subcode }. Its objects are asked for by the names of the texts, those
-- that begin with NATFW_ of the NSLP's message, all others of GIST's.

local engine = require("codec.engine")
local gist = require("codec.gist")
local natfw = require("codec.natfw")
local packet = require("codec.packet")

local Item = {}
Item.__index = Item

local specs = { gist = gist, natfw = natfw }

-- The number of an object by its name; a number stays what it is.
function Item.object_number(name)
  if type(name) == "number" then return name end
  return (name:find("^NATFW_") and natfw or gist).object_number[name]
end

local SID, NSLP_DATA = Item.object_number("SID"), Item.object_number("NSLP-Data")
local LT, INFO, MSN = Item.object_number("NATFW_LT"), Item.object_number("NATFW_INFO"),
  Item.object_number("NATFW_MSN")

local function field(decoded, number, of)
  local object = decoded.by_type[number]
  return object and object.values[of]
end

local function read_natfw(self, octets, memory)
  local inner = engine.decode(natfw, octets, memory)
  self.natfw, self.name = inner, inner.name
  self.lifetime_s = field(inner, LT, "lifetime_s")
  self.msn = field(inner, MSN, "msn")
  self.class, self.code = field(inner, INFO, "class"), field(inner, INFO, "code")
  self.object_type = field(inner, INFO, "object_type")
end

-- The same with the memory of engine.memory(), of many messages.
function Item.read_with(memory, octets)
  local outer = engine.decode(gist, octets, memory)
  local self = setmetatable({ gist = outer, name = "GIST " .. outer.name }, Item)
  local sid, data = outer.by_type[SID], outer.by_type[NSLP_DATA]
  self.sid = sid and sid.raw
  if data and outer.header.nslpid == gist.nslpid then read_natfw(self, data.raw, memory) end
  local failure = outer.name == "Error" and self:has("Error") and self:values("Error")
  if failure then
    self.class, self.code, self.subcode = failure.class, failure.code, failure.subcode
    self.sid = failure.original_sid
  end
  return self
end

function Item.read(octets) return Item.read_with(nil, octets) end

-- The object of this name { type, name, ab, raw, values }, or nil. A number stands for an object that
-- the texts do not know, of the NSLP's message where there is one.
function Item:object(name)
  local number = Item.object_number(name)
  local of_natfw = name == number and self.natfw or tostring(name):find("^NATFW_")
  local layer = of_natfw and self.natfw or not of_natfw and self.gist
  for _, object in ipairs(layer and layer.objects or {}) do
    if object.type == number then return object end
  end
  return nil
end

function Item:has(name) return self:object(name) ~= nil end

-- The fields of the object; none where it is not there.
function Item:values(name)
  local object = self:object(name)
  return object and object.values or {}
end

-- The octets of the object's value, or nil.
function Item:raw(name)
  local object = self:object(name)
  return object and object.raw
end

-- The same in hex, or "none".
function Item:hex(name) return Item.to_hex(self:raw(name)) end

function Item.to_hex(octets)
  return octets and (octets:gsub(".", function(c) return string.format("%02x", c:byte()) end))
    or "none"
end

-- Class and code of its NATFW_INFO, as "2/0x01", or "none".
function Item:info()
  return self.class and string.format("%d/0x%02X", self.class, self.code or 0) or "none"
end

-- Code and subcode of its GIST Error, as "9/2"; of an error without subcodes the code alone.
function Item:error()
  if not self.subcode then return "none" end
  local known = gist.errors[self.code]
  return known and not known.subcodes and tostring(self.code) or self.code .. "/" .. self.subcode
end

-- Whether it is one of these GIST Errors.
function Item:is_error(...)
  for _, name in ipairs({ ... }) do
    if self.subcode and self:error() == gist.error_number[name] then return true end
  end
  return false
end

-- An object is quoted with its header, whose type has twelve bits.
local function what_info_is_about(name, octets)
  octets = octets or ""
  if name ~= "Object Value Info" then
    return #octets >= 2 and string.unpack(">I2", octets) or false
  end
  return #octets >= 6 and string.unpack(">I2", octets, 5) & 0xFFF or false
end

-- What each Additional Information of this kind in a GIST Error is about: a length, a link's MTU, the
-- type of an object, or the type of the object that it quotes (false where that is cut short).
function Item:infos(name)
  local about = {}
  for _, info in ipairs(self:values("Error").infos or {}) do
    if info.type == gist.info_number[name] then
      about[#about + 1] = what_info_is_about(name, info.value)
    end
  end
  return about
end

-- The session id and the MRI that a GIST Error quotes, in hex, or "none".
function Item:quotes()
  local failure = self:values("Error")
  return Item.to_hex(failure.s == 1 and failure.original_sid) .. " "
    .. Item.to_hex(failure.m == 1 and failure.original_mri)
end

-- What is wrong with it first, as "gist" or "natfw" sees it; "none" if nothing is.
function Item:fault(layer)
  local first = self[layer].faults[1]
  return first and first.text or "none"
end

-- The names of the reserved bits that are set in it; those that keep(name) wants, where it is given.
function Item:reserved_bits(layer, keep)
  local set = {}
  for _, name in ipairs(engine.reserved_set(specs[layer], self[layer])) do
    if not keep or keep(name) then set[#set + 1] = name end
  end
  return #set > 0 and table.concat(set, " ") or "none set"
end

-- The value of the IP router alert option that it came with, or nil.
function Item:router_alert() return packet.router_alert_of(self.packet) end

-- The flow of an MRI, as Session:flow_text() writes that of a session.
function Item:flow_text()
  local mri = self:values("MRI")
  return string.format("%s:%s to %s:%s, protocol %s", mri.source, mri.source_port, mri.destination,
    mri.dest_port, mri.protocol)
end

-- The MSN so many after its own; before it, where `distance` is negative.
function Item:msn_plus(distance) return Item.msn_sum(self.msn, distance) end

-- Arithmetic of MSNs, which wrap around: RFC 5973, 3.5.
function Item.msn_sum(msn, distance) return (msn + distance) % 4294967296 end

-- What it is, in a few words.
function Item:summary()
  local parts = { self.name }
  if self.natfw then
    if self.lifetime_s then parts[#parts + 1] = "lifetime " .. self.lifetime_s .. " s" end
    if self.msn then parts[#parts + 1] = "MSN " .. self.msn end
    if self.class then parts[#parts + 1] = self:info() end
  elseif self.subcode then
    parts[#parts + 1] = string.format("%s, subcode %d",
      gist.error_names[self.code] or "error " .. self.code, self.subcode)
  end
  return table.concat(parts, ", ")
end

return Item
