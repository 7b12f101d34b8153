-- RFC 5973, section 4.1: the header of the NSLP.

local FIREWALL = { "NF-FW", "edge-FW" }
local engine = require("codec.engine")
local natfw = require("codec.natfw")

-- The reserved bits that are set, of NATFW_INFO only or of everything else.
local function reserved_of(item, of_info)
  local set = {}
  for _, name in ipairs(engine.reserved_set(natfw, item.natfw)) do
    if (name:find("NATFW_INFO.", 1, true) ~= nil) == (of_info
      or false) then set[#set + 1] = name end
  end
  return #set > 0 and table.concat(set, " ") or "none set"
end

local function ab_of(item)
  for _, object in ipairs(item.natfw.objects) do
    if object.ab == 3 then return "AB=11 on " .. object.name end
  end
  return "no AB=11"
end

return {
  {
    id = "4.1-messages-sent-are-well-formed",
    purpose = "What the NF sends itself has the header of figure 20, reserved bits zero, no "
      .. "AB=11, no proxy flags, every mandatory object and no fault.",
    roles = FIREWALL, smoke = true,
    requirements = { "RFC5973-4.1-1", "RFC5973-4.1-2a", "RFC5973-4.1-5", "RFC5973-4.1-9",
      "RFC5973-4.2-3a", "RFC5973-4.2.5-1a", "RFC5973-4.2.5-i7", "RFC5973-4.3-1a",
      "RFC5973-3.2.7-2" },
    run = function(t)
      local session = t:session():connect()
      local refused = t:session():connect()
      local raised = t:session():connect()
      t:body()
      local sent = {}
      local function keep(name, item) sent[#sent + 1] = { name = name, item = item } end
      session.forwarded = session:send_create():expect_create({ "RFC5973-4.1-1" })
      keep("the forwarded CREATE", session.forwarded)
      keep("the success RESPONSE passed on", session:respond():expect_response())
      keep("the forwarded deletion", session:delete():expect_create())
      refused:send_create({ rule_action = 3, p = 1, e = 1, change = function(message)
        table.insert(message.objects, { type = 0x011, values = { nonce = 7 } })
      end })
      local failure = refused:expect_response(nil, "a bad rule action is answered")
      keep("the NF's own RESPONSE", failure)
      raised.forwarded = raised:send_create():expect_create()
      raised:respond({ lifetime_s = raised.forwarded.lifetime_s * 2 })
      keep("the RESPONSE to a raised lifetime", raised:expect_response())
      keep("the NOTIFY to the responder", t:expect(t.nr, "NOTIFY", raised, nil, "a NOTIFY is sent"))
      for _, one in ipairs(sent) do
        local name, item = one.name, one.item
        local faults = item.natfw.faults
        t:check({ "RFC5973-4.2.5-1a", "RFC5973-4.2.5-i7" }, name
          .. ": reserved bits of NATFW_INFO are zero",
          "none set", reserved_of(item, true))
        t:check({ "RFC5973-4.1-2a" }, name .. ": all other reserved bits are zero", "none set",
          reserved_of(item))
        t:check({ "RFC5973-4.2-3a" }, name .. ": AB=11 is not used", "no AB=11", ab_of(item))
        t:check({ "RFC5973-4.1-5" }, name .. ": P is not set", 0, item.natfw.header.p)
        t:check({ "RFC5973-4.1-9" }, name .. ": E is not set", 0, item.natfw.header.e)
        t:check({ "RFC5973-4.3-1a" }, name .. ": no fault", "none", faults[1] and faults[1].text
          or "none")
      end
      t:check({ "RFC5973-3.2.7-2" }, "the RESPONSE has a NATFW_INFO", "one",
        failure.natfw.by_type[0x010] and "one" or "none")
    end,
  },
  {
    id = "4.1-reserved-bits-ignored",
    purpose = "Reserved bits in the header are ignored on reception, in a CREATE and in a "
      .. "RESPONSE.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.1-2b", "RFC5973-4.1-2a" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create({ change = function(message)
        message.header.reserved_flags, message.header.reserved = 63, 65535
      end })
      session.forwarded = session:expect_create({ "RFC5973-4.1-2b" },
        "a CREATE with reserved bits set is processed")
      t:check({ "RFC5973-4.1-2a" }, "and sent on with reserved bits zero", "none set",
        reserved_of(session.forwarded))
      session:respond({ change = function(message) message.header.reserved = 65535 end })
      session:expect_response({ "RFC5973-4.1-2b" },
        "a RESPONSE with reserved bits set is processed")
      t:passes(session.data, { "RFC5973-4.1-2b" }, "and opens the path")
    end,
  },
  {
    id = "4.1-proxy-flags-ignored-in-response",
    purpose = "P and E in a RESPONSE are ignored.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.1-6", "RFC5973-4.1-10", "RFC5973-4.1-5", "RFC5973-4.1-9" },
    run = function(t)
      for _, flag in ipairs({ "p", "e" }) do
        local id = flag == "p" and "RFC5973-4.1-6" or "RFC5973-4.1-10"
        t:preamble()
        local session = t:session()
        session.forwarded = session:send_create():expect_create()
        t:body()
        session:respond({ change = function(message) message.header[flag] = 1 end })
        local response = session:expect_response({ id },
          "a RESPONSE with " .. flag:upper() .. " set is processed")
        t:check({ id }, "as a success", 2, response.class)
        local sender_id = flag == "p" and "RFC5973-4.1-5" or "RFC5973-4.1-9"
        t:check({ sender_id }, "and is passed on with " .. flag:upper() .. " clear", 0,
          response.natfw.header[flag])
        t:passes(session.data, { id }, "and opens the path")
      end
    end,
  },
  {
    id = "4.1-e-flag-without-p-ignored",
    purpose = "E in a CREATE without P is ignored, and not sent on.",
    roles = FIREWALL,
    requirements = { "RFC5973-4.1-8" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session.forwarded = session:send_create({ e = 1 }):expect_create({ "RFC5973-4.1-8" },
        "a CREATE with E but without P is processed")
      t:check({ "RFC5973-4.1-8" }, "and is not sent on as a proxy message", 0,
        session.forwarded.natfw.header.p)
      t:check({ "RFC5973-4.1-8" }, "E is not sent without P", 0, session.forwarded.natfw.header.e)
      session:respond():expect_response({ "RFC5973-4.1-8" })
    end,
  },
}
