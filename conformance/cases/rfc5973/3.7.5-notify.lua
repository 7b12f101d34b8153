-- RFC 5973, section 3.7.5: NOTIFY, as an NF relays it.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

-- A NOTIFY that ends the session is relayed, and its rule goes.
local function ends_session(info, id)
  return function(t)
    local other = t:session():establish()
    local session = t:session():establish()
    other.data:expect_passing()
    session.data:expect_passing()
    t:body()
    t.nr:send_nslp(session, messages.notify(info))
    local moment = t:now()
    local notify = t.ni:expect{ message = "NOTIFY", session = session,
      ids = { "RFC5973-3.7.5-13b" }, text = "the NOTIFY is relayed inbound" }
    t:check{ ids = { "RFC5973-3.7.5-13b" }, text = "unchanged",
      expected = info, actual = notify:info() }
    session.data:expect_stop{ ids = { id }, text = "running flow stops at the NOTIFY",
      at_ms = moment }
    t:control()
    other.data:expect_passing()
  end
end

local NO_SESSION = ("\0"):rep(16)

-- One NOTIFY about all sessions with its sender: session id zero, explicitly routed, wild but for the
-- sender's own address (ruling A53).
local function aggregate(own_address)
  return spoil.all(spoil.header("e", 1), spoil.value("SID", "sid", NO_SESSION),
    spoil.fields("MRI", { source = own_address, destination = own_address, source_prefix = 0,
      dest_prefix = 0, protocol = 0, p = 0, a = 0, b = 0 }))
end

local function has_stopped(t, flow)
  local mark = flow:start():mark()
  t:pause(t.ixit.timing.quiet_ms)
  return flow:since(mark).forward == 0
end

local HOLD_MS = 30000 -- 3.2.8

-- The time until which a session is to be kept that gets a NOTIFY now: a lifetime that ends before is
-- lawful, ruling A46.
local function held_until(t, session)
  return math.min(t:now() + HOLD_MS, session:ends_at()) - t.ixit.timing.expiry_early_ms
end

