-- The virtual network of a case: what reaches whom, what a host would not take, and when.

local ixit = require("runner.ixit")
local packet = require("codec.packet")
local shim_net = require("runner.shim_net")
local suite = require("runner.suite")
local support = require("tests.support")

local test, expect = support.test, support.expect

local BOX, INSIDE, OUTSIDE = "192.0.2.254", "10.2.0.1", "10.4.0.1"

local function settings(changes)
  local given = { name = "a box", ics = { roles = { "NF-FW" } },
    inside = { gateway = "192.0.2.1", signalling = "10.1.0.0/24", flows = "10.2.0.0/24" },
    outside = { gateway = BOX, signalling = "10.3.0.0/24", flows = "10.4.0.0/24" } }
  for path, value in pairs(changes or {}) do
    assert(ixit.override(given, path .. "=" .. tostring(value)))
  end
  local checked = assert(ixit.check(given, "test", "", true))
  checked.shim.text = ""
  return checked
end

-- A network whose box does what answer(time, events) says, and what was noted and rejected.
local function open(answer, changes)
  local seen = { notes = {}, turns = {} }
  local shim = {}
  function shim.turn(_, time, events)
    seen.turns[#seen.turns + 1] = { time = time, events = events }
    return answer and answer(time, events) or {}, nil
  end
  function shim.reject(_, why, ...) error({ reason = string.format(why, ...) }) end
  local net = shim_net.open(shim, settings(changes), 7)
  net.note = function(text) seen.notes[#seen.notes + 1] = text end
  return net, seen
end

-- A datagram of the flow from inside to outside, as it comes out of the box; spoilt by change(octets).
local function forwarded(change)
  local octets = packet.build({ source = INSIDE, source_port = 4000, destination = OUTSIDE,
    destination_port = 5000, payload = "data", ttl = 63 })
  return change and change(octets) or octets
end

local function with_octet(place, value)
  return function(octets) return octets:sub(1, place - 1) .. string.char(value)
    .. octets:sub(place + 1) end
end

local function with_ttl(ttl)
  return function() return packet.build({ source = INSIDE, source_port = 4000, destination = OUTSIDE,
    destination_port = 5000, payload = "data", ttl = ttl }) end
end

-- What arrives at the socket of the flow's end, and what is noted.
local function arrives(octets, side)
  local net, seen = open()
  local got
  net.outside:udp(OUTSIDE, 5000, function(payload) got = payload end)
  net.arrived(side or "outside", octets)
  return got, seen.notes[1]
end

test("a packet that is right arrives, on its own side only", function()
  expect(arrives(forwarded()) == "data", "it does not arrive")
  expect(arrives(forwarded(), "inside") == nil, "it arrives where it came in")
end)

for text, spoilt in pairs({
  ["IP checksum is wrong"] = forwarded(with_octet(12, 1)),
  ["UDP checksum is wrong"] = forwarded(with_octet(30, 1)),
  ["of IP version 6"] = forwarded(with_octet(1, 0x65)),
  ["TTL is 0"] = forwarded(with_ttl(0)),
  ["its TTL as it was"] = forwarded(with_ttl(64)),
  ["longer than the link's MTU"] = packet.build({ source = INSIDE, source_port = 4000,
    destination = OUTSIDE, destination_port = 5000, payload = ("x"):rep(1473), ttl = 63 }),
  ["IP checksum is wrong "] = "\x45\0",
}) do
  test("a packet does not arrive of which is said: " .. text, function()
    local got, note = arrives(spoilt)
    expect(got == nil, "it arrives")
    expect(note and (note .. " "):find(text, 1, true), tostring(note))
  end)
end

test("what the box sends itself may have any TTL, and so may a Query in a flow's name", function()
  local net, seen = open()
  local got = 0
  net.outside.on_packet = function() got = got + 1 end
  for _, source in ipairs({ BOX, INSIDE }) do
    net.arrived("outside", packet.build({ source = source, source_port = 270, destination = OUTSIDE,
      destination_port = 270, payload = "query", ttl = 255 }))
  end
  expect(got == 2 and #seen.notes == 0, got .. " arrive")
end)

test("of one moment what arrives comes before the runner's timers, whichever was there first", function()
  -- What happens, in its order, and after how long the packet that is sent at the start arrives.
  local function run(timer_ms)
    local order, after = {}, nil
    local net = open(function(_, events)
      for _, event in ipairs(events) do
        if event.kind == "start" then
          return { { kind = "packet", port = 2, octets = forwarded() } }
        end
      end
    end, { ["shim.delay_ms"] = 10 })
    local began = net.now()
    net.outside:udp(OUTSIDE, 5000, function()
      order[#order + 1], after = "arrival", net.now() - began
    end)
    net.after(timer_ms, function() order[#order + 1] = "timer" end)
    net.run_until(function() return #order == 2 end)
    return table.concat(order, " "), after
  end
  local _, after = run(1000)
  expect(run(after) == "arrival timer", run(after))
end)

test("a trigger that is not answered takes as long as it may", function()
  local net = open()
  local status, at
  local began = net.now()
  net.run("open source=192.0.2.1", 20, function(what) status, at = what, net.now() - began end)
  net.run_until(function() return status end)
  expect(status == 124 and at == 20000, tostring(status) .. " after " .. tostring(at))
end)

test("after it was cut off nothing reaches the box, and time goes on", function()
  local net, seen = open()
  net.run_until(function() return true end)
  local turns = #seen.turns
  net.cut_off()
  net.inside:send_packet(forwarded(), OUTSIDE)
  local over = false
  net.after(50, function() over = true end)
  net.run_until(function() return over end)
  expect(over and #seen.turns == turns, #seen.turns .. " turns")
end)

test("a stack that there is none of finds nobody who listens", function()
  local reset, accepted = false, false
  local opened = { kind = "stream_open", stream = 2, port = 2, stack = 1, name = "",
    own = { address = BOX, port = 40000 }, peer = { address = "10.3.0.1", port = 30000 } }
  local net = open(function(_, events)
    for _, event in ipairs(events) do
      if event.kind == "stream_reset" then reset = true end
      if event.kind == "start" then return { opened } end
    end
  end)
  net.outside:listen("10.3.0.1", 30000, function() accepted = true end)
  net.run_until(function() return reset or accepted end)
  expect(reset and not accepted, "TLS was taken for TCP")
end)

test("a case that wants a path which loses nothing runs on one, and on no other", function()
  local definition = { roles = { "NF-FW" }, needs = { "lossless" } }
  expect(suite.reason_not_to(definition, settings()) == nil, "on a path that loses nothing")
  local reason = suite.reason_not_to(definition, settings({ ["shim.loss_percent"] = 1 }))
  expect(reason == "the path loses datagrams", tostring(reason))
end)

support.finish()
