-- RFC 5973, section 3.7.3: refreshing a session.

local FIREWALL = { "NF-FW", "edge-FW" }

return {
  {
    id = "3.7.3-refresh-extends",
    purpose = "A refresh that the responder grants keeps the rule in force beyond the first "
      .. "lifetime, and no longer than granted.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.5-7", "RFC5973-3.2.8-3" },
    run = function(t)
      local lifetime = t.ixit.lifetime
      local other = t:session():establish()
      local session = t:session():establish({ lifetime_s = lifetime.short_s })
      t:passes(session.data)
      t:body()
      local first_due = session.established_at + session.granted_s * 1000
      t:pause(session.granted_s * 500)
      session.forwarded = session:send_create({ lifetime_s = lifetime.short_s })
        :expect_create({ "RFC5973-3.5-7" },
        "the refresh is forwarded")
      local response = session:respond():expect_response({ "RFC5973-3.5-7" })
      t:pause(math.max(first_due + 100 - t.net.now(), 0))
      t:passes(session.data, { "RFC5973-3.5-7" },
        "data passes after the first lifetime would have ended")
      local due = response.at + response.lifetime_s * 1000
      t:stops(session.data, { "RFC5973-3.2.8-3" },
        "running flow stops when the refreshed lifetime ends", due,
        due - t.ixit.timing.expiry_early_ms, due + t.ixit.timing.expiry_late_ms)
      t:control()
      t:passes(other.data)
    end,
  },
  {
    id = "3.7.3-error-response-to-refresh",
    purpose = "An error RESPONSE to a refresh is passed on; the session either dies at once or "
      .. "keeps its old lifetime, and never gains.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-i20", "RFC5973-3.2.8-3" },
    run = function(t)
      local lifetime = t.ixit.lifetime
      local other = t:session():establish()
      local session = t:session():establish({ lifetime_s = lifetime.short_s })
      t:passes(other.data)
      t:passes(session.data)
      t:body()
      local due = session.established_at + session.granted_s * 1000
      session.forwarded = session:send_create({ lifetime_s = lifetime.usual_s }):expect_create(nil,
        "the refresh is forwarded")
      session:respond({ class = 4, code = 1 })
      local response = session:expect_response({ "RFC5973-3.7.1-i20" },
        "the error RESPONSE reaches the initiator")
      t:check({ "RFC5973-3.7.1-i20" }, "unchanged", "4/0x01",
        string.format("%d/0x%02X", response.class, response.code))
      t:tolerate("NOTIFY") -- that it ended, to either side: 3.7.5
      t:stops(session.data, { "RFC5973-3.2.8-3" }, "running flow stops after a refused refresh",
        response.at,
        nil, due + t.ixit.timing.expiry_late_ms)
      local lived_ms = session.data:last_at() - response.at
      local died = session.data:last_at() < due - t.ixit.timing.expiry_early_ms
      t:check({ "RFC5973-3.2.8-3" }, "it died at once or kept its old lifetime",
        "at once, or at its old end", string.format("after %.0f ms", lived_ms),
        not died or lived_ms <= t.ixit.timing.stop_ms)
      t:reading("A38", died and "the session dies" or "the old state is kept")
      if t.strict then
        t:check(nil, "as this project reads it, the old state is kept", "kept", died and "dead"
          or "kept")
      end
      t:control()
      t:passes(other.data)
    end,
  },
}
