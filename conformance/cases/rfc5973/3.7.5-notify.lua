-- RFC 5973, section 3.7.5: NOTIFY, as an NF relays it.

local FIREWALL = { "NF-FW", "edge-FW" }
local messages = require("runner.messages")

-- A NOTIFY that ends the session is relayed, and its rule goes.
local function ends_session(code, id)
  return function(t)
    local other = t:session():establish()
    local session = t:session():establish()
    t:passes(other.data)
    t:passes(session.data)
    t:body()
    t.nr:send_nslp(session, messages.notify(code))
    local moment = t.net.now()
    local notify = t:expect(t.ni, "NOTIFY", session, { "RFC5973-3.7.5-13b" },
      "the NOTIFY is relayed inbound")
    t:check({ "RFC5973-3.7.5-13b" }, "unchanged", string.format("1/0x%02X", code),
      string.format("%d/0x%02X", notify.class, notify.code))
    t:stops(session.data, { id }, "running flow stops at the NOTIFY", moment, nil,
      moment + t.ixit.timing.stop_ms)
    t:control()
    t:passes(other.data)
  end
end

return {
  {
    id = "3.7.5-notify-terminated",
    purpose = "NOTIFY 1/0x05 from the responder is relayed inbound and ends the session.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.5-9", "RFC5973-3.7.5-13b" },
    run = ends_session(5, "RFC5973-3.7.5-9"),
  },
  {
    id = "3.7.5-notify-expired",
    purpose = "NOTIFY 1/0x04 from the responder is relayed inbound and ends the session.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.5-7", "RFC5973-3.7.5-13b" },
    run = ends_session(4, "RFC5973-3.7.5-7"),
  },
  {
    id = "3.7.5-notify-outbound",
    purpose = "A NOTIFY received outbound is relayed outbound, but not one that is only for the "
      .. "initiator.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.7.5-13c", "RFC5973-3.7.5-14" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t.ni:send_nslp(session, messages.notify(2))
      t:nothing(t.nr, { "RFC5973-3.7.5-14" },
        "'re-authentication required' is not relayed outbound")
      t:nothing(t.ni, { "RFC5973-3.7.5-14" }, "and not answered")
      t.ni:send_nslp(session, messages.notify(3))
      local notify = t:expect(t.nr, "NOTIFY", session, { "RFC5973-3.7.5-13c" },
        "'going down soon' is relayed outbound")
      t:check({ "RFC5973-3.7.5-13c" }, "unchanged", "1/0x03",
        string.format("%d/0x%02X", notify.class, notify.code))
      t:control()
      session.forwarded = session:send_create():expect_create()
      session:respond():expect_response()
    end,
  },
  {
    id = "3.7.5-notify-only-over-association",
    purpose = "A NOTIFY in D-mode is ignored: not relayed, and the session lives on.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.5-11" },
    run = function(t)
      local session = t:session():establish()
      t:passes(session.data)
      t:body()
      t.nr:send_nslp_datagram(session, messages.notify(5))
      t:nothing(t.ni, { "RFC5973-3.7.5-11" }, "a NOTIFY without an association is not relayed")
      t.nr.inbox = {}
      t:passes(session.data, { "RFC5973-3.7.5-11" }, "the flow still passes")
      t:control()
      t.nr:send_nslp(session, messages.notify(5))
      t:expect(t.ni, "NOTIFY", session, nil, "over the association the same NOTIFY is relayed")
    end,
  },
  {
    id = "3.7.5-malformed-not-answered",
    purpose = "A malformed NOTIFY or RESPONSE is never answered with a RESPONSE.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.2.7-1" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      local empty = { header = { type = 4 }, objects = {} }
      t.nr:send_nslp(session, empty)
      t:nothing(t.nr, { "RFC5973-3.2.7-1" },
        "a NOTIFY without objects is not answered to the responder")
      t:nothing(t.ni, { "RFC5973-3.2.7-1" }, "nor passed to the initiator as a RESPONSE")
      t.nr:send_nslp(session, { header = { type = 3 }, objects = {} })
      t:nothing(t.nr, { "RFC5973-3.2.7-1" },
        "a RESPONSE without objects is not answered to the responder")
      t:nothing(t.ni, { "RFC5973-3.2.7-1" }, "nor passed to the initiator")
      t.ni:send_nslp(session, empty)
      t:nothing(t.ni, { "RFC5973-3.2.7-1" },
        "a NOTIFY without objects is not answered to the initiator")
      t:control()
      session.forwarded = session:send_create():expect_create()
      session:respond():expect_response()
    end,
  },
}
