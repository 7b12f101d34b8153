-- What replay compares of a message, field by field: each difference that an IUT could make counts,
-- but for what is its own.

local compare = require("runner.replay_compare")
local engine = require("codec.engine")
local gist = require("codec.gist")
local messages = require("runner.messages")
local support = require("tests.support")

local test, expect = support.test, support.expect

local SID = ("s"):rep(16)
local FLOW = { source = "192.0.2.1", destination = "192.0.2.9", protocol = "udp",
  source_port = 4000, destination_port = 5000 }
local MRI, SESSION, INFO, EFI = 1, 2, 2, 2 -- places of objects

local function item(nslp, change)
  local outer = messages.data({ sid = SID, flow = FLOW }, 1, messages.encode_natfw(nslp))
  if change then change(outer) end
  return messages.read(messages.encode_gist(outer))
end

local function response(change)
  local message = messages.nslp_response({ msn = 7, class = 2, code = 1 })
  if change then change(message) end
  return message
end

local function create(change)
  local message = messages.create({ lifetime_s = 60, msn = 7 })
  if change then change(message) end
  return message
end

-- The first difference between two items, or nil. `bound` carries over between messages.
local function difference(captured, actual, bound)
  local t = { steps = {}, bound = bound or {}, net = { now = function() return 0 end },
    judges_initiator = function() return false end }
  compare.messages(t, { side = "inside" }, captured, actual)
  expect(t.compared > 10, "compared next to nothing")
  return t.first_difference
end

test("the same message does not differ", function()
  expect(difference(item(response()), item(response())) == nil, "differs")
end)

local FIELDS = {
  { "NATFW_INFO code", item(response()),
    item(response(function(m) m.objects[INFO].values.code = 2 end)) },
  { "NATFW_EFI rule_action", item(create()),
    item(create(function(m) m.objects[EFI].values.rule_action = 2 end)) },
  { "NATFW_EFI sub_ports", item(create()),
    item(create(function(m) m.objects[EFI].values.sub_ports = 1 end)) },
  { "NATFW CREATE p", item(create()), item(create(function(m) m.header.p = 1 end)) },
  { "GIST Data nslpid", item(create()), item(create(), function(m) m.header.nslpid = 34 end) },
  { "GIST Data r", item(create()), item(create(), function(m) m.header.r = 1 end) },
  { "GIST Data c", item(create()), item(create(), function(m) m.header.c = 1 end) },
  { "GIST Data e", item(create()), item(create(), function(m) m.header.e = 1 end) },
  { "MRI protocol", item(create()), item(create(), function(m) m.objects[MRI].values.protocol = 6 end) },
  { "MRI source_prefix", item(create()),
    item(create(), function(m) m.objects[MRI].values.source_prefix = 24 end) },
  { "MRI dest_prefix", item(create()),
    item(create(), function(m) m.objects[MRI].values.dest_prefix = 24 end) },
}

for _, row in ipairs(FIELDS) do
  test(row[1] .. " is compared", function()
    local found = difference(row[2], row[3])
    expect(found and found:find(row[1] .. ":", 1, true), tostring(found))
  end)
end

test("an object too many, and one too few, are differences", function()
  local more = item(create(function(m)
    table.insert(m.objects, { type = 0x011, values = { nonce = 1 } })
  end))
  local found = difference(item(create()), more)
  expect(found and found:find("NATFW_NONCE: expected absent, got present", 1, true), tostring(found))
  found = difference(more, item(create()))
  expect(found and found:find("NATFW_NONCE: expected present, got absent", 1, true), tostring(found))
end)

test("what is bound has to stay what it was, whatever it is", function()
  local bound = {}
  local other = item(create(), function(m) m.objects[SESSION].values.sid = ("t"):rep(16) end)
  expect(difference(item(create()), other, bound) == nil, "a session id of its own")
  expect(difference(item(create()), other, bound) == nil, "the same again")
  local found = difference(item(create()), item(create()), bound)
  expect(found and found:find("SID sid", 1, true), "another one for the same: " .. tostring(found))
end)

test("another GIST error is a difference", function()
  local function failure(code, subcode)
    return messages.read(engine.encode(gist, { header = { type = 4, nslpid = 0, r = 0 }, objects = {
      messages.nli({ validity_ms = 1000, identity = "peer", address = "192.0.2.1" }, 0),
      { type = 9, values = { class = 2, code = code, subcode = subcode, s = 0, m = 0, c = 0, d = 0,
        q = 0, info_count = 0, mri_length = 0, original_header = ("\0"):rep(8), infos = {} } } } }))
  end
  local found = difference(failure(9, 1), failure(9, 2))
  expect(found and found:find("Error subcode", 1, true), tostring(found))
  found = difference(failure(9, 1), failure(10, 1))
  expect(found and found:find("Error code", 1, true), tostring(found))
end)

support.finish()
