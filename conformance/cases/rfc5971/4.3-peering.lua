-- RFC 5971, sections 4.3, 5.7.1 and 8.3: which Queries are for the IUT, what it offers to who asks,
-- and what tells two sessions apart.

local FIREWALL = { "NF-FW", "edge-FW" }
local RESPONDER = { "NF-FW", "edge-FW", "NR" } -- in the handshake
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local PROPOSAL, CONFIGURATION, QUERY_COOKIE = 3, 4, 5
local TCP, ANY_PROFILE = 1, 0
local FOREIGN = 40 -- an NSLPID that the IUT does not host
local TCP_ALONE, TCP_OR_TLS = "\1\0\0\0\1\1\0\0", "\2\0\0\0\1\1\0\0\2\2\1\0"

local function hex(bytes)
  return bytes and (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
    or "none"
end

-- The Stack-Proposal that answers this one, in hex.
local function offer_for(t, ids, proposal)
  local session = t:session()
  t.ni:start_handshake(session, { only_query = true,
    change_query = spoil.all(spoil.raw(PROPOSAL, proposal), spoil.value(CONFIGURATION, "options",
      { { protocol = TCP, profile = ANY_PROFILE, data = "" } })) })
  local response = t:await(t.ixit.timing.response_ms,
    function() return session.querying.response end)
  session:stop_asking()
  t:check(ids, "a Response comes", "a Response", messages.summary(response), response ~= nil)
  session:expect_iut_between(ids)
  local object = response.gist.by_type[PROPOSAL]
  return hex(object and object.raw)
end

return {
  {
    id = "gist-4.3.2-peers",
    purpose = "A Query for the NSLP of the IUT is processed: the handshake goes on, and what the "
      .. "Response offers can be set up.",
    roles = RESPONDER,
    requirements = { "RFC5971-4.3.1-4", "RFC5971-4.3.2-2", "RFC5971-4.3.2-9", "RFC5971-5.7.1-3a" },
    run = function(t)
      t:body()
      local session = t:session():connect({ ids = { "RFC5971-4.3.1-4", "RFC5971-4.3.2-2",
        "RFC5971-5.7.1-3a" } })
      session:send_create():expect_accepted({ "RFC5971-4.3.2-9" },
        "Data for the NSLP are delivered to it")
    end,
  },
  {
    id = "gist-4.3.4-looks-no-further",
    purpose = "A Query for another application goes on whatever follows its MRI: only the common "
      .. "header counts.",
    roles = FIREWALL,
    requirements = { "RFC5971-4.3.4-13" },
    run = function(t)
      t:body()
      local session = t:session()
      t.nr.silent = true
      t.ni:start_handshake(session, { only_query = true, own_source = true,
        change_query = spoil.all(spoil.header("nslpid", FOREIGN), spoil.twice(QUERY_COOKIE),
          spoil.raw(PROPOSAL, "\0\0\0\0")) })
      local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
      session:stop_asking()
      t:check({ "RFC5971-4.3.4-13" }, "the Query reaches the responder", "a Query",
        messages.summary(query), query ~= nil)
      t:nothing(t.ni, { "RFC5971-4.3.4-13" }, "no Error comes")
      t:control()
      t.nr.silent = false
      t:session():establish()
    end,
  },
  {
    id = "gist-5.7.1-offer-does-not-follow-the-query",
    purpose = "What protocols a Response offers does not depend on what the Query offers.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.7.1-9" },
    run = function(t)
      t:body()
      local ids = { "RFC5971-5.7.1-9" }
      local first = offer_for(t, ids, TCP_ALONE)
      t:check(ids, "to one who offers TLS as well, the offer is", first,
        offer_for(t, ids, TCP_OR_TLS))
    end,
  },
  {
    id = "gist-8.3-sessions-of-one-flow",
    purpose = "Two sessions of one flow are two: each has its own handshake and its own answers.",
    roles = RESPONDER,
    requirements = { "RFC5971-8.3-5" },
    run = function(t)
      local ids = { "RFC5971-8.3-5" }
      local first = t:session():establish()
      t:body()
      local second = t:session({ flow = first.flow }):connect({ ids = ids })
      second:send_create():expect_accepted(ids, "the second session's CREATE is accepted")
      first:send_create():expect_accepted(ids, "and then the first session's")
      if not t:judges_responder() then
        t:check(ids, "each had a Query of its own", "1 and 1",
          #first.queries .. " and " .. #second.queries)
      end
    end,
  },
}
