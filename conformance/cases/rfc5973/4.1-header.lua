-- RFC 5973, section 4.1: the header of the NSLP.

local roles = require("runner.roles")
local spoil = require("runner.spoil")
local tables = require("codec.tables")
local well_formed = require("runner.well_formed")

local NO_RULE_ACTION = 3 -- neither allow nor deny

return {
  {
    id = "4.1-messages-sent-are-well-formed",
    purpose = "What the NF sends itself has the header of figure 20, reserved bits zero, no "
      .. "AB=11, no proxy flags, every mandatory object and no fault.",
    roles = roles.firewall, smoke = true,
    requirements = tables.appended(well_formed.requirements, "RFC5973-4.1-1", "RFC5973-4.2.5-1a",
      "RFC5973-4.2.5-i7", "RFC5973-3.2.7-2"),
    run = function(t)
      local session = t:session():connect()
      local refused = t:session():connect()
      local raised = t:session():connect()
      t:body()
      local sent = {}
      local function keep(name, item) sent[#sent + 1] = { name = name, item = item } end
      session:send_create():expect_create{ ids = { "RFC5973-4.1-1" } }
      keep("the forwarded CREATE", session.forwarded)
      keep("the success RESPONSE passed on", session:respond():expect_response())
      keep("the forwarded deletion", session:delete():expect_create())
      refused:send_create{ rule_action = NO_RULE_ACTION, p = 1, e = 1,
        change = spoil.with({ type = "NATFW_NONCE", values = { nonce = 7 } }) }
      local failure = refused:expect_response{ text = "a bad rule action is answered" }
      keep("the NF's own RESPONSE", failure)
      raised:send_create():expect_create()
      raised:respond{ lifetime_s = raised:forwarded_lifetime_s() * 2 }
      keep("the RESPONSE to a raised lifetime", raised:expect_response())
      keep("the NOTIFY to the responder", t.nr:expect{ message = "NOTIFY", session = raised,
        text = "a NOTIFY is sent" })
      for _, one in ipairs(sent) do
        well_formed.expect(t, one.name, one.item, { "RFC5973-4.2.5-1a", "RFC5973-4.2.5-i7" })
      end
      t:check{ ids = { "RFC5973-3.2.7-2" }, text = "the RESPONSE has a NATFW_INFO",
        expected = "one", actual = failure:has("NATFW_INFO") and "one" or "none" }
    end,
  },
  {
    id = "4.1-reserved-bits-ignored",
    purpose = "Reserved bits in the header are ignored on reception, in a CREATE and in a "
      .. "RESPONSE.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.1-2b", "RFC5973-4.1-2a" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ change = spoil.all(spoil.header("reserved_flags", 63),
        spoil.header("reserved", 65535)) }
      session:expect_create{ ids = { "RFC5973-4.1-2b" },
        text = "a CREATE with reserved bits set is processed" }
      t:check{ ids = { "RFC5973-4.1-2a" }, text = "and sent on with reserved bits zero",
        expected = "none set",
        actual = session.forwarded:reserved_bits("natfw", well_formed.of_header) }
      session:respond{ change = spoil.header("reserved", 65535) }
      session:expect_response{ ids = { "RFC5973-4.1-2b" },
        text = "a RESPONSE with reserved bits set is processed" }
      session.data:expect_passing{ ids = { "RFC5973-4.1-2b" }, text = "and opens the path" }
    end,
  },
  {
    id = "4.1-proxy-flags-ignored-in-response",
    purpose = "P and E in a RESPONSE are ignored.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.1-6", "RFC5973-4.1-10", "RFC5973-4.1-5", "RFC5973-4.1-9" },
    run = function(t)
      for _, flag in ipairs({ "p", "e" }) do
        local id = flag == "p" and "RFC5973-4.1-6" or "RFC5973-4.1-10"
        t:preamble()
        local session = t:session()
        session:send_create():expect_create()
        t:body()
        session:respond{ change = spoil.header(flag, 1) }
        local response = session:expect_response{ ids = { id },
          text = "a RESPONSE with " .. flag:upper() .. " set is processed" }
        t:check{ ids = { id }, text = "as a success", expected = 2, actual = response.class }
        local sender_id = flag == "p" and "RFC5973-4.1-5" or "RFC5973-4.1-9"
        t:check{ ids = { sender_id }, text = "and is passed on with " .. flag:upper() .. " clear",
          expected = 0, actual = response.natfw.header[flag] }
        session.data:expect_passing{ ids = { id }, text = "and opens the path" }
      end
    end,
  },
  {
    id = "4.1-e-flag-without-p-ignored",
    purpose = "E in a CREATE without P is ignored, and not sent on.",
    roles = roles.firewall,
    requirements = { "RFC5973-4.1-8" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ e = 1 }:expect_create{ ids = { "RFC5973-4.1-8" },
        text = "a CREATE with E but without P is processed" }
      t:check{ ids = { "RFC5973-4.1-8" }, text = "and is not sent on as a proxy message",
        expected = 0, actual = session.forwarded.natfw.header.p }
      t:check{ ids = { "RFC5973-4.1-8" }, text = "E is not sent without P", expected = 0,
        actual = session.forwarded.natfw.header.e }
      session:respond():expect_response{ ids = { "RFC5973-4.1-8" } }
    end,
  },
}
