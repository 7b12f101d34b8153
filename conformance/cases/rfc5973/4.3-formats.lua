-- RFC 5973, section 4.3: which objects a message has, and how it travels.

local FIREWALL = { "NF-FW", "edge-FW" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")
local LT, EFI, NONCE, MSN = 0x00C, 0x00F, 0x011, 0x012

local function routing(item)
  local mri = item.gist.by_type[0].values
  return string.format("MRM %d, %s to %s, protocol %s, ports %s to %s", mri.mrm, mri.source,
    mri.destination,
    mri.protocol, mri.source_port, mri.dest_port)
end

local function routing_of(flow)
  return string.format("MRM 0, %s to %s, protocol %d, ports %d to %d", flow.source,
    flow.destination,
    flow.protocol == "tcp" and 6 or 17, flow.source_port, flow.destination_port)
end

return {
  {
    id = "4.3-missing-object",
    purpose = "A CREATE without one of its mandatory objects is answered 3/0x04.",
    roles = FIREWALL, smoke = true,
    requirements = { "RFC5973-4.3-1a", "RFC5973-4.3-2", "RFC5973-4.3.1-i3", "RFC5973-4.3.1-i4",
      "RFC5973-4.3.1-i5", "RFC5973-4.3.1-i6" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local ways = {
        { "NATFW_LT", "RFC5973-4.3.1-i3", spoil.without(LT) },
        { "NATFW_EFI", "RFC5973-4.3.1-i4", spoil.without(EFI) },
        { "NATFW_MSN", "RFC5973-4.3.1-i5", spoil.without(MSN) },
        { "NATFW_NONCE, though P is set,", "RFC5973-4.3.1-i6",
          function(message) message.header.p = 1 end },
      }
      for _, way in ipairs(ways) do
        session:send_create({ change = way[3] })
        local response = session:expect_error(3, 0x04, { "RFC5973-4.3-2", way[2] },
          "a CREATE without " .. way[1] .. " is refused")
        t:check({ "RFC5973-4.3-1a" }, "its RESPONSE has a NATFW_MSN, whatever the CREATE had",
          "there", response.natfw.by_type[MSN] and "there" or "missing")
      end
      t:nothing(t.nr, { "RFC5973-4.3-2" }, "nothing of that is forwarded")
      t:control()
      session.forwarded = session:send_create():expect_create()
    end,
  },
  {
    id = "4.3-any-order-of-objects",
    purpose = "The objects of a CREATE may come in any order, optional ones among them.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.3-i1", "RFC5973-4.3-1b" },
    run = function(t)
      local orders = { { 3, 1, 2 }, { 2, 3, 1 }, { 3, 2, 1 } }
      local session = t:session():connect()
      t:body()
      for _, order in ipairs(orders) do
        session:send_create({ change = function(message)
          local objects = message.objects
          message.objects = { objects[order[1]], objects[order[2]], objects[order[3]] }
        end })
        session.forwarded = session:expect_create({ "RFC5973-4.3-i1" },
          "order " .. table.concat(order, ", ") .. " is processed")
        session:respond():expect_response({ "RFC5973-4.3-i1" })
      end
      session:send_create({ change = spoil.with({ type = NONCE, values = { nonce = 7 } }) })
      session.forwarded = session:expect_create({ "RFC5973-4.3-1b" },
        "an optional NATFW_NONCE is accepted")
      session:respond():expect_response({ "RFC5973-4.3-1b" })
    end,
  },
  {
    id = "4.3.1-create-is-path-coupled",
    purpose = "The forwarded CREATE has a path-coupled MRI, downstream, with the flow unchanged.",
    roles = FIREWALL, smoke = true,
    requirements = { "RFC5973-4.3.1-3" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local create = session:send_create():expect_create({ "RFC5973-4.3.1-3" })
      t:check({ "RFC5973-4.3.1-3" }, "its MRI is path-coupled, with the flow's addresses and ports",
        routing_of(session.flow), routing(create))
      t:check({ "RFC5973-4.3.1-3" }, "its direction is downstream", 0,
        create.gist.by_type[0].values.d)
    end,
  },
  {
    id = "4.3.3-response-keeps-the-mrm",
    purpose = "A RESPONSE, passed on or made by the NF, has the MRM of its request, upstream.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.3.3-2" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create({ rule_action = 3 })
      local own = session:expect_response({ "RFC5973-4.3.3-2" }, "the NF answers a bad rule action")
      t:check({ "RFC5973-4.3.3-2" }, "the NF's own RESPONSE has the request's MRM and flow",
        routing_of(session.flow), routing(own))
      session.forwarded = session:send_create():expect_create()
      local passed = session:respond():expect_response({ "RFC5973-4.3.3-2" })
      t:check({ "RFC5973-4.3.3-2" }, "the RESPONSE passed on has the request's MRM and flow",
        routing_of(session.flow), routing(passed))
      t:check({ "RFC5973-4.3.3-2" }, "its direction is upstream", 1,
        passed.gist.by_type[0].values.d)
    end,
  },
  {
    id = "4.3.4-notify-keeps-the-mrm",
    purpose = "A NOTIFY, relayed or made by the NF, has the MRM and the flow of its session's CREATE.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.3.4-1" },
    run = function(t)
      local raised = t:session()
      raised.forwarded = raised:send_create():expect_create()
      local session = t:session():establish()
      t:body()
      raised:respond({ lifetime_s = raised.forwarded.lifetime_s * 2 })
      raised:expect_response()
      local own = t:expect(t.nr, "NOTIFY", raised, { "RFC5973-4.3.4-1" },
        "the NF ends a session whose lifetime was raised")
      t:check({ "RFC5973-4.3.4-1" }, "its NOTIFY has the CREATE's MRM and flow",
        routing_of(raised.flow), routing(own))
      t.nr:send_nslp(session, messages.notify(3))
      local relayed = t:expect(t.ni, "NOTIFY", session, { "RFC5973-4.3.4-1" },
        "the responder's NOTIFY is relayed")
      t:check({ "RFC5973-4.3.4-1" }, "with the CREATE's MRM and flow", routing_of(session.flow),
        routing(relayed))
      t:check({ "RFC5973-4.3.4-1" }, "its direction is upstream", 1,
        relayed.gist.by_type[0].values.d)
    end,
  },
}
