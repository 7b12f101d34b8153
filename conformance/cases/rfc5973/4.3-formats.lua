-- RFC 5973, section 4.3: which objects a message has, and how it travels.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local NO_RULE_ACTION = 3 -- neither allow nor deny

local function routing(item) return "MRM " .. item:values("MRI").mrm .. ", " .. item:flow_text() end

local function routing_of(session) return "MRM 0, " .. session:flow_text() end

return {
  {
    id = "4.3-missing-object",
    purpose = "A CREATE without one of its mandatory objects is answered 3/0x04.",
    roles = roles.firewall, smoke = true,
    requirements = { "RFC5973-3.5-5", "RFC5973-4.3-2", "RFC5973-4.3.1-i3", "RFC5973-4.3.1-i4",
      "RFC5973-4.3.1-i5", "RFC5973-4.3.1-i6", "RFC5973-3.3-i9" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local ways = {
        { "NATFW_LT", "RFC5973-4.3.1-i3", spoil.without("NATFW_LT") },
        { "NATFW_EFI", "RFC5973-4.3.1-i4", spoil.without("NATFW_EFI") },
        { "NATFW_MSN", "RFC5973-4.3.1-i5", spoil.without("NATFW_MSN") },
        { "NATFW_NONCE, though P is set,", "RFC5973-4.3.1-i6", spoil.header("p", 1) },
      }
      for _, way in ipairs(ways) do
        session:send_create{ change = way[3] }
        local response = session:expect_error{ ids = { "RFC5973-4.3-2", way[2] },
          text = "a CREATE without " .. way[1] .. " is refused", info = "3/0x04" }
        if way[1] == "NATFW_MSN" then
          t:reading{ of = "A04", seen = tostring(response.msn or "none") }
        else
          t:check{ ids = { "RFC5973-3.5-5" }, text = "its RESPONSE has the CREATE's MSN",
            expected = session.msn, actual = response.msn }
        end
      end
      t.nr:expect_nothing{ ids = { "RFC5973-3.3-i9" }, text = "nothing of that is forwarded" }
      t:control()
      session:send_create():expect_create()
    end,
  },
  {
    id = "4.3-any-order-of-objects",
    purpose = "The objects of a CREATE may come in any order, optional ones among them.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.3-i1", "RFC5973-4.3-1b" },
    run = function(t)
      local orders = { { 3, 1, 2 }, { 2, 3, 1 }, { 3, 2, 1 } }
      local session = t:session():connect()
      t:body()
      for _, order in ipairs(orders) do
        session:send_create{ change = spoil.order(order) }
        session:expect_create{ ids = { "RFC5973-4.3-i1" },
          text = "order " .. table.concat(order, ", ") .. " is processed" }
        session:respond():expect_response{ ids = { "RFC5973-4.3-i1" } }
      end
      session:send_create{ change = spoil.with({ type = "NATFW_NONCE", values = { nonce = 7 } }) }
      session:expect_create{ ids = { "RFC5973-4.3-1b" },
        text = "an optional NATFW_NONCE is accepted" }
      session:respond():expect_response{ ids = { "RFC5973-4.3-1b" } }
    end,
  },
  {
    id = "4.3.1-create-is-path-coupled",
    purpose = "The forwarded CREATE has a path-coupled MRI, downstream, with the flow unchanged.",
    roles = roles.firewall, smoke = true,
    requirements = { "RFC5973-4.3.1-3" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local create = session:send_create():expect_create{ ids = { "RFC5973-4.3.1-3" } }
      t:check{ ids = { "RFC5973-4.3.1-3" },
        text = "its MRI is path-coupled, with the flow's addresses and ports",
        expected = routing_of(session), actual = routing(create) }
      t:check{ ids = { "RFC5973-4.3.1-3" }, text = "its direction is downstream", expected = 0,
        actual = create:values("MRI").d }
    end,
  },
  {
    id = "4.3.3-response-keeps-the-mrm",
    purpose = "A RESPONSE, passed on or made by the NF, has the MRM of its request, upstream.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.3.3-2" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ rule_action = NO_RULE_ACTION }
      local own = session:expect_response{ ids = { "RFC5973-4.3.3-2" },
        text = "the NF answers a bad rule action" }
      t:check{ ids = { "RFC5973-4.3.3-2" },
        text = "the NF's own RESPONSE has the request's MRM and flow",
        expected = routing_of(session), actual = routing(own) }
      session:send_create():expect_create()
      local passed = session:respond():expect_response{ ids = { "RFC5973-4.3.3-2" } }
      t:check{ ids = { "RFC5973-4.3.3-2" },
        text = "the RESPONSE passed on has the request's MRM and flow",
        expected = routing_of(session), actual = routing(passed) }
      t:check{ ids = { "RFC5973-4.3.3-2" }, text = "its direction is upstream", expected = 1,
        actual = passed:values("MRI").d }
    end,
  },
  {
    id = "4.3.4-notify-keeps-the-mrm",
    purpose = "A NOTIFY, relayed or made by the NF, has the MRM and the flow of its session's CREATE.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.3.4-1" },
    run = function(t)
      local raised = t:session()
      raised:send_create():expect_create()
      local session = t:session():establish()
      t:body()
      raised:respond{ lifetime_s = raised:forwarded_lifetime_s() * 2 }
      raised:expect_response()
      local own = t.nr:expect{ message = "NOTIFY", session = raised, ids = { "RFC5973-4.3.4-1" },
        text = "the NF ends a session whose lifetime was raised" }
      t:check{ ids = { "RFC5973-4.3.4-1" }, text = "its NOTIFY has the CREATE's MRM and flow",
        expected = routing_of(raised), actual = routing(own) }
      t.nr:send_nslp(session, messages.notify("1/0x03"))
      local relayed = t.ni:expect{ message = "NOTIFY", session = session,
        ids = { "RFC5973-4.3.4-1" }, text = "the responder's NOTIFY is relayed" }
      t:check{ ids = { "RFC5973-4.3.4-1" }, text = "with the CREATE's MRM and flow",
        expected = routing_of(session), actual = routing(relayed) }
      t:check{ ids = { "RFC5973-4.3.4-1" }, text = "its direction is upstream", expected = 1,
        actual = relayed:values("MRI").d }
    end,
  },
}
