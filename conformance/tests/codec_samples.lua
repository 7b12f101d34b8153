-- The samples: a valid message of every kind. They cover what the tables know, are built, read and
-- built again; so are seeds, golden captures and mutations of them. What the texts forbid is
-- refused.

local engine = require("codec.engine")
local gist = require("codec.gist")
local made = require("tests.conversation")
local recording = require("judge.recording")
local natfw = require("codec.natfw")
local response_codes = require("codec.response_codes")
local samples = require("tests.samples")
local show = require("codec.show")
local support = require("tests.support")

local test, expect = support.test, support.expect
local specs = { gist = gist, natfw = natfw }
local root = support.root .. "../"

local decoded = {}
for i, one in ipairs(samples) do
  local spec = specs[one.layer]
  local octets, fault = engine.build(spec, one.message)
  expect(octets, one.name .. ": " .. tostring(fault))
  decoded[i] = engine.decode(spec, octets)
end

-- What the samples have, as "layer kind" keys.
local covered = {}
local function cover(...) covered[table.concat({ ... }, " ")] = true end

local function cover_object(layer, found)
  local values = found.values
  cover(layer, "object", found.type)
  for _, item in ipairs(values.attributes or {}) do
    cover("attribute", item.x_type, item.x_type < 7 and item.sub_type or "any")
  end
  if layer == "gist" and found.type == 0 then
    for _, flag in ipairs({ "p", "t", "f", "s", "a", "b", "d" }) do
      cover("flag", values.mrm, values.ip_ver, flag, values[flag] or "none")
    end
  elseif layer == "gist" and found.type == 9 then
    cover("error", values.code, values.subcode)
    for _, info in ipairs(values.infos) do cover("info", info.type) end
  elseif layer == "gist" and found.type == 3 then
    for _, profile in ipairs(values.profiles) do
      for _, protocol in ipairs(profile.layers) do cover("protocol", protocol) end
    end
  elseif layer == "natfw" and found.type == 0x010 then
    cover("code", values.class, values.code)
  end
end

for _, one in ipairs(decoded) do
  cover(one.layer, "message", one.header.type)
  for _, found in ipairs(one.objects) do cover_object(one.layer, found) end
end

local function is_covered(...)
  local key = table.concat({ ... }, " ")
  expect(covered[key], "no sample of: " .. key)
end

test("every message and object that the tables know has a sample", function()
  for layer, spec in pairs(specs) do
    for number in pairs(spec.messages) do is_covered(layer, "message", number) end
    for number in pairs(spec.objects) do is_covered(layer, "object", number) end
    for number in pairs(spec.foreign or {}) do is_covered(layer, "object", number) end
  end
end)

test("both routing methods have samples with each flag, in both IP versions", function()
  for _, version in ipairs({ 4, 6 }) do
    for _, flag in ipairs({ "p", "t", "s", "a", "b", "d" }) do
      is_covered("flag", 0, version, flag, 0)
      is_covered("flag", 0, version, flag, 1)
    end
    is_covered("flag", 1, version, "d", 0)
  end
  is_covered("flag", 0, 6, "f", 1)
  is_covered("flag", 1, 4, "d", 1)
  is_covered("protocol", 1)
  is_covered("protocol", 2)
end)

test("every error, class, code and attribute has a sample", function()
  for code in pairs(gist.error_names) do
    local subcodes = gist.errors[code].subcodes
    for subcode = 0, subcodes and #subcodes or 0 do is_covered("error", code, subcode) end
  end
  for kind = 1, 4 do is_covered("info", kind) end
  for class, name in pairs(natfw.class_names) do
    for code = 0, 255 do
      local known = response_codes.natfw(class, code)
      if known and known ~= name then is_covered("code", class, code) end
    end
  end
  local auth = natfw.foreign[0x016]
  for x_type in pairs(auth.names.x_type) do
    local subs = auth.names.sub_type[x_type]
    for sub_type in pairs(subs or {}) do is_covered("attribute", x_type, sub_type) end
    if not subs then is_covered("attribute", x_type, x_type < 7 and 0 or "any") end
  end
end)

