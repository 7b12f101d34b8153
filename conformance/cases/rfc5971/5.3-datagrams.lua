-- RFC 5971, sections 5.2.2, 5.3 and 7.2.1: what is around a message in D-mode, what the NLI in it
-- says, and a neighbour whose address and NLI do not agree.

local FIREWALL_AND_RESPONDER = { "NF-FW", "edge-FW", "NR" }
local QUERIER = { "NF-FW", "edge-FW", "NI" }
local address = require("codec.address")
local messages = require("runner.messages")
local packet = require("runner.packet")
local gist = require("codec.gist")

local MRI, NLI, QUERY_COOKIE, ERROR = 0, 2, 5, 9
local UNTRANSLATED = 4
local PROMPT_MS = 500 -- T1: who asks would ask again, 5.3.3

local function raw_of(item, type_number) return item.gist.by_type[type_number].raw end

local function values(item, type_number)
  local object = item.gist.by_type[type_number]
  return object and object.values or {}
end

-- What kind of IPv4 address it is, as far as itself tells.
local function kind_of(text)
  local bytes = text and address.parse(text)
  if not bytes or #bytes ~= 4 then return "none of IPv4" end
  local first, second = bytes:byte(1, 2)
  if first == 0 or first == 127 or first == 169 and second == 254 then return "not global" end
  return first >= 224 and "multicast or reserved" or "unicast"
end

local function has_checksum(item) return item.packet.checksum ~= 0 and "there" or "none" end

-- The Response to a Query of this case that says TTL 64 and was sent with `ttl`.
local function response_to(t, ttl)
  local session = t:session()
  t.ni:start_handshake(session, { only_query = true, ttl = ttl })
  local response = t:await(t.ixit.timing.response_ms,
    function() return session.querying.response end)
  session:stop_asking()
  t:check(nil, "a Response comes", "a Response", messages.summary(response), response ~= nil)
  session:expect_iut_between()
  return values(response, NLI)
end

local function first_query(t, session, ids)
  local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
  t:check(ids, "a Query comes, in UDP", "a Query", messages.summary(query), query ~= nil)
  return query
end

