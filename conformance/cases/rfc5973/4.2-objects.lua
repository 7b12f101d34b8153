-- RFC 5973, section 4.2: objects and how they can be wrong.

local messages = require("runner.messages")
local natfw = require("codec.natfw")
local roles = require("runner.roles")
local spoil = require("runner.spoil")
local tables = require("codec.tables")

local UNKNOWN = 0x3F0 -- no NSLP has registered it

return {
  {
    id = "4.2-unknown-optional-object",
    purpose = "An unknown object with AB=01 is dropped, and the rest of the message processed.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.2-i4" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ change = spoil.with({ type = UNKNOWN, ab = 1, raw = "\1\2\3\4" }) }
      session:expect_create{ ids = { "RFC5973-4.2-i4" },
        text = "the CREATE is processed" }
      t:check{ ids = { "RFC5973-4.2-i4" }, text = "without the object", expected = "none",
        actual = session.forwarded:has(UNKNOWN) and "there" or "none" }
      for _, object in ipairs(session.forwarded.natfw.objects) do
        t:check{ ids = { "RFC5973-4.2-i4" }, text = "object " .. object.name .. " is a known one",
          expected = "known", actual = object.type == UNKNOWN and "unknown" or "known" }
      end
      session:respond():expect_response{ ids = { "RFC5973-4.2-i4" } }
    end,
  },
  {
    id = "4.2-unknown-forward-object",
    purpose = "An unknown object with AB=10 is forwarded unchanged, and not kept for later "
      .. "messages.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.2-i5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{
        change = spoil.with({ type = UNKNOWN, ab = 2, raw = "\1\2\3\4\5\6\7\8" }) }
      session:expect_create{ ids = { "RFC5973-4.2-i5" },
        text = "the CREATE is processed" }
      local object = session.forwarded:object(UNKNOWN)
      t:check{ ids = { "RFC5973-4.2-i5" }, text = "the object is forwarded", expected = "there",
        actual = object and "there" or "gone" }
      t:check{ ids = { "RFC5973-4.2-i5" }, text = "its value is unchanged",
        expected = "0102030405060708",
        actual = messages.hex(object.raw) }
      t:check{ ids = { "RFC5973-4.2-i5" }, text = "its flags are unchanged", expected = 2,
        actual = object.ab }
      session:respond():expect_response()
      session:send_create():expect_create()
      t:check{ ids = { "RFC5973-4.2-i5" }, text = "the next CREATE is forwarded without it",
        expected = "none", actual = session.forwarded:has(UNKNOWN) and "there" or "none" }
    end,
  },
  {
    id = "4.2.4-sub-ports",
    purpose = "sub_ports 0 opens the one port of the MRI, sub_ports 1 that and the next.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-4.2.4-i5", "RFC5973-4.2.4-i6" },
    run = function(t)
      local function next_port(flow)
        local copy = tables.copy(flow)
        copy.destination_port = flow.destination_port + 1
        return t:data_flow(copy)
      end
      local one = t:session():establish()
      local two = t:session():connect()
      t:body()
      two:establish{ sub_ports = 1 }
      next_port(one.data.flow):expect_blocked{ ids = { "RFC5973-4.2.4-i5" },
        text = "sub_ports 0: the next port stays closed" }
      one.data:expect_passing{ ids = { "RFC5973-4.2.4-i5" },
        text = "sub_ports 0: the port itself is open" }
      two.data:expect_passing{ ids = { "RFC5973-4.2.4-i6" },
        text = "sub_ports 1: the port itself is open" }
      next_port(two.data.flow):expect_passing{ ids = { "RFC5973-4.2.4-i6" },
        text = "sub_ports 1: the next port is open" }
    end,
  },
  {
    id = "4.2.4-deny-opens-nothing",
    purpose = "A CREATE whose rule action is deny never lets its data through, whether it is "
      .. "forwarded, refused or dropped.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-4.2.4-2" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session():connect()
      other.data:expect_passing()
      t:body()
      session:send_create{ rule_action = natfw.rule_action.deny }
      local at = t:await_message{ within_ms = t.ixit.timing.quiet_ms }
      if at == t.nr then
        session:expect_create()
        session:respond()
      end
      local answer = t.ni:take()
      t:reading{ of = "A63", ids = { "RFC5973-4.2.4-2" }, ours = "refused with 7/0x06",
        seen = at == t.nr and "forwarded" or answer and "refused with " .. answer:info()
          or "dropped" }
      session.data:expect_blocked{ ids = { "RFC5973-4.2.4-2" },
        text = "the data of a denied flow does not pass" }
      t:control()
      other.data:expect_passing()
    end,
  },
  {
    id = "4.2.5-reserved-bits-ignored",
    purpose = "The reserved bits of NATFW_INFO are ignored on reception.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.2.5-1b" },
    run = function(t)
      local session = t:session()
      session:send_create():expect_create()
      t:body()
      session:respond{
        change = spoil.fields("NATFW_INFO", { reserved = 15, reserved_r = 15 }) }
      local response = session:expect_response{ ids = { "RFC5973-4.2.5-1b" },
        text = "the RESPONSE is processed" }
      t:check{ ids = { "RFC5973-4.2.5-1b" }, text = "as a success", expected = 2,
        actual = response.class }
      session.data:expect_passing{ ids = { "RFC5973-4.2.5-1b" } }
    end,
  },
}
