-- What hosts try that know the id of somebody else's session. The scenario "intruder" puts the victim's
-- session id and flow in the place of @WORDS@.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local SID = ("@SID@"):gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)
local FLOW = { protocol = "udp",
  source = "@SOURCE@", source_port = tonumber("@SOURCE_PORT@"),
  destination = "@DESTINATION@", destination_port = tonumber("@DESTINATION_PORT@") }
local OWNERSHIP = { "RFC5973-5.2.1-i1" }

local function expect_refused(session, text)
  session:expect_error{ ids = OWNERSHIP, text = text, info = "5/0x02" }
end

-- A session of the same id from the outside, for a flow of its own.
local function from_outside(t)
  t:signal_from(t.addresses.nr, "outside")
  local flow = t:new_flow{}
  flow.source, flow.destination = flow.destination, "@SOURCE@"
  return t:session{ sid = SID, flow = flow }
end

local function attack(id, purpose, run)
  return { id = "attack:" .. id, purpose = purpose, roles = roles.firewall,
    requirements = OWNERSHIP, run = run }
end

-- Messages that are no requests are dropped: what shows it is that a request is still refused.
local function send_unasked(session, message, change)
  session.case.ni:send_nslp(session, message, { change = change })
  session.case.ni:expect_nothing{ text = "it is not answered" }
  session:send_create{ lifetime_s = 0 }
  expect_refused(session, "the session still is somebody else's")
end

local upstream = spoil.value("MRI", "d", 1)
local explicitly_upstream = spoil.all(upstream, spoil.header("e", 1))

return {
  attack("delete", "Another inside host cannot delete a session.", function(t)
    local session = t:session{ sid = SID, flow = FLOW }:connect()
    t:body()
    session:send_create{ lifetime_s = 0 }
    expect_refused(session, "the deletion is refused")
  end),
  attack("shorten", "Another inside host cannot shorten a session.", function(t)
    local session = t:session{ sid = SID, flow = FLOW }:connect()
    t:body()
    session:send_create{ lifetime_s = t.ixit.lifetime.min_s }
    expect_refused(session, "the refresh is refused")
  end),
  attack("move", "Another inside host cannot move the pinhole of a session to a flow of its own.",
    function(t)
      local session = t:session{ sid = SID }:connect()
      t:body()
      session:send_create()
      expect_refused(session, "the update is refused")
      session.data:expect_blocked{ text = "the intruder's flow does not pass" }
      t:control()
      t:session():establish().data:expect_passing()
    end),
  attack("notify", "Another inside host cannot end a session by NOTIFY.", function(t)
    local session = t:session{ sid = SID, flow = FLOW }:connect()
    t:body()
    send_unasked(session, messages.notify("1/0x05"))
    send_unasked(session, messages.notify("1/0x05"), explicitly_upstream)
  end),
  attack("respond", "Another inside host cannot answer for the outbound peer.", function(t)
    local session = t:session{ sid = SID, flow = FLOW }:connect()
    t:body()
    send_unasked(session, messages.nslp_response{ class = 5, code = 2, msn = session.msn },
      explicitly_upstream)
  end),
  attack("delete-from-outside", "A host outside cannot delete a session.", function(t)
    local session = from_outside(t):connect()
    t:body()
    session:send_create{ lifetime_s = 0 }
    expect_refused(session, "the deletion is refused")
  end),
  attack("notify-from-outside", "A host outside cannot end a session by NOTIFY.", function(t)
    local session = from_outside(t):connect()
    t:body()
    send_unasked(session, messages.notify("1/0x05"))
    send_unasked(session, messages.notify("1/0x05"), explicitly_upstream)
  end),
}
