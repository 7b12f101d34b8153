-- RFC 5973, section 3.10: updating the rule of a session.

local FIREWALL = { "NF-FW", "edge-FW" }

return {
  {
    id = "3.10-update-replaces-rule",
    purpose = "A CREATE with the same session id and another MRI replaces the rule: the new flow "
      .. "passes and the old one stops.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.10-i5", "RFC5973-3.7.3-i5" },
    run = function(t)
      local session = t:session():establish()
      local old = session.data
      t:passes(old)
      session:move()
      session:connect()
      t:body()
      session.forwarded = session:send_create():expect_create({ "RFC5973-3.7.3-i5" },
        "the update is forwarded")
      local early = session.data:start():mark()
      t:pause(t.ixit.timing.quiet_ms)
      local passed = session.data:since(early).forward > 0
      t:reading("A39", passed and "replaced at the request" or "replaced at the RESPONSE")
      if t.strict then
        t:check(nil, "as this project reads it, the update waits for its RESPONSE", "waits",
          passed and "does not wait" or "waits")
      end
      session:respond():expect_response({ "RFC5973-3.7.3-i5" })
      local moment = t.net.now()
      t:stops(old, { "RFC5973-3.10-i5" }, "running flow of the old rule stops", moment, nil,
        moment + t.ixit.timing.stop_ms)
      t:passes(session.data, { "RFC5973-3.10-i5" }, "data of the new rule passes")
    end,
  },
}
