-- A right message of every kind: each message type, each object, each routing method with each
-- flag, each error of RFC 5971 A.4.4, each class and code of RFC 5973 4.2.5, each attribute of RFC
-- 5981. Run as a program, it prints them as lines "gist HEX" and "natfw HEX" with what each is.

local engine = require("codec.engine")
local gist = require("codec.gist")
local natfw = require("codec.natfw")
local codes = require("codec.response_codes")

local samples = {}

local function add(layer, name, message)
  samples[#samples + 1] = { layer = layer, name = name, message = message }
end

-- GIST -------------------------------------------------------------------------------------------

local FLOWS = {
  v4 = { ip_ver = 4, source = "192.0.2.10", destination = "203.0.113.10", source_prefix = 32,
    dest_prefix = 24 },
  v6 = { ip_ver = 6, source = "2001:db8::a", destination = "2001:db8:1::b", source_prefix = 128,
    dest_prefix = 64 },
}

local function with(base, more)
  local out = {}
  for key, value in pairs(base) do out[key] = value end
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

local function mri(version, more)
  return { type = 0, values = with(FLOWS[version], with({ mrm = 0 }, more)) }
end

local function loose_end(version, more)
  local flow = FLOWS[version]
  return { type = 0, values = with({ mrm = 1, ip_ver = flow.ip_ver, source = flow.source,
    destination = flow.destination }, more) }
end

local SID = { type = 1, values = { sid = "0123456789abcdef" } }
local UDP = { p = 1, a = 1, b = 1, protocol = 17, source_port = 4000, dest_port = 5000 }

local function nli(version, identity)
  return { type = 2, values = { peer_identity = identity or "ni.example", ip_ttl = 64,
    ip_ver = version == "v6" and 6 or 4, validity_ms = 30000,
    interface = version == "v6" and "2001:db8::1" or "192.0.2.1" } }
end

local COOKIE = { type = 5, values = { cookie = "cookie56" } }
local ANSWER = { type = 6, values = { cookie = "responder-cookie" } }
local TCP, TLS = 1, 2

local function stack(port)
  local data = port and string.char(math.floor(port / 256), port % 256) or ""
  return { type = 3, values = { profiles = { { layers = { TLS, TCP } }, { layers = { TCP } } } } },
    { type = 4, values = { hold_time_ms = 30000, options = {
      { protocol = TCP, profile = 1, data = data },
      { protocol = TCP, profile = 2, d = 1, data = data },
      { protocol = TLS, profile = 1, data = "" } } } }
end

local function bytes_of(object)
  return engine.encode(gist, { header = { type = 3, length = 0 }, objects = { object } }):sub(13)
end

local function data(octets) return { type = 8, values = { data = octets } } end
local CREATE = engine.encode(natfw, { header = { type = 1 }, objects = {
  { type = 0x00C, values = { lifetime_s = 60 } }, { type = 0x00F, values = { rule_action = 1 } },
  { type = 0x012, values = { msn = 7 } } } })

local QUERY = { type = 0, c = 1, r = 1 }
local proposal, options = stack()
local offer, ports = stack(30270)
local IN_TCP = { type = 3, values = { profiles = { { layers = { TCP } } } } }
local NO_OPTIONS = { type = 4, values = { hold_time_ms = 30000, options = {} } }

add("gist", "Query, IPv4", { header = QUERY, objects = { mri("v4", UDP), SID, nli("v4"), COOKIE,
  proposal, options, data(CREATE) } })
add("gist", "Query, IPv6", { header = QUERY, objects = { mri("v6", UDP), SID, nli("v6"), COOKIE } })
add("gist", "Query, loose-end, IPv4", { header = QUERY, objects = { loose_end("v4"), SID,
  nli("v4"), COOKIE } })
add("gist", "Query, loose-end, IPv6", { header = QUERY, objects = { loose_end("v6"), SID,
  nli("v6"), COOKIE } })
add("gist", "Query after two NATs", { header = QUERY, objects = {
  { type = 7, values = { original_mri = bytes_of(mri("v4", UDP)), types = { 0, 2, 0x4005 },
    replaced = { { information = "one" }, { information = "four" } } } },
  mri("v4", UDP), SID, nli("v4"), COOKIE } })
add("gist", "Query after a NAT, IPv6 loose end", { header = QUERY, objects = {
  { type = 7, values = { original_mri = bytes_of(loose_end("v6")), types = { 0, 2 },
    replaced = { { information = "" } } } }, loose_end("v6"), SID, nli("v6"), COOKIE } })
add("gist", "Response with a stack", { header = { type = 1, r = 1 }, objects = {
  mri("v4", with(UDP, { d = 1 })), SID, nli("v4"), COOKIE, ANSWER, offer, ports } })
add("gist", "Response without a stack", { header = { type = 1 }, objects = {
  mri("v6", with(UDP, { d = 1 })), SID, nli("v6", "nr"), COOKIE } })
add("gist", "Confirm", { header = { type = 2 }, objects = { mri("v4", UDP), SID, nli("v4", ""),
  ANSWER, IN_TCP, NO_OPTIONS, data(CREATE) } })
add("gist", "Confirm in D-mode", { header = { type = 2 }, objects = { mri("v6", UDP), SID,
  nli("v6") } })
add("gist", "Data in C-mode", { header = { type = 3 }, objects = { mri("v4", UDP), SID,
  data(CREATE) } })
add("gist", "Data in D-mode", { header = { type = 3, hops = 9, nslpid = 40 }, objects = {
  mri("v4", UDP), SID, nli("v4"), data("echo") } })
add("gist", "Data in Q-mode", { header = { type = 3, c = 1 }, objects = { mri("v6", UDP), SID,
  nli("v6"), data(CREATE) } })
add("gist", "Data, explicitly routed", { header = { type = 3, e = 1, s = 0 }, objects = {
  loose_end("v4", { d = 1 }), SID, data(CREATE) } })
add("gist", "MA-Hello that asks", { header = { type = 5, r = 1, nslpid = 0 }, objects = {
  { type = 10, values = { hello_id = 7 } } } })
add("gist", "MA-Hello", { header = { type = 5 }, objects = {
  { type = 10, values = { hello_id = 0 } } } })

-- Each flag of the path-coupled method alone, then all.
for version in pairs(FLOWS) do
  local flags = { P = { p = 1, protocol = 132 }, T = { t = 1, ds_field = 46 }, D = { d = 1 },
    S = { p = 1, protocol = 50, s = 1, spi = 0xCAFEBABE },
    A = { p = 1, protocol = 6, a = 1, source_port = 4000 },
    B = { p = 1, protocol = 6, b = 1, dest_port = 5000 }, [""] = {} }
  local all = with(UDP, { t = 1, ds_field = 1, s = 1, spi = 9, d = 1 })
  if version == "v6" then
    flags.F = { f = 1, flow_label = 0xABCDE }
    all = with(all, { f = 1, flow_label = 1 })
  end
  flags.all = all
  for flag, fields in pairs(flags) do
    add("gist", "MRI " .. version .. " with flags: " .. flag, { header = { type = 3, nslpid = 40 },
      objects = { mri(version, fields), SID, data("data") } })
  end
end

-- What each AI-Type carries.
local infos = {
  { type = 1, value = "\0\31\0\0" }, { type = 2, value = "\5\220\0\0" },
  { type = 3, value = "\0\5\0\0" },
  { type = 4, value = "\0\2\0\4\0\10\0\1\0\0\0\0" },
}

local function error_sample(code, subcode, definition)
  local values = { class = definition.class, code = code, subcode = subcode, d = 1,
    q = code % 2, infos = {}, original_header = engine.encode(gist, { header = with(QUERY, {
      length = 31 }), objects = {} }) }
  for i, kind in ipairs(definition.infos and definition.infos[subcode] or {}) do
    values.infos[i] = infos[kind]
  end
  if not definition.without_flow then
    values.s, values.original_sid = 1, SID.values.sid
    values.m, values.original_mri = 1, bytes_of(code % 2 == 0 and mri("v4", UDP) or mri("v6", UDP))
  end
  if subcode == 0 then values.c, values.comment = 1, "a comment\0\0\0" end
  local name = definition.subcodes and definition.subcodes[subcode] or gist.error_names[code]
  add("gist", "Error " .. code .. "/" .. subcode .. " " .. name, { header = { type = 4 },
    objects = { nli("v4"), { type = 9, values = values } } })
end

for code, definition in ipairs(gist.errors) do
  for subcode = 0, definition.subcodes and #definition.subcodes or 0 do
    error_sample(code, subcode, definition)
  end
end

-- NATFW ------------------------------------------------------------------------------------------

local LT = { type = 0x00C, values = { lifetime_s = 60 } }
local MSN = { type = 0x012, values = { msn = 7 } }
local EFI = { type = 0x00F, values = { rule_action = 1, sub_ports = 1 } }
local DENY = { type = 0x00F, values = { rule_action = 2 } }
local NONCE = { type = 0x011, values = { nonce = 0xDEADBEEF } }
local ICMP = { type = 0x014, values = { types = { 8, 0, 3, 11 } } }

local function info(class, code, object_type)
  return { type = 0x010, values = { class = class, code = code, object_type = object_type } }
end

local function dtinfo(values)
  return { type = 0x013, values = with({ i = 1, sender_prefix = 32, protocol = 17,
    address = "198.51.100.1" }, values) }
end

local function request(name, kind, flags, ...)
  add("natfw", name, { header = with({ type = kind }, flags), objects = { ... } })
end

request("CREATE", 1, {}, LT, EFI, MSN)
request("CREATE of a deletion", 1, {}, { type = 0x00C, values = { lifetime_s = 0 } }, EFI, MSN)
request("CREATE by proxy, ICMP", 1, { p = 1, e = 1 }, LT, DENY, NONCE, MSN, ICMP)
request("CREATE with one ICMP type", 1, {}, LT, EFI, MSN,
  { type = 0x014, values = { types = { 8 } } })
request("EXTERNAL with ports", 2, {}, LT, EFI, MSN, dtinfo({ p = 1, dr_port = 5000, ds_port = 0 }))
request("EXTERNAL with an SPI", 2, {}, LT, DENY, MSN, dtinfo({ s = 1, protocol = 50, spi = 256 }))
request("EXTERNAL of any sender", 2, {}, LT, DENY, MSN, dtinfo({ i = 0, protocol = 0,
  sender_prefix = 0, address = "0.0.0.0" }))
request("EXTERNAL by proxy with a binding", 2, { p = 1 }, LT,
  { type = 0x00E, values = { port = 0, addresses = {} } }, EFI, NONCE, MSN,
  dtinfo({ p = 1, protocol = 6, dr_port = 22, ds_port = 0, sender_prefix = 24 }), ICMP)
request("RESPONSE to EXTERNAL", 3, {}, LT,
  { type = 0x00D, values = { port = 5000, address = "203.0.113.1" } },
  { type = 0x00E, values = { port = 5000, addresses = { { address = "192.0.2.1" },
    { address = "198.51.100.1" } } } }, info(2, 1), MSN)
for class in pairs(natfw.class_names) do
  for code = 1, 0x12 do
    if codes.natfw(class, code) ~= natfw.class_names[class] then
      local name = string.format("%d/0x%02X %s", class, code, codes.natfw(class, code))
      if class == 1 then
        request("NOTIFY " .. name, 4, {}, info(class, code))
      else
        request("RESPONSE " .. name, 3, {}, LT, info(class, code, class > 2 and 0x00F or 0), MSN)
      end
    end
  end
end

local attributes = {
  { x_type = 2, sub_type = 0, session_id = "1234567" },
  { x_type = 3, sub_type = 1, address = "192.0.2.10" },
  { x_type = 3, sub_type = 2, address = "2001:db8::a" },
  { x_type = 3, sub_type = 3, ports = { 4000, 4001, 4002 } },
  { x_type = 3, sub_type = 4, ports = { 80 } },
  { x_type = 3, sub_type = 5, spi = 256 },
  { x_type = 4, sub_type = 1, address = "203.0.113.10" },
  { x_type = 4, sub_type = 2, address = "2001:db8::b" },
  { x_type = 4, sub_type = 3, ports = { 5000 } },
  { x_type = 4, sub_type = 4, ports = { 443, 8443 } },
  { x_type = 4, sub_type = 5, spi = 257 },
  { x_type = 5, sub_type = 1, seconds = 3900000000, fraction = 5 },
  { x_type = 6, sub_type = 1, seconds = 3900000300, fraction = 0 },
  { x_type = 7, sub_type = 0, object_types = { { object_type = 0x00C }, { object_type = 0x00F } } },
}

local ENTITIES = {
  { address = "192.0.2.53" }, { address = "2001:db8::35" }, { name = "auth.example" },
  { name = "CN=auth" }, { name = "CN=\195\164" }, { name = "http://auth.example/" },
  { name = "auth@EXAMPLE" }, { name = "CN=auth,O=example" }, { certificate = "\1\2\3" },
  { transform_id = 5 },
}

request("CREATE with an object list and a certificate", 1, {}, LT, EFI, MSN, { type = 0x016,
  values = { attributes = { { x_type = 1, sub_type = 8, name = "CN=auth" },
    { x_type = 7, sub_type = 0, object_types = { { object_type = 0x00C } } },
    { x_type = 8, sub_type = 0, authentication_data = "signed" } } } })

-- The whole list of attributes goes with the last, HMAC_SIGNED, for it needs them.
for sub_type, entity in ipairs(ENTITIES) do
  local list = { with(entity, { x_type = 1, sub_type = sub_type }) }
  for _, attribute in ipairs(sub_type == #ENTITIES and attributes or {}) do
    list[#list + 1] = attribute
  end
  local keyed = sub_type < 7 or sub_type == 10
  list[#list + 1] = { x_type = 8, sub_type = 0, key_id = keyed and 3 or nil,
    authentication_data = "signature" }
  local auth = { type = 0x016, values = { attributes = list } }
  if sub_type == 1 then
    request("RESPONSE with SESSION_AUTH 1", 3, {}, LT, info(2, 1), MSN, auth)
  elseif sub_type == 2 then
    request("NOTIFY with SESSION_AUTH 2", 4, {}, info(1, 2), auth)
  else
    request("CREATE with SESSION_AUTH " .. sub_type, 1, {}, LT, EFI, MSN, auth)
  end
end

table.sort(samples, function(a, b)
  if a.layer ~= b.layer then return a.layer < b.layer end
  return a.name < b.name
end)

function samples.lines()
  local out = {}
  for i, one in ipairs(samples) do
    local spec = one.layer == "gist" and gist or natfw
    local octets, fault = engine.build(spec, one.message)
    if not octets then error(one.name .. ": " .. fault) end
    local hex = octets:gsub(".", function(c) return string.format("%02x", c:byte()) end)
    out[i] = string.format("%s %s %s", one.layer, hex, one.name)
  end
  return out
end

if arg and ("/" .. arg[0]):find("/samples%.lua$") then
  print(table.concat(samples.lines(), "\n"))
end

return samples
