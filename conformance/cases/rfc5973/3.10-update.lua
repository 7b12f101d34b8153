-- RFC 5973, section 3.10: updating the rule of a session.

local roles = require("runner.roles")

return {
  {
    id = "3.10-update-replaces-rule",
    purpose = "A CREATE with the same session id and another MRI replaces the rule: the new flow "
      .. "passes and the old one stops.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.10-i5", "RFC5973-3.7.3-i5" },
    run = function(t)
      local session = t:session():establish()
      local old = session.data
      old:expect_passing()
      session:move()
      session:connect()
      t:body()
      local asked_at = t:now()
      session:send_create():expect_create{ ids = { "RFC5973-3.7.3-i5" },
        text = "the update is forwarded" }
      local early = session.data:start():mark()
      t:pause(t.ixit.timing.quiet_ms)
      local passed = session.data:since(early).forward > 0
      t:reading{ of = "A39", seen = passed and "replaced at the request" or "replaced at the RESPONSE",
        ours = "replaced at the RESPONSE" }
      session:respond():expect_response{ ids = { "RFC5973-3.7.3-i5" } }
      local moment = t:now()
      old:expect_stop{ ids = { "RFC5973-3.10-i5" }, text = "running flow of the old rule stops",
        at_ms = moment, from_ms = asked_at - t.ixit.timing.expiry_early_ms }
      session.data:expect_passing{ ids = { "RFC5973-3.10-i5" },
        text = "data of the new rule passes" }
    end,
  },
}
