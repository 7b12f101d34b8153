-- RFC 5971, sections 4.3, 5.7.1 and 8.3: which Queries are for the IUT, what it offers to who asks,
-- and what tells two sessions apart.


local roles = require("runner.roles")
local spoil = require("runner.spoil")

local TCP, ANY_PROFILE = 1, 0
local FOREIGN = 40 -- an NSLPID that the IUT does not host
local TCP_ALONE, TCP_OR_TLS = "\1\0\0\0\1\1\0\0", "\2\0\0\0\1\1\0\0\2\2\1\0"

-- The Stack-Proposal that answers this one, in hex.
local function offer_for(t, ids, proposal)
  local options = { { protocol = TCP, profile = ANY_PROFILE, data = "" } }
  return t:session():query_only{ change_query = spoil.all(spoil.raw("Stack-Proposal", proposal),
    spoil.value("Stack-Configuration-Data", "options", options)) }
    :expect_gist_response{ ids = ids }
    :hex("Stack-Proposal")
end

return {
  {
    id = "gist-4.3.2-peers",
    purpose = "A Query for the NSLP of the IUT is processed: the handshake goes on, and what the "
      .. "Response offers can be set up.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.3.1-4", "RFC5971-4.3.2-2", "RFC5971-4.3.2-9", "RFC5971-5.7.1-3a" },
    run = function(t)
      t:body()
      local session = t:session():connect{ ids = { "RFC5971-4.3.1-4", "RFC5971-4.3.2-2",
        "RFC5971-5.7.1-3a" } }
      session:send_create():expect_accepted{ ids = { "RFC5971-4.3.2-9" },
        text = "Data for the NSLP are delivered to it" }
    end,
  },
  {
    id = "gist-4.3.4-looks-no-further",
    purpose = "A Query for another application goes on whatever follows its MRI: only the common "
      .. "header counts.",
    roles = roles.firewall,
    requirements = { "RFC5971-4.3.4-13" },
    run = function(t)
      t:body()
      t.nr.silent = true
      local session = t:session():query_only{ own_source = true,
        change_query = spoil.all(spoil.header("nslpid", FOREIGN), spoil.twice("Query-Cookie"),
          spoil.raw("Stack-Proposal", "\0\0\0\0")) }
      session:expect_query{ ids = { "RFC5971-4.3.4-13" }, text = "the Query reaches the responder" }
      session:stop_asking()
      t.ni:expect_nothing{ ids = { "RFC5971-4.3.4-13" }, text = "no Error comes" }
      t:control()
      t.nr.silent = false
      t:session():establish()
    end,
  },
  {
    id = "gist-5.7.1-offer-does-not-follow-the-query",
    purpose = "What protocols a Response offers does not depend on what the Query offers.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.7.1-9" },
    run = function(t)
      t:body()
      local ids = { "RFC5971-5.7.1-9" }
      local first = offer_for(t, ids, TCP_ALONE)
      t:check{ ids = ids, text = "to one who offers TLS as well, the offer is", expected = first,
        actual = offer_for(t, ids, TCP_OR_TLS) }
    end,
  },
  {
    id = "gist-8.3-sessions-of-one-flow",
    purpose = "Two sessions of one flow are two: each has its own handshake and its own answers.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-8.3-5" },
    run = function(t)
      local ids = { "RFC5971-8.3-5" }
      local first = t:session():establish()
      t:body()
      local second = t:session{ flow = first.flow }:connect{ ids = ids }
      second:send_create():expect_accepted{ ids = ids,
        text = "the second session's CREATE is accepted" }
      first:send_create():expect_accepted{ ids = ids, text = "and then the first session's" }
      if not t:judges_responder() then
        t:check{ ids = ids, text = "each had a Query of its own", expected = "1 and 1, or more",
          actual = #first.queries .. " and " .. #second.queries,
          holds = #first.queries > 0 and #second.queries > 0 }
      end
    end,
  },
}
