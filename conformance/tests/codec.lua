-- The codec: figures octet for octet, encode and decode as inverses, and complete lists of faults.
-- With NATFW_CAPTURES naming a file of lines "gist HEX", those are decoded as well.

local engine = require("codec.engine")
local address = require("codec.address")
local gist = require("codec.gist")
local json = require("codec.json")
local messages = require("runner.messages")
local natfw = require("codec.natfw")
local packet = require("codec.packet")
local show = require("codec.show")
local support = require("tests.support")

local test, expect = support.test, support.expect

local function same(actual, wanted)
  expect(actual == wanted, "expected " .. tostring(wanted) .. ", got " .. tostring(actual))
end

local function faults_of(decoded)
  local list = {}
  for _, fault in ipairs(decoded.faults) do
    list[#list + 1] = string.format("%d/%d", fault.class, fault.code)
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function natfw_faults(hex) return faults_of(engine.decode(natfw, show.unhex(hex))) end
local function gist_faults(hex) return faults_of(engine.decode(gist, show.unhex(hex))) end

-- CREATE: lifetime 60, allow, MSN 7.
local HEADER, LT, EFI, MSN = "01000000", "000c00010000003c", "000f000100010000", "0012000100000007"
local CREATE = HEADER .. LT .. EFI .. MSN
-- RESPONSE: success.
local INFO = "0010000102010000"
local RESPONSE = "03000000" .. LT .. MSN .. INFO

-- A Query as another implementation sent it, with this NSLPID.
local QUERY = "0120001d002180c0" -- header: 29 words
  .. "00000004" .. "00004000" .. "0a0a0102" .. "0a0a0202" .. "20200000" -- MRI
  .. "00010004" .. ("00"):rep(16) -- session id
  .. "00020007" .. "10404000" .. "00007530" .. ("f0"):rep(16) .. "0a0a0102" -- NLI
  .. "00050001" .. "29c2189c" -- cookie
  .. "00030003" .. "02000000" .. "01010000" .. "02020100" -- proposal
  .. "00040004" .. "02000000" .. "0002bf20" .. "01010000" .. "01020000" -- configuration

test("a CREATE is laid out as figures 20 to 28 say", function()
  same(show.hex(messages.encode_natfw(messages.create({ lifetime_s = 60, msn = 7 }))), CREATE)
  same(show.hex(messages.encode_natfw(messages.nslp_response({ lifetime_s = 60, msn = 7 }))),
    RESPONSE)
  same(show.hex(messages.encode_natfw(messages.notify("1/0x05"))), "04000000" .. "0010000101050000")
end)

-- A Query with these octets instead of some of its own.
local function query_with(wrong, instead)
  local from, to = QUERY:find(wrong, 1, true)
  local objects = QUERY:sub(17, from - 1) .. instead .. QUERY:sub(to + 1)
  return string.format("0120%04x", #objects / 8) .. QUERY:sub(9, 16) .. objects
end

test("a loose end is read, and no other routing method", function()
  local hex = query_with("00000004" .. "00004000" .. "0a0a0102" .. "0a0a0202" .. "20200000",
    "00000003" .. "01004000" .. "0a0a0102" .. "0a0a0202")
  local decoded = engine.decode(gist, show.unhex(hex))
  same(faults_of(decoded), "")
  same(show.plain(decoded).objects[1].fields.destination, "10.10.2.2")
  same(gist_faults(query_with("00000004" .. "00004000", "00000004" .. "02004000")), "10/1")
end)

test("faults before the one that ends an object are listed, too", function()
  same(gist_faults(query_with("10404000", "30401000")), "10/0 10/1") -- NLI: identity, IP-Ver
  same(gist_faults(query_with("02000000" .. "01010000", "03000000" .. "00000000")),
    "10/0 10/3 10/5") -- proposal: an empty profile, a missing one
end)

test("Forwards-TCP is proposed with options", function()
  same(gist_faults(query_with("0002bf20" .. "01010000", "0002bf20" .. "02020000")), "10/5")
end)

test("an Error has a comment only with its flag", function()
  local start, rest = "0101000600000480" .. "00090005" .. "02000100", "01200000002180c0"
  same(gist_faults(start .. "20000000" .. rest .. "6e6f0000"), "")
  same(gist_faults(start .. "00000000" .. rest .. "6e6f0000"), "10/0")
end)

test("valid messages have no fault", function()
  same(natfw_faults(CREATE), "")
  same(natfw_faults(RESPONSE), "")
  same(natfw_faults(HEADER .. MSN .. EFI .. LT), "")
  same(natfw_faults("03000000" .. MSN .. "0010000105020000"), "")
  same(gist_faults(QUERY), "")
end)

test("what was decoded encodes to the same octets", function()
  for _, case in ipairs({ { natfw, CREATE }, { natfw, RESPONSE }, { gist, QUERY } }) do
    local decoded = engine.decode(case[1], show.unhex(case[2]))
    local objects = {}
    for i, found in ipairs(decoded.objects) do objects[i] = { type = found.type,
      values = found.values } end
    same(show.hex(engine.encode(case[1], { header = decoded.header, objects = objects })), case[2])
  end
end)

test("EXTERNAL and its objects are laid out as figures 24, 29 and 30 say", function()
  local bytes = engine.encode(natfw, { header = { type = 2, p = 1 }, objects = {
    { type = 0x00C, values = { lifetime_s = 60 } }, { type = 0x012, values = { msn = 7 } },
    { type = 0x00F, values = { rule_action = 1, sub_ports = 0 } },
    { type = 0x013, values = { i = 1, p = 1, s = 0, sender_prefix = 32, protocol = 17,
      dr_port = 5004,
      ds_port = 0, address = "192.0.2.1" } },
    { type = 0x011, values = { nonce = 9 } },
    { type = 0x014, values = { types = { 8, 0, 3, 11 } } },
    { type = 0x00E, values = { port = 0, addresses = { { address = "192.0.2.9" } } } } } })
  same(show.hex(bytes), "02800000" .. LT .. MSN .. EFI .. "00130003" .. "c0002011" .. "138c0000"
    .. "c0000201"
    .. "0011000100000009" .. "00140002" .. "04080003" .. "0b000000" .. "000e0002" .. "00004000"
      .. "c0000209")
  same(faults_of(engine.decode(natfw, bytes)), "")
end)

-- RFC 5981, figure 5, and figure 1 with a port list and a name of five octets.
local FIGURE_5 = "8016000e" .. "0008010a" .. "00000005" .. "00080301" .. "c0000201" .. "000c0501"
  .. "e0000000" .. "00000001" .. "000a0700" .. "0002000c" .. "000f0000" .. "00100800" .. "00000003"
  .. "cafebabe" .. "deadbeef"

test("a session authorisation is laid out as figures 1 and 5 of RFC 5981 say", function()
  local found = engine.decode(natfw, show.unhex(CREATE .. FIGURE_5))
  same(faults_of(found), "")
  local shown = show.plain(found).objects[4]
  same(shown.name, "SESSION_AUTH")
  same(json.encode(shown.fields.attributes),
    '[{"length":8,"sub_type":10,"transform_id":5,"x_type":1},'
    .. '{"address":"192.0.2.1","length":8,"sub_type":1,"x_type":3},'
    .. '{"fraction":1,"length":12,"seconds":3758096384,"sub_type":1,"x_type":5},'
    .. '{"length":10,"object_count":2,"object_types":[{"object_type":12},{"object_type":15}],'
    .. '"sub_type":0,"x_type":7},{"authentication_data":"cafebabedeadbeef","key_id":3,"length":16,'
    .. '"sub_type":0,"x_type":8}]')
  local values = { attributes = {
    { x_type = 1, sub_type = 3, name = "ni.ex" },
    { x_type = 4, sub_type = 3, ports = { 80, 81, 82 } },
    { x_type = 8, sub_type = 0, key_id = 3, authentication_data = "\202\254" } } }
  local bytes = engine.encode(natfw, { header = { type = 4 }, objects = {
    { type = 0x016, values = values } } })
  same(show.hex(bytes), "04000000" .. "80160009" .. "00090103" .. "6e692e65" .. "78000000"
    .. "000a0403" .. "00500051" .. "00520000" .. "000a0800" .. "00000003" .. "cafe0000")
end)

test("each fault of a NATFW message is found", function()
  same(natfw_faults("0100"), "3/2")
  same(natfw_faults("09000000" .. LT .. EFI .. MSN), "3/1")
  same(natfw_faults(CREATE .. "0000"), "3/2 3/2 3/7")
  same(natfw_faults(HEADER .. LT .. EFI), "3/4")
  same(natfw_faults(HEADER .. LT .. LT .. EFI .. MSN), "3/10")
  same(natfw_faults(CREATE .. INFO), "3/5")
  same(natfw_faults(CREATE .. "03f0000100000000"), "3/6")
  same(natfw_faults(CREATE .. "43f0000100000000"), "")
  same(natfw_faults(CREATE .. "83f0000100000000"), "")
  same(natfw_faults(CREATE .. "c3f0000100000000"), "3/9")
  same(natfw_faults(HEADER .. "000c0002000000000000003c" .. EFI .. MSN), "3/7")
  same(natfw_faults(HEADER .. LT .. EFI .. "0012000200000007"), "3/7")
  same(natfw_faults(HEADER .. LT .. "000f000100030000" .. MSN), "7/5")
  same(natfw_faults(HEADER .. LT .. "000f000100010002" .. MSN), "7/8")
  same(natfw_faults("01800000" .. LT .. EFI .. MSN), "3/4")
  same(natfw_faults("03000000" .. MSN .. INFO), "3/4")
  same(natfw_faults("02000000" .. LT .. EFI .. MSN), "3/4 7/7")
  same(natfw_faults("02000000" .. LT .. EFI .. MSN .. "00130002" .. "60000000" .. "00000000"),
    "3/7 3/9 3/9 3/9")
end)

test("all faults of a message are listed, not only the first", function()
  same(natfw_faults("01000000" .. LT .. LT .. "000f000100030007" .. INFO .. "c3f0000100000000"),
    "3/10 3/4 3/5 3/9 7/5 7/8")
end)

test("each fault of a GIST message is found", function()
  local function changed(position, text)
    return QUERY:sub(1, position - 1) .. text .. QUERY:sub(position + #text)
  end
  same(gist_faults("0101"), "1/3")
  same(gist_faults(changed(1, "02")), "1/0")
  same(gist_faults(changed(3, "00")), "2/0")
  expect(gist_faults(changed(5, "001c")):find("1/3", 1, true), "a wrong message length")
  same(gist_faults(changed(13, "e3")), "1/1")
  same(gist_faults(changed(15, "80")), "1/2")
  same(gist_faults(changed(15, "e0")), "1/4")
  same(gist_faults(changed(13, "00")), "1/5")
  same(gist_faults(changed(17, "c0")), "9/5")
  expect(gist_faults(changed(30, "2")):find("10/2", 1, true), "F in IPv4")
  expect(gist_faults(changed(31, "8")):find("10/2", 1, true), "A without P")
  expect(gist_faults(changed(29, "5")):find("10/1", 1, true), "an unknown IP version")
end)

test("duplicate, missing, misplaced and unknown GIST objects are found", function()
  local mri, sid = "00000004000040000a0a01020a0a020220200000", "00010004" .. ("11"):rep(16)
  local function data(...)
    local body = table.concat({ ... })
    return string.format("0101%04x00210380", #body / 8) .. body
  end
  local payload = "00080001" .. "01000000"
  same(gist_faults(data(mri, sid, payload)), "")
  same(gist_faults(data(mri, payload)), "9/2")
  same(gist_faults(data(mri, mri, sid, payload)), "9/0")
  same(gist_faults(data(sid, mri, payload)), "9/3")
  same(gist_faults(data(mri, sid, payload, "03f00000")), "9/1")
  same(gist_faults(data(mri, sid, payload, "43f00000")), "")
  same(gist_faults(data(mri, sid, payload, "000a000100000001")), "9/3")
end)

test("no octets make the decoder fail", function()
  local state = 1
  local function random(limit)
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return (state >> 12) % limit
  end
  for round = 1, 3000 do
    local spec = round % 2 == 0 and natfw or gist
    local bytes = show.unhex(spec == gist and QUERY or CREATE)
    for _ = 1, 1 + random(4) do
      local place = 1 + random(#bytes)
      bytes = bytes:sub(1, place - 1) .. string.char(random(256)) .. bytes:sub(place + 1)
    end
    bytes = bytes:sub(1, #bytes - (random(3) == 0 and random(#bytes) or 0))
    local decoded = engine.decode(spec, bytes)
    expect(json.encode(show.plain(decoded)) and #show.lines(decoded) > 0, "cannot be shown")
  end
end)

test("an IPv4 packet is built with its option, DF and checksums, and read again", function()
  local bytes = packet.build({ source = "10.0.0.1", destination = "10.0.0.2", source_port = 270,
    destination_port = 270, payload = "abc", options = packet.router_alert(65) })
  local parts = packet.parse(bytes)
  same(packet.router_alert_of(parts), 65)
  same(parts.df, true)
  same(parts.payload, "abc")
  same(show.hex(bytes:sub(1, 24)), "46000023000040004011" .. show.hex(bytes:sub(11, 12))
    .. "0a0000010a00000294040041")
end)

test("addresses go to text and back", function()
  for _, text in ipairs({ "192.0.2.1", "2001:db8::1", "::", "fe80::1:0:0:2", "1:2:3:4:5:6:7:8" }) do
    same(address.format(assert(address.parse(text))), text)
  end
  same(address.parse("300.1.1.1"), nil)
  same(address.add("10.0.0.255", 2), "10.0.1.1")
end)

test("JSON is escaped and ordered", function()
  same(json.encode({ b = 1, a = { 1, 2 }, c = "x\"\n\1", d = json.array({}) }),
    '{"a":[1,2],"b":1,"c":"x\\"\\n\\u0001","d":[]}')
end)

test("a line for the comparison names fields and faults", function()
  local text = json.encode(show.line("natfw " .. CREATE .. INFO))
  expect(text:find('"faults":[{"class":3,"code":5,"object":16', 1, true), text)
  expect(text:find('"fields":{"lifetime_s":60}', 1, true), text)
  expect(show.line("nonsense").error ~= nil, "nonsense is accepted")
end)

local captures = os.getenv("NATFW_CAPTURES")
if captures then
  test("every message of the captures given decodes without a fault", function()
    local count = 0
    for line in io.lines(captures) do
      local decoded = show.line(line)
      expect(decoded.faults and #decoded.faults == 0, line .. ": " .. json.encode(decoded.faults
        or {}))
      count = count + 1
    end
    expect(count > 0, "no line in " .. captures)
  end)
end

-- Appendix A.4.4, read once more.
test("each error of GIST has its class", function()
  local classes = { 2, 4, 2, 2, 2, 4, 4, 4, 2, 2, 4, 4 }
  for code, class in ipairs(classes) do
    expect(gist.errors[code].class == class, "error " .. code .. ": class "
      .. gist.errors[code].class)
  end
  expect(#gist.errors == #classes, "there are " .. #gist.errors)
end)

test("an IPv6 prefix may be 128 bits long, and no longer", function()
  local function faults_with(field, bits)
    local flow = { source = "2001:db8::1", destination = "2001:db8::2", protocol = "udp",
      source_port = 1, destination_port = 2 }
    local data = messages.data({ sid = ("s"):rep(16), flow = flow }, 0, "\0\0\0\0")
    local values = data.objects[1].values
    values.ip_ver, values.source_prefix, values.dest_prefix = 6, 128, 128
    values[field] = bits
    return faults_of(engine.decode(gist, messages.encode_gist(data)))
  end
  for _, field in ipairs({ "source_prefix", "dest_prefix" }) do
    same(faults_with(field, 128), "")
    same(faults_with(field, 129), "10/1")
  end
end)

support.finish()