return {
  {
    id = "3.7.5-notify-terminated",
    purpose = "NOTIFY 1/0x05 from the responder is relayed inbound and ends the session.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.5-9", "RFC5973-3.7.5-13b" },
    run = ends_session("1/0x05", "RFC5973-3.7.5-9"),
  },
  {
    id = "3.7.5-notify-expired",
    purpose = "NOTIFY 1/0x04 from the responder is relayed inbound and ends the session.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.5-7", "RFC5973-3.7.5-13b" },
    run = ends_session("1/0x04", "RFC5973-3.7.5-7"),
  },
  {
    id = "3.7.5-aggregated-notify",
    purpose = "One NOTIFY 1/0x05 about all sessions with its sender: whether a box ends them by the "
      .. "form that it has here is a reading, for the text gives none; it ends all or none.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.5-i11" },
    run = function(t)
      local first, second = t:session():establish(), t:session():establish()
      first.data:expect_passing()
      second.data:expect_passing()
      if first:responder_association() ~= second:responder_association() then
        t:not_applicable("it has an association for each session")
      end
      t:body()
      t:tolerate("NOTIFY")
      t.nr:send_nslp(first, messages.notify("1/0x05"), { change = aggregate(t.addresses.nr) })
      t:pause(t.ixit.timing.stop_ms)
      local ended = has_stopped(t, first.data)
      t:reading{ of = "A53", ids = { "RFC5973-3.7.5-i11" }, seen = ended and "ended" or "ignored",
        ours = "ended" }
      t:check{ ids = { "RFC5973-3.7.5-i11" }, text = "the other session fares likewise",
        expected = ended, actual = has_stopped(t, second.data) }
      t:control()
      t:session():establish().data:expect_passing()
    end,
  },
  {
    id = "3.7.5-notify-outbound",
    purpose = "A NOTIFY received outbound is relayed outbound, but not one that is only for the "
      .. "initiator.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.7.5-13c", "RFC5973-3.7.5-14" },
    run = function(t)
      local session, other = t:session():establish(), t:session():establish()
      t:body()
      t.ni:send_nslp(session, messages.notify("1/0x02"))
      t.nr:expect_nothing{ ids = { "RFC5973-3.7.5-14" },
        text = "'re-authentication required' is not relayed outbound" }
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.5-14" }, text = "and not answered" }
      -- By another session: ruling A47 lets a box discard every NOTIFY of one that is Transitory.
      t.ni:send_nslp(other, messages.notify("1/0x03"))
      local notify = t.nr:expect{ message = "NOTIFY", session = other,
        ids = { "RFC5973-3.7.5-13c" }, text = "'going down soon' is relayed outbound" }
      t:check{ ids = { "RFC5973-3.7.5-13c" }, text = "unchanged", expected = "1/0x03",
        actual = notify:info() }
      t:control()
      session:send_create():expect_create()
      session:respond():expect_response()
    end,
  },
  {
    id = "3.7.5-route-change-once",
    purpose = "A route change that is told of again, while the session is Transitory because of the "
      .. "first time, is relayed no more.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.7.5-3", "RFC5973-3.7.5-13b" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t.nr:send_nslp(session, messages.notify("1/0x01"))
      local notify = t.ni:expect{ message = "NOTIFY", session = session,
        ids = { "RFC5973-3.7.5-13b" }, text = "the first is relayed" }
      t:check{ ids = { "RFC5973-3.7.5-13b" }, text = "as it was", expected = "1/0x01",
        actual = notify:info() }
      t.nr:send_nslp(session, messages.notify("1/0x01"))
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.5-3" }, text = "the second is not" }
      t:control() -- by another session: ruling A47 lets a box discard every NOTIFY of this one
      t:session():establish()
    end,
  },
  {
    id = "3.7.5-transitory-held",
    purpose = "A session that a NOTIFY made Transitory is kept for 30 s, or until its lifetime ends, "
      .. "which is recommended: its flow passes.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.2.8-4", "RFC5973-3.7.5-13b" },
    run = function(t)
      local timing = t.ixit.timing
      local session, other = t:session():establish(), t:session():establish()
      t:body()
      local until_ms = held_until(t, session)
      t.nr:send_nslp(session, messages.notify("1/0x03"))
      t.ni:expect{ message = "NOTIFY", session = session, ids = { "RFC5973-3.7.5-13b" },
        text = "it is relayed inbound" }
      t:tolerate("NOTIFY") -- that the session has ended
      session:await_message_refreshing{ within_ms = until_ms - timing.quiet_ms - t:now() }
      local before = session.data:start():mark()
      t:pause(until_ms - t:now())
      local passed = session.data:since(before).forward
      t:remark{ ids = { "RFC5973-3.2.8-4" }, text = "at the end of that time its flow passes",
        expected = "packets", actual = passed .. " packets", holds = passed > 0 }
      t:control()
      other.data:expect_passing()
    end,
  },
  {
    id = "nr-3.7.5-transitory-held",
    purpose = "An NR keeps a session that a NOTIFY made Transitory for 30 s, or until its lifetime "
      .. "ends, which is recommended: a stale MSN stays stale.",
    roles = roles.responder,
    requirements = { "RFC5973-3.2.8-4", "RFC5973-3.2.7-1" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      local until_ms = held_until(t, session)
      t.ni:send_nslp(session, messages.notify("1/0x03"))
      t.ni:expect_no_response{ ids = { "RFC5973-3.2.7-1" }, text = "it is not answered" }
      t:tolerate("NOTIFY") -- that the session has ended
      session:await_message_refreshing{ within_ms = until_ms - t.ixit.timing.quiet_ms - t:now() }
      session:send_create{ msn = session:msn_plus(-1) }
      local answer = t.ni:take()
      t:remark{ ids = { "RFC5973-3.2.8-4" }, text = "at the end of that time a CREATE with a lower MSN "
        .. "is stale", expected = "nothing", actual = messages.summary(answer), holds = not answer }
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
  {
    id = "3.7.5-notify-only-over-association",
    purpose = "A NOTIFY in D-mode is ignored: not relayed, and the session lives on.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.5-11" },
    run = function(t)
      local session = t:session():establish()
      session.data:expect_passing()
      t:body()
      t.nr:send_nslp_datagram(session, messages.notify("1/0x05"))
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.5-11" },
        text = "a NOTIFY without an association is not relayed" }
      t.nr:drain()
      session.data:expect_passing{ ids = { "RFC5973-3.7.5-11" }, text = "the flow still passes" }
      t:control()
      t.nr:send_nslp(session, messages.notify("1/0x05"))
      t.ni:expect{ message = "NOTIFY", session = session,
        text = "over the association the same NOTIFY is relayed" }
    end,
  },
  {
    id = "3.7.5-malformed-not-answered",
    purpose = "A malformed NOTIFY or RESPONSE is not passed on, nor answered, unless ruling A02 is "
      .. "read so.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.2.7-1", "RFC5973-3.3-i6" },
    run = function(t)
      local silent, kept = { "RFC5973-3.2.7-1" }, { "RFC5973-3.3-i6" }
      local session = t:session():establish()
      t:body()
      local empty = messages.empty("NOTIFY")
      t.nr:send_nslp(session, empty)
      t.nr:expect_no_response{ ids = silent, faulty = true,
        text = "a NOTIFY without objects is not answered to the responder" }
      t.ni:expect_nothing{ ids = kept, text = "nor passed to the initiator" }
      t.nr:send_nslp(session, messages.empty("RESPONSE"))
      t.nr:expect_no_response{ ids = silent, faulty = true,
        text = "a RESPONSE without objects is not answered to the responder" }
      t.ni:expect_nothing{ ids = kept, text = "nor is that passed to the initiator" }
      t.ni:send_nslp(session, empty)
      t.ni:expect_no_response{ ids = silent, faulty = true,
        text = "a NOTIFY without objects is not answered to the initiator" }
      t:control()
      session:send_create():expect_create()
      session:respond():expect_response()
    end,
  },
}
