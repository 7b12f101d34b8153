-- RFC 5973, sections 3.3 and 4.2.5: every fault that a CREATE can carry, one a case. Each is answered
-- by its own code and not processed; a right CREATE is processed afterwards.

local FIREWALL = { "NF-FW", "edge-FW" }
local FIREWALL_AND_RESPONDER = { "NF-FW", "edge-FW", "NR" }
local spoil = require("runner.spoil")
local LT, EXTERNAL_IP, BINDING, EFI, INFO, NONCE, MSN, DTINFO, ICMP_TYPES = 0x00C, 0x00D, 0x00E,
  0x00F, 0x010, 0x011, 0x012, 0x013, 0x014

local NO_DISCARD, OBJECT_TYPE = "RFC5973-3.3-i9", "RFC5973-4.2.5-i5"
local WORD = "\0\0\0\7"

local nonce = { type = NONCE, values = { nonce = 7 } }
local icmp = { type = ICMP_TYPES, values = { types = { 8 } } }

-- { what the CREATE has, id, its code, the object at fault (nil: not looked at), the change,
--   requirements beside those of its kind }
local kinds = {
  {
    code = "3/0x01", ids = { "RFC5973-4.1-3" }, faults = {
      { "type-0", "message type 0", nil, spoil.header("type", 0) },
      { "type-5", "message type 5", nil, spoil.header("type", 5) },
      { "type-255", "message type 255", nil, spoil.header("type", 255) },
    },
  },
  {
    code = "3/0x04", ids = { "RFC5973-4.3-2" }, faults = {
      { "without-lt", "no NATFW_LT", LT, spoil.without(LT), "RFC5973-4.3.1-i3" },
      { "without-efi", "no NATFW_EFI", EFI, spoil.without(EFI), "RFC5973-4.3.1-i4" },
      { "without-msn", "no NATFW_MSN", MSN, spoil.without(MSN), "RFC5973-4.3.1-i5" },
      { "without-nonce", "P set and no NATFW_NONCE", NONCE, spoil.header("p", 1),
        "RFC5973-4.3.1-i6" },
      { "without-objects", "no objects at all", nil,
        function(message) message.objects = {} end },
    },
  },
  {
    code = "3/0x05", ids = { "RFC5973-4.3-3" }, faults = {
      { "with-info", "a NATFW_INFO", INFO,
        spoil.with({ type = INFO, values = { class = 2, code = 1 } }) },
      { "with-external-ip", "a NATFW_EXTERNAL_IP", EXTERNAL_IP,
        spoil.with({ type = EXTERNAL_IP, values = { port = 0, address = "192.0.2.77" } }),
        "RFC5973-4.2.2-i1" },
      { "with-external-binding", "a NATFW_EXTERNAL_BINDING", BINDING,
        spoil.with({ type = BINDING, values = { port = 0,
          addresses = { { address = "192.0.2.77" } } } }) },
      { "with-dtinfo", "a NATFW_DTINFO", DTINFO, spoil.with({ type = DTINFO, values = { i = 0,
        p = 0, s = 0, sender_prefix = 0, protocol = 0, address = "0.0.0.0" } }) },
    },
  },
  {
    code = "3/0x06", ids = { "RFC5973-4.2-2" }, faults = {
      { "unknown-0x3f0", "an unknown object of type 0x3F0, AB=00", 0x3F0,
        spoil.with({ type = 0x3F0, raw = WORD }) },
      { "unknown-0x015", "an unknown object of the type after the last known, AB=00", 0x015,
        spoil.with({ type = 0x015, raw = WORD }) },
      { "unknown-0xfff", "an unknown object of the last type, AB=00", 0xFFF,
        spoil.with({ type = 0xFFF, raw = WORD }) },
      { "unknown-empty", "an unknown object without a value, AB=00", 0x3F0,
        spoil.with({ type = 0x3F0, raw = "" }) },
    },
  },
  {
    code = "3/0x07", ids = { "RFC5973-4.2-1" }, faults = {
      { "lt-empty", "a NATFW_LT of no words", LT, spoil.raw(LT, ""), "RFC5973-4.2.1-i3" },
      { "lt-long", "a NATFW_LT of two words", LT, spoil.raw(LT, WORD .. WORD),
        "RFC5973-4.2.1-i3" },
      { "efi-empty", "a NATFW_EFI of no words", EFI, spoil.raw(EFI, ""), "RFC5973-4.2.4-i3" },
      { "efi-long", "a NATFW_EFI of two words", EFI, spoil.raw(EFI, "\0\1\0\0" .. WORD),
        "RFC5973-4.2.4-i3" },
      { "msn-empty", "a NATFW_MSN of no words", MSN, spoil.raw(MSN, ""), "RFC5973-4.2.7-i3" },
      { "msn-long", "a NATFW_MSN of two words", MSN, spoil.raw(MSN, WORD .. WORD),
        "RFC5973-4.2.7-i3" },
      { "nonce-empty", "a NATFW_NONCE of no words", NONCE,
        spoil.with({ type = NONCE, raw = "" }), "RFC5973-4.2.6-i3" },
      { "nonce-long", "a NATFW_NONCE of two words", NONCE,
        spoil.with({ type = NONCE, raw = WORD .. WORD }), "RFC5973-4.2.6-i3" },
      { "icmp-types-empty", "a NATFW_ICMP_TYPES of no words", ICMP_TYPES,
        spoil.with({ type = ICMP_TYPES, raw = "" }), "RFC5973-4.2.9-i3" },
      { "icmp-types-long", "a NATFW_ICMP_TYPES longer than its count", ICMP_TYPES,
        spoil.with({ type = ICMP_TYPES, raw = "\1\8\0\0" .. WORD }), "RFC5973-4.2.9-i3" },
      { "icmp-types-short", "a NATFW_ICMP_TYPES shorter than its count", ICMP_TYPES,
        spoil.with({ type = ICMP_TYPES, raw = "\9\8\0\0" }), "RFC5973-4.2.9-i3" },
      { "overrun-by-a-word", "a last object that runs one word past the end", MSN,
        spoil.object(MSN, "length", 2) },
      { "overrun-by-far", "a last object that runs far past the end", nil,
        spoil.object(MSN, "length", 4095) },
      { "overrun-of-an-unknown", "an unknown object, AB=01, that runs past the end", nil,
        spoil.all(spoil.with({ type = 0x3F0, ab = 1, raw = WORD }),
          spoil.object(0x3F0, "length", 9)) },
      { "overrun-of-variable-length", "a NATFW_ICMP_TYPES that runs past the end", ICMP_TYPES,
        spoil.all(spoil.with(icmp), spoil.object(ICMP_TYPES, "length", 2)) },
    },
  },
  {
    code = "3/0x08", ids = { "RFC5973-4.2.5-i29" }, faults = {
      { "icmp-types-none", "a NATFW_ICMP_TYPES with a count of zero", ICMP_TYPES,
        spoil.with({ type = ICMP_TYPES, raw = "\0\0\0\0" }) },
    },
  },
  {
    code = "3/0x09", ids = { "RFC5973-4.2-3b" }, faults = {
      { "lt-ab-11", "AB=11 on NATFW_LT", LT, spoil.object(LT, "ab", 3) },
      { "efi-ab-11", "AB=11 on NATFW_EFI", EFI, spoil.object(EFI, "ab", 3) },
      { "msn-ab-11", "AB=11 on NATFW_MSN", MSN, spoil.object(MSN, "ab", 3) },
      { "nonce-ab-11", "AB=11 on NATFW_NONCE", NONCE,
        spoil.with({ type = NONCE, ab = 3, values = { nonce = 7 } }) },
      { "unknown-ab-11", "AB=11 on an unknown object", 0x3F0,
        spoil.with({ type = 0x3F0, ab = 3, raw = WORD }) },
    },
  },
  {
    code = "3/0x0A", ids = { "RFC5973-4.3-4" }, faults = {
      { "two-lt", "NATFW_LT twice", LT, spoil.twice(LT) },
      { "two-efi", "NATFW_EFI twice", EFI, spoil.twice(EFI) },
      { "two-msn", "NATFW_MSN twice", MSN, spoil.twice(MSN) },
      { "two-nonce", "NATFW_NONCE twice", NONCE, spoil.all(spoil.with(nonce), spoil.with(nonce)) },
      { "two-icmp-types", "NATFW_ICMP_TYPES twice", ICMP_TYPES,
        spoil.all(spoil.with(icmp), spoil.with(icmp)) },
    },
  },
  {
    code = "7/0x05", ids = { "RFC5973-4.2.4-3" }, faults = {
      { "rule-action-0", "rule action 0", EFI, spoil.value(EFI, "rule_action", 0) },
      { "rule-action-3", "rule action 3", EFI, spoil.value(EFI, "rule_action", 3) },
      { "rule-action-0xffff", "rule action 0xFFFF", EFI, spoil.value(EFI, "rule_action", 65535) },
    },
  },
  {
    code = "7/0x08", ids = { "RFC5973-4.2.4-4b" }, faults = {
      { "sub-ports-2", "sub_ports 2", EFI, spoil.value(EFI, "sub_ports", 2) },
      { "sub-ports-0xffff", "sub_ports 0xFFFF", EFI, spoil.value(EFI, "sub_ports", 65535) },
    },
  },
}

