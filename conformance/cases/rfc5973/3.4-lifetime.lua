-- RFC 5973, section 3.4: how long a session lives, and what an NF may do to that.

local FIREWALL = { "NF-FW", "edge-FW" }

-- A flow that runs when its session expires stops on time; another session's flow does not.
local function expiry(protocol)
  return function(t)
    local lifetime = t.ixit.lifetime
    local other = t:session({ protocol = protocol }):establish()
    local short = t:session({ protocol = protocol }):establish({ lifetime_s = lifetime.short_s })
    t:passes(other.data)
    t:passes(short.data)
    t:body()
    t:tolerate("NOTIFY") -- 1/0x04 may be sent at expiry: 3.7.5
    local due = short.established_at + short.granted_s * 1000
    t:stops(short.data, { "RFC5973-3.4-1a", "RFC5973-3.4-1b" }, "running flow stops at expiry", due,
      due - t.ixit.timing.expiry_early_ms, due + t.ixit.timing.expiry_late_ms)
    t:passes(other.data, nil, "the flow of a session that lives on still passes")
    t:nothing(t.nr, { "RFC5973-3.4-2" },
      "no CREATE that the initiator did not send reached the responder")
    short:send_create({ msn = (short.msn - 1) % 4294967296 })
    short:expect_create({ "RFC5973-3.4-1a" },
      "the session is forgotten: a CREATE with a lower MSN begins it anew")
  end
end

