-- RFC 5973, section 3.7.4: deleting sessions.

local FIREWALL = { "NF-FW", "edge-FW" }
local messages = require("runner.messages")
local NO_SESSION = ("\0"):rep(16)

-- A flow that runs when its session is deleted stops; another session's flow does not.
local function deletion(protocol)
  return function(t)
    local other = t:session({ protocol = protocol }):establish()
    local session = t:session({ protocol = protocol }):establish()
    t:passes(other.data)
    t:passes(session.data)
    t:body()
    session:delete()
    t:stops(session.data, { "RFC5973-3.7.4-1" }, "running flow stops at deletion",
      session.deleted_at,
      nil, session.deleted_at + t.ixit.timing.stop_ms)
    t:passes(other.data, nil, "the flow of another session still passes")
    local create = session:expect_create({ "RFC5973-3.7.4-i5" },
      "the deletion is forwarded to the responder")
    t:check({ "RFC5973-3.7.4-i5" }, "with lifetime 0", 0, create.lifetime_s)
    t:nothing(t.ni, { "RFC5973-3.7.4-i6" }, "a deletion is not answered")
    session:send_create({ msn = (session.msn - 5) % 4294967296 })
    session.forwarded = session:expect_create({ "RFC5973-3.7.4-i4" },
      "the session is forgotten: a CREATE with a lower MSN begins it anew")
    t:control()
    session:respond({ msn = session.forwarded.msn }):expect_response()
  end
end

local DELETION = { "RFC5973-3.7.4-1", "RFC5973-3.7.4-i4", "RFC5973-3.7.4-i5", "RFC5973-3.7.4-i6" }

-- An aggregated deletion: session id zero, explicitly routed, for every destination.
local function aggregate(data)
  local mri = data.objects[1].values
  data.header.e = 1
  data.objects[2].values = { sid = NO_SESSION }
  mri.source_prefix, mri.dest_prefix, mri.protocol = 32, 0, 0
  mri.p, mri.a, mri.b = 0, 0, 0
end

local function send_aggregated(t, session, lifetime_s)
  local message = session:create_message({ lifetime_s = lifetime_s })
  t.ni:send_nslp(session, message, { change = aggregate })
end

