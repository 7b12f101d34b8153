-- The Wireshark dissector under tshark, on captures made here: each field as the codec reads it, TCP
-- put together, faults as expert information. Skipped where there is no tshark with Lua.

local engine = require("codec.engine")
local gist = require("codec.gist")
local judge = require("judge.judge")
local made = require("tests.conversation")
local natfw = require("codec.natfw")
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

-- What the codec says of the same messages: name -> list of values.
local function decoded(list)
  local fields = {}
  local function add(name, row, value)
    if row[2] == "bytes" then value = show.hex(value):gsub("%x%x", "%0:"):sub(1, -2) end
    if row[2] == "address" and value:find(":", 1, true) then name = name .. "_v6" end
    if value == "" then return end
    fields[name] = fields[name] or {}
    table.insert(fields[name], tostring(value))
  end
  local function collect(spec, message)
    engine.layout(spec.header, message.header, function(row, value)
      add(spec.layer .. "." .. row[1], row, value)
    end)
    for _, object in ipairs(message.objects) do
      local known = spec.objects[object.type]
      local prefix = spec.layer .. "." .. known.name:lower():gsub("[^%w]", "_") .. "."
      local nested = spec == gist and object.type == 8
      if object.values and not nested then
        engine.layout(known.fields, object.values, function(row, value)
          add(prefix .. row[1], row, value)
        end)
      end
    end
  end
  local gathered = assert(judge.gather({ "made" }, made.iut, made.reader(list)))
  for _, message in ipairs(gathered.messages) do
    collect(gist, message.item.gist)
    if message.item.natfw then collect(natfw, message.item.natfw) end
  end
  return fields, #gathered.messages
end

local function compare(list)
  local path = write_capture(list)
  local wanted, count = decoded(list)
  local got = dissected(path)
  os.remove(path)
  expect(count == 13, count .. " messages")
  for name, values in pairs(wanted) do
    local sorted = got[name] or {}
    table.sort(values)
    table.sort(sorted)
    expect(table.concat(values, " ") == table.concat(sorted, " "), name .. ": the codec has "
      .. table.concat(values, " ") .. ", tshark " .. table.concat(sorted, " "))
  end
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

test("messages cut short anywhere end no dissection", function()
  local list = {}
  for at, step in ipairs(made.conversation()) do
    for size = 0, #step.bytes - 1, 3 do
      local cut = { { from = step.from, to = step.to, mode = "Q", bytes = step.bytes:sub(1, size) } }
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
  local steps = { { from = made.NI, to = made.INSIDE, mode = "D", magic = "GET ", bytes = "/ HTTP" } }
  local path = write_capture(made.packets(steps, { open_ended = true }))
  local output = tshark(path, "-Y gist")
  os.remove(path)
  expect(output == "", output)
end)

support.finish()