local function run(kind, what, ids, object, change)
  return function(t)
    local session = t:session():connect()
    t:body()
    session:send_create({ change = change })
    local response = session:expect_response(ids, "a CREATE with " .. what .. " is answered")
    t:check(ids, "class and code", kind.code, spoil.code_of(response))
    if object then
      t:check({ OBJECT_TYPE }, "its Object Type is that of the object at fault",
        string.format("0x%03X", object), string.format("0x%03X", response.object_type or 0))
    end
    if not t:judges_responder() then
      t:nothing(t.nr, { NO_DISCARD }, "it is not forwarded")
    end
    t:nothing(t.ni, { NO_DISCARD }, "it is answered by that one RESPONSE")
    t:control()
    session:send_create():expect_accepted(nil, "a right CREATE is processed")
  end
end

local cases = {}

for _, kind in ipairs(kinds) do
  for _, fault in ipairs(kind.faults) do
    local name, what, object, change, also = fault[1], fault[2], fault[3], fault[4], fault[5]
    local ids = { kind.ids[1], also }
    local requirements = { kind.ids[1], NO_DISCARD, also }
    if object then table.insert(requirements, OBJECT_TYPE) end
    cases[#cases + 1] = { id = "3.3-create-" .. name, roles = FIREWALL_AND_RESPONDER,
      purpose = "A CREATE with " .. what .. " is answered " .. kind.code .. " and not forwarded.",
      requirements = requirements, run = run(kind, what, ids, object, change) }
  end
end

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