return {
  {
    id = "3.7.4-deletion-udp",
    purpose = "A deletion takes the rule away at once: a running UDP flow stops; the deletion is "
      .. "forwarded and not answered.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = DELETION, run = deletion("udp"),
  },
  {
    id = "3.7.4-deletion-tcp",
    purpose = "A deletion takes the rule away at once: a running TCP flow stops; the deletion is "
      .. "forwarded and not answered.",
    roles = FIREWALL, needs = { "blocks_by_default", "tcp_flows" },
    requirements = DELETION, run = deletion("tcp"),
  },
  {
    id = "3.7.4-deletion-of-pending-session",
    purpose = "A deletion before the RESPONSE ends the session: a success that comes later opens "
      .. "nothing.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.4-1" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session.forwarded = session:send_create():expect_create()
      local msn = session.msn
      t:passes(other.data)
      t:body()
      session:delete()
      session:expect_create(nil, "the deletion is forwarded")
      session:respond({ msn = msn })
      t:blocked(session.data, { "RFC5973-3.7.4-1" }, "a RESPONSE after the deletion opens nothing")
      t:control()
      t:passes(other.data)
    end,
  },
  {
    id = "3.7.4-aggregated-deletion",
    purpose = "An aggregated deletion over the initiator's association ends its sessions and is "
      .. "not propagated.",
    roles = FIREWALL, needs = { "blocks_by_default", "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-4a", "RFC5973-3.7.4-i11" },
    run = function(t)
      local first = t:session():establish()
      local second = t:session():establish()
      t:passes(first.data)
      t:passes(second.data)
      t:body()
      send_aggregated(t, first, 0)
      local moment = t.net.now()
      t:stops(first.data, { "RFC5973-3.7.4-i11" }, "first flow stops at the aggregated deletion",
        moment, nil,
        moment + t.ixit.timing.stop_ms)
      t:stops(second.data, { "RFC5973-3.7.4-i11" }, "second flow stops at the aggregated deletion",
        moment, nil,
        moment + t.ixit.timing.stop_ms)
      local seen = {}
      t:await(t.ixit.timing.quiet_ms, function()
        local item = table.remove(t.nr.inbox, 1)
        while item do
          t:check({ "RFC5973-3.7.4-4a" }, "what is sent on belongs to one session", "a session id",
            item.sid == NO_SESSION and "zero" or "a session id")
          seen[#seen + 1] = item
          item = table.remove(t.nr.inbox, 1)
        end
        return nil
      end)
      t:check({ "RFC5973-3.7.4-4a" }, "at most one deletion a session is sent on", "at most 2",
        #seen, #seen <= 2)
      t:reading("3.7.4-4b", #seen > 0 and "deletions are generated for each session"
        or "none are generated")
      t:control()
      local third = t:session():establish()
      t:passes(third.data)
    end,
  },
  {
    id = "3.7.4-aggregated-deletion-by-another-initiator",
    purpose = "An aggregated deletion over another initiator's association ends nothing of this "
      .. "one's.",
    roles = FIREWALL, needs = { "blocks_by_default", "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-3", "RFC5973-3.7.4-4a" },
    run = function(t)
      local session = t:session():establish()
      local first = t.ni
      t.ni = t:another_initiator()
      local foreign = t:session():establish()
      t:passes(session.data)
      t:passes(foreign.data)
      t:body()
      send_aggregated(t, foreign, 0)
      local moment = t.net.now()
      t:stops(foreign.data, nil, "the other initiator's own flow stops", moment, nil,
        moment + t.ixit.timing.stop_ms)
      t:passes(session.data, { "RFC5973-3.7.4-3" }, "the flow of this initiator still passes")
      for _, item in ipairs(t.nr.inbox) do
        t:check({ "RFC5973-3.7.4-4a" },
          "nothing is sent on for this initiator's session or for none", "the other's",
          item.session == foreign and "the other's" or "not the other's")
      end
      t.nr.inbox, t.ni = {}, first
      session.forwarded = session:send_create():expect_create({ "RFC5973-3.7.4-3",
        "RFC5973-3.7.4-4a" },
        "the session still lives")
      session:respond():expect_response()
    end,
  },
  {
    id = "3.7.4-aggregated-message-that-deletes-nothing",
    purpose = "A CREATE with session id zero and a lifetime is no deletion: it is refused or "
      .. "dropped, not propagated.",
    roles = FIREWALL, needs = { "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-4a", "RFC5973-3.7.4-2" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      send_aggregated(t, session, t.ixit.lifetime.usual_s)
      t:nothing(t.nr, { "RFC5973-3.7.4-4a", "RFC5973-3.7.4-2" }, "it is not propagated")
      local answer = table.remove(t.ni.inbox, 1)
      t:reading("A44", answer and "refused with " .. messages.summary(answer) or "dropped")
      t:check({ "RFC5973-3.7.4-2" },
        "if it is refused, then as not authenticated or not authorized",
        "nothing, 5/0x01 or 5/0x02",
        answer and string.format("%d/0x%02X", answer.class or 0, answer.code or 0) or "nothing",
        not answer or (answer.class == 5 and (answer.code == 1 or answer.code == 2)))
      if t.strict then
        t:check({ "RFC5973-3.7.4-2" }, "as this project reads it, it is refused", "refused", answer
          and "refused" or "dropped")
      end
      t:control()
      session.forwarded = session:send_create():expect_create()
    end,
  },
  {
    id = "3.7.4-aggregated-deletion-in-d-mode",
    purpose = "An aggregated deletion that does not come over an association ends nothing.",
    roles = FIREWALL, needs = { "blocks_by_default", "aggregated_deletion" },
    requirements = { "RFC5973-3.7.4-3" },
    run = function(t)
      local session = t:session():establish()
      t:passes(session.data)
      t:body()
      local message = session:create_message({ lifetime_s = 0 })
      t.ni:send_nslp_datagram(session, message, aggregate)
      t:nothing(t.nr, { "RFC5973-3.7.4-3" }, "nothing is sent on")
      t:passes(session.data, { "RFC5973-3.7.4-3" }, "the flow still passes")
      session.msn = (session.msn + 1) % 4294967296
      session.forwarded = session:send_create():expect_create({ "RFC5973-3.7.4-3" },
        "the session still lives")
    end,
  },
  {
    id = "3.7.4-aggregated-deletion-of-d-mode-sessions",
    purpose = "A session that the initiator signalled in D-mode is not ended by an aggregated "
      .. "deletion in D-mode either: that takes an association.",
    roles = FIREWALL, needs = { "blocks_by_default", "aggregated_deletion", "d_mode" },
    requirements = { "RFC5973-3.7.4-3" },
    run = function(t)
      local session = t:session():connect({ d_mode = true }):establish()
      t:passes(session.data)
      t:body()
      t:tolerate("RESPONSE") -- 5/0x01 or 5/0x02, or silence
      local message = session:create_message({ lifetime_s = 0 })
      t.ni:send_nslp_datagram(session, message, aggregate)
      t:nothing(t.nr, { "RFC5973-3.7.4-3" }, "nothing is sent on")
      t:passes(session.data, { "RFC5973-3.7.4-3" }, "the flow still passes")
      session.forwarded = t:insist(function() session:send_create() end, t.nr, "CREATE",
        session, { "RFC5973-3.7.4-3" }, "the session still lives")
    end,
  },
}
