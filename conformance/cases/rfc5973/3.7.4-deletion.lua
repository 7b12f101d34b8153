-- RFC 5973, section 3.7.4: deleting sessions.

local roles = require("runner.roles")
local spoil = require("runner.spoil")

local NO_SESSION = ("\0"):rep(16)

-- A flow that runs when its session is deleted stops; another session's flow does not.
local function deletion(protocol)
  return function(t)
    local other = t:session{ protocol = protocol }:establish()
    local session = t:session{ protocol = protocol }:establish()
    other.data:expect_passing()
    session.data:expect_passing()
    t:body()
    t:tolerate("NOTIFY") -- that the session ended: 3.7.5
    session:delete()
    session.data:expect_stop{ ids = { "RFC5973-3.7.4-1" }, text = "running flow stops at deletion",
      at_ms = session.deleted_at }
    other.data:expect_passing{ text = "the flow of another session still passes" }
    local create = session:expect_create{ ids = { "RFC5973-3.7.4-i5" },
      text = "the deletion is forwarded to the responder" }
    t:check{ ids = { "RFC5973-3.7.4-i5" }, text = "with lifetime 0", expected = 0,
      actual = create.lifetime_s }
    t.ni:expect_nothing{ ids = { "RFC5973-3.7.4-i6" }, text = "a deletion is not answered" }
    session:expect_forgotten{ ids = { "RFC5973-3.7.4-i4" } }
  end
end

local DELETION = { "RFC5973-3.7.4-1", "RFC5973-3.7.4-i4", "RFC5973-3.7.4-i5", "RFC5973-3.7.4-i6" }

-- An aggregated deletion: session id zero, explicitly routed, for every destination.
local aggregate = spoil.all(spoil.header("e", 1), spoil.value("SID", "sid", NO_SESSION),
  spoil.fields("MRI", { source_prefix = 32, dest_prefix = 0, protocol = 0, p = 0, a = 0, b = 0 }))

local function send_aggregated(t, session, lifetime_s)
  local message = session:create_message{ lifetime_s = lifetime_s }
  t.ni:send_nslp(session, message, { change = aggregate })
end

