-- RFC 5973, sections 3.3, 3.7.2 and 4.3.2: every fault that an EXTERNAL can carry, one a case. The
-- EXTERNAL comes from inside by the loose-end method (RFC 5971, 5.8.2). Each fault is answered by
-- its own code; what may be ignored is; a valid EXTERNAL is processed afterwards, which here means
-- that it is forwarded, or answered by anything but a protocol error: whether the IUT reserves is
-- not judged.

local faults = require("runner.faults")
local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local DTINFO = "NATFW_DTINFO"
local UNKNOWN = 0x3F0 -- no NSLP has registered it
local PROTOCOL_ERROR = 3
local WORD = "\0\0\0\7"
local LENGTH = "RFC5973-4.2.8-i4"

-- Several fields of the NATFW_DTINFO at once.
local function dtinfo(fields) return spoil.fields(DTINFO, fields) end

local function more(add)
  faults.of_requests(add)
  add("3/0x04", "without-nonce", "P set and no NATFW_NONCE", "NATFW_NONCE", spoil.header("p", 1),
    "RFC5973-4.3.2-i6")
  add("3/0x07", "dtinfo-of-one-word", "a NATFW_DTINFO of one word", DTINFO,
    spoil.raw(DTINFO, "\0\0\0\0"), LENGTH)
  add("3/0x07", "dtinfo-without-ports", "a NATFW_DTINFO with P set and no word of ports", DTINFO,
    spoil.raw(DTINFO, "\xC0\0\0\17" .. "\0\0\0\0"), "RFC5973-4.2.8-i10")
  add("3/0x07", "dtinfo-without-spi", "a NATFW_DTINFO with S set and no word of SPI", DTINFO,
    spoil.raw(DTINFO, "\xA0\0\0\50" .. "\0\0\0\0"), "RFC5973-4.2.8-i9")
  add("3/0x07", "dtinfo-with-ports", "a NATFW_DTINFO with P clear and a word too many", DTINFO,
    spoil.raw(DTINFO, "\x80\0\0\17" .. WORD .. "\0\0\0\0"), "RFC5973-4.2.8-i10")
  for _, length in ipairs({ 33, 255 }) do
    add("3/0x08", "sender-prefix-" .. length, "a sender prefix of " .. length, DTINFO,
      dtinfo({ sender_prefix = length, address = "192.0.2.77" }), "RFC5973-4.2.8-i11")
      .may_be_taken = true -- ruling A26
  end
  add("3/0x08", "binding-version-6", "IP-Ver 6 in NATFW_EXTERNAL_BINDING", "NATFW_EXTERNAL_BINDING",
    spoil.with({ type = "NATFW_EXTERNAL_BINDING", values = { port = 0, ip_ver = 6,
      addresses = { { address = "192.0.2.77" } } } })).may_be_taken = true -- ruling A16
  local both = add("3/0x09", "p-and-s", "P and S both set in NATFW_DTINFO", DTINFO,
    dtinfo({ s = 1, spi = 7 }))
  both.id, both.or_code = "RFC5973-4.2.8-3", "3/0x07" -- four words are one too many: ruling A22
  add("3/0x09", "p-without-i", "P set without I in NATFW_DTINFO", DTINFO,
    dtinfo({ i = 0, protocol = 0 })).id = "RFC5973-4.2.8-5"
  add("3/0x09", "s-without-i", "S set without I in NATFW_DTINFO", DTINFO,
    dtinfo({ i = 0, p = 0, s = 1, spi = 7, protocol = 0 })).id = "RFC5973-4.2.8-5"
end

local rows = faults.list({ has = { "lt", "msn", "efi", "dtinfo" },
  may_have = { "nonce", "icmp_types", "external_binding" },
  may_not_have = { "info", "external_ip" },
  missing = { lt = "RFC5973-4.3.2-i2", msn = "RFC5973-4.3.2-i3", efi = "RFC5973-4.3.2-i4",
    dtinfo = "RFC5973-4.3.2-i5" },
  illegal = "RFC5973-4.3.2-i13", add_more = more })

-- Where it is for a firewall, sections 3.7.2 and 3.8 know an EXTERNAL without it: rulings A03 and A27.
for _, row in ipairs(rows) do
  row.may_be_taken = row.may_be_taken or row.name == "without-dtinfo"
end

-- { id, what the EXTERNAL has, the change, requirement }
local ignored = {
  { "reserved-of-header", "reserved bits of the header set", spoil.header("reserved", 65535),
    "RFC5973-4.1-2b" },
  { "e-without-p", "E set without P", spoil.header("e", 1), "RFC5973-4.1-8" },
  { "unknown-ab-01", "an unknown object, AB=01", spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }),
    "RFC5973-4.2-i4" },
  { "unknown-ab-10", "an unknown object, AB=10", spoil.with({ type = UNKNOWN, ab = 2, raw = WORD }),
    "RFC5973-4.2-i5" },
  { "protocol-without-i", "a protocol in NATFW_DTINFO without I",
    dtinfo({ i = 0, p = 0, protocol = 17 }), "RFC5973-4.2.8-7c" },
}

