-- RFC 5973, section 3.4: how long a session lives, and what an NF may do to that.

local roles = require("runner.roles")

-- A flow that runs when its session expires stops on time; another session's flow does not.
local function expiry(protocol)
  return function(t)
    local lifetime = t.ixit.lifetime
    local other = t:session{ protocol = protocol }:establish()
    local short = t:session{ protocol = protocol }:establish{ lifetime_s = lifetime.short_s }
    other.data:expect_passing()
    short.data:expect_passing()
    t:body()
    t:tolerate("NOTIFY") -- 1/0x04 may be sent at expiry: 3.7.5
    short.data:expect_expiry{ ids = { "RFC5973-3.4-1a", "RFC5973-3.4-1b" },
      early_ids = { "RFC5973-3.4-i1" }, text = "running flow stops at expiry", at_ms = short:ends_at() }
    other.data:expect_passing{ ids = { "RFC5973-3.4-i1" },
      text = "the flow of a session that lives on still passes" }
    t.nr:expect_nothing{ ids = { "RFC5973-3.4-2" }, message = "CREATE",
      text = "no CREATE that the initiator did not send reached the responder" }
    short:expect_forgotten{ ids = { "RFC5973-3.4-1a" } }
  end
end

-- The RESPONSE to the request that was forwarded grants twice as much: it is refused towards the
-- initiator, and ended towards the responder.
local function expect_raise_refused(t, session)
  session:respond{ lifetime_s = session:forwarded_lifetime_s() * 2 }
  -- A session that is established may be ended towards the initiator, too, before the RESPONSE.
  local first = t.ni:await_message()
  if session.granted and first and first.name == "NOTIFY" then t.ni:take() end
  local response = session:expect_error{ ids = { "RFC5973-3.4-12" },
    text = "the raised lifetime is refused towards the initiator", info = "7/0x11" }
  -- Of this session, what it forwarded; of any, its own bound.
  local forwarded_s, most_s = session:forwarded_lifetime_s(), t.ixit.lifetime.max_s
  local told_s = response.lifetime_s
  t:check{ ids = { "RFC5973-3.4-12" },
    text = "NATFW_LT carries the largest lifetime that the NF accepts",
    expected = string.format("%d or %s", forwarded_s, most_s > 0 and most_s or "more"),
    actual = told_s, holds = told_s == forwarded_s or told_s == most_s
      or most_s == 0 and told_s ~= nil and told_s > forwarded_s }
  local notify = t.nr:expect{ message = "NOTIFY", session = session,
    ids = { "RFC5973-3.4-14" }, text = "a NOTIFY goes outbound to the responder" }
  t:check{ ids = { "RFC5973-3.4-14" }, text = "it says 'session terminated'",
    expected = "1/0x05", actual = notify:info() }
end

-- A lifetime below what the NF's policy takes: zero would be a deletion.
local function smaller_one(t)
  if t.ixit.lifetime.min_s < 2 then t:not_applicable("no lifetime is below that of its policy") end
  return t.ixit.lifetime.min_s - 1
end

-- The rule whose lifetime was refused does not count; another session's does.
local function expect_not_in_force(t, session, other)
  if t.ixit.ics.blocks_by_default then
    session.data:expect_blocked{ text = "the refused rule is not in force" }
  end
  t:control()
  other.data:expect_passing()
end