-- Build after parse gives the same octets, where no reserved bit is set.
local function survives(spec, octets, where)
  local found = engine.decode(spec, octets)
  if #found.faults > 0 or #engine.reserved_set(spec, found) > 0 then return 0 end
  local again = engine.encode(spec, engine.rebuildable(found))
  expect(again == octets, where .. ": " .. show.hex(octets) .. " becomes " .. show.hex(again))
  return 1
end

test("every sample is built, read and built again as it was", function()
  for i, one in ipairs(samples) do
    expect(#decoded[i].faults == 0, one.name)
    expect(survives(specs[one.layer], decoded[i].bytes, one.name) == 1, one.name .. " is not plain")
  end
end)

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local octets = file:read("a")
  file:close()
  return octets
end

test("so is every valid message among the seeds of the fuzz targets", function()
  for layer, spec in pairs(specs) do
    local count, valid = 0, 0
    for name in io.popen("ls '" .. root .. "fuzz/seeds/" .. layer .. "_message'"):lines() do
      local octets = read_file(root .. "fuzz/seeds/" .. layer .. "_message/" .. name)
      count, valid = count + 1, valid + survives(spec, octets, name)
    end
    expect(count > 20 and valid > count / 2, valid .. " of " .. count .. " " .. layer .. " seeds")
  end
end)

local ETHERNET = 14

-- The packets of a classic capture of Ethernet.
local function read_capture(path)
  local octets, at, list = read_file(path), 25, {}
  while at + 16 <= #octets do
    local seconds, micros, size = string.unpack("<I4I4I4", octets, at)
    list[#list + 1] = { bytes = octets:sub(at + 16 + ETHERNET, at + 15 + size),
      at = seconds + micros / 1e6 }
    at = at + 16 + size
  end
  return made.reader(list)
end

test("so is every message of the golden captures", function()
  local gist_count, natfw_count = 0, 0
  for path in io.popen("ls '" .. root .. "pcaps/'*.pcap"):lines() do
    local gathered = assert(recording.messages({ path }, {}, read_capture(path)))
    for _, message in ipairs(gathered.messages) do
      gist_count = gist_count + survives(gist, message.item.gist.bytes, path)
      local inner = message.item.natfw
      natfw_count = natfw_count + (inner and survives(natfw, inner.bytes, path) or 0)
    end
  end
  expect(gist_count > 20 and natfw_count > 10, gist_count .. " and " .. natfw_count)
end)

local state = 1
local function random(limit)
  state = (state * 1103515245 + 12345) & 0x7FFFFFFF
  return (state >> 12) % limit
end

test("so is every valid message among mutations of the samples", function()
  local valid = 0
  for _ = 1, 6000 do
    local one = decoded[1 + random(#decoded)]
    local octets, place = one.bytes, 1 + random(#one.bytes)
    local changed = string.char(octets:byte(place) ~ (1 << random(8)))
    octets = octets:sub(1, place - 1) .. changed .. octets:sub(place + 1)
    valid = valid + survives(specs[one.layer], octets, "a mutation of " .. one.name)
  end
  expect(valid > 1000, valid .. " valid mutations")
end)

-- What build() refuses: a sample, what is done to it, and the words that tell.
local function object_of(message, number)
  for place, object in ipairs(message.objects) do
    if object.type == number then return object, place end
  end
end

local function set(number, field, value)
  return function(message) object_of(message, number).values[field] = value end
end

local function item(number, list, place, field, value)
  return function(message) object_of(message, number).values[list][place][field] = value end
end

local function header(field, value) return function(message) message.header[field] = value end end

local function without(number)
  return function(message)
    local _, place = object_of(message, number)
    table.remove(message.objects, place)
  end
end

local function twice(number)
  return function(message)
    local object, place = object_of(message, number)
    table.insert(message.objects, place, object)
  end
end

local function and_raw(number, raw, more)
  return function(message)
    local object = { type = number, raw = raw }
    for key, value in pairs(more or {}) do object[key] = value end
    message.objects[#message.objects + 1] = object
  end
end

local function both(first, second)
  return function(message)
    first(message)
    second(message)
  end
end

local function attribute(field, value, x_type)
  return function(message)
    for _, one in ipairs(object_of(message, 0x016).values.attributes) do
      if one.x_type == x_type then one[field] = value end
    end
  end
end

local function without_attribute(x_type)
  return function(message)
    local list = object_of(message, 0x016).values.attributes
    for place = #list, 1, -1 do
      if list[place].x_type == x_type then table.remove(list, place) end
    end
  end
end

local QUERY, HELLO, DATA = "Query, IPv4", "MA-Hello that asks", "Data in C-mode"
local LE, RESPONSE, SIX = "Query, loose-end, IPv4", "Response with a stack", "Query, IPv6"
local ERROR, NAT = "Error 10/0 Incorrect Length", "Query after two NATs"
local CREATE, EXTERNAL, PROXY = "CREATE", "EXTERNAL with ports", "CREATE by proxy, ICMP"
local REPLY, NOTIFY = "RESPONSE to EXTERNAL", "NOTIFY with SESSION_AUTH 2"
local SUCCESS = "RESPONSE 2/0x01 Success: all processed"
local AUTH = "CREATE with SESSION_AUTH 10"

local FORBIDDEN = {
  -- RFC 5971 A.1: the header.
  { QUERY, header("version", 2), "version is not 1" },
  { QUERY, header("version", 256), "version: 256 does not fit into 8 bits" },
  { QUERY, header("type", 6), "message type is unknown" },
  { QUERY, header("hops", 0), "hop count is zero" },
  { QUERY, header("length", 3), "message length" },
  { QUERY, header("reserved", 1), "header.reserved is not zero" },
  { QUERY, header("c", 0), "C-flag" }, { RESPONSE, header("c", 1), "C-flag" },
  { QUERY, header("r", 0), "R-flag" }, { RESPONSE, header("r", 0), "R-flag is clear" },
  { DATA, header("r", 1), "R-flag" }, { "Confirm", header("r", 1), "R-flag" },
  { QUERY, header("e", 1), "E-flag" }, { HELLO, header("e", 1), "E-flag" },
  -- 5.1: which objects, in which order.
  { QUERY, without(5), "Query-Cookie: missing" }, { QUERY, without(3), "Stack-Proposal: missing" },
  { QUERY, without(4), "Stack-Configuration-Data: missing" },
  { RESPONSE, without(6), "Responder-Cookie: missing" }, { DATA, without(8), "NSLP-Data: missing" },
  { HELLO, without(10), "Hello-ID: missing" }, { ERROR, without(9), "Error: missing" },
  { QUERY, twice(1), "SID: twice" }, { DATA, and_raw(10, "1234"), "Hello-ID: not allowed" },
  { DATA, and_raw(2, ("\0"):rep(12)), "NLI" },
  { DATA, and_raw(0x3F0, "1234"), "0x3F0: unknown" },
  { DATA, and_raw(0x3F0, "1234", { ab = 3 }), "0x3F0: AB is 11" },
  { DATA, and_raw(0x3F0, "1234", { ab = 1, reserved = 1 }), "0x3F0 header is not zero" },
  -- A.3.1: routing information.
  { QUERY, set(0, "mrm", 2), "MRI: mrm: has no form for 2" }, { QUERY, set(0, "n", 1), "N is set" },
  { QUERY, set(0, "ip_ver", 5), "IP-Ver is neither" }, { QUERY, set(0, "f", 1), "F is set" },
  { QUERY, set(0, "p", 0), "without P" }, { QUERY, set(0, "source_prefix", 33), "above 32" },
  { QUERY, set(0, "dest_prefix", 33), "above 32" },
  { SIX, set(0, "dest_prefix", 129), "above 128" },
  { QUERY, set(0, "reserved_flags", 1), "MRI.reserved_flags is not zero" },
  { QUERY, set(0, "source", "192.0.2.300"), "MRI: source: no address" },
  { QUERY, set(0, "source_port", 65536), "MRI: source_port: 65536 does not fit into 16 bits" },
  { LE, set(0, "d", 1), "loose-end" }, { LE, set(0, "source", "2001:db8::1"), "MRI" },
  -- A.3.2 to A.3.9.
  { QUERY, set(1, "sid", "short"), "SID" },
  { QUERY, set(2, "validity_ms", 0), "validity time is zero" },
  { QUERY, set(2, "ip_ver", 6), "NLI" }, { QUERY, set(2, "pi_length", 40), "NLI" },
  { QUERY, set(3, "profiles", {}), "no profiles" },
  { QUERY, item(3, "profiles", 1, "layers", {}), "empty profile" },
  { QUERY, set(3, "profile_count", 3), "Stack-Proposal" },
  { QUERY, set(4, "hold_time_ms", 0), "MA-Hold-Time is zero" },
  { QUERY, item(4, "options", 1, "protocol", 9), "not proposed" },
  { QUERY, item(4, "options", 1, "profile", 9), "not proposed" },
  { QUERY, set(4, "mpo_count", 9), "Stack-Configuration-Data" },
  { QUERY, set(4, "options", {}), "Forwards-TCP is proposed without options" },
  { HELLO, set(10, "hello_id", 0), "Hello-ID is zero" },
  { NAT, set(7, "mri_length", 60), "NAT-Traversal" },
  { NAT, set(7, "nat_count", 9), "NAT-Traversal" },
  { "Error 9/0 Duplicate Object", set(9, "d", 0), "Q is set without D" },
  { ERROR, set(9, "info_count", 9), "Error" },
  -- RFC 5971 A.4.4: what each error has to carry.
  { ERROR, set(9, "class", 4), "class" }, { ERROR, set(9, "infos", {}), "Additional Information" },
  { ERROR, set(9, "subcode", 9), "subcode" }, { ERROR, set(9, "code", 13), "code" },
  { ERROR, set(9, "comment", "none"), "comment" },
  { "Error 1/0 Unknown Version", both(set(9, "s", 1), set(9, "original_sid", ("s"):rep(16))),
    "session identifier" },
  -- RFC 5973 4.1, 4.3: header and objects.
  { CREATE, header("type", 5), "message type is unknown" },
  { CREATE, header("reserved", 1), "header.reserved is not zero" },
  { CREATE, header("reserved_flags", 1), "header.reserved_flags is not zero" },
  { CREATE, without(0x00C), "NATFW_LT: missing" }, { CREATE, without(0x00F), "NATFW_EFI: missing" },
  { CREATE, without(0x012), "NATFW_MSN: missing" },
  { PROXY, without(0x011), "NATFW_NONCE: missing" },
  { EXTERNAL, without(0x013), "NATFW_DTINFO: missing" },
  { REPLY, without(0x010), "NATFW_INFO: missing" },
  { REPLY, without(0x00C), "NATFW_LT: missing" }, { NOTIFY, without(0x010), "NATFW_INFO: missing" },
  { CREATE, twice(0x00C), "NATFW_LT: twice" },
  { CREATE, and_raw(0x010, "\2\1\0\0"), "NATFW_INFO: not allowed" },
  { NOTIFY, and_raw(0x012, "\0\0\0\7"), "NATFW_MSN: not allowed" },
  { CREATE, and_raw(0x3F0, "1234"), "0x3F0: unknown" },
  { CREATE, and_raw(0x3F0, "1234", { ab = 3 }), "0x3F0: AB is 11" },
  { CREATE, function(m) m.tail = "\0\0" end, "whole number of words" },
  -- 4.2: values.
  { CREATE, set(0x00C, "lifetime_s", 2 ^ 32), "does not fit into 32 bits" },
  { CREATE, set(0x00C, "lifetime_s", -1), "does not fit" },
  { CREATE, and_raw(0x014, "\0\0\0\0"), "no types" },
  { PROXY, set(0x014, "count", 9), "ICMP_TYPES" },
  { CREATE, set(0x00F, "rule_action", 3), "rule action" },
  { CREATE, set(0x00F, "sub_ports", 2), "sub_ports" },
  { REPLY, set(0x00D, "ip_ver", 6), "NATFW_EXTERNAL_IP: IP-Ver is not 4" },
  { REPLY, set(0x00E, "ip_ver", 6), "NATFW_EXTERNAL_BINDING" },
  { REPLY, set(0x010, "reserved", 1), "NATFW_INFO.reserved is not zero" },
  { SUCCESS, set(0x010, "class", 1), "only in a NOTIFY" },
  { NOTIFY, set(0x010, "class", 2), "only class 1" },
  { REPLY, set(0x010, "class", 16), "does not fit into 4 bits" },
  { EXTERNAL, both(set(0x013, "s", 1), set(0x013, "spi", 1)), "P and S are both set" },
  { EXTERNAL, set(0x013, "i", 0), "P is set without I" },
  { EXTERNAL, set(0x013, "sender_prefix", 33), "above 32" },
  { EXTERNAL, set(0x013, "address", "0.0.0.0"), "no address, but a sender prefix" },
  { EXTERNAL, set(0x013, "address", "2001:db8::1"), "NATFW_DTINFO" },
  { EXTERNAL, set(0x013, "reserved", 1), "NATFW_DTINFO.reserved is not zero" },
  -- RFC 5981.
  { AUTH, function(m) object_of(m, 0x016).ab = 0 end, "SESSION_AUTH: unknown" },
  { AUTH, function(m) object_of(m, 0x016).ab = 1 end, "SESSION_AUTH header" },
  { AUTH, both(attribute("octets", "1234", 2), attribute("x_type", 9, 2)),
    "9/0 has an unknown type" },
  { AUTH, both(attribute("octets", "1234", 1), attribute("sub_type", 11, 1)),
    "1/11 has an unknown type" },
  { AUTH, both(attribute("octets", "1234", 5), attribute("sub_type", 2, 5)),
    "5/2 has an unknown type" },
  { AUTH, attribute("sub_type", 1, 8), "SESSION_AUTH.sub_type is not zero" },
  { AUTH, attribute("length", 4, 2), "length is not above 4" },
  { AUTH, attribute("length", 400, 2), "runs past the end" },
  { AUTH, attribute("length", 9, 6), "6/1 ends inside fraction" },
  { AUTH, attribute("object_count", 9, 7), "7/0 ends inside rsv" },
  { AUTH, attribute("reserved", 1, 1), "SESSION_AUTH.reserved is not zero" },
  { AUTH, attribute("sub_type", 3, 4), "SESSION_AUTH" },
  { AUTH, without_attribute(8), "7 is there without 8" },
  { AUTH, without_attribute(3), "1/10 is there without 3" },
  { AUTH, without_attribute(5), "1/10 is there without 5" },
  { AUTH, without_attribute(7), "1/10 is there without 7" },
  { AUTH, function(m)
    local list = object_of(m, 0x016).values.attributes
    table.insert(list, table.remove(list, 1))
  end, "8 is not the last" },
  { AUTH, function(m)
    local list = object_of(m, 0x016).values.attributes
    for place, one in ipairs(list) do
      if one.x_type == 3 and one.sub_type == 4 then return table.insert(list, place, one) end
    end
  end, "3/4 is there more than once" },
}

local function copy(value)
  if type(value) ~= "table" then return value end
  local same = {}
  for key, inner in pairs(value) do same[key] = copy(inner) end
  return same
end

local function sample(name)
  for _, one in ipairs(samples) do
    if one.name == name then return one.layer, copy(one.message) end
  end
  error("no sample is called " .. name)
end

for number, row in ipairs(FORBIDDEN) do
  test("build refuses, " .. number .. ": " .. row[1] .. " with " .. row[3], function()
    local layer, message = sample(row[1])
    row[2](message)
    local octets, fault = engine.build(specs[layer], message)
    expect(not octets, "it is built")
    expect(tostring(fault):find(row[3], 1, true), "it says: " .. tostring(fault))
  end)
end

support.finish()
