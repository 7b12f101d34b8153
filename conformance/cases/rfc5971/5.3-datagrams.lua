-- RFC 5971, sections 5.2.2, 5.3 and 7.2.1: what is around a message in D-mode, what the NLI in it
-- says, and a neighbour whose address and NLI do not agree.

local address = require("codec.address")
local gist = require("codec.gist")
local messages = require("runner.messages")
local roles = require("runner.roles")

local PROMPT_MS = 500 -- T1: who asks would ask again, 5.3.3

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
  return t:session():query_only{ ttl = ttl }:expect_gist_response():values("NLI")
end

return {
  {
    id = "gist-5.3.1-response-datagram",
    purpose = "The Response comes promptly, with a UDP checksum, the Query's cookie, and an NLI "
      .. "whose address takes what is sent to it.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.3.1-2", "RFC5971-5.3.3-7", "RFC5971-8.3-1", "RFC5971-7.4-3c",
      "RFC5971-5.2.2-4", "RFC5971-5.2.2-1", "RFC5971-5.7.2-1" },
    run = function(t)
      t:body()
      local session = t:session():query_only{ own_source = true }
      local response = session:expect_gist_response{ ids = { "RFC5971-8.3-1" },
        text = "a Response with the Query's cookie comes" }
      local after = response.at - session:sent_at(response:raw("Query-Cookie"))
      t:check{ ids = { "RFC5971-5.3.3-7" }, text = "before a Query would be sent again",
        expected = "within " .. PROMPT_MS .. " ms", actual = string.format("%.0f ms", after),
        holds = after < PROMPT_MS }
      t:check{ ids = { "RFC5971-5.3.1-2" }, text = "with a UDP checksum", expected = "there",
        actual = has_checksum(response) }
      local own = response:values("NLI").interface
      t:check{ ids = { "RFC5971-7.4-3c", "RFC5971-5.2.2-4" },
        text = "its NLI has a global unicast address", expected = "unicast", actual = kind_of(own) }
      local good = t:session():connect{ ids = { "RFC5971-5.7.2-1", "RFC5971-5.2.2-1" } }
      good:send_create():expect_accepted{ ids = { "RFC5971-5.2.2-1" },
        text = "what is sent to that address is processed" }
    end,
  },
  {
    id = "gist-7.2.1-response-to-the-nli",
    purpose = "A Query in the name of its flow's source is answered at its NLI's address, with S=1.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-7.2.1-5" },
    run = function(t)
      t:body()
      local response = t:session():query_only{ flow_source = true }
        :expect_gist_response{ ids = { "RFC5971-7.2.1-5" },
          text = "the Response comes to the address in the Query's NLI" }
      t:check{ ids = { "RFC5971-7.2.1-5" }, text = "in a datagram to that address",
        expected = t.addresses.ni, actual = response.packet.destination }
      t:check{ ids = { "RFC5971-7.2.1-5" }, text = "with S=1", expected = 1,
        actual = response.gist.header.s }
    end,
  },
  {
    id = "gist-5.2.2-distance-in-response",
    purpose = "The NLI of a Response tells how many hops the Query took, or zero: three more hops, "
      .. "three more.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.2.2-6" },
    run = function(t)
      t:body()
      local near, far = response_to(t, 64).ip_ttl, response_to(t, 61).ip_ttl
      t:reading{ of = "5.2.2-6", seen = far == 0 and "says zero" or "says the distance" }
      t:check{ ids = { "RFC5971-5.2.2-6" }, text = "IP-TTL of the far one is three more, or zero",
        expected = near + 3 .. " or 0", actual = far, holds = far == 0 or far == near + 3 }
    end,
  },
  {
    id = "gist-5.2.2-distance-in-a-refresh",
    purpose = "Once routing state knows how far its peer is, a Response says that, and not zero.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.2.2-6", "RFC5971-5.2.2-i2" },
    run = function(t)
      local session = t:session():connect{ ttl = 61 }
      session:send_create():expect_accepted()
      t:body()
      local response = session:query_only{ ttl = 61 }
        :expect_gist_response{ ids = { "RFC5971-5.2.2-6" }, text = "a refresh is answered" }
      local told = response:values("NLI").ip_ttl
      t:check{ ids = { "RFC5971-5.2.2-6", "RFC5971-5.2.2-i2" },
        text = "its IP-TTL is the distance that is stored",
        expected = "3, or more by the hops that there are", actual = told, holds = told >= 3 }
    end,
  },
  {
    id = "gist-5.3.2-query-datagram",
    purpose = "The IUT's Query is a UDP datagram with a checksum, about a flow between hosts, and "
      .. "its NLI has a unicast address of the IUT's on that side.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.3.1-2", "RFC5971-5.3.2.1-6", "RFC5971-5.3.2.3-1", "RFC5971-5.2.2-4",
      "RFC5971-5.2.2-1", "RFC5971-7.4-3c", "RFC5971-5.8.1.1-2a",
      "RFC5971-5.8.1.2-1", "RFC5971-5.8-1a", "RFC5971-7.4-1a" },
    run = function(t)
      t:body()
      local session = t:outbound_session():begin()
      local query = session:expect_query{ ids = { "RFC5971-5.3.2.1-6", "RFC5971-5.3.2.3-1",
        "RFC5971-5.8.1.2-1", "RFC5971-5.8-1a", "RFC5971-7.4-1a" },
        text = "a Query comes, in UDP and IPv4 as the flow is" }
      t:check{ ids = { "RFC5971-5.3.1-2" }, text = "with a UDP checksum", expected = "there",
        actual = has_checksum(query) }
      local mri, flow = query:values("MRI"), session.flow
      t:check{ ids = { "RFC5971-5.8.1.2-1", "RFC5971-5.8-1a" },
        text = "its method is path-coupled, downstream", expected = "0, 0",
        actual = string.format("%s, %s", mri.mrm, mri.d) }
      t:check{ ids = { "RFC5971-7.4-1a" }, text = "the flow is of IPv4, as the packet is",
        expected = 4, actual = mri.ip_ver }
      t:check{ ids = { "RFC5971-5.8.1.1-2a" }, text = "from the flow's source to its destination",
        expected = flow.source .. " to " .. flow.destination,
        actual = string.format("%s to %s", mri.source, mri.destination) }
      local own = query:values("NLI").interface
      t:check{ ids = { "RFC5971-7.4-3c", "RFC5971-5.2.2-4" },
        text = "its NLI has a global unicast address", expected = "unicast", actual = kind_of(own) }
      session:expect_create{ ids = { "RFC5971-5.2.2-1" },
        text = "a Response to that address is processed" }
    end,
  },
  {
    id = "gist-5.2.2-address-of-that-side",
    purpose = "The NLI of a Query has an address of an interface that the flow passes: the one that it "
      .. "leaves by is called suitable, and not the only one.",
    roles = roles.firewall,
    requirements = { "RFC5971-5.2.2-1" },
    run = function(t)
      local ids = { "RFC5971-5.2.2-1" }
      t:body()
      local session = t:outbound_session():begin()
      local query = session:expect_query{ text = "a Query comes, in UDP" }
      local own = query:values("NLI").interface
      t:reading{ of = "5.2.2-3", ids = ids, ours = "that it leaves by",
        seen = own == t.ixit.inside.gateway and "that the flow comes in by" or "that it leaves by" }
      session:expect_create{ ids = ids, text = "a Response to it is processed" }
    end,
  },
  {
    id = "gist-7.1.2-discovery-repeated",
    purpose = "The handshake is repeated again and again before the responder's state ends, each "
      .. "time in Q-mode.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.3.2-1", "RFC5971-6.2-4", "RFC5971-7.1.2-1" },
    run = function(t)
      t.nr.validity_ms = t.ixit.path.loses and 8800 or 2200 -- a lost Query is sent again in time
      local session = t:outbound_session():establish()
      t:body()
      for round = 2, 3 do
        local query = session:expect_query{ ids = { "RFC5971-7.1.2-1" }, number = round,
          text = "Query " .. round .. " comes", within_ms = 2 * t.nr.validity_ms }
        local after = query.at - session.queries[round - 1].at
        t:check{ ids = { "RFC5971-6.2-4" }, text = "before the responder's state ends",
          expected = "within " .. t.nr.validity_ms .. " ms",
          actual = string.format("%.0f ms", after), holds = after < t.nr.validity_ms }
        t:check{ ids = { "RFC5971-5.3.2-1" }, text = "to the flow's destination",
          expected = session.flow.destination, actual = query.packet.destination }
        t:check{ ids = { "RFC5971-5.3.2-1" }, text = "with the router alert option",
          expected = gist.router_alert, actual = query:router_alert() }
      end
    end,
  },
  {
    id = "gist-7.2.1-query-through-a-nat",
    purpose = "A Query with S=1 whose IP source is not the address in its NLI is answered by "
      .. "'Untranslated Object' about the MRI, to the IP source, and by no Response.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-7.2.1-1", "RFC5971-7.2.1-2", "RFC5971-7.2.1-3", "RFC5971-5.3.1-6b",
      "RFC5971-5.3.2.1-1" },
    run = function(t)
      local compared = { "RFC5971-7.2.1-1", "RFC5971-5.3.1-6b", "RFC5971-5.3.2.1-1" }
      t:body()
      local session = t:session()
      session:query_only{ own_source = true, source = session.flow.source }
      local item = t.ni:expect{ message = "GIST Error", ids = compared,
        text = "the Query is answered by an Error" }
      session:stop_asking()
      session:expect_no_gist_response{ ids = compared }
      t:check{ ids = { "RFC5971-7.2.1-2" }, text = "'Untranslated Object'",
        expected = gist.error_number["Untranslated Object"], actual = item:error() }
      t:check{ ids = { "RFC5971-7.2.1-2" }, text = "about the MRI",
        expected = gist.object_number.MRI, actual = item:infos("Object Type Info")[1] }
      t:check{ ids = { "RFC5971-7.2.1-3" }, text = "it comes to the IP source",
        expected = session.flow.source, actual = item.packet.destination }
      t:control()
      t:session():connect()
    end,
  },
  {
    id = "gist-7.2.1-response-through-a-nat",
    purpose = "A Response whose IP source is not the address in its NLI ends the handshake: there "
      .. "is no Confirm, no association and no further Query.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-7.2.1-6a", "RFC5971-7.2.1-6b" },
    needs = { "lossless" },
    run = function(t)
      t:body()
      t.nr.response_source = t.addresses.destination
      local session = t:outbound_session():begin()
      session:expect_query()
      t:pause(math.max(t.ixit.timing.quiet_ms, 2 * PROMPT_MS))
      t:check{ ids = { "RFC5971-7.2.1-6a" }, text = "no association is opened", expected = 0,
        actual = #t.nr.associations }
      t:check{ ids = { "RFC5971-7.2.1-6a" }, text = "nor is a Confirm sent", expected = "none",
        actual = messages.summary(session:received_confirm()),
        holds = session:received_confirm() == nil }
      t:check{ ids = { "RFC5971-7.2.1-6b" }, text = "the Query is not sent again", expected = 1,
        actual = #session.queries }
      t:control()
      t.nr.response_source = nil
      t.ni:drain()
      t.nr:drain()
      t:tolerate("RESPONSE") -- that there is nobody for the first session
      t:outbound_session():begin():expect_create()
    end,
  },
}