return {
  {
    id = "3.4-acceptable-lifetime-unchanged",
    purpose = "An acceptable lifetime is forwarded as it came, and never raised.",
    roles = roles.firewall, smoke = true,
    requirements = { "RFC5973-3.4-10", "RFC5973-3.4-i8" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local wanted = t.ixit.lifetime.usual_s
      local create = session:send_create{ lifetime_s = wanted }
        :expect_create{ ids = { "RFC5973-3.4-i8" } }
      t:check{ ids = { "RFC5973-3.4-10" }, text = "the forwarded lifetime is not larger",
        expected = "at most " .. wanted, actual = create.lifetime_s,
        holds = create.lifetime_s <= wanted }
      t:check{ ids = { "RFC5973-3.4-i8" }, text = "the forwarded lifetime is the requested one",
        expected = wanted, actual = create.lifetime_s }
    end,
  },
  {
    id = "3.4-lifetime-lowered",
    purpose = "An NF that lowers a lifetime writes the lowered value into the CREATE and forwards "
      .. "it.",
    roles = roles.firewall, needs = { "lowers_lifetime", "lifetime.max_s" },
    requirements = { "RFC5973-3.4-7", "RFC5973-3.4-10", "RFC5973-3.4-i9" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local wanted, most = t.ixit.lifetime.max_s * 2, t.ixit.lifetime.max_s
      local create = session:send_create{ lifetime_s = wanted }
        :expect_create{ ids = { "RFC5973-3.4-i9" }, text = "the CREATE is forwarded, not refused" }
      t:check{ ids = { "RFC5973-3.4-10" },
        text = "the forwarded lifetime is not larger than requested",
        expected = "at most " .. wanted, actual = create.lifetime_s,
        holds = create.lifetime_s <= wanted }
      t:check{ ids = { "RFC5973-3.4-7" }, text = "NATFW_LT carries the lowered lifetime",
        expected = "1 to " .. most, actual = create.lifetime_s,
        holds = create.lifetime_s > 0 and create.lifetime_s <= most }
    end,
  },
  {
    id = "3.4-lifetime-too-large",
    purpose = "An NF that refuses a lifetime as too large answers 7/0x02.",
    roles = roles.firewall, needs = { "rejects_large_lifetime", "lifetime.max_s" },
    requirements = { "RFC5973-3.4-8b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ lifetime_s = t.ixit.lifetime.max_s * 2 }
      session:expect_error{ ids = { "RFC5973-3.4-8b" }, text = "a lifetime too large is refused",
        info = "7/0x02" }
      t.nr:expect_nothing{ text = "the refused CREATE is not forwarded" }
      t:control()
      t:session():establish()
    end,
  },
  {
    id = "3.4-lifetime-too-small",
    purpose = "An NF that refuses a lifetime as too small answers 7/0x10.",
    roles = roles.firewall, needs = { "rejects_small_lifetime", "lifetime.min_s" },
    requirements = { "RFC5973-3.4-9b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ lifetime_s = smaller_one(t) }
      session:expect_error{ ids = { "RFC5973-3.4-9b" }, text = "a lifetime too small is refused",
        info = "7/0x10" }
      t.nr:expect_nothing{ text = "what was refused is not forwarded" }
      t:control()
      t:session():establish()
    end,
  },
  {
    id = "3.4-lifetime-too-small-in-a-refresh",
    purpose = "An NF that refuses a lifetime as too small in a refresh, too, answers 7/0x10 there.",
    roles = roles.firewall, needs = { "rejects_small_lifetime", "lifetime.min_s" },
    requirements = { "RFC5973-3.4-9b" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      session:send_create{ lifetime_s = smaller_one(t) }
      if t.nr:await_message{ within_ms = t.ixit.timing.quiet_ms } then
        t:not_applicable("the IUT refuses at creation only")
      end
      session:expect_error{ ids = { "RFC5973-3.4-9b" },
        text = "a lifetime too small is refused in a refresh", info = "7/0x10" }
      t.nr:expect_nothing{ text = "what was refused is not forwarded" }
      t:control()
      t:session():establish()
    end,
  },
  {
    id = "3.4-granted-lifetime-lower",
    purpose = "A granted lifetime below the forwarded one is accepted and counts.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.4-11", "RFC5973-3.4-i13" },
    run = function(t)
      local lifetime = t.ixit.lifetime
      local other = t:session():establish()
      local session = t:session()
      session:send_create{ lifetime_s = lifetime.usual_s }:expect_create()
      other.data:expect_passing()
      t:body()
      session:respond{ lifetime_s = lifetime.short_s }
      local response = session:expect_response{ ids = { "RFC5973-3.4-11" } }
      t:check{ ids = { "RFC5973-3.4-11" }, text = "the RESPONSE is passed on as a success",
        expected = 2, actual = response.class }
      t:check{ ids = { "RFC5973-3.4-11" }, text = "with the granted lifetime",
        expected = lifetime.short_s, actual = response.lifetime_s }
      session.data:expect_passing{ ids = { "RFC5973-3.4-11" } }
      local due = response.at + lifetime.short_s * 1000
      session.data:expect_expiry{ ids = { "RFC5973-3.4-i13" }, early_ids = { "RFC5973-3.4-i13" },
        text = "running flow stops when the granted lifetime ends", at_ms = due }
      t:control()
      other.data:expect_passing()
    end,
  },
  {
    id = "3.4-granted-lifetime-raised",
    purpose = "A granted lifetime above the forwarded one is answered 7/0x11 with the most that "
      .. "the NF accepts, and the session is ended outbound.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.4-12", "RFC5973-3.4-14" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session:send_create():expect_create()
      t:body()
      expect_raise_refused(t, session)
      expect_not_in_force(t, session, other)
    end,
  },
  {
    id = "3.4-granted-lifetime-raised-in-a-refresh",
    purpose = "A granted lifetime above the forwarded one is answered 7/0x11 in a refresh, too, and the "
      .. "session is ended outbound.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.4-12", "RFC5973-3.4-14" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      session:send_create():expect_create()
      expect_raise_refused(t, session)
      t:control()
      t:tolerate("NOTIFY", session)
      t:session():establish()
    end,
  },
  {
    id = "3.4-granted-lifetime-too-small",
    purpose = "A granted lifetime below the NF's own bound is answered 7/0x12 with that bound, "
      .. "and the session is ended outbound.",
    roles = roles.firewall, needs = { "lifetime.min_s" },
    requirements = { "RFC5973-3.4-13", "RFC5973-3.4-14" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session:send_create():expect_create()
      t:body()
      session:respond{ lifetime_s = smaller_one(t) }
      local response = session:expect_error{ ids = { "RFC5973-3.4-13" },
        text = "the small lifetime is refused towards the initiator", info = "7/0x12" }
      t:check{ ids = { "RFC5973-3.4-13" },
        text = "NATFW_LT carries the smallest lifetime that the NF accepts",
        expected = t.ixit.lifetime.min_s, actual = response.lifetime_s }
      local notify = t.nr:expect{ message = "NOTIFY", session = session,
        ids = { "RFC5973-3.4-14" }, text = "a NOTIFY goes outbound to the responder" }
      t:check{ ids = { "RFC5973-3.4-14" }, text = "it says 'session terminated'",
        expected = "1/0x05", actual = notify:info() }
      expect_not_in_force(t, session, other)
    end,
  },
  {
    id = "3.4-expiry-udp",
    purpose = "At the end of its lifetime a session and its rule go: a running UDP flow stops.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.4-1a", "RFC5973-3.4-1b", "RFC5973-3.4-i1", "RFC5973-3.4-2" },
    run = expiry("udp"),
  },
  {
    id = "3.4-expiry-tcp",
    purpose = "At the end of its lifetime a session and its rule go: a running TCP flow stops.",
    roles = roles.firewall, needs = { "blocks_by_default", "tcp_flows" },
    requirements = { "RFC5973-3.4-1a", "RFC5973-3.4-1b", "RFC5973-3.4-i1", "RFC5973-3.4-2" },
    run = expiry("tcp"),
  },
}
