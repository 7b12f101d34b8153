-- RFC 5971, sections 5.8.1, 7.4 and A.3: whether a Query can have come by its flow's path, and what
-- of its MRI and Stack-Proposal does not count.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local HOPS_NONE, HOPS_TWO = 255, 253 -- what is left of an IP TTL of 255 after so many hops
local TOO_FAR = "Invalid IP-Layer TTL"

-- The Query of a flow that comes from where this one's go, asked by its receiver.
local function upstream(session)
  local flow = session.flow
  return spoil.all(spoil.fields("MRI", { d = messages.UPSTREAM, source = flow.destination,
    destination = flow.source, source_port = flow.destination_port, dest_port = flow.source_port }),
    spoil.value("NLI", "ip_ttl", 0))
end

local of_ipv6 = spoil.fields("MRI", { ip_ver = 6, source = "2001:db8::1",
  destination = "2001:db8::2", source_prefix = 128, dest_prefix = 128 })

-- A Query that is spoilt so is asked, and what expect(its session) says of the answer holds; one that is
-- not is answered by a Response.
local function refuses(t, change, expect)
  t:body()
  expect(t:session():query_only{ own_source = true, change_query = change })
  t:control()
  t:session():connect()
end

return {
  {
    id = "gist-7.4-ip-version-of-another-flow",
    purpose = "A Query in IPv4 about a flow of IPv6 is answered by 'IP Version Mismatch'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-7.4-2" },
    run = function(t)
      refuses(t, of_ipv6, function(session)
        session:expect_query_refused{ ids = { "RFC5971-7.4-2" }, error = "IP Version Mismatch" }
      end)
    end,
  },
  {
    id = "gist-5.8.1.3-upstream-query",
    purpose = "An upstream Query from the next hop is processed: it is answered, or goes on where "
      .. "the NSLP declines.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.8.1.3-1b" },
    run = function(t)
      t:body()
      t.nr.silent = true
      local session = t:session()
      session:query_only{ own_source = true, ttl = HOPS_NONE, change_query = upstream(session) }
      local processed = session:await_response_or_query()
      session:stop_asking()
      t:check{ ids = { "RFC5971-5.8.1.3-1b" }, text = "it is answered, or goes on",
        expected = "a Response or a Query", actual = messages.summary(processed),
        holds = processed ~= nil }
      t:check{ ids = { "RFC5971-5.8.1.3-1b" },
        text = "by the IUT's doing: with another GIST hop count than it came with, if it goes on",
        expected = "a Response, or not " .. messages.HOPS_OF_QUERY,
        actual = processed.name == "GIST Query" and processed.gist.header.hops or "a Response",
        holds = processed.name ~= "GIST Query"
          or processed.gist.header.hops ~= messages.HOPS_OF_QUERY }
      t:reading{ of = "5.8.1.3-1b", seen = processed.name }
    end,
  },
  {
    id = "gist-5.8.1.3-upstream-query-from-afar",
    purpose = "An upstream Query from more than one hop away is refused by 'Invalid IP-Layer TTL'.",
    roles = roles.answers_queries, needs = { "checks_upstream_ttl" },
    requirements = { "RFC5971-5.8.1.3-10" },
    run = function(t)
      t:body()
      t.nr.silent = true
      local session = t:session()
      session:query_only{ own_source = true, ttl = HOPS_TWO, change_query = upstream(session) }
      local item = session:await_response_or_query() or t.ni:take{ within_ms = 0 }
      session:stop_asking()
      t:remark{ ids = { "RFC5971-5.8.1.3-10" }, text = "it is refused", expected = TOO_FAR,
        actual = messages.summary(item), holds = item ~= nil and item:is_error(TOO_FAR) }
      t:control()
      t.nr.silent = false
      t:session():connect()
    end,
  },
  {
    id = "gist-5.8.1.2-ingress-filter",
    purpose = "A Query that comes in where packets of its flow cannot is answered by an Error, whose "
      .. "name the text leaves to the node, and by no Response.",
    roles = roles.firewall, needs = { "ingress_filter" },
    requirements = { "RFC5971-5.8.1.2-6" },
    run = function(t)
      local ids = { "RFC5971-5.8.1.2-6" }
      refuses(t, spoil.value("MRI", "source", t.addresses.nr), function(session)
        local item = t.ni:expect{ message = "GIST Error", ids = ids,
          text = "it is answered by an Error" }
        session:stop_asking()
        session:expect_no_gist_response{ ids = ids }
        t:reading{ of = "5.8.1.2-6", ids = ids, ours = "Ingress Filter Failure",
          seen = item:is_error("Ingress Filter Failure") and "Ingress Filter Failure"
            or messages.summary(item) }
      end)
    end,
  },
  {
    id = "gist-A.3-what-does-not-count",
    purpose = "A Query is answered whatever its Protocol is without P, and whatever pads its "
      .. "profiles.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-A.3.1.1-1", "RFC5971-A.3.4-3" },
    run = function(t)
      t:body()
      local response = t:session():query_only{ own_source = true,
        change_query = spoil.fields("MRI", { p = 0, a = 0, b = 0, protocol = 6 }) }
        :expect_gist_response{ ids = { "RFC5971-A.3.1.1-1" },
          text = "Protocol 6 without P is answered by a Response" }
      t:check{ ids = { "RFC5971-A.3.1.1-1" }, text = "P is not set there", expected = 0,
        actual = response:values("MRI").p }
      t:session():query_only{ own_source = true,
        change_query = spoil.raw("Stack-Proposal", "\1\0\0\0\1\1\255\255") }
        :expect_gist_response{ ids = { "RFC5971-A.3.4-3" },
          text = "padding that is not zero is answered by a Response" }
    end,
  },
}
