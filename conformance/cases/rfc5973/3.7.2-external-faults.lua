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
  end
  add("3/0x08", "binding-version-6", "IP-Ver 6 in NATFW_EXTERNAL_BINDING", "NATFW_EXTERNAL_BINDING",
    spoil.with({ type = "NATFW_EXTERNAL_BINDING", values = { port = 0, ip_ver = 6,
      addresses = { { address = "192.0.2.77" } } } }))
  add("3/0x09", "p-and-s", "P and S both set in NATFW_DTINFO", DTINFO, dtinfo({ s = 1, spi = 7 }))
    .id = "RFC5973-4.2.8-3"
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

-- { id, what the EXTERNAL has, the change, requirement }
local ignored = {
  { "reserved-of-header", "reserved bits of the header set", spoil.header("reserved", 65535),
    "RFC5973-4.1-2b" },
  { "e-without-p", "E set without P", spoil.header("e", 1), "RFC5973-4.1-8" },
  { "unknown-ab-01", "an unknown object, AB=01", spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }),
    "RFC5973-4.2-i4" },
  { "unknown-ab-10", "an unknown object, AB=10", spoil.with({ type = UNKNOWN, ab = 2, raw = WORD }),
    "RFC5973-4.2-i5" },
  { "reserved-of-dtinfo", "reserved bits of NATFW_DTINFO set", dtinfo({ reserved = 0x1FFF }),
    "RFC5973-3.3-i3" },
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
  purpose = "An EXTERNAL without NATFW_DTINFO is answered 7/0x07 by a NAT; one that has it is "
    .. "processed.",
  requirements = { "RFC5973-3.7.2-16" },
  run = function(t)
    local session = t:session{ external = true }:connect()
    t:body()
    session:send_external{ change = spoil.without(DTINFO) }
    session:expect_error{ ids = { "RFC5973-3.7.2-16" },
      text = "an EXTERNAL without NATFW_DTINFO is answered", info = "7/0x07" }
    t:control()
    session:send_external()
    expect_processed(t, session, nil, "a valid EXTERNAL is processed")
  end }

local EXTERNAL_SIDE = { "RFC5973-3.7.2-12" }

cases[#cases + 1] = { id = "3.7.2-external-on-external-side", roles = roles.nat,
  purpose = "An EXTERNAL that a NAT receives on its external side is answered 3/0x0B and not "
    .. "forwarded; one from inside is processed.",
  requirements = EXTERNAL_SIDE,
  run = function(t)
    t:signal_from(t.addresses.destination, "outside")
    local session = t:session{ flow = { loose_end = true, source = t.addresses.destination,
      destination = t.ixit.outside.gateway }, external = true }:connect()
    t:body()
    session:send_external()
    session:expect_error{ ids = EXTERNAL_SIDE, text = "an EXTERNAL from outside is answered",
      info = "3/0x0B" }
    t.ni:expect_nothing{ ids = EXTERNAL_SIDE, text = "by that one RESPONSE" }
    t:control()
    t:signal_from(t.addresses.ni)
    local valid = t:session{ external = true }:connect()
    valid:send_external()
    expect_processed(t, valid, nil, "an EXTERNAL from inside is processed")
  end }

return cases
