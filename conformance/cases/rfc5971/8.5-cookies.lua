-- RFC 5971, sections 4.4 and 8.5: cookies, and what an exchange proves by them.

local ALL = { "NF-FW", "edge-FW", "NR" }
local QUERIER = { "NF-FW", "edge-FW", "NI" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local NLI, QUERY_COOKIE, RESPONDER_COOKIE, CONFIGURATION, PROPOSAL = 2, 5, 6, 4, 3

local function text_of(bytes)
  return bytes and (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
    or "none"
end

-- A handshake whose Confirm says something that its Responder-Cookie was not made for: no state.
local function unbound(ids, change)
  return function(t)
    local session = t:session()
    t.ni:start_handshake(session, { change_confirm = function(confirm) change(confirm, t) end })
    t:await(t.ixit.timing.response_ms, function() return session.querying.confirmed_at end)
    t:check(nil, "the handshake gets as far as the Confirm", "sent",
      session.querying.confirmed_at and "sent" or "not sent")
    session:expect_iut_between()
    t:body()
    session:send_create()
    t:not_processed(ids, "a CREATE after it is not processed")
    t:check(ids, "no Query was sent on for it", 0, #session.queries)
    t:control()
    t.ni.inbox = {}
    t:session():send_create():expect_accepted()
  end
end

return {
  {
    id = "gist-8.5-cookie-of-another-peer",
    purpose = "A Confirm with another Peer-Identity than its Query's gives no state: the "
      .. "Responder-Cookie is bound to the NLI.",
    roles = ALL,
    requirements = { "RFC5971-8.5-2", "RFC5971-8.5-i7" },
    run = unbound({ "RFC5971-8.5-2", "RFC5971-8.5-i7" }, function(confirm, t)
      spoil.find(confirm, NLI).values.peer_identity = t.net.random(16)
    end),
  },
  {
    id = "gist-8.5-cookie-of-another-flow",
    purpose = "A Confirm with another flow than its Query's gives no state: the Responder-Cookie is "
      .. "bound to the MRI.",
    roles = ALL,
    requirements = { "RFC5971-8.5-2", "RFC5971-8.5-i7" },
    run = unbound({ "RFC5971-8.5-2", "RFC5971-8.5-i7" }, function(confirm)
      local values = spoil.find(confirm, 0).values
      values.dest_port = values.dest_port + 1
    end),
  },
  {
    id = "gist-8.5-cookie-of-another-session",
    purpose = "The Responder-Cookie of one session does not do for another.",
    roles = ALL,
    requirements = { "RFC5971-8.5-2" },
    run = function(t)
      local other = t:session()
      t.ni:start_handshake(other, { only_query = true })
      t:await(t.ixit.timing.response_ms, function() return other.querying.response end)
      t:check(nil, "a Response comes", "a Response", messages.summary(other.querying.response),
        other.querying.response ~= nil)
      local cookie = other.querying.response.gist.by_type[RESPONDER_COOKIE].raw
      unbound({ "RFC5971-8.5-2" }, function(confirm)
        spoil.find(confirm, RESPONDER_COOKIE).values.cookie = cookie
      end)(t)
    end,
  },
  {
    id = "gist-8.5-wrong-cookie-not-told",
    purpose = "A Confirm with a wrong Responder-Cookie is dropped without 'Invalid Cookie', which is "
      .. "for debugging only.",
    roles = ALL,
    requirements = { "RFC5971-8.5-4", "RFC5971-8.5-i9" },
    run = function(t)
      local session = t:session()
      t.ni:start_handshake(session, { change_confirm = function(confirm)
        local values = spoil.find(confirm, RESPONDER_COOKIE).values
        values.cookie = values.cookie:sub(1, -2) .. string.char(values.cookie:byte(-1) ~ 1)
      end })
      t:await(t.ixit.timing.response_ms, function() return session.querying.confirmed_at end)
      t:body()
      t:nothing(t.ni, { "RFC5971-8.5-4", "RFC5971-8.5-i9" }, "no Error comes")
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
  {
    id = "gist-8.5-responder-cookies-differ",
    purpose = "Each session gets a Responder-Cookie of its own.",
    roles = ALL,
    requirements = { "RFC5971-8.5-2" },
    run = function(t)
      t:body()
      local seen = {}
      for _ = 1, 4 do
        local session = t:session()
        t.ni:start_handshake(session, { only_query = true })
        local response = t:await(t.ixit.timing.response_ms,
          function() return session.querying.response end)
        local cookie = response and text_of(response.gist.by_type[RESPONDER_COOKIE].raw) or "none"
        t:check({ "RFC5971-8.5-2" }, "a Response comes, with a new Responder-Cookie", "new",
          seen[cookie] and "seen before" or cookie == "none" and "none" or "new")
        seen[cookie] = true
        session:expect_iut_between({ "RFC5971-8.5-2" })
      end
    end,
  },
  {
    id = "gist-4.4.1-wrong-query-cookie",
    purpose = "A Response with a Query-Cookie that the NF did not send is dropped without an Error; "
      .. "the right one counts.",
    roles = QUERIER,
    requirements = { "RFC5971-4.4.1-11", "RFC5971-4.4.6-1a", "RFC5971-8.5-i3" },
    run = function(t)
      local ids = { "RFC5971-4.4.1-11", "RFC5971-8.5-i3" }
      local session = t:outbound_session()
      t:body()
      t.nr.change_response = spoil.value(QUERY_COOKIE, "cookie", "\1\2\3\4\5\6\7\8")
      session:begin()
      local query = t:await(t.ixit.timing.response_ms,
        function() return session.responding and session.queries[1] end)
      t:check(ids, "a Query comes", "a Query", messages.summary(query), query ~= nil)
      t.nr.change_response = nil
      t:check(ids, "the wrong Response is not confirmed", "nothing",
        messages.summary(session.responding.confirm), session.responding.confirm == nil)
      session.forwarded = session:expect_create({ "RFC5971-4.4.6-1a", "RFC5971-4.4.1-11" },
        "the next Query is answered rightly, and the CREATE is what comes, no Error")
      t:check(ids, "it took another Query", "2 or more", #session.queries, #session.queries >= 2)
    end,
  },
  {
    id = "gist-4.4.6-response-to-nothing",
    purpose = "A Response that answers no Query of the NF is dropped without an Error.",
    roles = QUERIER,
    requirements = { "RFC5971-4.4.6-1a" },
    run = function(t)
      local session = t:outbound_session():begin()
      session.forwarded = session:expect_create()
      t:body()
      local stranger = t:session()
      local response = messages.response(t.nr, stranger, "\1\2\3\4\5\6\7\8", t.net.random(16),
        t.nr.port)
      t.nr:send_datagram(messages.encode_gist(response),
        { destination = t.nr:peer_address(session) })
      t:nothing(t.nr, { "RFC5971-4.4.6-1a" }, "nothing answers it")
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
    roles = ALL,
    requirements = { "RFC5971-4.4.5-7" },
    run = function(t)
      local session = t:session()
      t:body()
      t.ni:start_handshake(session, { change_confirm = spoil.without(CONFIGURATION) })
      local item = t:expect(t.ni, "GIST Error", nil, { "RFC5971-4.4.5-7" },
        "the Confirm is answered by an Error")
      t:check({ "RFC5971-4.4.5-7" }, "'Object Type Error', 'Missing Object'", "9/2",
        item.code .. "/" .. item.subcode)
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
  {
    id = "gist-4.4.6-no-routing-state-starts-again",
    purpose = "A querier that is told 'No Routing State' starts the handshake again.",
    roles = QUERIER,
    requirements = { "RFC5971-4.4.6-5" },
    run = function(t)
      local session = t:outbound_session():establish()
      t:body()
      local before = #session.queries
      local last = session.forwarded.gist
      local failure = { header = { type = 4, s = 1, hops = 1, nslpid = 0 }, objects = {
        { type = 9, values = { class = 2, code = 5, subcode = 0, s = 1, m = 1,
          original_header = last.bytes:sub(1, 8), original_sid = session.sid,
          original_mri = last.by_type[0].raw, mri_length = #last.by_type[0].raw // 4,
          infos = {} } } } }
      session.responding.association:send(messages.encode_gist(failure))
      local query = t:await(t.ixit.timing.response_ms,
        function() return session.queries[before + 1] end)
      t:check({ "RFC5971-4.4.6-5" }, "a new Query comes", "a Query", messages.summary(query),
        query ~= nil)
    end,
  },
  {
    id = "gist-5.3.3-query-backoff",
    purpose = "A Query that is not answered is sent again at intervals that double, each time with "
      .. "another cookie.",
    roles = QUERIER,
    requirements = { "RFC5971-5.3.3-1b", "RFC5971-5.3.3-6" },
    run = function(t)
      local session = t:outbound_session()
      t.nr.silent = true
      t:body()
      session:begin()
      t:await(t.ixit.timing.no_peer_ms, function() return session.queries[3] or t.ni.inbox[1] end)
      if not session.queries[3] then t:not_applicable("the IUT sends fewer than three Queries") end
      local at, seen = {}, {}
      for place = 1, 3 do
        local query = session.queries[place]
        at[place] = query.at
        local cookie = text_of(query.gist.by_type[QUERY_COOKIE].raw)
        t:check({ "RFC5971-5.3.3-6" }, "its cookie is new", "new", seen[cookie] and "seen before"
          or "new")
        seen[cookie] = true
      end
      t:backs_off({ "RFC5971-5.3.3-1b" }, at[1], at[2], at[3])
    end,
  },
  {
    id = "gist-4.4.4-refresh",
    purpose = "Routing state is refreshed by a Query before its validity time ends, at a random "
      .. "moment.",
    roles = QUERIER,
    requirements = { "RFC5971-4.4.4-8", "RFC5971-4.4.4-5a" },
    run = function(t)
      t.nr.validity_ms = 3000
      local sessions = {}
      for place = 1, 6 do
        sessions[place] = t:outbound_session():establish()
      end
      t:body()
      local least, most = math.huge, 0
      for _, session in ipairs(sessions) do
        local query = t:await(t.nr.validity_ms, function() return session.queries[2] end)
        t:check({ "RFC5971-4.4.4-5a" }, "a refresh Query comes before the state ends", "a Query",
          messages.summary(query), query ~= nil)
        local after = query.at - session.queries[1].at
        least, most = math.min(least, after), math.max(most, after)
      end
      t:reading("4.4.4-i6", string.format("refreshed after %.0f to %.0f %% of the time", least / 30,
        most / 30))
      t:check({ "RFC5971-4.4.4-8" }, "not all after the same time", "10 ms apart or more",
        string.format("%.0f ms", most - least), most - least >= 10)
    end,
  },
  {
    id = "gist-6.3-query-again",
    purpose = "A second Query of a session that is established is answered again, and the session "
      .. "goes on.",
    roles = ALL,
    requirements = { "RFC5971-6.3-i17" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      session:connect({ ids = { "RFC5971-6.3-i17" } })
      session:send_create():expect_accepted({ "RFC5971-6.3-i17" })
    end,
  },
  {
    id = "gist-5.7.1-unusable-protocol",
    purpose = "A protocol that a Response flags as unusable is not used for an association.",
    roles = QUERIER,
    requirements = { "RFC5971-5.7.1-1" },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      t.nr.change_response = function(response)
        spoil.find(response, CONFIGURATION).values.options[1].d = 1
      end
      session:begin()
      local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
      t:check({ "RFC5971-5.7.1-1" }, "a Query comes", "a Query", messages.summary(query),
        query ~= nil)
      t:pause(t.ixit.timing.quiet_ms)
      t:check({ "RFC5971-5.7.1-1" }, "no association is opened", 0, #t.nr.associations)
      t:control()
      t.nr.change_response, t.ni.inbox, t.nr.inbox = nil, {}, {}
      t:tolerate("RESPONSE")
      t:tolerate("GIST Error")
      t:outbound_session():begin():expect_create()
    end,
  },
  {
    id = "gist-4.4.3-association-used-again",
    purpose = "The next session of the same peer uses the association that there is: Response and "
      .. "Confirm go over it, without Stack-Proposal.",
    roles = ALL,
    requirements = { "RFC5971-4.4.3-i1", "RFC5971-4.4.3-i7", "RFC5971-5.1-8" },
    run = function(t)
      local ids = { "RFC5971-4.4.3-i1", "RFC5971-4.4.3-i7", "RFC5971-5.1-8" }
      local first = t:session():establish()
      local second = t:session()
      t:body()
      second:connect({ ids = ids })
      if second.querying.response.mode ~= "C" then
        t:not_applicable("the IUT sets up an association for each session")
      end
      t:check(ids, "the second Response comes over the association", "C",
        second.querying.response.mode)
      t:check(ids, "without Stack-Proposal", "none",
        second.querying.response.gist.by_type[PROPOSAL] and "there" or "none")
      second:send_create():expect_accepted(ids)
      if t:judges_responder() then return end
      t:check(ids, "towards the responder the association is the same", "the same",
        second.responding.association == first.responding.association and "the same" or "another")
    end,
  },
  {
    id = "gist-4.4.3-another-address-another-association",
    purpose = "A peer with the same identity at another address gets its Response in D-mode: the "
      .. "association is not taken for its.",
    roles = ALL,
    requirements = { "RFC5971-4.4.3-6", "RFC5971-4.4.3-i6" },
    run = function(t)
      local ids = { "RFC5971-4.4.3-6", "RFC5971-4.4.3-i6" }
      t:session():connect()
      local identity = t.ni.identity
      t.ni = t:another_initiator()
      t.ni.identity = identity
      local session = t:session()
      t:body()
      session:connect({ ids = ids })
      t:check(ids, "the Response comes in D-mode", "D", session.querying.response.mode)
      session:send_create():expect_accepted(ids)
    end,
  },
  {
    id = "gist-4.4.5-keeps-association",
    purpose = "The NF says MA-Hello before the hold time that its peer announced is over.",
    roles = ALL,
    requirements = { "RFC5971-4.4.5-i6" },
    run = function(t)
      t.ni.hold_time_ms = 3000
      local session = t:session():establish()
      t:body()
      local association = session.querying.association
      local hello = t:await(t.ni.hold_time_ms, function() return association.hellos[1] end)
      if not hello then t:not_applicable("the IUT lets idle associations go") end
      t:check({ "RFC5971-4.4.5-i6" }, "an MA-Hello comes in time", "within 3000 ms",
        string.format("%.0f ms", hello.at - session.established_at),
        hello.at - session.established_at <= t.ni.hold_time_ms)
    end,
  },
  {
    id = "gist-6.3-query-before-confirm",
    purpose = "Of an established session too a second Query before any Confirm is answered like the "
      .. "first.",
    roles = ALL,
    requirements = { "RFC5971-6.3-3" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      for _, text in ipairs({ "the first", "the second" }) do
        t.ni:start_handshake(session, { only_query = true })
        local response = t:await(t.ixit.timing.response_ms,
          function() return session.querying.response end)
        t:check({ "RFC5971-6.3-3" }, text .. " Query is answered by a Response", "a Response",
          messages.summary(response), response ~= nil)
        session:expect_iut_between({ "RFC5971-6.3-3" })
      end
      session:connect({ ids = { "RFC5971-6.3-3" } })
    end,
  },
  {
    id = "gist-4.4.6-no-routing-state-ends-it",
    purpose = "A responder that is told 'No Routing State' deletes its routing state: Data of that "
      .. "session are not processed any more.",
    roles = ALL,
    requirements = { "RFC5971-4.4.6-6a" },
    run = function(t)
      local session = t:session():establish()
      local other = t:session():establish()
      t:body()
      local last = messages.data(session, 1, "")
      local bytes = messages.encode_gist(last)
      local mri = messages.read(bytes).gist.by_type[0].raw
      session.querying.association:send(messages.encode_gist({
        header = { type = 4, s = 1, hops = 1, nslpid = 0 }, objects = {
          { type = 9, values = { class = 2, code = 5, subcode = 0, s = 1, m = 1,
            original_header = bytes:sub(1, 8), original_sid = session.sid, original_mri = mri,
            mri_length = #mri // 4, infos = {} } } } }))
      t:tolerate("GIST Error")
      t:tolerate("NOTIFY")
      session:send_create()
      t:not_processed({ "RFC5971-4.4.6-6a" }, "a CREATE after it is not processed")
      t:control()
      other:send_create():expect_accepted()
    end,
  },
}