return {
  {
    id = "3.4-acceptable-lifetime-unchanged",
    purpose = "An acceptable lifetime is forwarded as it came, and never raised.",
    roles = FIREWALL, smoke = true,
    requirements = { "RFC5973-3.4-10", "RFC5973-3.4-i8" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local wanted = t.ixit.lifetime.usual_s
      local create = session:send_create({ lifetime_s = wanted }):expect_create()
      t:check({ "RFC5973-3.4-10" }, "the forwarded lifetime is not larger", "at most " .. wanted,
        create.lifetime_s, create.lifetime_s <= wanted)
      t:check({ "RFC5973-3.4-i8" }, "the forwarded lifetime is the requested one", wanted,
        create.lifetime_s)
    end,
  },
  {
    id = "3.4-lifetime-lowered",
    purpose = "An NF that lowers a lifetime writes the lowered value into the CREATE and forwards "
      .. "it.",
    roles = FIREWALL, needs = { "lowers_lifetime", "lifetime.max_s" },
    requirements = { "RFC5973-3.4-7", "RFC5973-3.4-10", "RFC5973-3.4-i9" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local wanted, most = t.ixit.lifetime.max_s * 2, t.ixit.lifetime.max_s
      local create = session:send_create({ lifetime_s = wanted }):expect_create({ "RFC5973-3.4-i9" },
        "the CREATE is forwarded, not refused")
      t:check({ "RFC5973-3.4-10" }, "the forwarded lifetime is not larger than requested",
        "at most " .. wanted, create.lifetime_s, create.lifetime_s <= wanted)
      t:check({ "RFC5973-3.4-7" }, "NATFW_LT carries the lowered lifetime", most, create.lifetime_s)
    end,
  },
  {
    id = "3.4-lifetime-too-large",
    purpose = "An NF that refuses a lifetime as too large answers 7/0x02.",
    roles = FIREWALL, needs = { "rejects_large_lifetime", "lifetime.max_s" },
    requirements = { "RFC5973-3.4-8b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create({ lifetime_s = t.ixit.lifetime.max_s * 2 })
      session:expect_error(7, 0x02, { "RFC5973-3.4-8b" }, "a lifetime too large is refused")
      t:nothing(t.nr, nil, "the refused CREATE is not forwarded")
      t:control()
      t:session():establish()
    end,
  },
  {
    id = "3.4-lifetime-too-small",
    purpose = "An NF that refuses a lifetime as too small answers 7/0x10.",
    roles = FIREWALL, needs = { "rejects_small_lifetime", "lifetime.min_s" },
    requirements = { "RFC5973-3.4-9b", "RFC5973-3.4-i11" },
    run = function(t)
      local session = t:session():connect()
      local living = t:session():establish()
      t:body()
      local small = math.max(t.ixit.lifetime.min_s - 1, 1)
      session:send_create({ lifetime_s = small })
      session:expect_error(7, 0x10, { "RFC5973-3.4-9b" }, "a lifetime too small is refused")
      living:send_create({ lifetime_s = small })
      living:expect_error(7, 0x10, { "RFC5973-3.4-i11" }, "and in a refresh too")
      t:nothing(t.nr, nil, "what was refused is not forwarded")
      t:control()
      t:session():establish()
    end,
  },
  {
    id = "3.4-granted-lifetime-lower",
    purpose = "A granted lifetime below the forwarded one is accepted and counts.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.4-11", "RFC5973-3.4-i13" },
    run = function(t)
      local lifetime = t.ixit.lifetime
      local other = t:session():establish()
      local session = t:session()
      session.forwarded = session:send_create({ lifetime_s = lifetime.usual_s }):expect_create()
      t:passes(other.data)
      t:body()
      session:respond({ lifetime_s = lifetime.short_s })
      local response = session:expect_response({ "RFC5973-3.4-11" })
      t:check({ "RFC5973-3.4-11" }, "the RESPONSE is passed on as a success", 2, response.class)
      t:check({ "RFC5973-3.4-11" }, "with the granted lifetime", lifetime.short_s,
        response.lifetime_s)
      t:passes(session.data, { "RFC5973-3.4-11" })
      local due = response.at + lifetime.short_s * 1000
      t:stops(session.data, { "RFC5973-3.4-i13" },
        "running flow stops when the granted lifetime ends", due,
        due - t.ixit.timing.expiry_early_ms, due + t.ixit.timing.expiry_late_ms)
      t:control()
      t:passes(other.data)
    end,
  },
  {
    id = "3.4-granted-lifetime-raised",
    purpose = "A granted lifetime above the forwarded one is answered 7/0x11 with the most that "
      .. "the NF accepts, and the session is ended outbound.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.4-12", "RFC5973-3.4-14" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session.forwarded = session:send_create():expect_create()
      t:blocked(session.data)
      t:body()
      session:respond({ lifetime_s = session.forwarded.lifetime_s * 2 })
      local response = session:expect_error(7, 0x11, { "RFC5973-3.4-12" },
        "the raised lifetime is refused towards the initiator")
      t:check({ "RFC5973-3.4-12" }, "NATFW_LT carries the largest lifetime that the NF accepts",
        session.forwarded.lifetime_s, response.lifetime_s)
      local notify = t:expect(t.nr, "NOTIFY", session, { "RFC5973-3.4-14" },
        "a NOTIFY goes outbound to the responder")
      t:check({ "RFC5973-3.4-14" }, "it says 'session terminated'", "1/0x05",
        string.format("%d/0x%02X", notify.class, notify.code))
      t:blocked(session.data, nil, "the refused rule is not in force")
      t:control()
      t:passes(other.data)
    end,
  },
  {
    id = "3.4-granted-lifetime-too-small",
    purpose = "A granted lifetime below the NF's own bound is answered 7/0x12 with that bound, "
      .. "and the session is ended outbound.",
    roles = FIREWALL, needs = { "lifetime.min_s" },
    requirements = { "RFC5973-3.4-13", "RFC5973-3.4-14" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session.forwarded = session:send_create():expect_create()
      t:blocked(session.data)
      t:body()
      session:respond({ lifetime_s = t.ixit.lifetime.min_s - 1 })
      local response = session:expect_error(7, 0x12, { "RFC5973-3.4-13" },
        "the small lifetime is refused towards the initiator")
      t:check({ "RFC5973-3.4-13" }, "NATFW_LT carries the smallest lifetime that the NF accepts",
        t.ixit.lifetime.min_s, response.lifetime_s)
      local notify = t:expect(t.nr, "NOTIFY", session, { "RFC5973-3.4-14" },
        "a NOTIFY goes outbound to the responder")
      t:check({ "RFC5973-3.4-14" }, "it says 'session terminated'", "1/0x05",
        string.format("%d/0x%02X", notify.class, notify.code))
      t:blocked(session.data, nil, "the refused rule is not in force")
      t:control()
      t:passes(other.data)
    end,
  },
  {
    id = "3.4-expiry-udp",
    purpose = "At the end of its lifetime a session and its rule go: a running UDP flow stops.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.4-1a", "RFC5973-3.4-1b", "RFC5973-3.4-2" },
    run = expiry("udp"),
  },
  {
    id = "3.4-expiry-tcp",
    purpose = "At the end of its lifetime a session and its rule go: a running TCP flow stops.",
    roles = FIREWALL, needs = { "blocks_by_default", "tcp_flows" },
    requirements = { "RFC5973-3.4-1a", "RFC5973-3.4-1b", "RFC5973-3.4-2" },
    run = expiry("tcp"),
  },
}
