-- RFC 5973, sections 3.4 to 3.7: the responder, seen from the side that the CREATE comes from.

local RESPONDER = { "NR" }
local engine = require("codec.engine")
local messages = require("runner.messages")
local natfw = require("codec.natfw")
local spoil = require("runner.spoil")

local LIMIT = 4294967296
local INFO, UNKNOWN = 0x010, 0x3F0

local function reserved_of(item)
  local set = engine.reserved_set(natfw, item.natfw)
  return #set > 0 and table.concat(set, " ") or "none set"
end

local function faults_of(item)
  return item.natfw.faults[1] and item.natfw.faults[1].text or "none"
end

-- The session is forgotten: a CREATE with a lower MSN begins it anew.
local function expect_forgotten(session, ids)
  session:send_create({ msn = (session.msn - 5) % LIMIT })
  session:expect_accepted(ids, "the session is forgotten: a CREATE with a lower MSN is answered")
end

return {
  {
    id = "nr-3.7.1-accepts-create",
    purpose = "An NR that accepts a CREATE answers 2/0x01, with its MSN and a lifetime that is not "
      .. "longer than asked for.",
    roles = RESPONDER, smoke = true,
    requirements = { "RFC5973-3.7.1-5", "RFC5973-3.5-5", "RFC5973-3.4-i12", "RFC5973-3.4-10",
      "RFC5973-4.1-1", "RFC5973-4.3.3-2", "RFC5971-4.3.2-1" },
    run = function(t)
      t:body()
      local session = t:session():connect({ ids = { "RFC5971-4.3.2-1" } })
      session:send_create()
      local response = session:expect_response({ "RFC5973-3.7.1-5", "RFC5973-4.1-1",
        "RFC5973-4.3.3-2" }, "the CREATE is answered")
      t:check({ "RFC5973-3.7.1-5" }, "class and code", "2/0x01", spoil.code_of(response))
      t:check({ "RFC5973-3.5-5" }, "with the CREATE's MSN", session.msn, response.msn)
      t:check({ "RFC5973-3.4-i12" }, "with a granted lifetime", "above 0", response.lifetime_s,
        (response.lifetime_s or 0) > 0)
      t:check({ "RFC5973-3.4-10" }, "that is not longer than asked for",
        "at most " .. t.ixit.lifetime.usual_s, response.lifetime_s,
        response.lifetime_s <= t.ixit.lifetime.usual_s)
      local mri = response.gist.by_type[0].values
      t:check({ "RFC5973-4.3.3-2" }, "its MRM is the CREATE's", 0, mri.mrm)
      t:check({ "RFC5973-4.3.3-2" }, "its flow is the CREATE's",
        session.flow.source .. " to " .. session.flow.destination,
        mri.source .. " to " .. mri.destination)
      t:check({ "RFC5973-4.3.3-2" }, "its direction is upstream", 1, mri.d)
    end,
  },
  {
    id = "nr-4.1-messages-sent-are-well-formed",
    purpose = "The RESPONSEs of an NR, to good and bad, have reserved bits zero, no AB=11, no proxy "
      .. "flags and no fault.",
    roles = RESPONDER, smoke = true,
    requirements = { "RFC5973-4.1-2a", "RFC5973-4.2-3a", "RFC5973-4.1-5", "RFC5973-4.1-9",
      "RFC5973-4.2.5-1a", "RFC5973-4.3-1a", "RFC5973-3.2.7-2" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local sent = {}
      session:send_create()
      sent[1] = { "the success", session:expect_response({ "RFC5973-4.3-1a" }) }
      session:send_create({ change = spoil.with({ type = UNKNOWN, raw = "\1\2\3\4" }) })
      sent[2] = { "the error", session:expect_response({ "RFC5973-4.3-1a" }) }
      session:send_create({ rule_action = 3, p = 1, e = 1,
        change = spoil.with({ type = 0x011, values = { nonce = 7 } }) })
      sent[3] = { "the error to a proxy message", session:expect_response({ "RFC5973-4.3-1a" }) }
      for _, one in ipairs(sent) do
        local name, item = one[1], one[2]
        local info = item.natfw.by_type[INFO]
        t:check({ "RFC5973-3.2.7-2" }, name .. ": one NATFW_INFO", "one", info and "one" or "none")
        t:check({ "RFC5973-4.2.5-1a" }, name .. ": reserved bits of NATFW_INFO", 0,
          info.values.reserved + info.values.reserved_r)
        t:check({ "RFC5973-4.1-2a" }, name .. ": reserved bits are zero", "none set",
          reserved_of(item))
        t:check({ "RFC5973-4.1-5" }, name .. ": P is not set", 0, item.natfw.header.p)
        t:check({ "RFC5973-4.1-9" }, name .. ": E is not set", 0, item.natfw.header.e)
        for _, object in ipairs(item.natfw.objects) do
          t:check({ "RFC5973-4.2-3a" }, name .. ": AB of " .. object.name, "not 11",
            object.ab, object.ab ~= 3)
        end
        t:check({ "RFC5973-4.3-1a" }, name .. ": no fault", "none", faults_of(item))
      end
    end,
  },
  {
    id = "nr-3.5-stale-msn-discarded",
    purpose = "A CREATE with an equal or lower MSN is discarded by an NR: it is not answered and "
      .. "changes nothing.",
    roles = RESPONDER,
    requirements = { "RFC5973-3.5-6", "RFC5973-3.5-7" },
    run = function(t)
      local session = t:session({ msn = 5000 }):establish()
      t:body()
      local stored = session.msn
      for _, distance in ipairs({ 0, 1, 1000 }) do
        session:send_create({ msn = (stored - distance) % LIMIT })
        t:nothing(t.ni, { "RFC5973-3.5-6", "RFC5973-3.5-7" },
          "an MSN lower by " .. distance .. " is not answered")
      end
      session:send_create({ msn = (stored - 1) % LIMIT, lifetime_s = 0 })
      t:nothing(t.ni, { "RFC5973-3.5-6" }, "a deletion with a lower MSN is not answered")
      session:send_create({ msn = (stored - 2) % LIMIT })
      t:nothing(t.ni, { "RFC5973-3.5-6" }, "and deletes nothing: a lower MSN is still stale")
      session:send_create()
      session:expect_accepted({ "RFC5973-3.5-7" }, "a higher MSN is processed")
      session:send_create({ msn = session.msn })
      t:nothing(t.ni, { "RFC5973-3.5-7" }, "and stored: again it is stale")
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.5-msn-wraps-around",
    purpose = "For an NR too 0 follows 0xFFFFFFFF.",
    roles = RESPONDER,
    requirements = { "RFC5973-3.5-4" },
    run = function(t)
      local session = t:session({ msn = LIMIT - 1 }):establish()
      t:body()
      session:send_create()
      local response = session:expect_accepted({ "RFC5973-3.5-4" }, "MSN 0 is newer")
      t:check({ "RFC5973-3.5-4" }, "it is answered with MSN 0", 0, response.msn)
      session:send_create({ msn = LIMIT - 1 })
      t:nothing(t.ni, { "RFC5973-3.5-4" }, "0xFFFFFFFF is stale after 0")
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.3-refresh-answered",
    purpose = "Every refresh gets a RESPONSE with its own MSN, and the session lives on.",
    roles = RESPONDER, smoke = true,
    requirements = { "RFC5973-3.7.3-1", "RFC5973-3.5-5" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      for round = 1, 3 do
        session:send_create()
        local response = session:expect_accepted({ "RFC5973-3.7.3-1" }, "refresh " .. round)
        t:check({ "RFC5973-3.5-5" }, "with its MSN", session.msn, response.msn)
      end
    end,
  },
  {
    id = "nr-3.7.4-deletion",
    purpose = "A deletion is not answered, and the session is forgotten.",
    roles = RESPONDER,
    requirements = { "RFC5973-3.7.4-i6", "RFC5973-3.7.4-i4" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      session:delete()
      t:nothing(t.ni, { "RFC5973-3.7.4-i6" }, "a deletion is not answered")
      expect_forgotten(session, { "RFC5973-3.7.4-i4" })
    end,
  },
  {
    id = "nr-3.4-expiry",
    purpose = "At the end of its lifetime a session is forgotten, and the NR never refreshes it.",
    roles = RESPONDER,
    requirements = { "RFC5973-3.4-1a", "RFC5973-3.4-2" },
    run = function(t)
      local session = t:session():establish({ lifetime_s = t.ixit.lifetime.short_s })
      t:body()
      t:tolerate("NOTIFY")
      t:nothing(t.ni, { "RFC5973-3.4-2" }, "no CREATE comes from the responder",
        session.granted_s * 1000 + t.ixit.timing.expiry_late_ms)
      expect_forgotten(session, { "RFC5973-3.4-1a" })
    end,
  },
  {
    id = "nr-3.4-lifetime-too-long",
    purpose = "A lifetime above the NR's bound is lowered to at most that, or refused 7/0x02.",
    roles = RESPONDER, needs = { "lifetime.max_s" },
    requirements = { "RFC5973-3.4-10" },
    run = function(t)
      local most = t.ixit.lifetime.max_s
      local session = t:session():connect()
      t:body()
      session:send_create({ lifetime_s = most * 2 })
      local response = session:expect_response({ "RFC5973-3.4-10" }, "it is answered")
      local refused = spoil.code_of(response) == "7/0x02"
      t:reading("3.4-6", refused and "refused" or "lowered")
      t:check({ "RFC5973-3.4-10" }, "it is refused, or granted within the bound",
        "7/0x02 or at most " .. most, messages.summary(response),
        refused or (response.class == 2 and response.lifetime_s <= most))
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.4-lifetime-too-small",
    purpose = "An NR that refuses a lifetime as too small answers 7/0x10.",
    roles = RESPONDER, needs = { "rejects_small_lifetime", "lifetime.min_s" },
    requirements = { "RFC5973-3.4-9b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create({ lifetime_s = math.max(t.ixit.lifetime.min_s - 1, 1) })
      session:expect_error(7, 0x10, { "RFC5973-3.4-9b" }, "a lifetime too small is refused")
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.1-response-dropped",
    purpose = "An NR drops a RESPONSE silently.",
    roles = RESPONDER,
    requirements = { "RFC5973-3.7.1-9", "RFC5973-3.2.7-1" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t.ni:send_nslp(session, messages.nslp_response({ msn = session.msn, lifetime_s = 60 }))
      t:nothing(t.ni, { "RFC5973-3.7.1-9" }, "a success RESPONSE is not answered")
      t.ni:send_nslp(session, messages.nslp_response({ msn = session.msn, class = 5, code = 2 }))
      t:nothing(t.ni, { "RFC5973-3.7.1-9" }, "an error RESPONSE is not answered")
      t.ni:send_nslp(session, { header = { type = 3 }, objects = {} })
      t:nothing(t.ni, { "RFC5973-3.2.7-1" }, "a malformed RESPONSE is not answered")
      session:send_create({ msn = session.msn })
      t:nothing(t.ni, { "RFC5973-3.7.1-9" }, "the session is as it was: its MSN is stale")
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.5-notify",
    purpose = "An NR does not answer a NOTIFY, discards one that is for the initiator only, and goes "
      .. "on serving the session.",
    roles = RESPONDER,
    requirements = { "RFC5973-3.7.5-16", "RFC5973-3.2.7-1" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t.ni:send_nslp(session, messages.notify(2))
      t:nothing(t.ni, { "RFC5973-3.7.5-16" }, "'re-authentication required' is not answered")
      session:send_create():expect_accepted({ "RFC5973-3.7.5-16" }, "the session lives")
      t.ni:send_nslp(session, { header = { type = 4 }, objects = {} })
      t:nothing(t.ni, { "RFC5973-3.2.7-1" }, "a malformed NOTIFY is not answered")
      t.ni:send_nslp(session, messages.notify(3))
      t:nothing(t.ni, { "RFC5973-3.2.7-1" }, "'going down soon' is not answered")
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "nr-3.7.5-notify-terminated",
    purpose = "After NOTIFY 1/0x05 the session is over for an NR, whatever the reserved bits of its "
      .. "NATFW_INFO are.",
    roles = RESPONDER,
    requirements = { "RFC5973-3.7.5-i6", "RFC5973-4.2.5-1b" },
    run = function(t)
      for bits, ids in pairs({ [0] = { "RFC5973-3.7.5-i6" }, [15] = { "RFC5973-4.2.5-1b" } }) do
        t:preamble()
        local session = t:session():establish()
        t:body()
        local message = messages.notify(5)
        local values = spoil.find(message, INFO).values
        values.reserved, values.reserved_r = bits, bits
        t.ni:send_nslp(session, message)
        t:nothing(t.ni, ids, "a NOTIFY with reserved bits " .. bits .. " is not answered")
        expect_forgotten(session, ids)
      end
    end,
  },
  {
    id = "nr-4.2-unknown-objects",
    purpose = "Unknown objects with AB=01 or AB=10 do not keep a CREATE from being accepted.",
    roles = RESPONDER,
    requirements = { "RFC5973-4.2-i4", "RFC5973-4.1-2b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      for _, ab in ipairs({ 1, 2 }) do
        session:send_create({ change = spoil.with({ type = UNKNOWN, ab = ab, raw = "\1\2\3\4" }) })
        session:expect_accepted({ "RFC5973-4.2-i4" }, "a CREATE with an unknown object, AB=" .. ab)
      end
      session:send_create({ change = spoil.header("reserved", 65535) })
      session:expect_accepted({ "RFC5973-4.1-2b" }, "a CREATE with reserved bits set")
    end,
  },
  {
    id = "nr-gist-4.3.4-endpoint-found",
    purpose = "A Query for an application that the host at the flow's end does not have is answered "
      .. "by 'Endpoint Found'.",
    roles = RESPONDER,
    requirements = { "RFC5971-4.3.4-3", "RFC5971-4.3.4-i2" },
    run = function(t)
      t:body()
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, own_source = true,
        change_query = spoil.header("nslpid", 40) })
      local item = t:expect(t.ni, "GIST Error", nil, { "RFC5971-4.3.4-3" }, "an Error comes")
      session:stop_asking()
      t:check({ "RFC5971-4.3.4-3" }, "'Endpoint Found'", 7, item.code)
      t:check({ "RFC5971-4.3.4-i2" }, "it quotes the session id", "the one sent",
        item.sid == session.sid and "the one sent" or "another or none")
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "nr-gist-4.3.1-last-hop",
    purpose = "A Query with a hop count of one reaches the host at the flow's end.",
    roles = RESPONDER,
    requirements = { "RFC5971-4.3.2-1" },
    run = function(t)
      t:body()
      local session = t:session():connect({ ids = { "RFC5971-4.3.2-1" },
        change_query = spoil.header("hops", 1) })
      session:send_create():expect_accepted({ "RFC5971-4.3.2-1" })
    end,
  },
}
