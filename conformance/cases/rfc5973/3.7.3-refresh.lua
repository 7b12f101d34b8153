-- RFC 5973, section 3.7.3: refreshing a session.

local roles = require("runner.roles")

return {
  {
    id = "3.7.3-refresh-extends",
    purpose = "A refresh that the responder grants keeps the rule in force beyond the first "
      .. "lifetime, and no longer than granted.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.5-7", "RFC5973-3.7.3-i6", "RFC5973-3.7.1-i20", "RFC5973-3.2.8-3" },
    run = function(t)
      local lifetime = t.ixit.lifetime
      local other = t:session():establish()
      local session = t:session():establish{ lifetime_s = lifetime.short_s }
      session.data:expect_passing()
      t:body()
      local first_due = session:ends_at()
      t:pause(session.granted_s * 500)
      session:send_create{ lifetime_s = lifetime.short_s }
        :expect_create{ ids = { "RFC5973-3.5-7" }, text = "the refresh is forwarded" }
      local response = session:respond():expect_response{ ids = { "RFC5973-3.7.1-i20" } }
      t:pause(math.max(first_due + 100 - t:now(), 0))
      session.data:expect_passing{ ids = { "RFC5973-3.5-7", "RFC5973-3.7.3-i6" },
        text = "data passes after the first lifetime would have ended" }
      local due = response.at + response.lifetime_s * 1000
      session.data:expect_expiry{ ids = { "RFC5973-3.2.8-3" }, early_ids = { "RFC5973-3.7.3-i6" },
        text = "running flow stops when the refreshed lifetime ends", at_ms = due }
      t:control()
      other.data:expect_passing()
    end,
  },
  {
    id = "3.7.3-error-response-to-refresh",
    purpose = "An error RESPONSE to a refresh is passed on; the session either dies at once or "
      .. "keeps its old lifetime, and never gains.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-i20", "RFC5973-3.7.1-i23" },
    run = function(t)
      local lifetime = t.ixit.lifetime
      local other = t:session():establish()
      local session = t:session():establish{ lifetime_s = lifetime.short_s }
      other.data:expect_passing()
      session.data:expect_passing()
      t:body()
      local due = session:ends_at()
      session:send_create{ lifetime_s = lifetime.usual_s }
        :expect_create{ text = "the refresh is forwarded" }
      session:respond{ info = "4/0x01" }
      local response = session:expect_response{ ids = { "RFC5973-3.7.1-i20" },
        text = "the error RESPONSE reaches the initiator" }
      t:check{ ids = { "RFC5973-3.7.1-i20" }, text = "unchanged", expected = "4/0x01",
        actual = response:info() }
      t:tolerate("NOTIFY") -- that it ended, to either side: 3.7.5
      session.data:expect_stop{ ids = { "RFC5973-3.7.1-i23" },
        text = "running flow stops after a refused refresh", at_ms = response.at,
        by_ms = due + t.ixit.timing.expiry_late_ms }
      local lived_ms = session.data:last_at() - response.at
      local died = session.data:last_at() < due - t.ixit.timing.expiry_early_ms
      t:check{ ids = { "RFC5973-3.7.1-i23" }, text = "it died at once or kept its old lifetime",
        expected = "at once, or at its old end", actual = string.format("after %.0f ms", lived_ms),
        holds = not died or lived_ms <= t.ixit.timing.stop_ms }
      t:reading{ of = "A38", seen = died and "the session dies" or "the old state is kept",
        ours = "the old state is kept" }
      t:control()
      other.data:expect_passing()
    end,
  },
}
