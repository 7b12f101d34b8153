-- What replay compares of a message, field by field: each difference that an IUT could make counts,
-- but for what is its own.

local compare = require("runner.replay_compare")
local engine = require("codec.engine")
local gist = require("codec.gist")
local messages = require("runner.messages")
local natfw = require("codec.natfw")
local samples = require("tests.samples")
local show = require("codec.show")
local support = require("tests.support")
local tables = require("codec.tables")

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
  compare.messages(t, { handshake = "the first" }, captured, actual)
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

-- Every field ------------------------------------------------------------------------------------

-- What is the node's own and no part of a comparison: how it is set up, lengths that follow from those
-- of cookies and identities, words for people, and what an Error quotes of an object with a cookie.
local OWN = { length = true, hops = true, ip_ttl = true, validity_ms = true, hold_time_ms = true,
  pi_length = true, mpo_count = true, options = true, profile_count = true, profiles = true,
  mri_length = true, comment = true, calculated_length = true, link_mtu = true, object = true,
  real_length = true }
local OWN_IN_QUERY = { s = true }
-- What differs from run to run.
local BOUND = { sid = true, original_sid = true, cookie = true, peer_identity = true, source = true,
  destination = true, interface = true, address = true, source_port = true, dest_port = true,
  dr_port = true, ds_port = true, port = true, ports = true, nonce = true }

-- Another value of the same kind.
local function other(value)
  if type(value) == "number" then return value ~ 1 end
  if value:find("^%d+%.%d+%.%d+%.%d+$") or value:find("^[%x:]*:[%x:]*$") then
    return value:find(":", 1, true) and "2001:db8::fff1" or "192.0.2.241"
  end
  local last = value:sub(-1):find("%x") and (value:sub(-1) == "0" and "1" or "0") or "x"
  return value:sub(1, -2) .. last
end

-- Calls visit(name, key, change) for each value within a table, where change() makes it another.
local function each_value(values, name, key, visit)
  for _, inner in ipairs(tables.keys(values)) do
    local field = type(inner) == "number" and key or inner
    local where = type(inner) == "number" and string.format("%s[%d]", name, inner)
      or name .. " " .. inner
    if type(values[inner]) == "table" then
      each_value(values[inner], where, field, visit)
    else
      visit(where, field, function(value) values[inner] = value end, values[inner])
    end
  end
end

local function each_field(message, visit)
  local where = message.layer:upper() .. " " .. message.name
  each_value(message.header, where, "", visit)
  for _, object in ipairs(message.objects) do
    each_value(object.fields or {}, where .. " " .. object.name, "", visit)
  end
  if message.nslp then each_field(message.nslp, visit) end
end

