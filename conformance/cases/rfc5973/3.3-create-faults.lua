-- RFC 5973, sections 3.3 and 4.2.5: every fault that a CREATE can carry, one a case. Each is answered
-- by its own code and not processed; a valid CREATE is processed afterwards.

local faults = require("runner.faults")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local NO_DISCARD = "RFC5973-3.3-i9"
local REJECTED = "RFC5973-4.2-2"
local SYNTAX = "RFC5973-3.3-i2"
local PROTOCOL_ERROR = 3
local UNKNOWN = 0x3F0 -- no NSLP has registered it
local WORD = "\0\0\0\7"
local SMOKE = { ["type-5"] = true, ["lt-long"] = true, ["unknown-0x3f0"] = true,
  ["without-lt"] = true, ["two-msn"] = true }

local function more(add)
  faults.of_requests(add)
  for _, number in ipairs({ 0, 5, 255 }) do
    add("3/0x01", "type-" .. number, "message type " .. number, nil, spoil.header("type", number))
  end
  add("3/0x04", "without-nonce", "P set and no NATFW_NONCE", "NATFW_NONCE", spoil.header("p", 1),
    "RFC5973-4.3.1-i6")
end

local rows = faults.list({ has = { "lt", "efi", "msn" }, may_have = { "nonce", "icmp_types" },
  may_not_have = { "info", "external_ip", "external_binding", "dtinfo" },
  missing = { lt = "RFC5973-4.3.1-i3", efi = "RFC5973-4.3.1-i4", msn = "RFC5973-4.3.1-i5" },
  illegal = "RFC5973-4.3.1-i8", add_more = more })

local cases = faults.request_cases(rows, { prefix = "3.3-create-", article = "A CREATE",
  roles = roles.answers_queries, smoke = SMOKE,
  valid = function(_, session)
    session:send_create():expect_accepted{ text = "a valid CREATE is processed" }
  end })

cases[#cases + 1] = { id = "3.3-message-without-a-header", roles = roles.answers_queries,
  purpose = "An NSLP payload too short for a header is answered by a protocol error, where GIST "
    .. "delivers it at all, or by GIST's Object Value Error; it is not forwarded.",
  requirements = { SYNTAX, NO_DISCARD },
  run = function(t)
    local ids = { SYNTAX }
    local session = t:session():connect()
    t:body()
    t.ni:send_nslp(session, "")
    local first = t.ni:await_message()
    local by_gist = first and first.name == "GIST Error"
    local answer = t.ni:expect{ message = by_gist and "GIST Error" or "RESPONSE", ids = ids,
      text = "it is answered" }
    t:check{ ids = ids, text = "class and code, or GIST's error and subcode",
      expected = "class 3, or 10/0",
      actual = by_gist and answer:error() or answer:info(),
      holds = answer:is_error("Incorrect Length") or answer.class == PROTOCOL_ERROR }
    t:reading{ of = "A06", seen = by_gist and "by GIST" or answer:info() }
    t:expect_not_processed{ ids = { NO_DISCARD }, text = "it is not processed" }
    t:control()
    session:send_create():expect_accepted{ text = "a valid CREATE is processed" }
  end }

-- A fault in a later CREATE of a session leaves the session as it was.
local function keeps(what, options)
  return function(t)
    local session = t:session():establish()
    session.data:expect_passing()
    t:body()
    session:send_create(options)
    session:expect_error{ ids = { REJECTED }, text = what .. " is answered", info = "3/0x06" }
    t.nr:expect_nothing{ ids = { NO_DISCARD }, text = "it is not forwarded" }
    session.data:expect_passing{ ids = { NO_DISCARD },
      text = "the flow of the session still passes" }
    session:send_create{ msn = session.msn }
    session:expect_create{ ids = { NO_DISCARD },
      text = "its MSN was not stored: a valid CREATE with the same MSN is processed" }
    session:respond():expect_response()
  end
end

local unknown = spoil.with({ type = UNKNOWN, raw = WORD })

cases[#cases + 1] = { id = "3.3-refresh-with-a-fault", roles = roles.firewall,
  needs = { "blocks_by_default" },
  purpose = "A refresh with a fault is answered and changes nothing: the flow passes, the MSN is not "
    .. "stored.",
  requirements = { REJECTED, NO_DISCARD },
  run = keeps("a refresh with an unknown object", { change = unknown }) }

cases[#cases + 1] = { id = "3.3-deletion-with-a-fault", roles = roles.firewall,
  needs = { "blocks_by_default" },
  purpose = "A deletion with a fault is answered and deletes nothing.",
  requirements = { REJECTED, NO_DISCARD },
  run = keeps("a deletion with an unknown object", { lifetime_s = 0, change = unknown }) }

return cases