return {
  {
    id = "gist-5.3.1-response-datagram",
    purpose = "The Response comes promptly, with a UDP checksum, the Query's cookie, and an NLI "
      .. "whose address takes what is sent to it.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.3.1-2", "RFC5971-5.3.3-7", "RFC5971-8.3-1", "RFC5971-7.4-3c",
      "RFC5971-5.2.2-4", "RFC5971-5.2.2-1", "RFC5971-5.7.2-1" },
    run = function(t)
      t:body()
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, own_source = true })
      local response = t:await(t.ixit.timing.response_ms,
        function() return session.querying.responses[1] end)
      session:stop_asking()
      t:check({ "RFC5971-8.3-1" }, "a Response with the Query's cookie comes", "a Response",
        messages.summary(response), response ~= nil)
      session:expect_iut_between()
      local after = response.at - session.querying.cookies[raw_of(response, QUERY_COOKIE)]
      t:check({ "RFC5971-5.3.3-7" }, "before a Query would be sent again",
        "within " .. PROMPT_MS .. " ms", string.format("%.0f ms", after), after < PROMPT_MS)
      t:check({ "RFC5971-5.3.1-2" }, "with a UDP checksum", "there", has_checksum(response))
      local own = values(response, NLI).interface
      t:check({ "RFC5971-7.4-3c", "RFC5971-5.2.2-4" }, "its NLI has a global unicast address",
        "unicast", kind_of(own))
      local good = t:session():connect({ ids = { "RFC5971-5.7.2-1", "RFC5971-5.2.2-1" } })
      t:check({ "RFC5971-5.2.2-1" }, "the address is that of the Response before", own,
        values(good.querying.response, NLI).interface)
      good:send_create():expect_accepted({ "RFC5971-5.2.2-1" },
        "what is sent to that address is processed")
    end,
  },
  {
    id = "gist-5.2.2-distance-in-response",
    purpose = "The NLI of a Response tells how many hops the Query took, or zero: three more hops, "
      .. "three more.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-5.2.2-6" },
    run = function(t)
      t:body()
      local near, far = response_to(t, 64).ip_ttl, response_to(t, 61).ip_ttl
      t:reading("5.2.2-6", far == 0 and "says zero" or "says the distance")
      t:check({ "RFC5971-5.2.2-6" }, "IP-TTL of the far one is three more, or zero",
        near + 3 .. " or 0", far, far == 0 or far == near + 3)
    end,
  },
  {
    id = "gist-5.3.2-query-datagram",
    purpose = "The IUT's Query is a UDP datagram with a checksum, about a flow between hosts, and "
      .. "its NLI has a unicast address of the IUT's on that side.",
    roles = QUERIER,
    requirements = { "RFC5971-5.3.1-2", "RFC5971-5.3.2.1-6", "RFC5971-5.3.2.3-1", "RFC5971-5.2.2-4",
      "RFC5971-5.2.2-1", "RFC5971-7.4-3c", "RFC5971-5.8.1.1-2a",
      "RFC5971-5.8.1.2-1", "RFC5971-5.8-1a", "RFC5971-7.4-1a" },
    run = function(t)
      t:body()
      local session = t:outbound_session():begin()
      local query = first_query(t, session, { "RFC5971-5.3.2.1-6", "RFC5971-5.3.2.3-1" })
      t:check({ "RFC5971-5.3.1-2" }, "with a UDP checksum", "there", has_checksum(query))
      local mri, flow = values(query, MRI), session.flow
      t:check({ "RFC5971-5.8.1.2-1", "RFC5971-5.8-1a" }, "its method is path-coupled, downstream",
        "0, 0", string.format("%s, %s", mri.mrm, mri.d))
      t:check({ "RFC5971-7.4-1a" }, "the flow is of IPv4, as the packet is", 4, mri.ip_ver)
      t:check({ "RFC5971-5.8.1.1-2a" }, "from the flow's source to its destination",
        flow.source .. " to " .. flow.destination,
        string.format("%s to %s", mri.source, mri.destination))
      local own = values(query, NLI).interface
      t:check({ "RFC5971-7.4-3c", "RFC5971-5.2.2-4" }, "its NLI has a global unicast address",
        "unicast", kind_of(own))
      session:expect_create({ "RFC5971-5.2.2-1" }, "a Response to that address is processed")
    end,
  },
  {
    id = "gist-5.2.2-address-of-that-side",
    purpose = "The NLI of a Query has the address of the interface that the Query leaves by, not of "
      .. "the one that the flow comes in by.",
    roles = { "NF-FW", "edge-FW" },
    requirements = { "RFC5971-5.2.2-3" },
    run = function(t)
      local ids = { "RFC5971-5.2.2-3" }
      t:body()
      local session = t:outbound_session():begin()
      local own = values(first_query(t, session, ids), NLI).interface
      local inside = values(session.querying.response, NLI).interface
      t:check(ids, "it is not the address of the other side", "another than " .. inside, own,
        own ~= inside)
      session:expect_create(ids, "a Response to it is processed")
    end,
  },
  {
    id = "gist-7.1.2-discovery-repeated",
    purpose = "The handshake is repeated again and again before the responder's state ends, each "
      .. "time in Q-mode.",
    roles = QUERIER,
    requirements = { "RFC5971-5.3.2-1", "RFC5971-6.2-4", "RFC5971-7.1.2-1" },
    run = function(t)
      t.nr.validity_ms = 2200
      local session = t:outbound_session():establish()
      t:body()
      for round = 2, 3 do
        local query = t:await(2 * t.nr.validity_ms, function() return session.queries[round] end)
        t:check({ "RFC5971-7.1.2-1" }, "Query " .. round .. " comes", "a Query",
          messages.summary(query), query ~= nil)
        local after = query.at - session.queries[round - 1].at
        t:check({ "RFC5971-6.2-4" }, "before the responder's state ends",
          "within " .. t.nr.validity_ms .. " ms", string.format("%.0f ms", after),
          after < t.nr.validity_ms)
        t:check({ "RFC5971-5.3.2-1" }, "to the flow's destination", session.flow.destination,
          query.packet.destination)
        t:check({ "RFC5971-5.3.2-1" }, "with the router alert option", gist.router_alert,
          packet.router_alert_of(query.packet))
      end
    end,
  },
  {
    id = "gist-7.2.1-query-through-a-nat",
    purpose = "A Query with S=1 whose IP source is not the address in its NLI is answered by "
      .. "'Untranslated Object' about the MRI, to the IP source, and by no Response.",
    roles = FIREWALL_AND_RESPONDER,
    requirements = { "RFC5971-7.2.1-1", "RFC5971-7.2.1-2", "RFC5971-7.2.1-3", "RFC5971-5.3.1-6b",
      "RFC5971-5.3.2.1-1" },
    run = function(t)
      local compared = { "RFC5971-7.2.1-1", "RFC5971-5.3.1-6b", "RFC5971-5.3.2.1-1" }
      t:body()
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, own_source = true,
        source = session.flow.source })
      local item = t:expect(t.ni, "GIST Error", nil, compared, "the Query is answered by an Error")
      session:stop_asking()
      t:check(compared, "and by no Response", "none", messages.summary(session.querying.response),
        session.querying.response == nil)
      t:check({ "RFC5971-7.2.1-2" }, "'Untranslated Object'", "9/" .. UNTRANSLATED,
        item.code .. "/" .. item.subcode)
      local info = values(item, ERROR).infos[1]
      t:check({ "RFC5971-7.2.1-2" }, "about the MRI", "0",
        info and tostring(string.unpack(">I2", info.value)))
      t:check({ "RFC5971-7.2.1-3" }, "it comes to the IP source", session.flow.source,
        item.packet.destination)
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "gist-7.2.1-response-through-a-nat",
    purpose = "A Response whose IP source is not the address in its NLI ends the handshake: there "
      .. "is no Confirm, no association and no further Query.",
    roles = QUERIER,
    requirements = { "RFC5971-7.2.1-6a", "RFC5971-7.2.1-6b" },
    run = function(t)
      t:body()
      t.nr.response_source = t.addresses.destination
      local session = t:outbound_session():begin()
      local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
      t:check(nil, "a Query comes", "a Query", messages.summary(query), query ~= nil)
      t:pause(math.max(t.ixit.timing.quiet_ms, 2 * PROMPT_MS))
      t:check({ "RFC5971-7.2.1-6a" }, "no association is opened", 0, #t.nr.associations)
      t:check({ "RFC5971-7.2.1-6a" }, "nor is a Confirm sent", "none",
        messages.summary(session.responding.confirm), session.responding.confirm == nil)
      t:check({ "RFC5971-7.2.1-6b" }, "the Query is not sent again", 1, #session.queries)
      t:control()
      t.nr.response_source = nil
      t.ni.inbox, t.nr.inbox = {}, {}
      t:tolerate("RESPONSE") -- that there is nobody for the first session
      t:outbound_session():begin():expect_create()
    end,
  },
}
