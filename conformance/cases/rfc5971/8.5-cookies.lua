-- RFC 5971, sections 4.4 and 8.5: cookies, and what an exchange proves by them.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

-- A handshake whose Confirm says something that its Responder-Cookie was not made for: no state.
local function unbound(ids, change)
  return function(t)
    local session = t:session():start_handshake{ change_confirm = change }
    session:expect_confirm_sent()
    t:body()
    t:tolerate("GIST Error") -- 'Invalid Cookie', where that was enabled
    session:send_create()
    t:expect_not_processed{ ids = ids, text = "a CREATE after it is not processed" }
    t:check{ ids = ids, text = "no Query was sent on for it", expected = 0,
      actual = #session.queries }
    t:control()
    t.ni:drain()
    t:session():send_create():expect_accepted()
  end
end

local MOST_HELD_MS = 60000 -- that a case waits for

return {
  {
    id = "gist-8.5-cookie-of-another-peer",
    purpose = "A Confirm with another Peer-Identity than its Query's gives no state: the "
      .. "Responder-Cookie is bound to the NLI.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-8.5-2", "RFC5971-8.5-i7" },
    run = unbound({ "RFC5971-8.5-2", "RFC5971-8.5-i7" },
      spoil.value("NLI", "peer_identity", "somebody else's ")),
  },
  {
    id = "gist-8.5-cookie-of-another-flow",
    purpose = "A Confirm with another flow than its Query's gives no state: the Responder-Cookie is "
      .. "bound to the MRI.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-8.5-2", "RFC5971-8.5-i7" },
    run = unbound({ "RFC5971-8.5-2", "RFC5971-8.5-i7" }, function(confirm)
      local values = spoil.values(confirm, "MRI")
      values.dest_port = values.dest_port + 1
    end),
  },
  {
    id = "gist-8.5-cookie-of-another-session",
    purpose = "The Responder-Cookie of one session does not do for another.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-8.5-2" },
    run = function(t)
      local response = t:session():query_only():expect_gist_response()
      -- A cookie that the IUT made itself, so that only the session that it stands for is wrong.
      local cookie = response:raw("Responder-Cookie")
      unbound({ "RFC5971-8.5-2" }, spoil.value("Responder-Cookie", "cookie", cookie))(t)
    end,
  },
  {
    id = "gist-8.5-wrong-cookie-not-told",
    purpose = "A Confirm with a wrong Responder-Cookie is dropped without 'Invalid Cookie', which is "
      .. "for debugging only.",
    roles = roles.answers_queries, needs = { "hides_invalid_cookie" },
    requirements = { "RFC5971-8.5-4", "RFC5971-8.5-i9" },
    run = function(t)
      local session = t:session()
        :start_handshake{ change_confirm = spoil.cookie("Responder-Cookie") }
      session:await_confirm()
      t:body()
      t.ni:expect_nothing{ ids = { "RFC5971-8.5-4", "RFC5971-8.5-i9" }, text = "no Error comes" }
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
  {
    id = "gist-8.5-responder-cookies-differ",
    purpose = "Each session gets a Responder-Cookie of its own; and, as is recommended, from one "
      .. "Peer-Identity.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-8.5-2", "RFC5971-4.4.3-1b" },
    run = function(t)
      t:body()
      local seen, identity = {}, nil
      for _ = 1, 4 do
        local response = t:session():query_only():expect_gist_response()
        local cookie = response:hex("Responder-Cookie")
        t:check{ ids = { "RFC5971-8.5-2" }, text = "its Responder-Cookie is new", expected = "new",
          actual = seen[cookie] and "seen before" or cookie == "none" and "none" or "new" }
        seen[cookie] = true
        local own = messages.hex(response:values("NLI").peer_identity)
        identity = identity or own
        t:remark{ ids = { "RFC5971-4.4.3-1b" }, text = "its Peer-Identity is that of the one before",
          expected = identity, actual = own }
      end
    end,
  },
  {
    id = "gist-4.4.1-wrong-query-cookie",
    purpose = "A Response with a Query-Cookie that the NF did not send is dropped without an Error; "
      .. "the right one counts.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-4.4.1-11", "RFC5971-4.4.6-1a", "RFC5971-8.5-i3" },
    run = function(t)
      local ids = { "RFC5971-4.4.1-11", "RFC5971-8.5-i3" }
      local session = t:outbound_session()
      t:body()
      t.nr.change_response = spoil.value("Query-Cookie", "cookie", "\1\2\3\4\5\6\7\8")
      session:begin()
      session:expect_query()
      t:pause(t.ixit.timing.quiet_ms)
      t:check{ ids = ids, text = "the wrong Response is not confirmed", expected = "nothing",
        actual = messages.summary(session:received_confirm()),
        holds = session:received_confirm() == nil }
      t.nr:expect_nothing{ ids = { "RFC5971-4.4.6-1a" }, message = "GIST Error",
        text = "nor answered by an Error" }
      t.nr.change_response = nil
      t:control()
      t.ni:drain()
      t:tolerate("RESPONSE") -- that there is nobody for the first session
      t:outbound_session():begin():expect_create{ text = "a right one is taken" }
    end,
  },
  {
    id = "gist-4.4.6-response-to-nothing",
    purpose = "A Response that answers no Query of the NF is dropped without an Error.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-4.4.6-1a" },
    run = function(t)
      local session = t:outbound_session():begin()
      session:expect_create()
      t:body()
      local stranger = t:session()
      local response = messages.response(t.nr, stranger, "\1\2\3\4\5\6\7\8", t.net.random(16),
        t.nr.port)
      t.nr:send_to_iut(session, response)
      t.nr:expect_nothing{ ids = { "RFC5971-4.4.6-1a" }, text = "nothing answers it" }
      t:control()
      session:expect_granted()
      session:delete()
      session:expect_create()
    end,
  },
  {
    id = "gist-4.4.5-confirm-without-hold-time",
    purpose = "The first Confirm on an association without Stack-Configuration-Data is answered by "
      .. "'Missing Object'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.4.5-7" },
    run = function(t)
      t:body()
      t:session():start_handshake{ change_confirm = spoil.without("Stack-Configuration-Data") }
      t.ni:expect_error{ ids = { "RFC5971-4.4.5-7" }, text = "the Confirm is answered by an Error",
        error = "Missing Object" }
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
  {
    id = "gist-4.4.6-no-routing-state-starts-again",
    purpose = "A querier that is told 'No Routing State' starts the handshake again.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-4.4.6-5" },
    run = function(t)
      local session = t:outbound_session():establish()
      t:body()
      local before = #session.queries
      local failure = messages.error("No Routing State", session.forwarded.gist.bytes)
      session:responder_association():send(failure)
      session:expect_query{ ids = { "RFC5971-4.4.6-5" }, text = "a new Query comes",
        number = before + 1 }
    end,
  },
  {
    id = "gist-5.3.3-query-backoff",
    purpose = "A Query that is not answered is sent again at intervals that double, each time with "
      .. "another cookie.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.3.3-1b", "RFC5971-5.3.3-6" },
    needs = { "lossless" },
    run = function(t)
      local session = t:outbound_session()
      t.nr.silent = true
      t:body()
      session:begin()
      if not session:await_query{ number = 3, within_ms = t.ixit.timing.no_peer_ms } then
        t:not_applicable("the IUT sends fewer than three Queries")
      end
      local at, seen = {}, {}
      for place = 1, 3 do
        local query = session.queries[place]
        at[place] = query.at
        local cookie = query:hex("Query-Cookie")
        t:check{ ids = { "RFC5971-5.3.3-6" }, text = "its cookie is new", expected = "new",
          actual = seen[cookie] and "seen before" or "new" }
        seen[cookie] = true
      end
      t:expect_backoff{ ids = { "RFC5971-5.3.3-1b" }, times = { at[1], at[2], at[3] } }
    end,
  },
  {
    id = "gist-4.4.4-refresh",
    purpose = "Routing state is refreshed by a Query before its validity time ends, at a random "
      .. "moment.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-4.4.4-8", "RFC5971-4.4.4-5a" },
    run = function(t)
      t.nr.validity_ms = 3000
      local sessions = {}
      for place = 1, 6 do
        sessions[place] = t:outbound_session():establish()
      end
      t:body()
      -- Six random moments all within 10 ms of each other are too unlikely to be chance.
      local least, most = math.huge, 0
      for _, session in ipairs(sessions) do
        local query = session:expect_query{ ids = { "RFC5971-4.4.4-5a" }, number = 2,
          text = "a refresh Query comes before the state ends", within_ms = t.nr.validity_ms }
        local after = query.at - session.queries[1].at
        least, most = math.min(least, after), math.max(most, after)
      end
      t:reading{ of = "4.4.4-i6", seen = string.format("refreshed after %.0f to %.0f %% of the time",
        least / 30,
        most / 30) }
      t:check{ ids = { "RFC5971-4.4.4-8" }, text = "not all after the same time",
        expected = "10 ms apart or more", actual = string.format("%.0f ms", most - least),
        holds = most - least >= 10 }
    end,
  },
  {
    id = "gist-6.3-query-again",
    purpose = "A second Query of a session that is established is answered again, and the session "
      .. "goes on.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-6.3-i17" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      session:connect{ ids = { "RFC5971-6.3-i17" } }
      session:send_create():expect_accepted{ ids = { "RFC5971-6.3-i17" } }
    end,
  },
  {
    id = "gist-5.7.1-unusable-protocol",
    purpose = "A protocol that a Response flags as unusable is not used for an association.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.7.1-1" },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      t.nr.change_response = function(response)
        spoil.values(response, "Stack-Configuration-Data").options[1].d = 1
      end
      session:begin()
      session:expect_query()
      t:pause(t.ixit.timing.quiet_ms)
      t:check{ ids = { "RFC5971-5.7.1-1" }, text = "no association is opened", expected = 0,
        actual = #t.nr.associations }
      t:control()
      t.nr.change_response = nil
      t.ni:drain()
      t.nr:drain()
      t:tolerate("RESPONSE")
      t:tolerate("GIST Error")
      t:outbound_session():begin():expect_create()
    end,
  },
  {
    id = "gist-4.4.3-association-used-again",
    purpose = "Where the next session of the same peer uses the association that there is, Response and "
      .. "Confirm go over it.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.4.3-i1", "RFC5971-4.4.3-i7", "RFC5971-5.1-8" },
    run = function(t)
      local ids = { "RFC5971-4.4.3-i1", "RFC5971-4.4.3-i7", "RFC5971-5.1-8" }
      local first = t:session():establish()
      local second = t:session()
      t:body()
      second:connect()
      if second:response().mode ~= "C" then
        t:not_applicable("the IUT sets up an association for each session")
      end
      t:check{ ids = ids, text = "the second Response comes over the first one's association",
        expected = "that one",
        actual = second:response().association == first:association() and "that one" or "another" }
      second:send_create():expect_accepted{ ids = ids, text = "its CREATE is accepted there" }
    end,
  },
  {
    id = "gist-4.4.3-association-shared",
    purpose = "A second session with the same peer uses the association that there is, which is "
      .. "recommended.",
    roles = roles.all,
    requirements = { "RFC5971-4.4.3-4" },
    run = function(t)
      local first = (t:judges_initiator() and t:outbound_session() or t:session()):establish()
      t:body()
      local second = (t:judges_initiator() and t:outbound_session() or t:session()):establish()
      local function shares(text, one, other)
        t:remark{ ids = { "RFC5971-4.4.3-4" }, text = text, expected = "shared",
          actual = one == other and "shared" or "another" }
      end
      if not t:judges_initiator() then
        shares("the initiator's association", first:association(), second:association())
      end
      if not t:judges_responder() then
        shares("the responder's association", first:responder_association(),
          second:responder_association())
      end
    end,
  },
  {
    id = "gist-4.4.3-another-address-another-association",
    purpose = "A peer with the same identity at another address gets its Response in D-mode: the "
      .. "association is not taken for its.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.4.3-6", "RFC5971-4.4.3-i6" },
    run = function(t)
      local ids = { "RFC5971-4.4.3-6", "RFC5971-4.4.3-i6" }
      t:session():connect()
      local identity = t.ni.identity
      t.ni = t:another_initiator()
      t.ni.identity = identity
      local session = t:session()
      t:body()
      session:connect()
      t:check{ ids = ids, text = "the Response comes in D-mode", expected = "D",
        actual = session:response().mode }
      session:send_create():expect_accepted{ ids = ids }
    end,
  },
  {
    id = "gist-4.4.5-keeps-association",
    purpose = "An association whose peer goes on saying MA-Hello is not torn down when the hold time is "
      .. "over that the IUT announced. Whether the IUT says MA-Hello itself is left to it.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.4.5-1" },
    run = function(t)
      local ids = { "RFC5971-4.4.5-1" }
      local session = t:session():query_only()
      local own = session:expect_gist_response():values("Stack-Configuration-Data").hold_time_ms
      t:check{ text = "the Response has an MA-Hold-Time", expected = "a time", actual = own,
        holds = own ~= nil }
      t.ni.hold_time_ms = math.min(own, MOST_HELD_MS)
      session = t:session():establish()
      t:body()
      if own > MOST_HELD_MS then t:not_applicable("the IUT announces a hold time that is too long") end
      local association = session:association()
      t:pause(own + t.ixit.timing.expiry_late_ms)
      t:check{ ids = ids, text = "the association is still there", expected = "open",
        actual = association.open and "open" or "closed" }
      t:reading{ of = "4.4.5-i6", seen = #association.hellos > 0 and "says MA-Hello itself"
        or "says none" }
      t:control()
      association:expect_hello_answered{}
    end,
  },
  {
    id = "gist-6.3-query-before-confirm",
    purpose = "Of an established session too a second Query before any Confirm is answered like the "
      .. "first.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-6.3-3" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      for _, text in ipairs({ "the first", "the second" }) do
        session:query_only():expect_gist_response{ ids = { "RFC5971-6.3-3" },
          text = text .. " Query is answered by a Response" }
      end
      session:connect{ ids = { "RFC5971-6.3-3" } }
    end,
  },
  {
    id = "gist-4.4.6-no-routing-state-ends-it",
    purpose = "A responder that is told 'No Routing State' deletes its routing state: Data of that "
      .. "session are not processed any more.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.4.6-6a" },
    run = function(t)
      local session = t:session():establish()
      local other = t:session():establish()
      t:body()
      local last = messages.data(session, messages.UPSTREAM, "")
      session:association():send(messages.error("No Routing State", last))
      t:tolerate("GIST Error")
      t:tolerate("NOTIFY")
      session:send_create()
      t:expect_not_processed{ ids = { "RFC5971-4.4.6-6a" },
        text = "a CREATE after it is not processed" }
      t:control()
      other:send_create():expect_accepted()
    end,
  },
}
