-- RFC 5971, sections 4.3 and 5.5: what becomes of a message once it has arrived.

local FIREWALL = { "NF-FW", "edge-FW" }
local FIREWALL_AND_RESPONDER = { "NF-FW", "edge-FW", "NR" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local NLI = 2
local FOREIGN = 40 -- an NSLPID that the IUT does not host
local HELLO = 10

local function expect_error(t, code, ids, text, send)
  local item
  text = text .. " is answered by an Error"
  if send then
    item = t:insist(send, t.ni, "GIST Error", nil, ids, text)
  else
    item = t:expect(t.ni, "GIST Error", nil, ids, text)
  end
  t:check(ids, text .. ": error", code, item.code)
  return item
end

-- The session still works: its next CREATE is accepted.
local function still_works(t, session)
  t:control()
  session:send_create():expect_accepted()
end

-- A Query for another application, from the initiator's side.
local function foreign_query(t, hops)
  local session = t:session()
  t.nr.silent = true
  t.ni:start_handshake(session, { only_query = true, own_source = true, change_query = function(query)
    query.header.nslpid, query.header.hops = FOREIGN, hops
  end })
  return session
end

return {
  {
    id = "gist-4.3.1-query-with-hop-count-zero",
    purpose = "A Query with a GIST hop count of zero is answered by 'Hop Limit Exceeded' and by no "
      .. "Response.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-4.3.1-5", "RFC5971-A.4.4.2-i1" },
    run = function(t)
      local ids = { "RFC5971-4.3.1-5", "RFC5971-A.4.4.2-i1" }
      t:body()
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, change_query = spoil.header("hops", 0) })
      expect_error(t, 2, ids, "a Query with hop count zero")
      session:stop_asking()
      t:check(ids, "and by no Response", "none", messages.summary(session.querying.response),
        session.querying.response == nil)
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "gist-4.3.1-data-with-hop-count-zero",
    purpose = "Data with a GIST hop count of zero are answered by 'Hop Limit Exceeded' and not "
      .. "delivered.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-4.3.1-5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      t.ni:send_nslp(session, session:create_message(), { change = spoil.header("hops", 0) })
      expect_error(t, 2, { "RFC5971-4.3.1-5" }, "Data with hop count zero")
      t:not_processed({ "RFC5971-4.3.1-5" }, "and its CREATE is not processed")
      still_works(t, session)
    end,
  },
  {
    id = "gist-4.3.1-other-application-passes",
    purpose = "A Query for an application that the NF does not host goes on, one hop fewer, and "
      .. "otherwise octet for octet; the NF does not answer it.",
    roles = FIREWALL,
    requirements = { "RFC5971-4.3.1-3", "RFC5971-4.3.1-6", "RFC5971-4.3.4-i1", "RFC5971-4.3.4-5",
      "RFC5971-4.3.4-6", "RFC5971-4.3.4-14a" },
    run = function(t)
      t:body()
      local session = foreign_query(t, 10)
      local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
      session:stop_asking()
      t:check({ "RFC5971-4.3.4-i1", "RFC5971-4.3.1-3" }, "the Query reaches the responder", "a Query",
        messages.summary(query), query ~= nil)
      t:check({ "RFC5971-4.3.1-3" }, "its NSLPID is the one sent", FOREIGN,
        query.gist.header.nslpid)
      t:check({ "RFC5971-4.3.1-6", "RFC5971-4.3.4-6" }, "its GIST hop count is one fewer", 9,
        query.gist.header.hops)
      t:check({ "RFC5971-4.3.4-5" }, "its IP TTL is one fewer", 63, query.packet.ttl)
      t:check({ "RFC5971-4.3.4-14a" }, "all else is unchanged", "the same",
        session.querying.all_sent[query.gist.bytes:sub(3)] and "the same" or "changed")
      t:nothing(t.ni, { "RFC5971-4.3.1-3" }, "the NF does not answer with an Error")
      t:check({ "RFC5971-4.3.1-3" }, "nor with a Response", "none",
        messages.summary(session.querying.response), session.querying.response == nil)
      t:control()
      t.nr.silent = false
      t:session():establish()
    end,
  },
  {
    id = "gist-4.3.4-other-application-hop-limit",
    purpose = "A Query for another application whose hop count is used up is not sent on.",
    roles = FIREWALL,
    requirements = { "RFC5971-A.4.4.2-i2", "RFC5971-4.3.4-4" },
    run = function(t)
      t:body()
      local session = foreign_query(t, 1)
      expect_error(t, 2, { "RFC5971-A.4.4.2-i2", "RFC5971-4.3.4-4" },
        "a Query for another application, one hop left,")
      session:stop_asking()
      t:check({ "RFC5971-4.3.4-4" }, "it is not sent on", 0, #session.queries)
      t:control()
      t:tolerate("GIST Error") -- of a Query that was sent again meanwhile
      t.nr.silent = false
      t:session():establish()
    end,
  },
  {
    id = "gist-4.3.4-unknown-nslpid",
    purpose = "A message sent straight to the NF for an application that it does not host is answered "
      .. "by 'Unknown NSLPID'.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-4.3.4-2" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      expect_error(t, 6, { "RFC5971-4.3.4-2" }, "Data for another application", function()
        t.ni:send_nslp_datagram(session, session:create_message(), spoil.header("nslpid", FOREIGN))
      end)
      t:not_processed({ "RFC5971-4.3.4-2" }, "and not processed")
      still_works(t, session)
    end,
  },
  {
    id = "gist-4.3.2-session-of-no-handshake",
    purpose = "Data of a session that an association was not set up for are answered by 'Incorrectly "
      .. "Delivered Message' or 'No Routing State', or dropped, and never processed.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-4.3.2-12" },
    run = function(t)
      local session = t:session():connect()
      local stranger = t:session()
      t:body()
      stranger.querying = session.querying
      stranger:send_create()
      t:tolerate("GIST Error")
      local answer = t:await(t.ixit.timing.quiet_ms,
        function() return table.remove(t.ni.inbox, 1) end)
      t:check({ "RFC5971-4.3.2-12" }, "the answer is an Error, or none", "error 4, 5 or nothing",
        messages.summary(answer), not answer or answer.name == "GIST Error"
          and (answer.code == 4 or answer.code == 5))
      t:not_processed({ "RFC5971-4.3.2-12" }, "it is not processed")
      t:check({ "RFC5971-4.3.2-12" }, "nor is a Query sent for it", 0, #stranger.queries)
      still_works(t, session)
    end,
  },
  {
    id = "gist-4.3.2-session-of-another-association",
    purpose = "Data of a session that come over another initiator's association are answered by "
      .. "'Incorrectly Delivered Message', and not processed.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-4.3.2-11", "RFC5971-A.4.4.4-i1" },
    run = function(t)
      local session = t:session():establish()
      local first = t.ni
      t.ni = t:another_initiator()
      local foreign = t:session():connect()
      t:body()
      local own = session.querying
      session.querying = foreign.querying
      session:send_create({ lifetime_s = 0 })
      local item = expect_error(t, 4, { "RFC5971-4.3.2-11", "RFC5971-A.4.4.4-i1" },
        "a deletion over the wrong association")
      t:check({ "RFC5971-4.3.2-11" }, "over that association", "C", item.mode)
      t:not_processed({ "RFC5971-4.3.2-11" }, "it is not processed")
      t.ni, session.querying = first, own
      if not t:judges_responder() then
        t:passes(session.data, { "RFC5971-4.3.2-11" }, "and the session lives")
      end
      still_works(t, session)
    end,
  },
  {
    id = "gist-4.3.2-data-without-routing-state",
    purpose = "Data in D-mode without routing state are dropped or answered by 'No Routing State', "
      .. "and never processed.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-4.3.2-12" },
    run = function(t)
      local session = t:session():connect()
      local stranger = t:session()
      t:body()
      stranger.querying = session.querying
      t.ni:send_nslp_datagram(stranger, stranger:create_message())
      local answer = t:await(t.ixit.timing.quiet_ms,
        function() return table.remove(t.ni.inbox, 1) end)
      t:reading("4.3.2-12", answer and "rejected" or "dropped")
      t:check({ "RFC5971-4.3.2-12" }, "the answer is 'No Routing State', or none",
        "error 5 or nothing", messages.summary(answer),
        not answer or answer.name == "GIST Error" and answer.code == 5)
      t:not_processed({ "RFC5971-4.3.2-12" }, "it is not processed")
      t:check({ "RFC5971-4.3.2-12" }, "nor is a Query sent for it", 0, #stranger.queries)
      still_works(t, session)
    end,
  },
  {
    id = "gist-5.3.1-no-magic-number",
    purpose = "A datagram to the GIST port without the magic number is dropped silently.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.3.1-4" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local data = messages.data(session, 0, messages.encode_natfw(session:create_message()))
      table.insert(data.objects, 3, messages.nli(t.ni, 64))
      t.ni:send_datagram(messages.encode_gist(data), { magic = "\78\4\189\164",
        destination = t.ni:peer_address(session) })
      t:nothing(t.ni, { "RFC5971-5.3.1-4" }, "it is not answered")
      t:not_processed({ "RFC5971-5.3.1-4" }, "nor processed")
      still_works(t, session)
    end,
  },
  {
    id = "gist-5.5-hello-in-d-mode",
    purpose = "An MA-Hello in D-mode is answered by 'Incorrect Encapsulation'.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.5-1", "RFC5971-A.4.4.3-i3" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      expect_error(t, 3, { "RFC5971-5.5-1", "RFC5971-A.4.4.3-i3" }, "an MA-Hello in D-mode",
        function()
          t.ni:send_datagram(messages.encode_gist(messages.hello(7, true)),
            { destination = t.ni:peer_address(session) })
        end)
      still_works(t, session)
    end,
  },
  {
    id = "gist-5.1-hello-without-request",
    purpose = "An MA-Hello without R is not answered.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.1-i9" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local association = session.querying.association
      local before = #association.hellos
      association:send(messages.encode_gist(messages.hello(0, false)))
      t:pause(t.ixit.timing.quiet_ms)
      t:check({ "RFC5971-5.1-i9" }, "no MA-Hello comes back", before, #association.hellos)
      association:send(messages.encode_gist(messages.hello(4711, true)))
      local reply = t:await(t.ixit.timing.response_ms,
        function() return association.hellos[before + 1] end)
      t:check({ "RFC5971-5.1-i9" }, "the next one, with R, is answered", 4711,
        reply and reply.gist.by_type[HELLO].values.hello_id)
    end,
  },
  {
    id = "gist-5.4-message-in-pieces",
    purpose = "A message that comes over an association octet by octet is processed.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.4-i1" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local bytes = messages.encode_gist(messages.data(session, 0,
        messages.encode_natfw(session:create_message())))
      for place = 1, #bytes do
        session.querying.association:send(bytes:sub(place, place))
        if place % 8 == 0 then t:pause(1) end
      end
      session:expect_accepted({ "RFC5971-5.4-i1" }, "its CREATE is accepted")
    end,
  },
  {
    id = "gist-5.4-messages-in-one-piece",
    purpose = "Two messages in one write over an association are both processed, in their order.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.4-i1", "RFC5971-5.4-i3" },
    run = function(t)
      local ids = { "RFC5971-5.4-i1", "RFC5971-5.4-i3" }
      local session = t:session():establish()
      t:body()
      local function data()
        return messages.encode_gist(messages.data(session, 0,
          messages.encode_natfw(session:create_message())))
      end
      session.querying.association:send(data() .. data())
      local answered = t:judges_responder()
      local function processed(text)
        if answered then return session:expect_response(ids, text) end
        return session:expect_create(ids, text)
      end
      local first = processed("the first is processed")
      local second = processed("the second is processed")
      t:check(ids, "in their order", (first.msn + 1) % 4294967296, second.msn)
    end,
  },
  {
    id = "gist-5.2.1-query-without-c-flag",
    purpose = "A Query sent straight to the NF without C is answered by 'Invalid C-flag'.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.2.1-1", "RFC5971-A.4.4.1-i7" },
    run = function(t)
      local ids = { "RFC5971-5.2.1-1", "RFC5971-A.4.4.1-i7" }
      local session = t:session():connect()
      local other = t:session()
      t:body()
      local query = messages.query(t.ni, other, "\1\2\3\4\5\6\7\8", 1)
      query.header.c = 0
      local item = expect_error(t, 1, ids, "a Query with C clear", function()
        t.ni:send_datagram(messages.encode_gist(query),
          { destination = t.ni:peer_address(session) })
      end)
      t:check(ids, "its subcode", 5, item.subcode)
      still_works(t, session)
    end,
  },
  {
    id = "gist-5.1-d-mode-data",
    purpose = "To an initiator without an association the NF sends its Data in D-mode, with its NLI.",
    roles = FIREWALL_AND_RESPONDER, needs = { "d_mode" },
    requirements = { "RFC5971-5.1-17a", "RFC5971-5.3.1-1" },
    run = function(t)
      local session = t:session():connect({ d_mode = true })
      t:body()
      local response = session:establish({ ids = { "RFC5971-5.3.1-1" } }).granted
      t:check({ "RFC5971-5.3.1-1" }, "the RESPONSE comes in D-mode, normally encapsulated", "D",
        response.mode)
      t:check({ "RFC5971-5.1-17a" }, "with the NF's NLI", "there",
        response.gist.by_type[NLI] and "there" or "missing")
      t:check({ "RFC5971-5.1-17a" }, "and no fault", "none",
        response.gist.faults[1] and response.gist.faults[1].text or "none")
    end,
  },
}