local function items_of_samples()
  local list = {}
  for _, sample in ipairs(samples) do
    local octets = engine.build(sample.layer == "gist" and gist or natfw, sample.message)
    if sample.layer == "natfw" then
      octets = messages.encode_gist(messages.data({ sid = SID, flow = FLOW }, 1, octets))
    end
    list[#list + 1] = { name = sample.name, item = messages.read(octets) }
  end
  return list
end

-- The differences of a message, decoded, from one that was made of it.
local function differences(captured, actual, bound)
  local t = { steps = {}, bound = bound, net = { now = function() return 0 end },
    judges_initiator = function() return false end }
  compare.plain(t, { handshake = "the first" }, captured, actual)
  local found = {}
  for _, step in ipairs(t.steps) do
    if not step.ok then found[step.text] = true end
  end
  return found
end

local function is_payload(where) return where:find(" NSLP-Data data", 1, true) ~= nil end

local function own(where, key)
  for name in where:gmatch("[%w_]+") do
    if OWN[name] then return true end
  end
  return OWN[key] or OWN_IN_QUERY[key] and where:find("^GIST Query s$") ~= nil
end

test("a difference in any field of any message is seen, but for what is the node's own", function()
  local seen, count = {}, 0
  for _, one in ipairs(items_of_samples()) do
    local captured, changed = show.plain(one.item.gist), show.plain(one.item.gist)
    each_field(changed, function(where, key, set, value)
      if is_payload(where) and captured.nslp or BOUND[key] then return end
      set(other(value))
      local found = differences(captured, changed, {})
      set(value)
      if own(where, key) then
        expect(tables.is_empty(found), one.name .. ": " .. where .. " is compared")
      else
        expect(found[where], one.name .. ": " .. where .. " is not compared")
      end
      count, seen[key] = count + 1, true
    end)
  end
  expect(count > 1000, count .. " fields")
  for _, spec in ipairs({ gist, natfw }) do
    for _, object in pairs(spec.objects) do
      for _, row in ipairs(object.fields) do
        local shown = row.reserved or row[2] == "variant" or row[2] == "list" or row.as or BOUND[row[1]]
          or row[1] == "original_header"
        expect(shown or seen[row[1]], object.name .. ": no sample has " .. row[1])
      end
    end
  end
end)

-- Makes a bound value another, wherever the message has it.
local function replace_all(message, from, to)
  each_field(message, function(_, key, set, value)
    if BOUND[key] and value == from then set(to) end
  end)
end

test("what is bound differs as it likes, as long as it is the same for the same", function()
  local seen = {}
  for _, one in ipairs(items_of_samples()) do
    local captured = show.plain(one.item.gist)
    each_field(captured, function(where, key, _, value)
      if not BOUND[key] or own(where, key) then return end
      local changed, bound = show.plain(one.item.gist), {}
      replace_all(changed, value, other(value))
      expect(tables.is_empty(differences(captured, changed, bound)), one.name .. ": " .. where
        .. " is not bound")
      expect(differences(captured, captured, bound)[where], one.name .. ": " .. where
        .. " is bound to anything")
      seen[key] = true
    end)
  end
  for key in pairs(BOUND) do expect(seen[key], key .. " was never tried") end
end)

test("two sessions of a capture do not become one", function()
  local bound = {}
  local second = item(create(), function(m) m.objects[SESSION].values.sid = ("t"):rep(16) end)
  expect(difference(item(create()), item(create()), bound) == nil, "the first")
  local found = difference(second, item(create()), bound)
  expect(found and found:find("SID sid", 1, true), tostring(found))
end)

test("an initiator's sequence numbers begin anywhere, and go on as in the capture", function()
  local session = {}
  local function of(captured, actual)
    local t = { steps = {}, bound = {}, net = { now = function() return 0 end },
      judges_initiator = function() return true end }
    local function with_msn(number)
      return item(create(function(m)
        for _, object in ipairs(m.objects) do
          if object.type == 0x012 then object.values.msn = number end
        end
      end))
    end
    compare.messages(t, { session = session, handshake = "" }, with_msn(captured), with_msn(actual))
    return t.first_difference
  end
  expect(of(7, 0xFFFFFFFF) == nil and of(8, 0) == nil, "the next")
  local found = of(9, 2)
  expect(found and found:find("NATFW_MSN msn: expected 1, got 2", 1, true), tostring(found))
end)

test("the order of GIST's objects, AB, doubles and reserved bits are compared", function()
  local function first(change)
    return difference(item(create()), item(create(), change)) or "no difference"
  end
  local order = first(function(m) m.objects[1], m.objects[2] = m.objects[2], m.objects[1] end)
  expect(order:find("the order of its objects", 1, true), order)
  expect(first(function(m) m.objects[SESSION].ab = 1 end):find("SID AB", 1, true), "AB")
  local twice = first(function(m) table.insert(m.objects, 2, m.objects[SESSION]) end)
  expect(twice:find("SID again: expected absent", 1, true), twice)
  expect(first(function(m) m.header.reserved = 1 end):find("reserved bits", 1, true), "reserved bits")
  local function unknown(octets)
    return item(create(), function(m)
      table.insert(m.objects, { type = 0x3FF, ab = 1, raw = octets })
    end)
  end
  local found = difference(unknown("abcd"), unknown("abce"))
  expect(found and found:find("0x3FF octets", 1, true), tostring(found))
end)

test("NATFW's objects may come in any order", function()
  local function turned(m) m.objects[1], m.objects[3] = m.objects[3], m.objects[1] end
  expect(difference(item(create()), item(create(turned))) == nil, "it differs")
end)

support.finish()
