-- RFC 5973, sections 3.4 to 3.7: the responder, seen from the side that the CREATE comes from.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")
local tables = require("codec.tables")
local well_formed = require("runner.well_formed")

local UNKNOWN = 0x3F0 -- no NSLP has registered it
local NO_RULE_ACTION = 3 -- neither allow nor deny
local SUCCESS = 2 -- a class: 4.2.5

-- A CREATE asks for twice the lifetime that the NR's policy allows: its session, and what answers it.
local function too_long(t)
  local session = t:session():connect()
  t:body()
  session:send_create{ lifetime_s = t.ixit.lifetime.max_s * 2 }
  return session, session:expect_response{ text = "it is answered" }
end

return {
  {
    id = "nr-3.7.1-accepts-create",
    purpose = "An NR that accepts a CREATE answers 2/0x01, with its MSN and a lifetime that is not "
      .. "longer than asked for.",
    roles = roles.responder, smoke = true,
    requirements = { "RFC5973-3.7.1-5", "RFC5973-3.5-5", "RFC5973-3.4-i12", "RFC5973-3.4-10",
      "RFC5973-4.1-1", "RFC5973-4.3.3-2", "RFC5971-4.3.2-1" },
    run = function(t)
      t:body()
      local session = t:session():connect{ ids = { "RFC5971-4.3.2-1" } }
      session:send_create()
      local first = t.ni:await_message()
      local kind = first and first.natfw and first.natfw.header.type
      t:check{ ids = { "RFC5973-4.1-1" }, text = "what comes has a header of the NSLP first",
        expected = "a message type from 1 to 4, or nothing", actual = messages.summary(first),
        holds = not kind or kind >= 1 and kind <= 4 }
      local response = session:expect_response{ ids = { "RFC5973-3.7.1-5" },
        text = "the CREATE is answered" }
      t:check{ ids = { "RFC5973-3.7.1-5" }, text = "class and code", expected = "2/0x01",
        actual = response:info() }
      t:check{ ids = { "RFC5973-3.5-5" }, text = "with the CREATE's MSN", expected = session.msn,
        actual = response.msn }
      t:check{ ids = { "RFC5973-3.4-i12" }, text = "with a granted lifetime", expected = "above 0",
        actual = response.lifetime_s, holds = (response.lifetime_s or 0) > 0 }
      t:check{ ids = { "RFC5973-3.4-10" }, text = "that is not longer than asked for",
        expected = "at most " .. t.ixit.lifetime.usual_s, actual = response.lifetime_s,
        holds = response.lifetime_s <= t.ixit.lifetime.usual_s }
      local mri = response:values("MRI")
      t:check{ ids = { "RFC5973-4.3.3-2" }, text = "its MRM is the CREATE's", expected = 0,
        actual = mri.mrm }
      t:check{ ids = { "RFC5973-4.3.3-2" }, text = "its flow is the CREATE's",
        expected = session.flow.source .. " to " .. session.flow.destination,
        actual = mri.source .. " to " .. mri.destination }
      t:check{ ids = { "RFC5973-4.3.3-2" }, text = "its direction is upstream", expected = 1,
        actual = mri.d }
    end,
  },
  {
    id = "nr-4.1-messages-sent-are-well-formed",
    purpose = "The RESPONSEs of an NR, to good and bad, have reserved bits zero, no AB=11, no proxy "
      .. "flags and no fault.",
    roles = roles.responder, smoke = true,
    requirements = tables.appended(well_formed.requirements, "RFC5973-4.2.5-1a",
      "RFC5973-3.2.7-2"),
    run = function(t)
      local session = t:session():connect()
      t:body()
      local sent = {}
      session:send_create()
      sent[1] = { "the success", session:expect_response() }
      session:send_create{ change = spoil.with({ type = UNKNOWN, raw = "\1\2\3\4" }) }
      sent[2] = { "the error", session:expect_response() }
      session:send_create{ rule_action = NO_RULE_ACTION, p = 1, e = 1,
        change = spoil.with({ type = "NATFW_NONCE", values = { nonce = 7 } }) }
      sent[3] = { "the error to a proxy message", session:expect_response() }
      for _, one in ipairs(sent) do
        local name, item = one[1], one[2]
        t:check{ ids = { "RFC5973-3.2.7-2" }, text = name .. ": one NATFW_INFO", expected = "one",
          actual = item:has("NATFW_INFO") and "one" or "none" }
        well_formed.expect(t, name, item, { "RFC5973-4.2.5-1a" })
      end
    end,
  },
  {
    id = "nr-3.5-stale-msn-discarded",
    purpose = "A CREATE with an equal or lower MSN is discarded by an NR: it is not answered and "
      .. "changes nothing.",
    roles = roles.responder,
    requirements = { "RFC5973-3.5-6", "RFC5973-3.5-7" },
    run = function(t)
      local session = t:session{ msn = 5000 }:establish()
      t:body()
      session:send_create():expect_accepted{ ids = { "RFC5973-3.5-7" },
        text = "a higher MSN is processed" }
      session:send_create{ msn = session.msn }
      t.ni:expect_nothing{ ids = { "RFC5973-3.5-6", "RFC5973-3.5-7" },
        text = "and stored: again it is stale" }
      local stored = session.msn
      for _, distance in ipairs({ 0, 1, 1000 }) do
        session:send_create{ msn = messages.msn_sum(stored, -distance) }
        t.ni:expect_nothing{ ids = { "RFC5973-3.5-6" },
          text = "an MSN lower by " .. distance .. " is not answered" }
      end
      session:send_create{ msn = messages.msn_sum(stored, -1), lifetime_s = 0 }
      t.ni:expect_nothing{ ids = { "RFC5973-3.5-6" },
        text = "a deletion with a lower MSN is not answered" }
      session:send_create{ msn = messages.msn_sum(stored, -2) }
      t.ni:expect_nothing{ ids = { "RFC5973-3.5-6" },
        text = "and deletes nothing: a lower MSN is still stale" }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.3-refresh-answered",
    purpose = "Every refresh gets a RESPONSE with its own MSN, and the session lives on.",
    roles = roles.responder, smoke = true,
    requirements = { "RFC5973-3.7.3-1", "RFC5973-3.5-5" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      for round = 1, 3 do
        session:send_create()
        local response = session:expect_accepted{ ids = { "RFC5973-3.7.3-1" },
          text = "refresh " .. round }
        t:check{ ids = { "RFC5973-3.5-5" }, text = "with its MSN", expected = session.msn,
          actual = response.msn }
      end
    end,
  },
  {
    id = "nr-3.7.4-deletion",
    purpose = "A deletion is not answered, and the session is forgotten.",
    roles = roles.responder,
    requirements = { "RFC5973-3.7.4-i6", "RFC5973-3.7.4-i4" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t:tolerate("NOTIFY") -- that the session ended: 3.7.5
      session:delete()
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.4-i6" }, text = "a deletion is not answered" }
      session:expect_forgotten{ ids = { "RFC5973-3.7.4-i4" } }
    end,
  },
  {
    id = "nr-3.4-expiry",
    purpose = "At the end of its lifetime a session is forgotten, and the NR never refreshes it.",
    roles = roles.responder,
    requirements = { "RFC5973-3.4-1a", "RFC5973-3.4-2" },
    run = function(t)
      local session = t:session():establish{ lifetime_s = t.ixit.lifetime.short_s }
      t:body()
      t:tolerate("NOTIFY")
      t.ni:expect_nothing{ ids = { "RFC5973-3.4-2" }, message = "CREATE",
        text = "no CREATE comes from the responder",
        for_ms = session.granted_s * 1000 + t.ixit.timing.expiry_late_ms }
      session:expect_forgotten{ ids = { "RFC5973-3.4-1a" } }
    end,
  },
  {
    id = "nr-3.4-lifetime-too-long",
    purpose = "An NR that accepts a lifetime above its bound does not raise it, and lowers it to "
      .. "that.",
    roles = roles.responder, needs = { "lifetime.max_s" },
    requirements = { "RFC5973-3.4-10" },
    run = function(t)
      local session, response = too_long(t)
      if response.class ~= SUCCESS then t:not_applicable("the IUT refuses it") end
      t:check{ ids = { "RFC5973-3.4-10" }, text = "what is granted is not longer than asked for",
        expected = "at most " .. t.ixit.lifetime.max_s * 2, actual = response.lifetime_s,
        holds = response.lifetime_s <= t.ixit.lifetime.max_s * 2 }
      t:check{ text = "it is within the bound that the IXIT gives",
        expected = "at most " .. t.ixit.lifetime.max_s, actual = response.lifetime_s,
        holds = response.lifetime_s <= t.ixit.lifetime.max_s }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.4-lifetime-too-long-refused",
    purpose = "An NR that refuses a lifetime as too long answers 7/0x02.",
    roles = roles.responder, needs = { "lifetime.max_s" },
    requirements = { "RFC5973-3.4-8b" },
    run = function(t)
      local session, response = too_long(t)
      if response.class == SUCCESS then t:not_applicable("the IUT accepts it") end
      t:check{ ids = { "RFC5973-3.4-8b" }, text = "it is refused: class and code",
        expected = "7/0x02", actual = response:info() }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.4-lifetime-too-small",
    purpose = "An NR that refuses a lifetime as too small answers 7/0x10.",
    roles = roles.responder, needs = { "rejects_small_lifetime", "lifetime.min_s" },
    requirements = { "RFC5973-3.4-9b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      if t.ixit.lifetime.min_s < 2 then t:not_applicable("no lifetime is below its policy's") end
      session:send_create{ lifetime_s = t.ixit.lifetime.min_s - 1 }
      session:expect_error{ ids = { "RFC5973-3.4-9b" }, text = "a lifetime too small is refused",
        info = "7/0x10" }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.1-response-dropped",
    purpose = "An NR drops a RESPONSE silently.",
    roles = roles.responder,
    requirements = { "RFC5973-3.7.1-9", "RFC5973-3.2.7-1" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t.ni:send_nslp(session, messages.nslp_response({ msn = session.msn, lifetime_s = 60 }))
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.1-9" },
        text = "a success RESPONSE is not answered" }
      t.ni:send_nslp(session, messages.nslp_response({ msn = session.msn, class = 5, code = 2 }))
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.1-9" }, text = "an error RESPONSE is not answered" }
      t.ni:send_nslp(session, messages.empty("RESPONSE"))
      t.ni:expect_no_response{ ids = { "RFC5973-3.2.7-1" }, faulty = true,
        text = "a malformed RESPONSE is not answered" }
      session:send_create{ msn = session.msn }
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.1-9" },
        text = "the session is as it was: its MSN is stale" }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.5-notify",
    purpose = "An NR does not answer a NOTIFY, discards one that is for the initiator only, and goes "
      .. "on serving the session.",
    roles = roles.responder,
    requirements = { "RFC5973-3.7.5-16", "RFC5973-3.2.7-1" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t.ni:send_nslp(session, messages.notify("1/0x02"))
      t.ni:expect_nothing{ ids = { "RFC5973-3.7.5-16" },
        text = "'re-authentication required' is not answered" }
      session:send_create():expect_accepted{ ids = { "RFC5973-3.7.5-16" },
        text = "the session lives" }
      t.ni:send_nslp(session, messages.empty("NOTIFY"))
      t.ni:expect_no_response{ ids = { "RFC5973-3.2.7-1" }, faulty = true,
        text = "a malformed NOTIFY is not answered" }
      t.ni:send_nslp(session, messages.notify("1/0x03"))
      t.ni:expect_no_response{ ids = { "RFC5973-3.2.7-1" },
        text = "'going down soon' is not answered" }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.5-notify-terminated",
    purpose = "What an NR does about NOTIFY 1/0x05, which is said of NFs and the NI only: it does the "
      .. "same whatever the reserved bits of the NATFW_INFO are, and does not answer.",
    roles = roles.responder,
    requirements = { "RFC5973-3.2.7-1", "RFC5973-4.2.5-1b" },
    run = function(t)
      local seen = {}
      for _, bits in ipairs({ 0, 15 }) do
        t:preamble()
        local session = t:session():establish()
        t:body()
        local message = messages.notify("1/0x05")
        spoil.fields("NATFW_INFO", { reserved = bits, reserved_r = bits })(message)
        t.ni:send_nslp(session, message)
        t.ni:expect_no_response{ ids = { "RFC5973-3.2.7-1" },
          text = "a NOTIFY with reserved bits " .. bits .. " is not answered" }
        session:send_create{ msn = session:msn_plus(-5) } -- stale while the session lives
        seen[bits] = t.ni:take() and "ends the session" or "does not end it"
      end
      t:reading{ of = "A46", seen = seen[0], ours = "ends the session", ids = { "RFC5973-3.2.7-1" } }
      t:check{ ids = { "RFC5973-4.2.5-1b" }, text = "with reserved bits it does the same",
        expected = seen[0], actual = seen[15] }
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
  {
    id = "nr-4.2-unknown-objects",
    purpose = "Unknown objects with AB=01 or AB=10 do not keep a CREATE from being accepted.",
    roles = roles.responder,
    requirements = { "RFC5973-4.2-i4", "RFC5973-4.2-i5", "RFC5973-4.1-2b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      for ab, id in ipairs({ "RFC5973-4.2-i4", "RFC5973-4.2-i5" }) do
        session:send_create{ change = spoil.with({ type = UNKNOWN, ab = ab, raw = "\1\2\3\4" }) }
        session:expect_accepted{ ids = { id },
          text = "a CREATE with an unknown object, AB=" .. ab }
      end
      session:send_create{ change = spoil.header("reserved", 65535) }
      session:expect_accepted{ ids = { "RFC5973-4.1-2b" },
        text = "a CREATE with reserved bits set" }
    end,
  },
  {
    id = "nr-gist-4.3.4-endpoint-found",
    purpose = "A Query for an application that the host at the flow's end does not have is answered "
      .. "by 'Endpoint Found'.",
    roles = roles.responder,
    requirements = { "RFC5971-4.3.4-3", "RFC5971-4.3.4-i2" },
    run = function(t)
      t:body()
      local session = t:session()
      session:query_only{ own_source = true, change_query = spoil.header("nslpid", 40) }
      local item = t.ni:expect_error{ ids = { "RFC5971-4.3.4-3" }, text = "an Error comes",
        error = "Endpoint Found" }
      session:stop_asking()
      t:check{ ids = { "RFC5971-4.3.4-i2" }, text = "it quotes the session id",
        expected = "the one sent",
        actual = item.sid == session.sid and "the one sent" or "another or none" }
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "nr-gist-4.3.1-last-hop",
    purpose = "A Query with a hop count of one reaches the host at the flow's end.",
    roles = roles.responder,
    requirements = { "RFC5971-4.3.2-1" },
    run = function(t)
      t:body()
      local session = t:session():connect{ ids = { "RFC5971-4.3.2-1" },
        change_query = spoil.header("hops", 1) }
      session:send_create():expect_accepted{ ids = { "RFC5971-4.3.2-1" } }
    end,
  },
}
