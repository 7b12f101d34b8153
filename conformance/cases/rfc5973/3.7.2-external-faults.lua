-- RFC 5973, sections 3.3, 3.7.2 and 4.3.2: every fault that an EXTERNAL can carry, one a case. The
-- EXTERNAL comes from inside by the loose-end method (RFC 5971, 5.8.2). Each fault is answered by its
-- own code; what may be ignored is; a right EXTERNAL is processed afterwards, which here means that it
-- is forwarded, or answered by anything but a protocol error: whether the IUT reserves is not judged.

local FIREWALL = { "NF-FW", "edge-FW" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")
local LT, EXTERNAL_IP, EFI, INFO, NONCE, MSN, DTINFO, ICMP_TYPES = 0x00C, 0x00D, 0x00F, 0x010, 0x011,
  0x012, 0x013, 0x014

local NO_DISCARD, OBJECT_TYPE = "RFC5973-3.3-i9", "RFC5973-4.2.5-i5"
local PROTOCOL_ERROR = 3
local WORD = "\0\0\0\7"

local nonce = { type = NONCE, values = { nonce = 7 } }
local icmp = { type = ICMP_TYPES, values = { types = { 8 } } }

-- Several fields of the NATFW_DTINFO at once.
local function dtinfo(fields)
  return function(message)
    local values = spoil.find(message, DTINFO).values
    for key, value in pairs(fields) do values[key] = value end
  end
end

-- Rows as in 3.3-create-faults.lua: { id, what the EXTERNAL has, the object at fault (nil: not
-- looked at), the change, a requirement beside those of its kind }
local kinds = {
  {
    code = "3/0x04", ids = { "RFC5973-4.3-2" }, faults = {
      { "without-dtinfo", "no NATFW_DTINFO", DTINFO, spoil.without(DTINFO) },
      { "without-lt", "no NATFW_LT", LT, spoil.without(LT), "RFC5973-4.3.2-i2" },
      { "without-msn", "no NATFW_MSN", MSN, spoil.without(MSN), "RFC5973-4.3.2-i3" },
      { "without-efi", "no NATFW_EFI", EFI, spoil.without(EFI), "RFC5973-4.3.2-i4" },
      { "without-nonce", "P set and no NATFW_NONCE", NONCE, spoil.header("p", 1),
        "RFC5973-4.3.2-i6" },
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
    },
  },
  {
    code = "3/0x06", ids = { "RFC5973-4.2-2" }, faults = {
      { "unknown-0x3f0", "an unknown object of type 0x3F0, AB=00", 0x3F0,
        spoil.with({ type = 0x3F0, raw = WORD }) },
      { "unknown-empty", "an unknown object without a value, AB=00", 0x3F0,
        spoil.with({ type = 0x3F0, raw = "" }) },
    },
  },
  {
    code = "3/0x07", ids = { "RFC5973-4.2-1" }, faults = {
      { "dtinfo-empty", "a NATFW_DTINFO of no words", DTINFO, spoil.raw(DTINFO, ""),
        "RFC5973-4.2.8-i4" },
      { "dtinfo-of-one-word", "a NATFW_DTINFO of one word", DTINFO, spoil.raw(DTINFO, "\0\0\0\0"),
        "RFC5973-4.2.8-i4" },
      { "dtinfo-without-ports", "a NATFW_DTINFO with P set and no word of ports", DTINFO,
        spoil.raw(DTINFO, "\xC0\0\0\17" .. "\0\0\0\0"), "RFC5973-4.2.8-i10" },
      { "dtinfo-without-spi", "a NATFW_DTINFO with S set and no word of SPI", DTINFO,
        spoil.raw(DTINFO, "\xA0\0\0\50" .. "\0\0\0\0"), "RFC5973-4.2.8-i9" },
      { "dtinfo-with-ports", "a NATFW_DTINFO with P clear and a word too many", DTINFO,
        spoil.raw(DTINFO, "\x80\0\0\17" .. WORD .. "\0\0\0\0"), "RFC5973-4.2.8-i10" },
      { "dtinfo-long", "a NATFW_DTINFO of four words", DTINFO,
        spoil.raw(DTINFO, "\xC0\0\0\17" .. WORD .. "\0\0\0\0" .. WORD), "RFC5973-4.2.8-i4" },
      { "lt-empty", "a NATFW_LT of no words", LT, spoil.raw(LT, ""), "RFC5973-4.2.1-i3" },
      { "msn-long", "a NATFW_MSN of two words", MSN, spoil.raw(MSN, WORD .. WORD),
        "RFC5973-4.2.7-i3" },
      { "efi-empty", "a NATFW_EFI of no words", EFI, spoil.raw(EFI, ""), "RFC5973-4.2.4-i3" },
      { "overrun", "a last object that runs past the end", DTINFO,
        spoil.object(DTINFO, "length", 4) },
    },
  },
  {
    code = "3/0x08", ids = { "RFC5973-4.2.5-i29" }, faults = {
      { "sender-prefix-33", "a sender prefix of 33", DTINFO,
        dtinfo({ sender_prefix = 33, address = "192.0.2.77" }), "RFC5973-4.2.8-i11" },
      { "sender-prefix-255", "a sender prefix of 255", DTINFO,
        dtinfo({ sender_prefix = 255, address = "192.0.2.77" }), "RFC5973-4.2.8-i11" },
      { "icmp-types-none", "a NATFW_ICMP_TYPES with a count of zero", ICMP_TYPES,
        spoil.with({ type = ICMP_TYPES, raw = "\0\0\0\0" }) },
    },
  },
  {
    code = "3/0x09", ids = { "RFC5973-4.2.8-3" }, faults = {
      { "p-and-s", "P and S both set in NATFW_DTINFO", DTINFO, dtinfo({ s = 1, spi = 7 }) },
    },
  },
  {
    code = "3/0x09", ids = { "RFC5973-4.2.8-5" }, faults = {
      { "p-without-i", "P set without I in NATFW_DTINFO", DTINFO, dtinfo({ i = 0, protocol = 0 }) },
      { "s-without-i", "S set without I in NATFW_DTINFO", DTINFO,
        dtinfo({ i = 0, p = 0, s = 1, spi = 7, protocol = 0 }) },
    },
  },
  {
    code = "3/0x09", ids = { "RFC5973-4.2-3b" }, faults = {
      { "dtinfo-ab-11", "AB=11 on NATFW_DTINFO", DTINFO, spoil.object(DTINFO, "ab", 3) },
      { "lt-ab-11", "AB=11 on NATFW_LT", LT, spoil.object(LT, "ab", 3) },
      { "unknown-ab-11", "AB=11 on an unknown object", 0x3F0,
        spoil.with({ type = 0x3F0, ab = 3, raw = WORD }) },
    },
  },
  {
    code = "3/0x0A", ids = { "RFC5973-4.3-4" }, faults = {
      { "two-dtinfo", "NATFW_DTINFO twice", DTINFO, spoil.twice(DTINFO) },
      { "two-lt", "NATFW_LT twice", LT, spoil.twice(LT) },
      { "two-msn", "NATFW_MSN twice", MSN, spoil.twice(MSN) },
      { "two-efi", "NATFW_EFI twice", EFI, spoil.twice(EFI) },
      { "two-nonce", "NATFW_NONCE twice", NONCE, spoil.all(spoil.with(nonce), spoil.with(nonce)) },
      { "two-icmp-types", "NATFW_ICMP_TYPES twice", ICMP_TYPES,
        spoil.all(spoil.with(icmp), spoil.with(icmp)) },
    },
  },
  {
    code = "7/0x05", ids = { "RFC5973-4.2.4-3" }, faults = {
      { "rule-action-0", "rule action 0", EFI, spoil.value(EFI, "rule_action", 0) },
      { "rule-action-3", "rule action 3", EFI, spoil.value(EFI, "rule_action", 3) },
    },
  },
  {
    code = "7/0x08", ids = { "RFC5973-4.2.4-4b" }, faults = {
      { "sub-ports-2", "sub_ports 2", EFI, spoil.value(EFI, "sub_ports", 2) },
    },
  },
}

-- { id, what the EXTERNAL has, the change, requirement }
local ignored = {
  { "reserved-of-header", "reserved bits of the header set", spoil.header("reserved", 65535),
    "RFC5973-4.1-2b" },
  { "e-without-p", "E set without P", spoil.header("e", 1), "RFC5973-4.1-8" },
  { "unknown-ab-01", "an unknown object, AB=01", spoil.with({ type = 0x3F0, ab = 1, raw = WORD }),
    "RFC5973-4.2-i4" },
  { "unknown-ab-10", "an unknown object, AB=10", spoil.with({ type = 0x3F0, ab = 2, raw = WORD }),
    "RFC5973-4.2-i5" },
  { "reserved-of-dtinfo", "reserved bits of NATFW_DTINFO set", dtinfo({ reserved = 0x1FFF }),
    "RFC5973-3.3-i3" },
  { "protocol-without-i", "a protocol in NATFW_DTINFO without I",
    dtinfo({ i = 0, p = 0, protocol = 17 }), "RFC5973-4.2.8-7c" },
}

-- The EXTERNAL that was sent is processed: it goes on, or is answered, but not as malformed.
local function expect_processed(t, session, ids, text)
  local response
  local done = t:await(t.ixit.timing.response_ms, function()
    response = t.ni.inbox[1]
    return response or t.nr.inbox[1]
  end)
  if done and not response then return t:expect(t.nr, "EXTERNAL", session, ids, text) end
  local item = t:expect(t.ni, "RESPONSE", session, ids, text)
  t:check(ids, text .. ": not as malformed", "any class but 3", messages.summary(item),
    item.class ~= PROTOCOL_ERROR)
end

local function run(kind, what, ids, object, change)
  return function(t)
    local session = t:session({ external = true }):connect()
    t:body()
    session:send_external({ change = change })
    local response = session:expect_response(ids, "an EXTERNAL with " .. what .. " is answered")
    t:check(ids, "class and code", kind.code, spoil.code_of(response))
    if object then
      t:check({ OBJECT_TYPE }, "its Object Type is that of the object at fault",
        string.format("0x%03X", object), string.format("0x%03X", response.object_type or 0))
    end
    t:nothing(t.ni, { NO_DISCARD }, "it is answered by that one RESPONSE")
    t:check({ NO_DISCARD }, "it is not forwarded", 0, #t.nr.inbox)
    t:control()
    session:send_external()
    expect_processed(t, session, nil, "a right EXTERNAL is processed")
  end
end

local cases = {}

for _, kind in ipairs(kinds) do
  for _, fault in ipairs(kind.faults) do
    local name, what, object, change, also = fault[1], fault[2], fault[3], fault[4], fault[5]
    local requirements = { kind.ids[1], NO_DISCARD, also }
    if object then table.insert(requirements, OBJECT_TYPE) end
    cases[#cases + 1] = { id = "3.7.2-external-" .. name, roles = FIREWALL,
      purpose = "An EXTERNAL with " .. what .. " is answered " .. kind.code
        .. " and not forwarded.",
      requirements = requirements,
      run = run(kind, what, { kind.ids[1], also }, object, change) }
  end
end

for _, row in ipairs(ignored) do
  local name, what, change, id = row[1], row[2], row[3], row[4]
  cases[#cases + 1] = { id = "3.7.2-external-" .. name, roles = FIREWALL,
    purpose = "An EXTERNAL with " .. what .. " is not taken for malformed.",
    requirements = { id },
    run = function(t)
      local session = t:session({ external = true }):connect()
      t:body()
      session:send_external({ change = change })
      expect_processed(t, session, { id }, "an EXTERNAL with " .. what .. " is processed")
    end }
end

return cases
