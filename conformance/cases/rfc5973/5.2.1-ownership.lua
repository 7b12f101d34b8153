-- RFC 5973, section 5.2.1: who may speak for a session. The text lets a box go by the session id alone,
-- by the peer or by policy (ruling A107), so that what it does is a reading; but what it refuses or
-- ignores may change nothing.

local messages = require("runner.messages")
local roles = require("runner.roles")

local OWNERSHIP = { "RFC5973-5.2.1-i1" }

-- Another initiator has learnt the session's id, and does something about it. What the box makes of
-- that: it goes on to the responder, or is answered, or neither.
local function reading_of(t, session, flow, act)
  local owner = t.ni
  t.ni = t:another_initiator()
  local foreign = t:session{ sid = session.sid, flow = flow }:connect()
  t:body()
  act(foreign)
  local passed_on = t.nr:take{ within_ms = t.ixit.timing.quiet_ms }
  local answer = not passed_on and t.ni:take{ within_ms = t.ixit.timing.quiet_ms }
  local seen = passed_on and "taken" or answer and "refused" or "discarded"
  t.ni = owner
  session:reclaim()
  return seen
end

local function judged(id, purpose, ours, run)
  return {
    id = id, purpose = purpose, roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = OWNERSHIP,
    run = function(t)
      local session = t:session():establish()
      session.data:expect_passing()
      local seen = run(t, session)
      t:reading{ of = "A107", ids = OWNERSHIP, seen = seen, ours = ours }
      if seen == "taken" then
        t:not_applicable("it goes by the session id alone, which the text allows")
      end
      session.data:expect_passing{ ids = OWNERSHIP, text = "the owner's flow still passes" }
    end,
  }
end

return {
  judged("5.2.1-deletion-by-another-initiator",
    "A deletion by another initiator that knows the session id: a box that does not take it deletes "
      .. "nothing.", "refused",
    function(t, session)
      return reading_of(t, session, session.flow, function(foreign)
        foreign:send_create{ lifetime_s = 0 }
      end)
    end),
  judged("5.2.1-update-by-another-initiator",
    "An update by another initiator that knows the session id: a box that does not take it leaves the "
      .. "rule as it is.", "refused",
    function(t, session)
      return reading_of(t, session, t:new_flow{}, function(foreign) foreign:send_create() end)
    end),
  judged("5.2.1-notify-by-another-initiator",
    "A NOTIFY by another initiator that knows the session id: a box that does not relay it ends "
      .. "nothing.", "discarded",
    function(t, session)
      return reading_of(t, session, session.flow, function(foreign)
        t.ni:send_nslp(foreign, messages.notify("1/0x05"))
      end)
    end),
}
