-- The Wireshark dissector under tshark, on captures made here: each field as the codec reads it,
-- TCP put together, faults as expert information. Skipped where there is no tshark with Lua.

local engine = require("codec.engine")
local gist = require("codec.gist")
local recording = require("judge.recording")
local made = require("tests.conversation")
local natfw = require("codec.natfw")
local rows = require("codec.rows")
local samples = require("tests.samples")
local show = require("codec.show")
local support = require("tests.support")

local test, expect = support.test, support.expect

local SKIPPED = 77
local RAW_IP = 101
local script = support.root .. "wireshark/natfw.lua"

local function run(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local output = pipe:read("a")
  pipe:close()
  return output
end

if not run("tshark --version"):find("Lua", 1, true) then
  print("no tshark with Lua")
  os.exit(SKIPPED)
end

-- A capture file of these packets, in the order of time.
local function write_capture(list)
  table.sort(list, function(a, b) return a.at < b.at end)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(string.pack("<I4I2I2i4I4I4I4", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP))
  for _, one in ipairs(list) do
    file:write(string.pack("<I4I4I4I4", one.at // 1 | 0, 0, #one.bytes, #one.bytes), one.bytes)
  end
  file:close()
  return path
end

local function tshark(path, arguments)
  return run(string.format("tshark -X 'lua_script:%s' -r '%s' %s", script, path, arguments))
end

-- Every field by its filter name, from PDML: name -> list of values in hex or as shown.
local function dissected(path)
  local fields = {}
  for attributes in tshark(path, "-T pdml"):gmatch("<field (.-)/?>") do
    local name = attributes:match('name="([^"]*)"')
    if name:find("^gist%.") or name:find("^natfw%.") then
      fields[name] = fields[name] or {}
      table.insert(fields[name], attributes:match(' show="([^"]*)"'))
    end
  end
  return fields
end

-- Adds what the codec says of a message to fields, name -> list of values; of what is within octets
-- too.
local function collect(fields, spec, message)
  local function each(prefix, list, values)
    rows.layout(list, values, function(row, value, _, _, owner)
      local name = prefix .. row[1]
      local inner, inside
      if row[2] == "bytes" then
        inner, inside = rows.inside(row, value, owner)
        if not row.text then value = show.hex(value):gsub("%x%x", "%0:"):sub(1, -2) end
      elseif row[2] == "address" and value:find(":", 1, true) then
        name = name .. "_v6"
      end
      if value == "" then return end
      fields[name] = fields[name] or {}
      table.insert(fields[name], tostring(value))
      if inner then each(name .. ".", inner, inside) end
    end)
  end
  each(spec.layer .. ".", spec.header, message.header)
  for _, object in ipairs(message.objects) do
    local known = engine.object_of(spec, object.type)
    local nested = spec == gist and object.type == 8 and message.header.nslpid == gist.nslpid
    if known and object.values and not nested then
      each(spec.layer .. "." .. known.name:lower():gsub("[^%w]", "_") .. ".", known.fields,
        object.values)
    end
  end
end

-- What the codec says of the messages in packets: fields, and how many messages.
local function decoded(list)
  local fields = {}
  local gathered = assert(recording.messages({ "made" }, made.iut, made.reader(list)))
  for _, message in ipairs(gathered.messages) do
    collect(fields, gist, message.item.gist)
    if message.item.natfw then collect(fields, natfw, message.item.natfw) end
  end
  return fields, #gathered.messages
end

local function expect_same(wanted, got)
  for name, values in pairs(wanted) do
    local sorted = got[name] or {}
    table.sort(values)
    table.sort(sorted)
    expect(table.concat(values, " ") == table.concat(sorted, " "), name .. ": the codec has "
      .. table.concat(values, " ") .. ", tshark " .. table.concat(sorted, " "))
  end
end

local function compare(list)
  local path = write_capture(list)
  local wanted, count = decoded(list)
  local got = dissected(path)
  os.remove(path)
  expect(count == 13, count .. " messages")
  expect_same(wanted, got)
end

test("each field of a conversation has its name and the codec's value", function()
  compare(made.packets(made.conversation()))
end)

test("messages in torn and repeated segments are put together", function()
  compare(made.packets(made.conversation(), { seed = 3, in_order = true }))
end)

test("a fault is expert information at its object, and reserved bits are a note", function()
  local steps = made.conversation(function(name, message)
    if name == "RESPONSE" then table.remove(message.objects, 1) end
    if name == "Response" then message.header.reserved = 1 end
  end)
  local path = write_capture(made.packets(steps))
  local faults = tshark(path, "-Y natfw.fault -T fields -e natfw.type -e _ws.expert.message")
  local notes = tshark(path, "-Y gist.reserved_set -T fields -e gist.type")
  local all = tshark(path, "-Y 'gist.fault or natfw.fault' -T fields -e frame.number")
  os.remove(path)
  expect(faults:find("^3\t3/0x04 NATFW_LT: missing"), faults)
  expect(notes == "1\n", notes)
  expect(select(2, all:gsub("\n", "")) == 1, all)
end)

-- A packet of one sample: version 4 or 6, "udp" or "tcp".
local function wrap(version, transport, octets, number)
  local port = 40000 + number
  local segment
  if transport == "udp" then
    segment = string.pack(">I2I2I2I2", 270, 270, 8 + #octets, 0) .. octets
  else
    segment = string.pack(">I2I2I4I4BBI2I2I2", port, 30000, 1, 1, 0x50, 0x18, 65535, 0, 0) .. octets
  end
  local protocol = transport == "udp" and 17 or 6
  if version == 4 then
    return string.pack(">BBI2I2I2BBI2I4I4", 0x45, 0, 20 + #segment, 0, 0, 64, protocol, 0,
      0xC000020A, 0xCB00710A) .. segment
  end
  local source, destination = ("\32\1\13\184" .. ("\0"):rep(11)), "\1"
  return string.pack(">I4I2BB", 0x60000000, #segment, protocol, 64) .. source .. "\1" .. source
    .. destination .. segment
end

-- Every sample as a GIST message: those of NATFW within a Data.
local function sample_messages()
  local list = {}
  for i, one in ipairs(samples) do
    local message = one.message
    if one.layer == "natfw" then
      message = { header = { type = 3 }, objects = {
        { type = 0, values = { mrm = 1, ip_ver = 6, source = "2001:db8::1",
          destination = "2001:db8::2" } },
        { type = 1, values = { sid = ("s"):rep(16) } },
        { type = 8, values = { data = assert(engine.build(natfw, one.message)) } } } }
    end
    list[i] = { name = one.name, octets = assert(engine.build(gist, message)), layer = one.layer,
      inner = one.layer == "natfw" and assert(engine.build(natfw, one.message)) or nil }
  end
  return list
end

for _, version in ipairs({ 4, 6 }) do
  for _, transport in ipairs({ "udp", "tcp" }) do
    local title = string.format("IPv%d and %s", version, transport:upper())
    test("each field of every sample has its name and value over " .. title, function()
      local list, wanted = {}, {}
      for number, one in ipairs(sample_messages()) do
        local message = engine.decode(gist, one.octets)
        local octets = (transport == "udp" and gist.magic or "") .. one.octets
        local data = message.by_type[8]
        if transport == "udp" or message.header.c == 0 then -- no association carries Q-mode
          list[#list + 1] = { at = number, bytes = wrap(version, transport, octets, number) }
          collect(wanted, gist, message)
          if data and message.header.nslpid == gist.nslpid then
            collect(wanted, natfw, engine.decode(natfw, data.raw))
          end
        end
      end
      local path = write_capture(list)
      local got = dissected(path)
      local faults = tshark(path, "-Y 'gist.fault or natfw.fault or gist.sender_fault or "
        .. "natfw.sender_fault or gist.reserved_set or natfw.reserved_set or _ws.lua.error'")
      os.remove(path)
      local names = 0
      for _ in pairs(wanted) do names = names + 1 end
      expect(names > 100, names .. " fields")
      expect_same(wanted, got)
      expect(faults == "", faults)
    end)
  end
end

-- Spoiled samples, and the expert information that tells: { sample, spoil, filter, text }.
local function spoiled(name, spoil)
  for _, one in ipairs(samples) do
    if one.name == name then
      local spec = one.layer == "gist" and gist or natfw
      local octets = spoil(assert(engine.build(spec, one.message)))
      if spec == gist then return octets end
      return engine.encode(gist, { header = { type = 3 }, objects = {
        { type = 0, values = { mrm = 1, ip_ver = 4, source = "192.0.2.1",
          destination = "192.0.2.2" } },
        { type = 1, values = { sid = ("s"):rep(16) } }, { type = 8, raw = octets } } })
    end
  end
  error("no sample is called " .. name)
end

local function octet(place, value)
  return function(octets)
    return octets:sub(1, place - 1) .. string.char(value) .. octets:sub(place + 1)
  end
end

local function find(wrong, instead)
  return function(octets)
    local hex = show.hex(octets)
    local from, to = hex:find(wrong, 1, true)
    expect(from, wrong .. " is not in " .. hex)
    return show.unhex(hex:sub(1, from - 1) .. instead .. hex:sub(to + 1))
  end
end

local SPOILED = {
  { "Query, IPv4", octet(1, 2), "gist.fault", "error 1, subcode 0: version is not 1" },
  { "Query, IPv4", octet(2, 0), "gist.fault", "error 2, subcode 0: hop count is zero" },
  { "Query, IPv4", octet(7, 6), "gist.fault", "error 1, subcode 1: message type is unknown" },
  { "Query, IPv4", octet(8, 0xC1), "gist.reserved_set", "header.reserved is not zero" },
  { "Query, IPv4", find("000048c0", "00004ac0"), "gist.fault",
    "MRI: F is set, but IP-Ver is not 6" },
  { "Query, IPv4", find("000048c0", "000040c0"), "gist.fault", "MRI: A is set without P" },
  { "Query, IPv4", find("00007530", "00000000"), "gist.fault", "NLI: routing state validity" },
  { "Query, IPv4", find("00010004", "00080004"), "gist.fault", "SID: missing" },
  { "Error 9/0 Duplicate Object", find("0009001802000900", "0009001804000900"), "gist.sender_fault",
    "Error: class is 4, for code 9 it is 2" },
  { "Error 9/0 Duplicate Object", find("0009001802000900", "000900180200090a"), "gist.sender_fault",
    "Error: subcode 10 is not one of code 9" },
  { "CREATE", octet(1, 9), "natfw.fault", "3/0x01 message type is unknown" },
  { "CREATE", octet(4, 1), "natfw.reserved_set", "header.reserved is not zero" },
  { "CREATE", find("000f0001", "00100001"), "natfw.fault", "3/0x04 NATFW_EFI: missing" },
  { "CREATE", find("000c0001", "000c0002"), "natfw.fault", "3/0x07 NATFW_LT: longer" },
  { "EXTERNAL with ports", find("c0002011", "e0002011"), "natfw.fault", "P and S are both set" },
  { "CREATE with SESSION_AUTH 10", find("8016", "0016"), "natfw.fault", "SESSION_AUTH: unknown" },
  { "CREATE with SESSION_AUTH 10", find("0c0501", "0c0502"), "natfw.fault",
    "5/2 has an unknown type" },
}

for number, row in ipairs(SPOILED) do
  test("expert information tells of: " .. row[4], function()
    local list = {}
    for place, version in ipairs({ 4, 6 }) do
      list[place] = { at = place,
        bytes = wrap(version, "udp", gist.magic .. spoiled(row[1], row[2]), number) }
    end
    local path = write_capture(list)
    local told = tshark(path, "-Y " .. row[3] .. " -T fields -e _ws.expert.message")
    os.remove(path)
    local count = select(2, told:gsub(row[4]:gsub("%p", "%%%0"), ""))
    expect(count == 2, count .. " times in: " .. told)
  end)
end

test("messages cut short anywhere end no dissection", function()
  local list = {}
  for at, step in ipairs(made.conversation()) do
    for size = 0, #step.bytes - 1, 3 do
      local cut = { { from = step.from, to = step.to, mode = "Q",
        bytes = step.bytes:sub(1, size) } }
      local one = made.packets(cut, { open_ended = true })[1]
      list[#list + 1] = { bytes = one.bytes, at = at }
    end
  end
  local path = write_capture(list)
  local output = tshark(path, "-V")
  local seen = select(2, output:gsub("General Internet Signalling Transport, ", ""))
  os.remove(path)
  expect(#list > 300 and seen > 300, seen .. " of " .. #list)
  expect(not output:find("Lua Error", 1, true), output:match("Lua Error[^\n]*"))
end)

test("what is not GIST is left alone", function()
  local steps = { { from = made.NI, to = made.INSIDE, mode = "D", magic = "GET ",
    bytes = "/ HTTP" } }
  local path = write_capture(made.packets(steps, { open_ended = true }))
  local output = tshark(path, "-Y gist")
  os.remove(path)
  expect(output == "", output)
end)

support.finish()