return {
  {
    id = "3.7.4-deletion-udp",
    purpose = "A deletion takes the rule away at once: a running UDP flow stops; the deletion is "
      .. "forwarded and not answered.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = DELETION, run = deletion("udp"),
  },
  {
    id = "3.7.4-deletion-tcp",
    purpose = "A deletion takes the rule away at once: a running TCP flow stops; the deletion is "
      .. "forwarded and not answered.",
    roles = roles.firewall, needs = { "blocks_by_default", "tcp_flows" },
    requirements = DELETION, run = deletion("tcp"),
  },
  {
    id = "3.7.4-deletion-of-pending-session",
    purpose = "A deletion before the RESPONSE ends the session: a success that comes later opens "
      .. "nothing.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.4-1" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session:send_create():expect_create()
      local msn = session.msn
      other.data:expect_passing()
      t:body()
      session:delete()
      session:expect_create{ text = "the deletion is forwarded" }
      session:respond{ msn = msn }
      session.data:expect_blocked{ ids = { "RFC5973-3.7.4-1" },
        text = "a RESPONSE after the deletion opens nothing" }
      t:control()
      other.data:expect_passing()
    end,
  },
  {
    id = "3.7.4-aggregated-deletion",
    purpose = "An aggregated deletion over the initiator's association ends its sessions and is "
      .. "not propagated.",
    roles = roles.firewall, needs = { "blocks_by_default", "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-4a", "RFC5973-3.7.4-i7", "RFC5971-7.1.4-5" },
    run = function(t)
      local first = t:session():establish()
      local second = t:session():establish()
      first.data:expect_passing()
      second.data:expect_passing()
      t:body()
      send_aggregated(t, first, 0)
      local moment = t:now()
      first.data:expect_stop{ ids = { "RFC5973-3.7.4-i7", "RFC5971-7.1.4-5" },
        text = "first flow stops at the aggregated deletion", at_ms = moment }
      if second:association() == first:association() then
        second.data:expect_stop{ ids = { "RFC5973-3.7.4-i7" },
          text = "second flow stops at the aggregated deletion", at_ms = moment }
      end
      local generated = 0
      for _, item in ipairs(t.nr:drain{ within_ms = t.ixit.timing.quiet_ms }) do
        generated = generated + (item.name == "CREATE" and 1 or 0)
        t:check{ ids = { "RFC5973-3.7.4-4a" }, text = "what is sent on belongs to one session",
          expected = "a session id", actual = item.sid == NO_SESSION and "zero" or "a session id" }
      end
      t:check{ ids = { "RFC5973-3.7.4-4a" }, text = "at most one deletion a session is sent on",
        expected = "at most 2", actual = generated, holds = generated <= 2 }
      t:reading{ of = "3.7.4-4b", seen = generated > 0 and "deletions are generated for each session"
        or "none are generated" }
      t:control()
      local third = t:session():establish()
      third.data:expect_passing()
    end,
  },
  {
    id = "3.7.4-aggregated-deletion-by-another-initiator",
    purpose = "An aggregated deletion over another initiator's association ends nothing of this "
      .. "one's.",
    roles = roles.firewall, needs = { "blocks_by_default", "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-3", "RFC5973-3.7.4-4a" },
    run = function(t)
      local session = t:session():establish()
      local first = t.ni
      t.ni = t:another_initiator()
      local foreign = t:session():establish()
      session.data:expect_passing()
      foreign.data:expect_passing()
      t:body()
      send_aggregated(t, foreign, 0)
      local moment = t:now()
      foreign.data:expect_stop{ text = "the other initiator's own flow stops", at_ms = moment }
      session.data:expect_passing{ ids = { "RFC5973-3.7.4-3" },
        text = "the flow of this initiator still passes" }
      local of_others = 0
      for _, item in ipairs(t.nr:drain()) do
        of_others = of_others + (item.session == foreign and 0 or 1)
      end
      t:check{ ids = { "RFC5973-3.7.4-4a" },
        text = "nothing is sent on for this initiator's session or for none", expected = 0,
        actual = of_others }
      t.ni = first
      t:control()
      session:send_create():expect_create{ text = "its next CREATE is processed" }
      session:respond():expect_response()
    end,
  },
  {
    id = "3.7.4-aggregated-message-that-deletes-nothing",
    purpose = "A CREATE with session id zero and a lifetime deletes nothing; whether it is refused is "
      .. "left open.",
    roles = roles.firewall, needs = { "blocks_by_default", "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-i7" },
    run = function(t)
      local ids = { "RFC5973-3.7.4-i7" }
      local session = t:session():establish()
      session.data:expect_passing()
      t:body()
      send_aggregated(t, session, t.ixit.lifetime.usual_s)
      local answer = t.ni:take()
      t:reading{ of = "A44", ids = ids, ours = "refused with 5/0x02",
        seen = answer and "refused with " .. answer:info() or "not answered" }
      t.nr:drain()
      session.data:expect_passing{ ids = ids, text = "the flow of the session still passes" }
      t:control()
      session.msn = session:msn_plus(1)
      session:send_create():expect_create()
    end,
  },
  {
    id = "3.7.4-aggregated-deletion-in-d-mode",
    purpose = "An aggregated deletion that does not come over an association ends nothing.",
    roles = roles.firewall, needs = { "blocks_by_default", "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-3" },
    run = function(t)
      local session = t:session():establish()
      session.data:expect_passing()
      t:body()
      local message = session:create_message{ lifetime_s = 0 }
      t.ni:send_nslp_datagram(session, message, { change = aggregate })
      t.nr:expect_nothing{ ids = { "RFC5973-3.7.4-3" }, text = "nothing is sent on" }
      session.data:expect_passing{ ids = { "RFC5973-3.7.4-3" }, text = "the flow still passes" }
      t:control()
      session.msn = session:msn_plus(1)
      session:send_create():expect_create{ text = "its next CREATE is processed" }
    end,
  },
  {
    id = "3.7.4-aggregated-deletion-of-d-mode-sessions",
    purpose = "A session that the initiator signalled in D-mode is not ended by an aggregated "
      .. "deletion in D-mode either: that takes an association.",
    roles = roles.firewall, needs = { "blocks_by_default", "aggregated_deletion", "d_mode" },
    requirements = { "RFC5973-3.7.4-3" },
    run = function(t)
      local session = t:session():connect{ d_mode = true }:establish()
      session.data:expect_passing()
      t:body()
      t:tolerate("RESPONSE") -- 5/0x01 or 5/0x02, or silence
      local message = session:create_message{ lifetime_s = 0 }
      t.ni:send_nslp_datagram(session, message, { change = aggregate })
      t.nr:expect_nothing{ ids = { "RFC5973-3.7.4-3" }, text = "nothing is sent on" }
      session.data:expect_passing{ ids = { "RFC5973-3.7.4-3" }, text = "the flow still passes" }
      t:control()
      t.nr:insist(function() session:send_create() end, { message = "CREATE", session = session,
        text = "its next CREATE is processed" })
    end,
  },
}
