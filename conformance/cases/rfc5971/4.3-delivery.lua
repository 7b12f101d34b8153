-- RFC 5971, sections 4.3 and 5.5: what becomes of a message once it has arrived.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local FOREIGN = 40 -- an NSLPID that the IUT does not host
local UNKNOWN_METHOD = 200 -- a message routing method that nobody has
local UNASKED = 8 -- MA-Hellos without R
local ANOTHER_MAGIC = "\78\4\189\164" -- GIST's but for the last bit

-- A Query for another application, from the initiator's side.
local function foreign_query(t, hops)
  t.nr.silent = true
  return t:session():query_only{ own_source = true,
    change_query = spoil.all(spoil.header("nslpid", FOREIGN), spoil.header("hops", hops)) }
end

return {
  {
    id = "gist-4.3.1-query-with-hop-count-zero",
    purpose = "A Query with a GIST hop count of zero is answered by 'Hop Limit Exceeded' and by no "
      .. "Response.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.3.1-5", "RFC5971-A.4.4.2-i1" },
    run = function(t)
      local ids = { "RFC5971-4.3.1-5", "RFC5971-A.4.4.2-i1" }
      t:body()
      t:session():query_only{ change_query = spoil.header("hops", 0) }
        :expect_query_refused{ ids = ids, error = "Hop Limit Exceeded",
          text = "a Query with hop count zero is answered by an Error" }
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "gist-4.3.1-data-with-hop-count-zero",
    purpose = "Data with a GIST hop count of zero are answered by 'Hop Limit Exceeded' and not "
      .. "delivered.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.3.1-5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      t.ni:send_nslp(session, session:create_message(), { change = spoil.header("hops", 0) })
      t.ni:expect_error{ ids = { "RFC5971-4.3.1-5" },
        text = "Data with hop count zero is answered by an Error",
        error = "Hop Limit Exceeded" }
      t:expect_not_processed{ ids = { "RFC5971-4.3.1-5" },
        text = "and its CREATE is not processed" }
      session:expect_still_works()
    end,
  },
  {
    id = "gist-4.3.1-other-application-passes",
    purpose = "A Query for an application that the NF does not host goes on, one hop fewer, and "
      .. "otherwise octet for octet; the NF does not answer it.",
    roles = roles.firewall,
    requirements = { "RFC5971-4.3.1-3", "RFC5971-4.3.1-6", "RFC5971-4.3.4-i1", "RFC5971-4.3.4-5",
      "RFC5971-4.3.4-6", "RFC5971-4.3.4-14a" },
    run = function(t)
      t:body()
      local session = foreign_query(t, 10)
      local query = session:expect_query{ ids = { "RFC5971-4.3.4-i1", "RFC5971-4.3.1-3" },
        text = "the Query reaches the responder" }
      session:stop_asking()
      t:check{ ids = { "RFC5971-4.3.4-i1" }, text = "its NSLPID is the one sent",
        expected = FOREIGN, actual = query.gist.header.nslpid }
      t:check{ ids = { "RFC5971-4.3.1-6", "RFC5971-4.3.4-6" },
        text = "its GIST hop count is one fewer", expected = 9, actual = query.gist.header.hops }
      t:check{ ids = { "RFC5971-4.3.4-5" }, text = "its IP TTL is one fewer", expected = 63,
        actual = query.packet.ttl }
      t:check{ ids = { "RFC5971-4.3.4-14a" }, text = "all else is unchanged",
        expected = "the same",
        actual = session:has_sent(query) and "the same" or "changed" }
      t.ni:expect_nothing{ ids = { "RFC5971-4.3.4-i1" },
        text = "the NF does not answer with an Error" }
      session:expect_no_gist_response{ ids = { "RFC5971-4.3.4-i1" }, text = "nor with a Response" }
      t:control()
      t.nr.silent = false
      t:session():establish()
    end,
  },
  {
    id = "gist-4.3.4-other-application-unknown-method",
    purpose = "A Query for another application goes on though its routing method is unknown to the NF.",
    roles = roles.firewall,
    requirements = { "RFC5971-4.3.4-12" },
    run = function(t)
      local ids = { "RFC5971-4.3.4-12" }
      t:body()
      t.nr.silent = true
      local session = t:session():query_only{ change_query = spoil.all(
        spoil.header("nslpid", FOREIGN), spoil.raw("MRI", string.char(UNKNOWN_METHOD, 0, 0, 0))) }
      session:expect_query{ ids = ids, text = "the Query reaches the responder" }
      session:stop_asking()
      t.ni:expect_nothing{ ids = ids, text = "the NF does not answer with an Error" }
      t:control()
      t.nr.silent = false
      t:session():establish()
    end,
  },
  {
    id = "gist-4.3.4-other-application-hop-limit",
    purpose = "A Query for another application whose hop count is used up is not sent on, and, as is "
      .. "recommended, answered by 'Hop Limit Exceeded'.",
    roles = roles.firewall,
    requirements = { "RFC5971-4.3.4-4", "RFC5971-4.3.4-10a" },
    run = function(t)
      t:body()
      local session = foreign_query(t, 1)
      local answer = t.ni:take()
      t:remark{ ids = { "RFC5971-4.3.4-10a" }, text = "it is answered by an Error",
        expected = "Hop Limit Exceeded", actual = messages.summary(answer),
        holds = answer ~= nil and answer:is_error("Hop Limit Exceeded") }
      session:stop_asking()
      t:check{ ids = { "RFC5971-4.3.4-4" }, text = "it is not sent on", expected = 0,
        actual = #session.queries }
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
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.3.4-2" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local function send()
        t.ni:send_nslp_datagram(session, session:create_message(),
          { change = spoil.header("nslpid", FOREIGN) })
      end
      t.ni:expect_error{ ids = { "RFC5971-4.3.4-2" }, send = send,
        text = "Data for another application is answered by an Error", error = "Unknown NSLPID" }
      t:expect_not_processed{ ids = { "RFC5971-4.3.4-2" }, text = "and not processed" }
      session:expect_still_works()
    end,
  },
  {
    id = "gist-4.3.2-session-of-no-handshake",
    purpose = "Data of a session that an association was not set up for are answered by 'Incorrectly "
      .. "Delivered Message' or 'No Routing State', or dropped, and never processed.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.3.2-12" },
    run = function(t)
      local session = t:session():connect()
      local stranger = t:session()
      t:body()
      stranger:use_handshake_of(session)
      stranger:send_create()
      t:tolerate("GIST Error")
      local answer = t.ni:take()
      t:reading{ of = "A106", seen = answer and messages.summary(answer) or "dropped" }
      t:check{ ids = { "RFC5971-4.3.2-12" }, text = "the answer is an Error, or none",
        expected = "error 4, 5 or nothing", actual = messages.summary(answer),
        holds = not answer or answer:is_error("Incorrectly Delivered Message", "No Routing State") }
      t:expect_not_processed{ ids = { "RFC5971-4.3.2-12" }, text = "it is not processed" }
      session:expect_still_works()
    end,
  },
  {
    id = "gist-4.3.2-session-of-another-association",
    purpose = "Data of a session that come over another initiator's association are answered by "
      .. "'Incorrectly Delivered Message', and not processed.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.3.2-11", "RFC5971-A.4.4.4-i1", "RFC5971-5.6-5" },
    run = function(t)
      local session = t:session():establish()
      local first = t.ni
      t.ni = t:another_initiator()
      local foreign = t:session():connect()
      t:body()
      session:use_handshake_of(foreign)
      session:send_create{ lifetime_s = 0 }
      local item = t.ni:expect_error{ ids = { "RFC5971-4.3.2-11", "RFC5971-A.4.4.4-i1" },
        text = "a deletion over the wrong association is answered by an Error",
        error = "Incorrectly Delivered Message" }
      t:check{ ids = { "RFC5971-5.6-5" }, text = "over that association", expected = "C",
        actual = item.mode }
      t:expect_not_processed{ ids = { "RFC5971-4.3.2-11" }, text = "it is not processed" }
      t.ni = first
      session:use_own_handshake()
      if not t:judges_responder() then
        session.data:expect_passing{ ids = { "RFC5971-4.3.2-11" }, text = "and the session lives" }
      end
      session:expect_still_works()
    end,
  },
  {
    id = "gist-4.3.2-data-without-routing-state",
    purpose = "Data in D-mode without routing state are dropped or answered by 'No Routing State', "
      .. "and never processed.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.3.2-12" },
    run = function(t)
      local session = t:session():connect()
      local stranger = t:session()
      t:body()
      stranger:use_handshake_of(session)
      t.ni:send_nslp_datagram(stranger, stranger:create_message())
      local answer = t.ni:take()
      t:reading{ of = "4.3.2-12", seen = answer and "rejected" or "dropped" }
      t:check{ ids = { "RFC5971-4.3.2-12" }, text = "the answer is 'No Routing State', or none",
        expected = "error 5 or nothing", actual = messages.summary(answer),
        holds = not answer or answer:is_error("No Routing State") }
      t:expect_not_processed{ ids = { "RFC5971-4.3.2-12" }, text = "it is not processed" }
      session:expect_still_works()
    end,
  },
  {
    id = "gist-5.3.1-no-magic-number",
    purpose = "A datagram to the GIST port without the magic number is dropped silently.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.3.1-4" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      t.ni:send_nslp_datagram(session, session:create_message(), { magic = ANOTHER_MAGIC })
      t.ni:expect_nothing{ ids = { "RFC5971-5.3.1-4" }, text = "it is not answered" }
      t:expect_not_processed{ ids = { "RFC5971-5.3.1-4" }, text = "nor processed" }
      session:expect_still_works()
    end,
  },
  {
    id = "gist-5.5-hello-in-d-mode",
    purpose = "An MA-Hello in D-mode is answered by 'Incorrect Encapsulation'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.5-1", "RFC5971-A.4.4.3-i3" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      t.ni:expect_error{ ids = { "RFC5971-5.5-1", "RFC5971-A.4.4.3-i3" },
        send = function() t.ni:send_to_iut(session, messages.hello(7, true)) end,
        text = "an MA-Hello in D-mode is answered by an Error", error = "Incorrect Encapsulation" }
      session:expect_still_works()
    end,
  },
  {
    id = "gist-5.1-hello-without-request",
    purpose = "An MA-Hello without R is not answered.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.1-i9" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local association = session:association()
      local before = #association.hellos
      for _ = 1, UNASKED do association:send(messages.hello(0, false)) end
      t:pause(t.ixit.timing.quiet_ms)
      local came = #association.hellos - before -- one may come unasked at any time
      t:check{ ids = { "RFC5971-5.1-i9" }, text = UNASKED .. " of them are not answered",
        expected = "fewer than " .. UNASKED, actual = came, holds = came < UNASKED }
      t:control()
      association:expect_hello_answered{}
    end,
  },
  {
    id = "gist-5.4-message-in-pieces",
    purpose = "A message that comes over an association octet by octet is processed.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.4-i1" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local bytes = messages.encode_gist(messages.data(session, messages.DOWNSTREAM,
        session:create_message()))
      for place = 1, #bytes do
        session:association():send(bytes:sub(place, place))
        if place % 8 == 0 then t:pause(1) end
      end
      session:expect_accepted{ ids = { "RFC5971-5.4-i1" }, text = "its CREATE is accepted" }
    end,
  },
  {
    id = "gist-5.4-messages-in-one-piece",
    purpose = "Two messages in one write over an association are both processed, in their order.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.4-i1", "RFC5971-5.4-i3" },
    run = function(t)
      local ids = { "RFC5971-5.4-i1", "RFC5971-5.4-i3" }
      local session = t:session():establish()
      t:body()
      local function data()
        return messages.encode_gist(messages.data(session, messages.DOWNSTREAM,
          session:create_message()))
      end
      session:association():send(data() .. data())
      local answered = t:judges_responder()
      local function processed(text)
        if answered then return session:expect_response{ ids = ids, text = text } end
        return session:expect_create{ ids = ids, text = text }
      end
      local first = processed("the first is processed")
      local second = processed("the second is processed")
      t:check{ ids = ids, text = "in their order", expected = first:msn_plus(1),
        actual = second.msn }
    end,
  },
  {
    id = "gist-5.2.1-query-without-c-flag",
    purpose = "A Query sent straight to the NF without C is answered by 'Invalid C-flag'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-A.1-5", "RFC5971-A.4.4.1-i7" },
    run = function(t)
      local ids = { "RFC5971-A.1-5", "RFC5971-A.4.4.1-i7" }
      local session = t:session():connect()
      local other = t:session()
      t:body()
      local query = messages.query(t.ni, other, "\1\2\3\4\5\6\7\8", 1)
      query.header.c = 0
      t.ni:expect_error{ ids = ids, send = function() t.ni:send_to_iut(session, query) end,
        text = "a Query with C clear is answered by an Error", error = "Invalid C-flag" }
      session:expect_still_works()
    end,
  },
  {
    id = "gist-5.1-d-mode-data",
    purpose = "To an initiator without an association the NF sends its Data in D-mode, with its NLI.",
    roles = roles.answers_queries, needs = { "d_mode" },
    requirements = { "RFC5971-5.1-17a", "RFC5971-5.3.1-1" },
    run = function(t)
      local session = t:session():connect{ d_mode = true }
      t:body()
      local response = session:establish{ ids = { "RFC5971-5.3.1-1" } }.granted
      t:check{ ids = { "RFC5971-5.3.1-1" },
        text = "the RESPONSE comes in D-mode, normally encapsulated", expected = "D",
        actual = response.mode }
      t:check{ ids = { "RFC5971-5.1-17a" }, text = "with the NF's NLI", expected = "there",
        actual = response:has("NLI") and "there" or "missing" }
      t:check{ ids = { "RFC5971-5.1-17a" }, text = "and no fault", expected = "none",
        actual = response:fault("gist") }
    end,
  },
}
