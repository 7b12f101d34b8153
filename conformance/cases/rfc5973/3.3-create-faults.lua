-- RFC 5973, sections 3.3 and 4.2.5: every fault that a CREATE can carry, one a case. Each is answered
-- by its own code and not processed; a right CREATE is processed afterwards.

local FIREWALL = { "NF-FW", "edge-FW" }
local FIREWALL_AND_RESPONDER = { "NF-FW", "edge-FW", "NR" }
local faults = require("runner.faults")
local spoil = require("runner.spoil")

local NO_DISCARD = "RFC5973-3.3-i9"
local NONCE = 0x011
local WORD = "\0\0\0\7"
local SMOKE = { ["type-5"] = true, ["lt-long"] = true, ["unknown-0x3f0"] = true,
  ["without-lt"] = true, ["two-msn"] = true }

local function more(add)
  faults.of_requests(add)
  for _, number in ipairs({ 0, 5, 255 }) do
    add("3/0x01", "type-" .. number, "message type " .. number, nil, spoil.header("type", number))
  end
  add("3/0x04", "without-nonce", "P set and no NATFW_NONCE", NONCE, spoil.header("p", 1),
    "RFC5973-4.3.1-i6")
end

local rows = faults.list({ has = { "lt", "efi", "msn" }, may_have = { "nonce", "icmp_types" },
  may_not_have = { "info", "external_ip", "external_binding", "dtinfo" },
  missing = { lt = "RFC5973-4.3.1-i3", efi = "RFC5973-4.3.1-i4", msn = "RFC5973-4.3.1-i5" },
  illegal = "RFC5973-4.3.1-i8", add_more = more })

local cases = faults.request_cases(rows, { prefix = "3.3-create-", article = "A CREATE",
  roles = FIREWALL_AND_RESPONDER, smoke = SMOKE,
  right = function(_, session)
    session:send_create():expect_accepted(nil, "a right CREATE is processed")
  end })

cases[#cases + 1] = { id = "3.3-message-without-a-header", roles = FIREWALL_AND_RESPONDER,
  purpose = "An NSLP payload too short for a header is answered 3/0x02, where GIST delivers it at "
    .. "all, or by GIST's Object Value Error; it is not forwarded.",
  requirements = { "RFC5973-4.2.5-i23", NO_DISCARD },
  run = function(t)
    local ids = { "RFC5973-4.2.5-i23" }
    local session = t:session():connect()
    t:body()
    t.ni:send_nslp(session, "")
    t:await(t.ixit.timing.response_ms, function() return t.ni.inbox[1] end)
    local first = t.ni.inbox[1]
    local by_gist = first and first.name == "GIST Error"
    local answer = t:expect(t.ni, by_gist and "GIST Error" or "RESPONSE", nil, ids, "it is answered")
    t:reading("A06", by_gist and "by GIST" or "by the NSLP")
    t:check(ids, "class and code, or GIST's error and subcode", "3/0x02 or 10/0",
      by_gist and answer.code .. "/" .. answer.subcode or spoil.code_of(answer),
      by_gist and answer.code == 10 and answer.subcode == 0
        or not by_gist and spoil.code_of(answer) == "3/0x02")
    t:not_processed({ NO_DISCARD }, "it is not processed")
    t:control()
    session:send_create():expect_accepted(nil, "a right CREATE is processed")
  end }

-- A fault in a later CREATE of a session leaves the session as it was.
local function keeps(what, options)
  return function(t)
    local session = t:session():establish()
    t:passes(session.data)
    t:body()
    session:send_create(options)
    local response = session:expect_response({ NO_DISCARD }, what .. " is answered")
    t:check({ NO_DISCARD }, "class and code", "3/0x06", spoil.code_of(response))
    t:nothing(t.nr, { NO_DISCARD }, "it is not forwarded")
    t:passes(session.data, { NO_DISCARD }, "the flow of the session still passes")
    session:send_create({ msn = session.msn })
    session.forwarded = session:expect_create({ "RFC5973-3.5-7" },
      "its MSN was not stored: a right CREATE with the same MSN is processed")
    session:respond():expect_response({ "RFC5973-3.5-7" })
  end
end

local unknown = spoil.with({ type = 0x3F0, raw = WORD })

cases[#cases + 1] = { id = "3.3-refresh-with-a-fault", roles = FIREWALL,
  needs = { "blocks_by_default" },
  purpose = "A refresh with a fault is answered and changes nothing: the flow passes, the MSN is not "
    .. "stored.",
  requirements = { NO_DISCARD, "RFC5973-3.5-7" },
  run = keeps("a refresh with an unknown object", { change = unknown }) }

cases[#cases + 1] = { id = "3.3-deletion-with-a-fault", roles = FIREWALL,
  needs = { "blocks_by_default" },
  purpose = "A deletion with a fault is answered and deletes nothing.",
  requirements = { NO_DISCARD, "RFC5973-3.5-7" },
  run = keeps("a deletion with an unknown object", { lifetime_s = 0, change = unknown }) }

return cases
