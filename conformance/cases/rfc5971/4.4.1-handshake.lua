-- RFC 5971, sections 4.4.1, 5.1 and 5.3: the three-way handshake, as responder towards the
-- initiator's side and as querier towards the responder's.

local RESPONDER = { "NF-FW", "edge-FW", "NR" } -- in the handshake
local QUERIER = { "NF-FW", "edge-FW", "NI" }
local engine = require("codec.engine")
local gist = require("codec.gist")
local packet = require("runner.packet")

local MRI, SID, NLI, PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE = 0, 1, 2, 3, 4, 5, 6

local function hex(bytes)
  return bytes and (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
    or "none"
end

local function values(item, type_number)
  local object = item.gist.by_type[type_number]
  return object and object.values or {}
end

local function fault(item)
  return item.gist.faults[1] and item.gist.faults[1].text or "none"
end

local function reserved_of(item)
  local set = engine.reserved_set(gist, item.gist)
  return #set > 0 and table.concat(set, " ") or "none set"
end

local function flow_text(mri)
  return string.format("%s:%s to %s:%s, protocol %s", mri.source, mri.source_port, mri.destination,
    mri.dest_port, mri.protocol)
end

local function wanted_flow(session)
  local flow = session.flow
  return string.format("%s:%d to %s:%d, protocol %d", flow.source, flow.source_port,
    flow.destination,
    flow.destination_port, flow.protocol == "tcp" and 6 or 17)
end

return {
  {
    id = "gist-4.4.1-response-to-query",
    purpose = "A Query is answered by a Response in D-mode that echoes its MRI, session id and "
      .. "cookie, and offers an association that works.",
    roles = RESPONDER, smoke = true,
    requirements = { "RFC5971-4.4.1-2", "RFC5971-5.1-1", "RFC5971-5.1-7", "RFC5971-5.1-9",
      "RFC5971-5.1-10a", "RFC5971-5.1-10b", "RFC5971-5.1-11a", "RFC5971-5.3.1-3", "RFC5971-5.3.1-5",
      "RFC5971-5.3.1-6a", "RFC5971-5.2.2-2", "RFC5971-5.7.1-3b", "RFC5971-5.7.2-2", "RFC5971-A-1a",
      "RFC5971-A.1-4", "RFC5971-A.3.3-1", "RFC5971-A.3.5-2" },
    run = function(t)
      local session = t:session()
      t:body()
      t.ni:start_handshake(session, { only_query = true })
      local response = t:await(t.ixit.timing.response_ms,
        function() return session.querying.response end)
      t:check({ "RFC5971-4.4.1-2" }, "a Response comes", "a Response", response and "a Response"
        or "nothing")
      session:expect_iut_between({ "RFC5971-4.4.1-2" })
      t:check({ "RFC5971-5.1-7", "RFC5971-5.1-10a", "RFC5971-5.3.1-3" },
        "the Response comes in D-mode, with the magic number", "D", response.mode)
      t:check({ "RFC5971-5.1-9" }, "it echoes the flow", wanted_flow(session),
        flow_text(values(response, MRI)))
      t:check({ "RFC5971-5.1-9" }, "with the direction inverted", 1, values(response, MRI).d)
      t:check({ "RFC5971-5.1-9" }, "it echoes the session id", hex(session.sid),
        hex(values(response, SID).sid))
      local cookie = values(response, QUERY_COOKIE).cookie
      t:check({ "RFC5971-5.1-9" }, "it echoes the Query-Cookie", "the one sent",
        session.querying.cookies[cookie] and "the one sent" or "another")
      for _, wanted in ipairs({ RESPONDER_COOKIE, PROPOSAL, CONFIGURATION }) do
        t:check({ "RFC5971-5.1-10b" }, "it has a " .. gist.objects[wanted].name, "there",
          response.gist.by_type[wanted] and "there" or "missing")
      end
      t:check({ "RFC5971-5.1-11a" }, "it asks for a Confirm", 1, response.gist.header.r)
      t:check({ "RFC5971-5.3.1-6a" }, "it says S=1", 1, response.gist.header.s)
      t:check({ "RFC5971-5.2.2-2" }, "its interface address is its IP source",
        response.packet.source,
        values(response, NLI).interface)
      t:check({ "RFC5971-5.3.1-5" }, "its ports mirror the Query's", "270 to 270",
        response.packet.source_port .. " to " .. response.packet.destination_port)
      t:check({ "RFC5971-A.1-4" }, "E is not set", 0, response.gist.header.e)
      t:check({ "RFC5971-A.3.3-1" }, "its routing state validity time is not zero", "above 0",
        values(response, NLI).validity_ms, values(response, NLI).validity_ms > 0)
      t:check({ "RFC5971-A.3.5-2" }, "its MA-Hold-Time is not zero", "above 0",
        values(response, CONFIGURATION).hold_time_ms,
        values(response, CONFIGURATION).hold_time_ms > 0)
      t:check({ "RFC5971-A-1a" }, "reserved bits are zero", "none set", reserved_of(response))
      t:check({ "RFC5971-5.1-1", "RFC5971-5.7.2-2" }, "it has no fault: objects, order, lengths",
        "none", fault(response))
      t:session():connect({ ids = { "RFC5971-5.7.1-3b" } })
    end,
  },
  {
    id = "gist-5.3.2-query-is-q-mode",
    purpose = "The NF's own Query is encapsulated for Q-mode: addressed to the flow's "
      .. "destination, router alert option, DF, port 270, C and R set.",
    roles = QUERIER, smoke = true,
    requirements = { "RFC5971-5.1-1", "RFC5971-5.1-3", "RFC5971-5.1-5", "RFC5971-5.2.1-1",
      "RFC5971-5.3.2.1-2", "RFC5971-5.3.2.1-5", "RFC5971-5.3.2.3-4", "RFC5971-5.8.1.2-2",
      "RFC5971-A.1-1", "RFC5971-5.2.2-5", "RFC5971-A-1a" },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      session:begin()
      local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
      t:check({ "RFC5971-5.1-3", "RFC5971-5.8.1.2-2" }, "a Query comes to the flow's destination",
        session.flow.destination, query and query.packet.destination)
      t:check({ "RFC5971-5.3.2.1-2" }, "it has the router alert option of NATFW", 65,
        packet.router_alert_of(query.packet))
      t:check({ "RFC5971-5.3.2.1-5" }, "Don't Fragment is set", true, query.packet.df)
      t:check({ "RFC5971-5.3.2.3-4" }, "its destination port is 270", 270,
        query.packet.destination_port)
      t:check({ "RFC5971-5.2.1-1" }, "C is set", 1, query.gist.header.c)
      t:check({ "RFC5971-A.1-1" }, "R is set", 1, query.gist.header.r)
      t:check({ "RFC5971-5.1-5" }, "it has a Stack-Proposal and its configuration", "both",
        query.gist.by_type[PROPOSAL] and query.gist.by_type[CONFIGURATION] and "both" or "not both")
      local ttl = values(query, NLI).ip_ttl
      t:check({ "RFC5971-5.2.2-5" }, "IP-TTL is 0 or the TTL that it was sent with",
        "0 or at least " .. query.packet.ttl, ttl, ttl == 0 or ttl >= query.packet.ttl)
      t:check({ "RFC5971-A-1a" }, "reserved bits are zero", "none set", reserved_of(query))
      t:check({ "RFC5971-5.1-1" }, "it has no fault: objects, order, lengths", "none", fault(query))
      session:expect_create()
    end,
  },
  {
    id = "gist-5.1-confirm",
    purpose = "The NF confirms first on the new association, echoing cookie and Stack-Proposal, "
      .. "with its configuration abbreviated; then come Data without NLI.",
    roles = QUERIER, smoke = true,
    requirements = { "RFC5971-4.4.1-9", "RFC5971-5.1-11b", "RFC5971-5.1-12a", "RFC5971-5.1-12b",
      "RFC5971-5.1-14", "RFC5971-5.1-15", "RFC5971-5.1-16", "RFC5971-5.1-17b", "RFC5971-5.7.2-4",
      "RFC5971-A.1-4" },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      local create = session:begin():expect_create()
      local responding = session.responding
      local confirm = responding.confirm
      t:check({ "RFC5971-5.1-11b" }, "a Confirm comes", "a Confirm", confirm and "a Confirm"
        or "nothing")
      t:check({ "RFC5971-5.1-12a", "RFC5971-5.7.2-4" },
        "over the association that the Response offered", "C", confirm.mode)
      t:check({ "RFC5971-4.4.1-9", "RFC5971-5.1-12b" }, "as the first message on it", 1,
        confirm.place)
      t:check({ "RFC5971-5.1-14" }, "with the flow of the session", wanted_flow(session),
        flow_text(values(confirm, MRI)))
      t:check({ "RFC5971-5.1-14" }, "downstream again", 0, values(confirm, MRI).d)
      t:check({ "RFC5971-5.1-14" }, "and its session id", hex(session.sid), hex(values(confirm,
        SID).sid))
      t:check({ "RFC5971-5.1-14" }, "and the Responder-Cookie", "the one sent",
        responding.cookies[values(confirm, RESPONDER_COOKIE).cookie] and "the one sent"
          or "another")
      local echoed = confirm.gist.by_type[PROPOSAL]
      t:check({ "RFC5971-5.1-15" }, "it echoes the Stack-Proposal", hex(responding.proposal.raw),
        hex(echoed and echoed.raw))
      t:check({ "RFC5971-5.1-16" }, "its configuration has only the hold time", 0,
        values(confirm, CONFIGURATION).mpo_count)
      t:check({ "RFC5971-5.1-16" }, "and no fault", "none", fault(confirm))
      t:check({ "RFC5971-5.1-17b" }, "Data over the association has no NLI", "none",
        create.gist.by_type[NLI] and "there" or "none")
      t:check({ "RFC5971-A.1-4" }, "E is not set in the Confirm", 0, confirm.gist.header.e)
    end,
  },
  {
    id = "gist-8.5-query-cookies-differ",
    purpose = "Every Query of the NF has a cookie of its own, retransmissions included.",
    roles = QUERIER,
    requirements = { "RFC5971-8.5-1" },
    run = function(t)
      local lost = t:outbound_session()
      local answered = t:outbound_session()
      t:body()
      t.nr.silent = true
      lost:begin()
      t:await(t.ixit.timing.response_ms, function() return lost.queries[2] end)
      t:reading("retransmission", #lost.queries > 1 and "a lost Query is sent again"
        or "it is not sent again")
      t.nr.silent = false
      answered:begin()
      t:await(t.ixit.timing.response_ms, function() return answered.queries[1] end)
      t:check({ "RFC5971-8.5-1" }, "both sessions have their Query", "both",
        lost.queries[1] and answered.queries[1] and "both" or "not both")
      local seen = {}
      for _, session in ipairs({ lost, answered }) do
        for _, query in ipairs(session.queries) do
          local cookie = hex(values(query, QUERY_COOKIE).cookie)
          t:check({ "RFC5971-8.5-1" }, "a Query has a new cookie of four octets or more", "new",
            seen[cookie] and "seen before" or #cookie < 8 and "short" or "new")
          seen[cookie] = true
        end
      end
    end,
  },
}
