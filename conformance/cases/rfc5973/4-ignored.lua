-- RFC 5973, sections 4.1 to 4.3: what a receiver has to ignore, one a case: the message is processed
-- as if it were not there. And what it may.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local UNKNOWN = 0x3F0 -- no NSLP has registered it
local WORD = "\1\2\3\4"

local function unknown_of(item)
  local object = item:object(UNKNOWN)
  if not object then return "none" end
  return object.raw == WORD and object.ab == 2 and "unchanged" or "changed"
end

-- A CREATE that is forwarded all the same; `kept` says what becomes of an unknown object.
local function create(ids, change, kept)
  return function(t)
    local session = t:session():connect()
    t:body()
    session:send_create{ change = change }:expect_create{ ids = ids,
      text = "the CREATE is forwarded" }
    t:check{ ids = ids, text = "with the lifetime that it asks for",
      expected = t.ixit.lifetime.usual_s, actual = session.forwarded.lifetime_s }
    t:check{ ids = ids, text = "its unknown object", expected = kept or "none",
      actual = unknown_of(session.forwarded) }
    session:respond():expect_response{ ids = ids }
    session.data:expect_passing{ ids = ids }
  end
end

-- A CREATE that the text lets be refused: what is done about it is a reading; without it, it is taken.
local function left_open(ruling)
  return function(ids, change)
    return function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ change = change }
      local at = t:await_message()
      t:reading{ of = ruling, ids = ids, ours = "ignored", seen = at == t.nr and "ignored"
        or "refused with " .. (at and at:take{ within_ms = 0 }:info() or "silence") }
      if at == t.nr then
        session:expect_create()
        session:respond():expect_response()
      end
      session:send_create():expect_create{ ids = ids, text = "a CREATE without it is forwarded" }
      session:respond():expect_response{ ids = ids }
      session.data:expect_passing{ ids = ids }
    end
  end
end

local function response(ids, change, kept)
  return function(t)
    local session = t:session()
    session:send_create():expect_create()
    t:body()
    session:respond{ change = change }
    local item = session:expect_response{ ids = ids, text = "the RESPONSE is passed on" }
    t:check{ ids = ids, text = "as a success", expected = "2/0x01", actual = item:info() }
    t:check{ ids = ids, text = "its unknown object", expected = kept or "none",
      actual = unknown_of(item) }
    session.data:expect_passing{ ids = ids }
  end
end

local function notify(ids, change, kept)
  return function(t)
    local session = t:session():establish()
    local other = t:session():establish()
    session.data:expect_passing()
    other.data:expect_passing()
    t:body()
    local message = messages.notify("1/0x05")
    change(message)
    t.nr:send_nslp(session, message)
    local moment = t:now()
    local item = t.ni:expect{ message = "NOTIFY", session = session, ids = ids,
      text = "the NOTIFY is relayed" }
    t:check{ ids = ids, text = "unchanged", expected = "1/0x05", actual = item:info() }
    t:check{ ids = ids, text = "its unknown object", expected = kept or "none",
      actual = unknown_of(item) }
    session.data:expect_stop{ ids = ids, text = "running flow stops at the NOTIFY", at_ms = moment }
    t:control()
    other.data:expect_passing()
  end
end

-- { id, the requirement, what the purpose says, how it runs, the change, what is kept }
local rows = {
  { "create-reserved-flags", "RFC5973-4.1-2b", "reserved flags set in a CREATE's header", create,
    spoil.header("reserved_flags", 63) },
  { "create-reserved-field", "RFC5973-4.1-2b", "the reserved field set in a CREATE's header", create,
    spoil.header("reserved", 65535) },
  { "create-known-ab-01", "RFC5973-4.2-i3", "AB=01 on a known object of a CREATE", left_open("A09"),
    spoil.object("NATFW_LT", "ab", 1) },
  { "create-known-ab-10", "RFC5973-4.2-i3", "AB=10 on a known object of a CREATE", left_open("A09"),
    spoil.object("NATFW_EFI", "ab", 2) },
  { "create-unneeded-nonce", "RFC5973-4.3-1b", "a NATFW_NONCE in a CREATE without P", create,
    spoil.with({ type = "NATFW_NONCE", values = { nonce = 7 } }) },
  { "create-objects-reversed", "RFC5973-4.3-i1", "another order of a CREATE's objects", create,
    spoil.order({ 3, 2, 1 }) },
  { "create-empty-unknown", "RFC5973-4.2-i4", "an unknown object without a value, AB=01", create,
    spoil.with({ type = UNKNOWN, ab = 1, raw = "" }) },
  { "create-unknown-first", "RFC5973-4.2-i4", "an unknown object, AB=01, before all others", create,
    spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }, 1) },
  { "create-forward-unknown-first", "RFC5973-4.2-i5",
    "an unknown object, AB=10, before all others", create,
    spoil.with({ type = UNKNOWN, ab = 2, raw = WORD }, 1),
    "unchanged" },
  { "response-reserved-flags", "RFC5973-4.1-2b", "reserved flags set in a RESPONSE's header",
    response, spoil.header("reserved_flags", 63) },
  { "response-unknown", "RFC5973-4.2-i4", "an unknown object, AB=01, in a RESPONSE", response,
    spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }) },
  { "response-forward-unknown", "RFC5973-4.2-i5", "an unknown object, AB=10, in a RESPONSE",
    response, spoil.with({ type = UNKNOWN, ab = 2, raw = WORD }), "unchanged" },
  { "response-objects-reversed", "RFC5973-4.3-i1", "another order of a RESPONSE's objects", response,
    spoil.order({ 3, 2, 1 }) },
  { "notify-reserved-flags", "RFC5973-4.1-2b", "reserved flags set in a NOTIFY's header", notify,
    spoil.header("reserved_flags", 63) },
  { "notify-p-flag", "RFC5973-4.1-6", "P set in a NOTIFY", notify, spoil.header("p", 1) },
  { "notify-e-flag", "RFC5973-4.1-10", "E set in a NOTIFY", notify, spoil.header("e", 1) },
  { "notify-info-reserved", "RFC5973-4.2.5-1b", "reserved bits set in a NOTIFY's NATFW_INFO", notify,
    spoil.fields("NATFW_INFO", { reserved = 15, reserved_r = 15 }) },
  { "notify-unknown", "RFC5973-4.2-i4", "an unknown object, AB=01, in a NOTIFY", notify,
    spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }) },
  { "notify-forward-unknown", "RFC5973-4.2-i5", "an unknown object, AB=10, in a NOTIFY", notify,
    spoil.with({ type = UNKNOWN, ab = 2, raw = WORD }), "unchanged" },
  { "create-object-reserved", "RFC5973-4.2-i1", "reserved bits set in an object's header",
    left_open("A95"),
    spoil.all(spoil.object("NATFW_LT", "reserved", 3),
      spoil.object("NATFW_MSN", "reserved_length", 15)) },
}

local cases = {}
for _, row in ipairs(rows) do
  local outcome = row[6] and " is kept unchanged where the message goes on."
    or row[2]:find("4.2%-i[13]$") and " is ignored, or the CREATE refused, as the text leaves it."
    or " is ignored."
  cases[#cases + 1] = { id = "4-" .. row[1], roles = roles.firewall, needs = { "blocks_by_default" },
    purpose = row[3]:sub(1, 1):upper() .. row[3]:sub(2) .. outcome,
    requirements = { row[2] }, run = row[4]({ row[2] }, row[5], row[6]) }
end
return cases
