-- RFC 5973, section 3.7.1: creating a session.

local FIREWALL = { "NF-FW", "edge-FW" }
local messages = require("runner.messages")

-- No data before the success RESPONSE, data in both directions after it.
local function opens(protocol)
  return function(t)
    local session = t:session({ protocol = protocol }):connect()
    t:body()
    t:blocked(session.data, nil, "no data passes before the CREATE")
    session.forwarded = session:send_create():expect_create({ "RFC5973-3.7.1-i17",
      "RFC5973-4.2.4-1" })
    t:blocked(session.data, { "RFC5973-3.7.1-7", "RFC5973-3.7.1-i16" },
      "no data passes before the RESPONSE: the rule is only remembered")
    local response = session:respond():expect_response({ "RFC5973-3.7.1-i20" })
    t:check({ "RFC5973-3.7.1-i20" }, "the success is passed on as it is", "2/0x01",
      string.format("%d/0x%02X", response.class, response.code))
    t:check({ "RFC5973-3.7.1-i20" }, "with the lifetime granted", session.forwarded.lifetime_s,
      response.lifetime_s)
    t:passes(session.data, { "RFC5973-3.7.1-i22", "RFC5973-4.2.4-1" },
      "data passes after the success RESPONSE")
  end
end

local OPENS = { "RFC5973-3.7.1-7", "RFC5973-3.7.1-i16", "RFC5973-3.7.1-i17", "RFC5973-3.7.1-i20",
  "RFC5973-3.7.1-i22", "RFC5973-4.2.4-1" }

return {
  {
    id = "3.7.1-create-opens-udp",
    purpose = "A CREATE is forwarded, its success RESPONSE passed back; UDP passes after that and "
      .. "not before.",
    roles = FIREWALL, needs = { "blocks_by_default" }, smoke = true,
    requirements = OPENS, run = opens("udp"),
  },
  {
    id = "3.7.1-create-opens-tcp",
    purpose = "A CREATE is forwarded, its success RESPONSE passed back; TCP passes after that and "
      .. "not before.",
    roles = FIREWALL, needs = { "blocks_by_default", "tcp_flows" },
    requirements = OPENS, run = opens("tcp"),
  },
  {
    id = "3.7.1-error-response-discards-rule",
    purpose = "An error RESPONSE is passed to the initiator and discards the remembered rule: a "
      .. "later success does not bring it back.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-i23", "RFC5973-3.7.1-i20", "RFC5973-3.7.1-7" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session.forwarded = session:send_create():expect_create()
      t:passes(other.data)
      t:body()
      session:respond({ class = 5, code = 2 })
      local response = session:expect_response({ "RFC5973-3.7.1-i20" },
        "the error RESPONSE reaches the initiator")
      t:check({ "RFC5973-3.7.1-i20" }, "unchanged", "5/0x02",
        string.format("%d/0x%02X", response.class, response.code))
      t:blocked(session.data, { "RFC5973-3.7.1-i23", "RFC5973-3.7.1-7" },
        "no data passes after the error RESPONSE")
      session:respond({ class = 2, code = 1 })
      t:blocked(session.data, { "RFC5973-3.7.1-i23", "RFC5973-3.7.1-7" },
        "a success after the error opens nothing")
      t:control()
      t:passes(other.data)
    end,
  },
  {
    id = "3.7.1-no-responder",
    purpose = "When no next peer answers, the NF tells the initiator 5/0x07.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.7.1-2" },
    run = function(t)
      local session = t:session():connect()
      t.nr.silent = true
      t:body()
      session:send_create()
      local item = t:expect(t.ni, "RESPONSE", session, { "RFC5973-3.7.1-2" },
        "the initiator is told that the CREATE did not reach the NR", t.ixit.timing.no_peer_ms)
      t:check({ "RFC5973-3.7.1-2" }, "with 'Did not reach the NR'", "5/0x07",
        string.format("%d/0x%02X", item.class or 0, item.code or 0))
    end,
  },
  {
    id = "3.7.1-pending-session-ends",
    purpose = "A session without RESPONSE is dead after the lifetime of its CREATE: a success "
      .. "that comes later opens nothing.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.2.8-2" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session.forwarded = session:send_create({ lifetime_s = t.ixit.lifetime.short_s }):expect_create()
      t:passes(other.data)
      t:pause(session.forwarded.lifetime_s * 1000 + t.ixit.timing.expiry_late_ms)
      t:body()
      session:respond()
      t:blocked(session.data, { "RFC5973-3.2.8-2" }, "a RESPONSE after the lifetime opens nothing")
      t:control()
      t:passes(other.data)
    end,
  },
  {
    id = "3.7.1-response-from-the-wrong-side",
    purpose = "A success RESPONSE that the initiator sends itself opens nothing: it does not come "
      .. "from the responder's side.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-7" },
    run = function(t)
      local session = t:session()
      session.forwarded = session:send_create():expect_create()
      t:blocked(session.data)
      t:body()
      t.ni:send_nslp(session, messages.nslp_response({ msn = session.msn,
        lifetime_s = session.forwarded.lifetime_s }))
      t:blocked(session.data, { "RFC5973-3.7.1-7" }, "the initiator's own RESPONSE opens nothing")
      t:control()
      t.ni.inbox, t.nr.inbox = {}, {}
      session:respond():expect_response()
      t:passes(session.data)
    end,
  },
}