-- The EXTERNAL that was sent is processed: it goes on, or is answered, but not as malformed.
local function expect_processed(t, session, ids, text)
  local at = t:await_message()
  if at == t.nr then
    return t.nr:expect{ message = "EXTERNAL", session = session, ids = ids, text = text }
  end
  local item = t.ni:expect{ message = "RESPONSE", session = session, ids = ids, text = text }
  t:check{ ids = ids, text = text .. ": not as malformed", expected = "any class but 3",
    actual = messages.summary(item), holds = item.class ~= PROTOCOL_ERROR }
end

local cases = faults.request_cases(rows, { prefix = "3.7.2-external-", article = "An EXTERNAL",
  external = true, roles = roles.firewall,
  valid = function(t, session)
    session:send_external()
    expect_processed(t, session, nil, "a valid EXTERNAL is processed")
  end })

for _, row in ipairs(ignored) do
  local name, what, change, id = row[1], row[2], row[3], row[4]
  cases[#cases + 1] = { id = "3.7.2-external-" .. name, roles = roles.firewall,
    purpose = "An EXTERNAL with " .. what .. " is not taken for malformed.",
    requirements = { id },
    run = function(t)
      local session = t:session{ external = true }:connect()
      t:body()
      session:send_external{ change = change }
      expect_processed(t, session, { id }, "an EXTERNAL with " .. what .. " is processed")
    end }
end

cases[#cases + 1] = { id = "3.7.2-external-without-dtinfo-at-a-nat", roles = roles.nat,
  purpose = "An EXTERNAL without NATFW_DTINFO is answered 7/0x07 by a NAT, or 3/0x04, as ruling A03 "
    .. "leaves it; one that has it is processed.",
  requirements = { "RFC5973-3.7.2-16" },
  run = function(t)
    local session = t:session{ external = true }:connect()
    t:body()
    session:send_external{ change = spoil.without(DTINFO) }
    local ids = { "RFC5973-3.7.2-16" }
    local info = session:expect_response{ ids = ids,
      text = "an EXTERNAL without NATFW_DTINFO is answered" }:info()
    t:check{ ids = ids, text = "class and code", expected = "7/0x07 or 3/0x04", actual = info,
      holds = info == "7/0x07" or info == "3/0x04" }
    t:reading{ of = "A03", ids = ids, seen = info, ours = "7/0x07" }
    t:control()
    session:send_external()
    expect_processed(t, session, nil, "a valid EXTERNAL is processed")
  end }

cases[#cases + 1] = { id = "3.7.2-external-reserved-of-dtinfo", roles = roles.firewall,
  purpose = "What becomes of an EXTERNAL with reserved bits of NATFW_DTINFO set, for which the text has "
    .. "no rule: it is processed, or refused; one without them is processed.",
  requirements = { "RFC5973-4.2.8-i4" },
  run = function(t)
    local session = t:session{ external = true }:connect()
    t:body()
    session:send_external{ change = dtinfo({ reserved = 0x1FFF }) }
    local at = t:await_message()
    local item = at and at:take{ within_ms = 0 }
    t:reading{ of = "A95", ids = { "RFC5973-4.2.8-i4" }, ours = "ignored",
      seen = item and item.class == PROTOCOL_ERROR and "refused" or "ignored" }
    session:send_external()
    expect_processed(t, session, { "RFC5973-4.2.8-i4" }, "an EXTERNAL without them is processed")
  end }

local EXTERNAL_SIDE = { "RFC5973-3.7.2-12" }

cases[#cases + 1] = { id = "3.7.2-external-on-external-side", roles = roles.nat,
  purpose = "An EXTERNAL that a NAT receives on its external side is answered 3/0x0B and not "
    .. "forwarded; one from inside is processed.",
  requirements = { EXTERNAL_SIDE[1], "RFC5973-3.3-i9" },
  run = function(t)
    t:signal_from(t.addresses.destination, "outside")
    local session = t:session{ flow = { loose_end = true, source = t.addresses.destination,
      destination = t.ixit.outside.gateway }, external = true }:connect()
    t:body()
    session:send_external()
    session:expect_error{ ids = EXTERNAL_SIDE, text = "an EXTERNAL from outside is answered",
      info = "3/0x0B" }
    t.ni:expect_nothing{ ids = { "RFC5973-3.3-i9" }, text = "by that one RESPONSE" }
    t:control()
    t:signal_from(t.addresses.ni)
    local valid = t:session{ external = true }:connect()
    valid:send_external()
    expect_processed(t, valid, nil, "an EXTERNAL from inside is processed")
  end }

return cases
