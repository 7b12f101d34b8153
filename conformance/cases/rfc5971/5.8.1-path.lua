-- RFC 5971, sections 5.8.1, 7.4 and A.3: whether a Query can have come by its flow's path, and what
-- of its MRI and Stack-Proposal does not count.

local RESPONDER = { "NF-FW", "edge-FW", "NR" } -- in the handshake
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local MRI, NLI, PROPOSAL = 0, 2, 3
local HOPS_NONE, HOPS_TWO = 255, 253 -- what is left of an IP TTL of 255 after so many hops

-- The Query of a flow that comes from where this one's go, asked by its receiver.
local function upstream(session)
  return function(query)
    local values = spoil.find(query, MRI).values
    values.d, values.source, values.destination = 1, session.flow.destination, session.flow.source
    values.source_port, values.dest_port = values.dest_port, values.source_port
    spoil.find(query, NLI).values.ip_ttl = 0
  end
end

local function of_ipv6(query)
  local values = spoil.find(query, MRI).values
  values.ip_ver, values.source, values.destination = 6, "2001:db8::1", "2001:db8::2"
  values.source_prefix, values.dest_prefix = 128, 128
end

-- Such a Query is answered by this Error and by no Response.
local function refused(t, ids, error_wanted, options)
  local session = t:session()
  options.only_query, options.own_source = true, true
  options.change_query = options.change(session)
  t.ni:start_handshake(session, options)
  local item = t:expect(t.ni, "GIST Error", nil, ids, "it is answered by an Error")
  session:stop_asking()
  t:check(ids, "its error", error_wanted, item.code .. "/" .. item.subcode)
  t:check(ids, "and by no Response", "none", messages.summary(session.querying.response),
    session.querying.response == nil)
end

-- Such a Query is answered by a Response.
local function answered(t, ids, text, options)
  local session = t:session()
  options.only_query, options.own_source = true, true
  options.change_query = options.change(session)
  t.ni:start_handshake(session, options)
  local response = t:await(t.ixit.timing.response_ms,
    function() return session.querying.response end)
  session:stop_asking()
  t:check(ids, text .. " is answered by a Response", "a Response", messages.summary(response),
    response ~= nil)
  session:expect_iut_between(ids)
  return response
end

return {
  {
    id = "gist-7.4-ip-version-of-another-flow",
    purpose = "A Query in IPv4 about a flow of IPv6 is answered by 'IP Version Mismatch'.",
    roles = RESPONDER,
    requirements = { "RFC5971-7.4-2" },
    run = function(t)
      t:body()
      refused(t, { "RFC5971-7.4-2" }, "12/1", { change = function() return of_ipv6 end })
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "gist-5.8.1.3-upstream-query",
    purpose = "An upstream Query from the next hop is processed: it is answered, or goes on where "
      .. "the NSLP declines.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.8.1.3-1b" },
    run = function(t)
      t:body()
      t.nr.silent = true
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, own_source = true, ttl = HOPS_NONE,
        change_query = upstream(session) })
      local processed = t:await(t.ixit.timing.response_ms,
        function() return session.querying.response or session.queries[1] end)
      session:stop_asking()
      t:check({ "RFC5971-5.8.1.3-1b" }, "it is answered, or goes on", "a Response or a Query",
        messages.summary(processed), processed ~= nil)
      t:check({ "RFC5971-5.8.1.3-1b" }, "by the IUT's doing: one GIST hop fewer, if it goes on",
        "a Response or 9", processed.name == "GIST Query" and processed.gist.header.hops
          or "a Response", processed.name ~= "GIST Query" or processed.gist.header.hops == 9)
      t:reading("5.8.1.3-1b", processed.name)
    end,
  },
  {
    id = "gist-5.8.1.3-upstream-query-from-afar",
    purpose = "An upstream Query from more than one hop away is refused by 'Invalid IP-Layer TTL'.",
    roles = RESPONDER, needs = { "checks_upstream_ttl" },
    requirements = { "RFC5971-5.8.1.3-10", "RFC5971-5.8.1.3-1b" },
    run = function(t)
      t:body()
      refused(t, { "RFC5971-5.8.1.3-10", "RFC5971-5.8.1.3-1b" }, "11/0",
        { change = upstream, ttl = HOPS_TWO })
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "gist-5.8.1.2-ingress-filter",
    purpose = "A Query that comes in where packets of its flow cannot is answered by 'Ingress "
      .. "Filter Failure'.",
    roles = { "NF-FW", "edge-FW" }, needs = { "ingress_filter" },
    requirements = { "RFC5971-5.8.1.2-6" },
    run = function(t)
      t:body()
      refused(t, { "RFC5971-5.8.1.2-6" }, "12/2", { change = function()
        return spoil.value(MRI, "source", t.addresses.nr)
      end })
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "gist-A.3-what-does-not-count",
    purpose = "A Query is answered whatever its Protocol is without P, and whatever pads its "
      .. "profiles.",
    roles = RESPONDER,
    requirements = { "RFC5971-A.3.1.1-1", "RFC5971-A.3.4-3" },
    run = function(t)
      t:body()
      local response = answered(t, { "RFC5971-A.3.1.1-1" }, "Protocol 6 without P", {
        change = function()
          return function(query)
            local values = spoil.find(query, MRI).values
            values.p, values.a, values.b, values.protocol = 0, 0, 0, 6
          end
        end })
      t:check({ "RFC5971-A.3.1.1-1" }, "P is not set there", 0,
        response.gist.by_type[MRI].values.p)
      answered(t, { "RFC5971-A.3.4-3" }, "padding that is not zero", { change = function()
        return spoil.raw(PROPOSAL, "\1\0\0\0\1\1\255\255")
      end })
    end,
  },
}
