-- RFC 5971, sections 4.4, 5.3.3 and 6: messages that come again, late, out of place or not at
-- all, on both sides of the handshake, and what the machines do about them.

local RESPONDER = { "NF-FW", "edge-FW", "NR" } -- in the handshake
local QUERIER = { "NF-FW", "edge-FW", "NI" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE, HELLO = 3, 4, 5, 6, 10
local SOON_MS = 1000 -- for what has to be done at once

local function raw_of(item, type_number) return item.gist.by_type[type_number].raw end

-- The association of a session, as the runner's side of it sees it.
local function association_of(t, session)
  return t:judges_initiator() and session.responding.association or session.querying.association
end

-- A Confirm for this session, for the Response given, over its association.
local function confirm(t, session, response, change)
  local message = messages.confirm(t.ni, session, raw_of(response, RESPONDER_COOKIE))
  if change then change(message) end
  session.querying.association:send(messages.encode_gist(message))
end

local function responses(t, session, count, timeout_ms)
  return t:await(timeout_ms or t.ixit.timing.response_ms,
    function() return session.querying.responses[count] end)
end

local function wrong_cookie(message)
  local cookie = spoil.find(message, RESPONDER_COOKIE)
  cookie.values.cookie = cookie.values.cookie:sub(1, -2)
    .. string.char(cookie.values.cookie:byte(-1) ~ 1)
end

local function confirm_after(t, session, before)
  return t:await(t.ixit.timing.response_ms, function()
    return session.responding.confirm ~= before and session.responding.confirm
  end)
end

return {
  {
    id = "gist-6.3-confirm-again",
    purpose = "A Confirm of a session that is established is ignored in silence, even with a wrong "
      .. "cookie.",
    roles = RESPONDER,
    requirements = { "RFC5971-6.3-2" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      confirm(t, session, session.querying.response)
      t:nothing(t.ni, { "RFC5971-6.3-2" }, "the same Confirm is not answered")
      confirm(t, session, session.querying.response, wrong_cookie)
      t:nothing(t.ni, { "RFC5971-6.3-2" }, "nor is one with a wrong cookie")
      t:check({ "RFC5971-6.3-2" }, "the association is kept", "open",
        session.querying.association.open and "open" or "closed")
      session:send_create():expect_accepted({ "RFC5971-6.3-2" }, "the session goes on")
    end,
  },
  {
    id = "gist-5.7.1-refresh-with-wrong-cookie",
    purpose = "A refresh whose Confirm has a wrong Responder-Cookie ends the routing state: Data "
      .. "after it are not processed.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.7.1-14b" },
    run = function(t)
      local ids = { "RFC5971-5.7.1-14b" }
      local session, other = t:session():establish(), t:session():establish()
      local association = session.querying.association
      t:body()
      t.ni:start_handshake(session, { only_query = true })
      local response = responses(t, session, 1)
      t:check(ids, "the refreshing Query is answered", "a Response", messages.summary(response),
        response ~= nil)
      session:stop_asking()
      session:expect_iut_between(ids)
      session.querying.association, session.querying.confirmed_at = association, t.net.now()
      confirm(t, session, response, wrong_cookie)
      t:tolerate("GIST Error")
      t:tolerate("NOTIFY")
      session:send_create()
      t:not_processed(ids, "a CREATE after the wrong Confirm is not processed")
      t:control()
      other:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-5.3.3-response-backoff",
    purpose = "A Response that is not confirmed and sent again comes at intervals that double.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.3.3-10b" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      t.ni:start_handshake(session, { only_query = true })
      responses(t, session, 1)
      session:stop_asking()
      responses(t, session, 3, t.ixit.timing.no_peer_ms)
      local seen = session.querying.responses
      if not seen[3] then t:not_applicable("the IUT sends fewer than three Responses") end
      session:expect_iut_between({ "RFC5971-5.3.3-10b" })
      t:backs_off({ "RFC5971-5.3.3-10b" }, seen[1].at, seen[2].at, seen[3].at)
    end,
  },
  {
    id = "gist-5.3.3-confirm-of-an-earlier-response",
    purpose = "Of two Responses to two Queries of one session, the first can be confirmed.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.3.3-8" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      t:body()
      t.ni:start_handshake(session, { only_query = true })
      local first = responses(t, session, 1)
      t:check(nil, "a Response comes", "a Response", messages.summary(first), first ~= nil)
      session:stop_asking()
      t.ni:start_handshake(session, { only_query = true })
      local second = responses(t, session, 1)
      t:check(nil, "another comes", "a Response", messages.summary(second), second ~= nil)
      session:stop_asking()
      if first.mode ~= "C" then t:not_applicable("the IUT wants an association a session") end
      local exchange = session.querying
      exchange.association, exchange.confirmed_at = other.querying.association, t.net.now()
      confirm(t, session, first)
      session:send_create():expect_accepted({ "RFC5971-5.3.3-8" },
        "the session is there, and a CREATE is accepted")
    end,
  },
  {
    id = "gist-5.3.3-response-to-an-earlier-query",
    purpose = "A Response with the cookie of a Query that was sent again since is taken.",
    roles = QUERIER,
    requirements = { "RFC5971-5.3.3-8" },
    run = function(t)
      local session = t:outbound_session()
      t.nr.silent = true
      t:body()
      session:begin()
      local first = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
      t:check({ "RFC5971-5.3.3-8" }, "a Query comes", "a Query", messages.summary(first),
        first ~= nil)
      t:pause(1) -- until it has been left unanswered
      t.nr.silent = false
      t.nr.change_response = spoil.raw(QUERY_COOKIE, raw_of(first, QUERY_COOKIE))
      session:expect_create({ "RFC5971-5.3.3-8" },
        "the next is answered with the cookie of the first, and the request comes",
        t.ixit.timing.no_peer_ms)
      t:check({ "RFC5971-5.3.3-8" }, "at the second Query", 2, #session.queries)
    end,
  },
  {
    id = "gist-6.2-response-again",
    purpose = "A Response that comes again is treated like the first: it is confirmed again, over "
      .. "the same association.",
    roles = QUERIER,
    requirements = { "RFC5971-6.2-3", "RFC5971-5.3.3-9b" },
    run = function(t)
      local ids = { "RFC5971-6.2-3", "RFC5971-5.3.3-9b" }
      local session = t:outbound_session():establish()
      local before = session.responding.confirm
      t:body()
      t.nr:respond_again(session)
      local again = confirm_after(t, session, before)
      t:check(ids, "a Confirm comes again", "a Confirm", messages.summary(again or nil),
        again and again ~= nil)
      t:check(ids, "with the same cookie", "the same",
        raw_of(again, RESPONDER_COOKIE) == raw_of(before, RESPONDER_COOKIE) and "the same"
          or "another")
      t:check(ids, "and no other association is opened", 1, #t.nr.associations)
    end,
  },
  {
    id = "gist-6.2-confirm-to-the-querier",
    purpose = "A Confirm to the node that asked is an event that its machine does not have: it is "
      .. "ignored.",
    roles = QUERIER,
    requirements = { "RFC5971-6.2-7" },
    run = function(t)
      local session = t:outbound_session():establish()
      t:body()
      local message = messages.confirm(t.nr, session, t.net.random(16))
      message.objects[1].values.d = 1
      session.responding.association:send(messages.encode_gist(message))
      t:nothing(t.nr, { "RFC5971-6.2-7" }, "it is not answered")
      t:control()
      session:delete():expect_create(nil, "the session goes on: its deletion comes")
    end,
  },
  {
    id = "gist-4.4.1-association-at-once",
    purpose = "Right after the Response the association is set up; what the NSLP sends waits for "
      .. "it and comes after the Confirm.",
    roles = QUERIER,
    requirements = { "RFC5971-4.4.1-6", "RFC5971-6.2-1b", "RFC5971-4.3.2-9" },
    run = function(t)
      t:body()
      local session = t:outbound_session():begin()
      t:await(t.ixit.timing.response_ms,
        function() return session.responding and session.responding.association end)
      local responding = session.responding or {}
      t:check({ "RFC5971-4.4.1-6" }, "an association is set up and confirmed", "set up",
        responding.association and "set up" or "none")
      local after = responding.confirm.at - responding.answered_at
      t:check({ "RFC5971-4.4.1-6" }, "right after the Response", "within " .. SOON_MS .. " ms",
        string.format("%.0f ms", after), after <= SOON_MS)
      local create = session:expect_create({ "RFC5971-6.2-1b", "RFC5971-4.3.2-9" },
        "the request that waited comes, for the NSLP")
      t:check({ "RFC5971-6.2-1b" }, "over that association, after the Confirm", "after it",
        create.association == responding.association and create.place > responding.confirm.place
          and "after it" or "elsewhere")
    end,
  },
  {
    id = "gist-5.1-confirm-without-association",
    purpose = "A Response that offers no association is confirmed in D-mode.",
    roles = QUERIER,
    requirements = { "RFC5971-5.1-13", "RFC5971-5.3.1-1", "RFC5971-5.3.1-5" },
    run = function(t)
      t:body()
      t.nr.change_response = spoil.all(spoil.without(PROPOSAL), spoil.without(CONFIGURATION))
      local session = t:outbound_session():begin()
      t:await(t.ixit.timing.response_ms,
        function() return session.responding and session.responding.confirm end)
      local item = session.responding and session.responding.confirm
      t:check({ "RFC5971-5.1-13" }, "a Confirm comes", "a Confirm", messages.summary(item or nil),
        item ~= nil)
      t:check({ "RFC5971-5.1-13", "RFC5971-5.3.1-1" }, "in D-mode, normally encapsulated", "D",
        item.mode)
      t:check({ "RFC5971-5.3.1-1" }, "to the responder itself", t.nr.address,
        item.packet.destination)
      t:check({ "RFC5971-5.3.1-5" }, "to the port that the Response came from", 270,
        item.packet.destination_port)
    end,
  },
  {
    id = "gist-4.4.5-hellos",
    purpose = "Unasked MA-Hellos come over the association, with Hello-ID zero, in time for the "
      .. "peer's hold time and at random moments.",
    roles = { "NF-FW", "edge-FW", "NR", "NI" },
    requirements = { "RFC5971-5.1-19", "RFC5971-5.2.2-9a", "RFC5971-4.4.5-12" },
    run = function(t)
      t.ni.hold_time_ms, t.nr.hold_time_ms = 1200, 1200
      local session = (t:judges_initiator() and t:outbound_session() or t:session()):establish()
      local association = association_of(t, session)
      t:body()
      t:await(6 * t.ni.hold_time_ms, function() return association.hellos[6] end)
      t:check({ "RFC5971-5.1-19" }, "no MA-Hello comes in D-mode", 0,
        t.ni.stray_hellos + t.nr.stray_hellos)
      if not association.hellos[6] then t:not_applicable("the IUT lets idle associations go") end
      local least, most = math.huge, 0
      for place, hello in ipairs(association.hellos) do
        if hello.gist.header.r == 0 then
          t:check({ "RFC5971-5.2.2-9a" }, "Hello-ID of one without R", 0,
            hello.gist.by_type[HELLO].values.hello_id)
        end
        local before = association.hellos[place - 1]
        local after = before and hello.at - before.at
        least, most = math.min(least, after or least), math.max(most, after or most)
      end
      t:check({ "RFC5971-4.4.5-12" }, "not all after the same time", "15 ms apart or more",
        string.format("%.0f ms", most - least), most - least >= 15)
    end,
  },
}
