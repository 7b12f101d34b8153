-- RFC 5973, section 4.2: objects and how they can be wrong.

local FIREWALL = { "NF-FW", "edge-FW" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")
local INFO = 0x010
local UNKNOWN = 0x3F0 -- no NSLP has registered it

return {
  {
    id = "4.2-unknown-optional-object",
    purpose = "An unknown object with AB=01 is dropped, and the rest of the message processed.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.2-i4" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create({ change = spoil.with({ type = UNKNOWN, ab = 1, raw = "\1\2\3\4" }) })
      session.forwarded = session:expect_create({ "RFC5973-4.2-i4" }, "the CREATE is processed")
      t:check({ "RFC5973-4.2-i4" }, "without the object", "none",
        session.forwarded.natfw.by_type[UNKNOWN] and "there" or "none")
      for _, object in ipairs(session.forwarded.natfw.objects) do
        t:check({ "RFC5973-4.2-i4" }, "object " .. object.name .. " is a known one", "known",
          object.type == UNKNOWN and "unknown" or "known")
      end
      session:respond():expect_response({ "RFC5973-4.2-i4" })
    end,
  },
  {
    id = "4.2-unknown-forward-object",
    purpose = "An unknown object with AB=10 is forwarded unchanged, and not kept for later "
      .. "messages.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.2-i5" },
    run = function(t)
      local function unknown_in(item)
        for _, object in ipairs(item.natfw.objects) do
          if object.type == UNKNOWN then return object end
        end
        return nil
      end
      local session = t:session():connect()
      t:body()
      session:send_create({ change = spoil.with({ type = UNKNOWN, ab = 2, raw = "\1\2\3\4\5\6\7\8" }) })
      session.forwarded = session:expect_create({ "RFC5973-4.2-i5" }, "the CREATE is processed")
      local object = unknown_in(session.forwarded)
      t:check({ "RFC5973-4.2-i5" }, "the object is forwarded", "there", object and "there"
        or "gone")
      t:check({ "RFC5973-4.2-i5" }, "its value is unchanged", "0102030405060708",
        (object.raw:gsub(".", function(c) return string.format("%02x", c:byte()) end)))
      t:check({ "RFC5973-4.2-i5" }, "its flags are unchanged", 2, object.ab)
      session:respond():expect_response()
      session.forwarded = session:send_create():expect_create()
      t:check({ "RFC5973-4.2-i5" }, "the next CREATE is forwarded without it", "none",
        unknown_in(session.forwarded) and "there" or "none")
    end,
  },
  {
    id = "4.2.4-sub-ports",
    purpose = "sub_ports 0 opens the one port of the MRI, sub_ports 1 that and the next.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-4.2.4-i5", "RFC5973-4.2.4-i6" },
    run = function(t)
      local function next_port(flow)
        local copy = {}
        for key, value in pairs(flow) do copy[key] = value end
        copy.destination_port = flow.destination_port + 1
        return t:data_flow(copy)
      end
      local one = t:session():establish()
      local two = t:session():connect()
      t:body()
      two:establish({ sub_ports = 1 })
      t:blocked(next_port(one.data.flow), { "RFC5973-4.2.4-i5" },
        "sub_ports 0: the next port stays closed")
      t:passes(one.data, { "RFC5973-4.2.4-i5" }, "sub_ports 0: the port itself is open")
      t:passes(two.data, { "RFC5973-4.2.4-i6" }, "sub_ports 1: the port itself is open")
      t:passes(next_port(two.data.flow), { "RFC5973-4.2.4-i6" },
        "sub_ports 1: the next port is open")
    end,
  },
  {
    id = "4.2.4-deny-opens-nothing",
    purpose = "A CREATE whose rule action is deny is not forwarded, and never lets its data "
      .. "through.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-4.2.4-2" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session():connect()
      t:passes(other.data)
      t:body()
      session:send_create({ rule_action = 2 })
      t:nothing(t.nr, { "RFC5973-4.2.4-2" }, "a CREATE that denies is not forwarded")
      local answer = table.remove(t.ni.inbox, 1)
      t:reading("A63", answer and "refused with " .. messages.summary(answer) or "dropped")
      if t.strict then
        t:check(nil, "as this project reads it, deny is refused", "7/0x06",
          answer and answer.class and string.format("%d/0x%02X", answer.class, answer.code))
      end
      t:blocked(session.data, { "RFC5973-4.2.4-2" }, "the data of a denied flow does not pass")
      t:control()
      t:passes(other.data)
      other.forwarded = other:send_create():expect_create()
    end,
  },
  {
    id = "4.2.5-reserved-bits-ignored",
    purpose = "The reserved bits of NATFW_INFO are ignored on reception.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.2.5-1b" },
    run = function(t)
      local session = t:session()
      session.forwarded = session:send_create():expect_create()
      t:body()
      session:respond({ change = function(message)
        local values = spoil.find(message, INFO).values
        values.reserved, values.reserved_r = 15, 15
      end })
      local response = session:expect_response({ "RFC5973-4.2.5-1b" }, "the RESPONSE is processed")
      t:check({ "RFC5973-4.2.5-1b" }, "as a success", 2, response.class)
      t:passes(session.data, { "RFC5973-4.2.5-1b" })
    end,
  },
}
