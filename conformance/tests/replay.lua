-- Replay against the scripted firewall: the same comes back, or the report says which field
-- differs.

local made = require("tests.conversation")
local messages = require("runner.messages")
local packet = require("codec.packet")
local replay = require("runner.replay")
local support = require("tests.support")

local test, expect = support.test, support.expect

local function read(options, steps)
  return replay.read({ "made.pcap" }, options, made.reader(made.packets(steps or made.conversation(),
    { open_ended = true })))
end

-- The steps of one of the firewall's wires.
local function one_wire(port, steps)
  local kept = {}
  for _, step in ipairs(steps or made.conversation()) do
    if step.from == port or step.to == port then kept[#kept + 1] = step end
  end
  return kept
end

-- One neighbour is played, of the wire that it is on.
local function script_of(player)
  return read({ player = player }, one_wire(player == made.NR and made.OUTSIDE or made.INSIDE))
end

local function replayed(script, options)
  return support.run({ replay.definition(script, { "NF-FW" }) }, options)[1]
end

-- The texts of the checks that did not hold.
local function differences(case)
  local out = {}
  for _, step in ipairs(case.steps) do
    if step.kind == "check" and not step.ok then
      out[#out + 1] = step.text .. ": expected " .. step.expected .. ", got " .. step.actual
    end
  end
  return table.concat(out, "\n")
end

test("what a right firewall answered, a right firewall answers again", function()
  local script = assert(script_of())
  expect(script.nodes.inside == made.NI and not script.nodes.outside, "plays somebody else")
  local case = replayed(script)
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
  local compared = {}
  for _, step in ipairs(case.steps) do
    if step.kind == "check" then compared[step.text] = true end
  end
  for _, text in ipairs({ "GIST Response Query-Cookie cookie", "GIST Response MRI d",
    "NATFW RESPONSE NATFW_MSN msn", "NATFW RESPONSE NATFW_LT lifetime_s",
    "NATFW RESPONSE NATFW_INFO class", "GIST Data SID sid" }) do
    expect(compared[text], "never compared " .. text)
  end
end)

test("another answer fails, and names the field", function()
  local case = replayed(assert(script_of()), { box = { max_s = 30 } })
  expect(case.verdict == "fail", case.verdict)
  expect(differences(case):find("lifetime_s: expected 60, got 30", 1, true), differences(case))
  expect(case.reason:find("the first: NATFW RESPONSE NATFW_LT lifetime_s: expected 60, got 30", 1, true),
    case.reason)
end)

test("the responder's side is played behind an initiator of the runner's own", function()
  local script = assert(script_of(made.NR))
  expect(script.nodes.outside == made.NR and not script.nodes.inside, "plays somebody else")
  local case = replayed(script)
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
  local compared = {}
  for _, step in ipairs(case.steps) do
    if step.kind == "check" then compared[step.text] = true end
  end
  for _, text in ipairs({ "GIST Query MRI dest_port", "GIST Confirm: its Responder-Cookie",
    "NATFW CREATE NATFW_MSN msn", "NATFW CREATE NATFW_LT lifetime_s" }) do
    expect(compared[text], "never compared " .. text)
  end
  case = replayed(script, { box = { breaks = { ["forward-msn"] = true } } })
  expect(case.verdict == "fail", case.verdict)
  expect(differences(case):find("NATFW CREATE NATFW_MSN msn: expected 7, got 6", 1, true),
    differences(case))
end)

test("both sides are played at once where the capture has both", function()
  local script = assert(read({ iuts = made.iut }))
  expect(script.nodes.inside == made.NI and script.nodes.outside == made.NR, "plays somebody else")
  local case = replayed(script)
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
  case = replayed(script, { box = { max_s = 30 } })
  expect(differences(case):find("NATFW CREATE NATFW_LT lifetime_s: expected 60, got 30", 1, true),
    differences(case))
end)

-- Long captures ----------------------------------------------------------------------------------

local function step(from, to, mode, message, after_s)
  return { from = from, to = to, mode = mode, after_s = after_s, bytes = messages.encode_gist(message),
    options = mode == "Q" and packet.router_alert(65) or nil }
end

-- Another handshake on the inside, over the association that there is.
local function refresh(number, after_s)
  local query_cookie = string.format("query-%02d", number)
  local cookie = string.format("responder-%06d", number)
  local session = made.session
  return step(made.NI, made.INSIDE, "Q", messages.query(made.ni, session, query_cookie, 1), after_s),
    step(made.INSIDE, made.NI, "C", messages.response(made.firewall, session, query_cookie, cookie)),
    step(made.NI, made.INSIDE, "C", messages.confirm(made.ni, session, cookie))
end

-- A request and its answer.
local function exchange(msn, after_s)
  return step(made.NI, made.INSIDE, "C", messages.data(made.session, 0, messages.encode_natfw(
      messages.create({ lifetime_s = 300, msn = msn }))), after_s),
    step(made.INSIDE, made.NI, "C", messages.data(made.session, 1, messages.encode_natfw(
      messages.nslp_response({ class = 2, msn = msn, lifetime_s = 300 }))))
end

-- A handshake, and what follows on the inside.
local function long_script(following)
  local steps = { table.unpack(one_wire(made.INSIDE), 1, 3) }
  for _, one in ipairs(following) do steps[#steps + 1] = one end
  return assert(read({}, steps))
end

local function refreshed()
  local following = { exchange(7) }
  for number = 1, 4 do
    for _, one in ipairs({ refresh(number, 20) }) do following[#following + 1] = one end
  end
  for _, one in ipairs({ exchange(8, 20) }) do following[#following + 1] = one end
  return long_script(following)
end

-- How often something was sent or received in a case.
local function count(case, what)
  local found = 0
  for _, one in ipairs(case.steps) do
    if one.kind == "message" and one.text:sub(1, #what) == what then found = found + 1 end
  end
  return found
end

test("later handshakes of a capture are played, each with cookies of its own", function()
  local script = refreshed()
  local case = replayed(script, { box = { forgets_ms = 30000 } })
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
  expect(count(case, "NI sends GIST Confirm") >= 5, count(case, "NI sends GIST Confirm") .. " Confirms")
  expect(replay.summary(script) == "compared 7 of 7 messages of the IUT's side", replay.summary(script))
end)

test("a later Response that is not as in the capture is a difference", function()
  local script, late = refreshed(), 0
  local case = replayed(script, { box = { breaks = { ["no-r-flag"] = true } } })
  for _, one in ipairs(case.steps) do
    if one.kind == "check" and one.text == "GIST Response r" and not one.ok then late = late + 1 end
  end
  expect(late == 5, late .. " differences")
end)

test("a Query that was sent again is no handshake of its own", function()
  local steps = one_wire(made.INSIDE)
  table.insert(steps, 2, step(made.NI, made.INSIDE, "Q", messages.query(made.ni, made.session,
    "query-01", 1)))
  table.insert(steps, 4, steps[3])
  local script = assert(read({}, steps))
  expect(script.steps[2].expect == "Response" and script.steps[3].play == "nslp", "it is played")
  local case = replayed(script)
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
  expect(replay.summary(script) == "compared 2 of 4 messages of the IUT's side; left out: 1 MA-Hello, "
    .. "1 Response sent again", replay.summary(script))
end)

test("routing state that ends before the capture renews it is refreshed", function()
  local following = { exchange(7) }
  for msn = 8, 12 do
    for _, one in ipairs({ exchange(msn, 10) }) do following[#following + 1] = one end
  end
  local case = replayed(long_script(following), { box = { forgets_ms = 30000 } })
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
end)

-- The firewall's own later handshake with its responder.
test("a later handshake of the IUT's own may come or not", function()
  local steps = one_wire(made.OUTSIDE)
  table.insert(steps, #steps, step(made.OUTSIDE, made.NR, "Q", messages.query(made.outside,
    made.session, "query-01", 1), 5))
  table.insert(steps, #steps, step(made.NR, made.OUTSIDE, "C", messages.response(made.nr, made.session,
    "query-01", "responder-000001")))
  table.insert(steps, #steps, step(made.OUTSIDE, made.NR, "C", messages.confirm(made.outside,
    made.session, "responder-000001")))
  local script = assert(read({ player = made.NR }, steps))
  local case = replayed(script)
  expect(case.verdict == "pass", tostring(case.reason) .. "\n" .. differences(case))
  expect(replay.summary(script) == "compared 4 of 6 messages of the IUT's side", replay.summary(script))
end)

test("what comes after the end of a capture that goes on is a difference", function()
  local steps = made.conversation()
  table.remove(steps) -- the deletion is not passed on; a right firewall passes it on
  local packets = made.packets(steps)
  packets[#packets].at = packets[#packets].at + 10
  local script = assert(replay.read({ "made.pcap" }, { iuts = made.iut }, made.reader(packets)))
  local case = replayed(script)
  expect(differences(case):find("after the last message of the capture, outside: expected nothing, "
    .. "got CREATE", 1, true), differences(case))
end)

test("without the IUT between the neighbours nothing passes", function()
  local definition = replay.definition(assert(script_of()), { "NF-FW" })
  local case = support.router_run({ definition })[1]
  expect(case.verdict == "fail" and differences(case):find("it is the IUT that answers", 1, true),
    case.verdict .. ": " .. differences(case))
end)

local function refused(options, steps)
  local script, why = read(options, steps)
  expect(script == nil, "is read")
  return why
end

-- The conversation with another message of the initiator at this place.
local function with_step(place, message)
  local steps = made.conversation()
  steps[place].bytes = messages.encode_gist(message)
  return one_wire(made.INSIDE, steps)
end

test("what cannot be played is said, with its frame", function()
  local script, why = replay.read({ "none.pcap" }, {}, made.reader({}))
  expect(script == nil and why == "none.pcap: has no GIST message", tostring(why))
  expect(refused({ player = "192.0.2.250" }):find("nothing that 192.0.2.250 sent", 1, true), "nobody")
  expect(refused({ iuts = { ["192.0.2.250"] = true } }):find("nothing that anybody sent to "
    .. "192.0.2.250", 1, true), "no IUT")
  local steps = made.conversation()
  steps[1].bytes = steps[1].bytes:sub(1, 4) .. "\0\40" .. steps[1].bytes:sub(7)
  expect(refused({}, one_wire(made.INSIDE, steps))
    == "made.pcap: frame 1: NSLPID 40 is not NATFW's", "NSLPID 40")
  expect(refused({ player = "responder" }, { made.conversation()[1] })
    == "made.pcap: has no Response", "no Response")
  expect(refused({ player = made.NI }, { made.conversation()[1] }):find("nothing of the IUT", 1, true),
    "a Query that nobody took")
  local failure = { header = { type = 4, s = 1, hops = 1, nslpid = 33 }, objects = { { type = 9,
    values = { class = 1, code = 9, subcode = 0, original_header = ("o"):rep(8), infos = {} } } } }
  why = refused({ player = made.NI }, with_step(4, failure))
  expect(why:find("a GIST Error quotes", 1, true), why)
  local external = messages.data({ sid = made.session.sid, flow = { loose_end = true,
    source = made.NI, destination = "192.0.2.20" } }, 0, messages.encode_natfw(messages.create({
      lifetime_s = 60, msn = 7 })))
  why = refused({ player = made.NI }, with_step(4, external))
  expect(why:find("loose-end method", 1, true), why)
end)

test("who leaves a side of the capture unseen is refused, whatever names him", function()
  for _, player in ipairs({ "initiator", "responder", made.NI, made.NR, false }) do
    local why = refused({ player = player or nil })
    expect(why:find("would be left unseen; name the IUT's addresses with --iut", 1, true), why)
  end
  local why = refused({ player = "initiator" })
  expect(why:find("with 198.51.100.5 played, 6 of its messages, the first in frame 7 from 203.0.113.1 "
    .. "to 203.0.113.5,", 1, true), why)
  expect(read({ iuts = made.iut }), "both sides are played")
end)

test("a side that the IUT is itself is not played", function()
  local inside, outside = assert(script_of("initiator")), assert(script_of(made.NR))
  local function obstacle(script, settings)
    settings.ics = { roles = { "X" } }
    return replay.obstacle(script, settings)
  end
  expect(not obstacle(inside, {}) and not obstacle(outside, {}), "a forwarder has both sides")
  expect(not obstacle(inside, { responder = {} }), "a responder is asked")
  expect(obstacle(outside, { responder = {} }):find("is the responder itself", 1, true), "NR")
  expect(not obstacle(outside, { initiator = {} }), "an initiator is answered")
  expect(obstacle(inside, { initiator = {} }):find("is the initiator itself", 1, true), "NI")
end)

support.finish()
