-- RFC 5971, sections 4.4.1, 5.1 and 5.3: the three-way handshake, as responder towards the
-- initiator's side and as querier towards the responder's.

local gist = require("codec.gist")
local messages = require("runner.messages")
local roles = require("runner.roles")

local AGAIN_MS = 1100 -- T1 and twice T1, in which a retransmission would come: 5.3.3

return {
  {
    id = "gist-4.4.1-response-to-query",
    purpose = "A Query is answered by a Response in D-mode that echoes its MRI, session id and "
      .. "cookie, and offers an association that works.",
    roles = roles.answers_queries, smoke = true,
    requirements = { "RFC5971-4.4.1-2", "RFC5971-5.1-1", "RFC5971-5.1-7", "RFC5971-5.1-9",
      "RFC5971-5.1-10a", "RFC5971-5.1-10b", "RFC5971-5.1-11a", "RFC5971-5.3.1-3", "RFC5971-5.3.1-5",
      "RFC5971-5.3.1-6a", "RFC5971-5.2.2-2", "RFC5971-5.7.1-3b", "RFC5971-5.7.2-2", "RFC5971-A-1a",
      "RFC5971-A.1-4", "RFC5971-A.3.3-1", "RFC5971-A.3.5-2" },
    run = function(t)
      t:body()
      local session = t:session():query_only()
      local response = session:expect_gist_response{ ids = { "RFC5971-4.4.1-2" } }
      t:check{ ids = { "RFC5971-5.1-7", "RFC5971-5.1-10a", "RFC5971-5.3.1-3" },
        text = "the Response comes in D-mode, with the magic number", expected = "D",
        actual = response.mode }
      t:check{ ids = { "RFC5971-5.1-9" }, text = "it echoes the flow",
        expected = session:flow_text(), actual = response:flow_text() }
      t:check{ ids = { "RFC5971-5.1-9" }, text = "with the direction inverted", expected = 1,
        actual = response:values("MRI").d }
      t:check{ ids = { "RFC5971-5.1-9" }, text = "it echoes the session id",
        expected = messages.hex(session.sid), actual = response:hex("SID") }
      t:check{ ids = { "RFC5971-5.1-9" }, text = "it echoes the Query-Cookie",
        expected = "the one sent",
        actual = session:sent_at(response:raw("Query-Cookie")) and "the one sent" or "another" }
      for _, wanted in ipairs({ "Responder-Cookie", "Stack-Proposal", "Stack-Configuration-Data" }) do
        t:check{ ids = { "RFC5971-5.1-10b" }, text = "it has a " .. wanted,
          expected = "there", actual = response:has(wanted) and "there" or "missing" }
      end
      t:check{ ids = { "RFC5971-5.1-11a" }, text = "it asks for a Confirm", expected = 1,
        actual = response.gist.header.r }
      t:check{ ids = { "RFC5971-5.3.1-6a" }, text = "it says S=1", expected = 1,
        actual = response.gist.header.s }
      t:check{ ids = { "RFC5971-5.2.2-2" }, text = "its interface address is its IP source",
        expected = response.packet.source, actual = response:values("NLI").interface }
      t:check{ ids = { "RFC5971-5.3.1-5" }, text = "its ports mirror the Query's",
        expected = "270 to 270",
        actual = response.packet.source_port .. " to " .. response.packet.destination_port }
      t:check{ ids = { "RFC5971-A.1-4" }, text = "E is not set", expected = 0,
        actual = response.gist.header.e }
      t:check{ ids = { "RFC5971-A.3.3-1" }, text = "its routing state validity time is not zero",
        expected = "above 0", actual = response:values("NLI").validity_ms,
        holds = response:values("NLI").validity_ms > 0 }
      t:check{ ids = { "RFC5971-A.3.5-2" }, text = "its MA-Hold-Time is not zero",
        expected = "above 0", actual = response:values("Stack-Configuration-Data").hold_time_ms,
        holds = response:values("Stack-Configuration-Data").hold_time_ms > 0 }
      t:check{ ids = { "RFC5971-A-1a" }, text = "reserved bits are zero", expected = "none set",
        actual = response:reserved_bits("gist") }
      t:check{ ids = { "RFC5971-5.1-1", "RFC5971-5.7.2-2" },
        text = "it has no fault: objects, order, lengths", expected = "none",
        actual = response:fault("gist") }
      t:session():connect{ ids = { "RFC5971-5.7.1-3b" } }
    end,
  },
  {
    id = "gist-5.3.2-query-is-q-mode",
    purpose = "The NF's own Query is encapsulated for Q-mode: addressed to the flow's "
      .. "destination, router alert option, DF, port 270, C and R set; and, as is recommended, from "
      .. "the flow's source first, and not sent again once it is answered.",
    roles = roles.sends_queries, smoke = true,
    requirements = { "RFC5971-5.1-1", "RFC5971-5.1-3", "RFC5971-5.1-5", "RFC5971-5.2.1-1",
      "RFC5971-5.3.2.1-2", "RFC5971-5.3.2.1-5", "RFC5971-5.3.2.3-4", "RFC5971-5.8.1.2-2",
      "RFC5971-A.1-1", "RFC5971-5.2.2-5", "RFC5971-A-1a", "RFC5971-5.8.1.2-3a", "RFC5971-5.3.3-9a" },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      session:begin()
      local query = session:await_query()
      t:check{ ids = { "RFC5971-5.1-3", "RFC5971-5.8.1.2-2", "RFC5971-5.3.2.3-4" },
        text = "a Query comes to the flow's destination, and to GIST's port",
        expected = session.flow.destination,
        actual = query and query.packet.destination }
      t:check{ ids = { "RFC5971-5.3.2.1-2" }, text = "it has the router alert option of NATFW",
        expected = gist.router_alert, actual = query:router_alert() }
      t:check{ ids = { "RFC5971-5.3.2.1-5" }, text = "Don't Fragment is set", expected = true,
        actual = query.packet.df }
      t:check{ ids = { "RFC5971-5.2.1-1" }, text = "C is set", expected = 1,
        actual = query.gist.header.c }
      t:check{ ids = { "RFC5971-A.1-1" }, text = "R is set", expected = 1,
        actual = query.gist.header.r }
      t:check{ ids = { "RFC5971-5.1-5" }, text = "it has a Stack-Proposal and its configuration",
        expected = "both",
        actual = query:has("Stack-Proposal") and query:has("Stack-Configuration-Data")
          and "both" or "not both" }
      local ttl = query:values("NLI").ip_ttl
      t:check{ ids = { "RFC5971-5.2.2-5" }, text = "IP-TTL is 0 or the TTL that it was sent with",
        expected = "0 or at least " .. query.packet.ttl, actual = ttl,
        holds = ttl == 0 or ttl >= query.packet.ttl }
      t:check{ ids = { "RFC5971-A-1a" }, text = "reserved bits are zero", expected = "none set",
        actual = query:reserved_bits("gist") }
      t:check{ ids = { "RFC5971-5.1-1" }, text = "it has no fault: objects, order, lengths",
        expected = "none", actual = query:fault("gist") }
      t:remark{ ids = { "RFC5971-5.8.1.2-3a" }, text = "its IP source is the flow's",
        expected = session.flow.source, actual = query.packet.source }
      session:expect_create()
      local asked = #session.queries
      t:pause(AGAIN_MS)
      t:remark{ ids = { "RFC5971-5.3.3-9a" }, text = "once it is answered it is not sent again",
        expected = asked, actual = #session.queries }
    end,
  },
  {
    id = "gist-5.1-confirm",
    purpose = "The NF confirms first on the new association, echoing cookie and Stack-Proposal, "
      .. "with its configuration abbreviated; then come Data without NLI.",
    roles = roles.sends_queries, smoke = true,
    requirements = { "RFC5971-4.4.1-9", "RFC5971-5.1-1", "RFC5971-5.1-11b", "RFC5971-5.1-12a",
      "RFC5971-5.1-12b",
      "RFC5971-5.1-14", "RFC5971-5.1-15", "RFC5971-5.1-16", "RFC5971-5.1-17b", "RFC5971-5.7.2-4",
      "RFC5971-A.1-4" },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      local create = session:begin():expect_create()
      local confirm = session:await_received_confirm()
      t:check{ ids = { "RFC5971-5.1-11b" }, text = "a Confirm comes", expected = "a Confirm",
        actual = confirm and "a Confirm" or "nothing" }
      t:check{ ids = { "RFC5971-5.1-12a", "RFC5971-5.7.2-4" },
        text = "over the association that the Response offered", expected = "C",
        actual = confirm.mode }
      t:check{ ids = { "RFC5971-4.4.1-9", "RFC5971-5.1-12b" }, text = "as the first message on it",
        expected = 1, actual = confirm.place }
      t:check{ ids = { "RFC5971-5.1-14" }, text = "with the flow of the session",
        expected = session:flow_text(), actual = confirm:flow_text() }
      t:check{ ids = { "RFC5971-5.1-14" }, text = "downstream again", expected = 0,
        actual = confirm:values("MRI").d }
      t:check{ ids = { "RFC5971-5.1-14" }, text = "and its session id",
        expected = messages.hex(session.sid), actual = confirm:hex("SID") }
      t:check{ ids = { "RFC5971-5.1-14" }, text = "and the Responder-Cookie",
        expected = "the one sent",
        actual = session:has_given(confirm:raw("Responder-Cookie")) and "the one sent"
          or "another" }
      t:check{ ids = { "RFC5971-5.1-15" }, text = "it echoes the Stack-Proposal",
        expected = session:response_sent():hex("Stack-Proposal"),
        actual = confirm:hex("Stack-Proposal") }
      t:check{ ids = { "RFC5971-5.1-16" }, text = "its configuration has only the hold time",
        expected = 0, actual = confirm:values("Stack-Configuration-Data").mpo_count }
      t:check{ ids = { "RFC5971-5.1-1" }, text = "and no fault", expected = "none",
        actual = confirm:fault("gist") }
      t:check{ ids = { "RFC5971-5.1-17b" }, text = "Data over the association has no NLI",
        expected = "none", actual = create:has("NLI") and "there" or "none" }
      t:check{ ids = { "RFC5971-A.1-4" }, text = "E is not set in the Confirm", expected = 0,
        actual = confirm.gist.header.e }
    end,
  },
  {
    id = "gist-8.5-query-cookies-differ",
    purpose = "Every Query of the NF has a cookie of its own, retransmissions included.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-8.5-1" },
    run = function(t)
      local lost = t:outbound_session()
      local answered = t:outbound_session()
      t:body()
      t.nr.silent = true
      lost:begin()
      lost:await_query{ number = 2 }
      t:reading{ of = "retransmission", seen = #lost.queries > 1 and "a lost Query is sent again"
        or "it is not sent again" }
      t.nr.silent = false
      answered:begin()
      answered:await_query()
      t:check{ ids = { "RFC5971-8.5-1" }, text = "both sessions have their Query",
        expected = "both",
        actual = lost.queries[1] and answered.queries[1] and "both" or "not both" }
      local seen = {}
      for _, session in ipairs({ lost, answered }) do
        for _, query in ipairs(session.queries) do
          local cookie = query:hex("Query-Cookie")
          t:check{ ids = { "RFC5971-8.5-1" },
            text = "a Query has a new cookie of four octets or more", expected = "new",
            actual = seen[cookie] and "seen before" or #cookie < 8 and "short" or "new" }
          seen[cookie] = true
        end
      end
    end,
  },
}
