-- RFC 5973, sections 3.2.7 and 3.3: every fault that a RESPONSE or a NOTIFY can carry, one a case.
-- They are not answered, not passed on, and change nothing; the right message is processed afterwards.

local FIREWALL = { "NF-FW", "edge-FW" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")
local LT, EFI, INFO, MSN = 0x00C, 0x00F, 0x010, 0x012

local SILENT, NOT_PASSED, NOT_INSTALLED = "RFC5973-3.2.7-1", "RFC5973-3.3-i6", "RFC5973-3.7.1-7"
local WORD = "\0\0\0\7"
local EFI_OBJECT = { type = EFI, values = { rule_action = 1, sub_ports = 0 } }

local response_faults = {
  { "without-lt", "no NATFW_LT", spoil.without(LT) },
  { "without-msn", "no NATFW_MSN", spoil.without(MSN) },
  { "without-info", "no NATFW_INFO", spoil.without(INFO) },
  { "without-objects", "no objects at all", function(message) message.objects = {} end },
  { "with-efi", "a NATFW_EFI", spoil.with(EFI_OBJECT) },
  { "unknown", "an unknown object, AB=00", spoil.with({ type = 0x3F0, raw = WORD }) },
  { "lt-ab-11", "AB=11 on NATFW_LT", spoil.object(LT, "ab", 3) },
  { "unknown-ab-11", "AB=11 on an unknown object",
    spoil.with({ type = 0x3F0, ab = 3, raw = WORD }) },
  { "two-info", "NATFW_INFO twice", spoil.twice(INFO) },
  { "two-lt", "NATFW_LT twice", spoil.twice(LT) },
  { "two-msn", "NATFW_MSN twice", spoil.twice(MSN) },
  { "lt-long", "a NATFW_LT of two words", spoil.raw(LT, WORD .. WORD) },
  { "msn-empty", "a NATFW_MSN of no words", spoil.raw(MSN, "") },
  { "info-long", "a NATFW_INFO of two words", spoil.raw(INFO, "\2\1\0\0" .. WORD) },
  { "overrun", "a last object that runs past the end", spoil.object(INFO, "length", 2) },
}

local notify_faults = {
  { "without-info", "no NATFW_INFO", spoil.without(INFO) },
  { "with-lt", "a NATFW_LT", spoil.with({ type = LT, values = { lifetime_s = 60 } }) },
  { "with-msn", "a NATFW_MSN", spoil.with({ type = MSN, values = { msn = 1 } }) },
  { "unknown", "an unknown object, AB=00", spoil.with({ type = 0x3F0, raw = WORD }) },
  { "ab-11", "AB=11 on NATFW_INFO", spoil.object(INFO, "ab", 3) },
  { "two-info", "NATFW_INFO twice", spoil.twice(INFO) },
  { "info-empty", "a NATFW_INFO of no words", spoil.raw(INFO, "") },
  { "info-long", "a NATFW_INFO of two words", spoil.raw(INFO, "\1\5\0\0" .. WORD) },
  { "overrun", "a NATFW_INFO that runs past the end", spoil.object(INFO, "length", 2) },
}

local function wrong_response(change)
  return function(t)
    local session = t:session()
    session.forwarded = session:send_create():expect_create()
    t:blocked(session.data)
    t:body()
    session:respond({ change = change })
    t:nothing(t.nr, { SILENT }, "it is not answered")
    t:nothing(t.ni, { NOT_PASSED }, "it is not passed on")
    t:blocked(session.data, { NOT_INSTALLED }, "it installs nothing")
    t:control()
    session:respond():expect_response(nil, "the right RESPONSE is passed on")
    t:passes(session.data)
    session:send_create():expect_create()
  end
end

local function wrong_notify(change)
  return function(t)
    local session = t:session():establish()
    t:passes(session.data)
    t:body()
    local message = messages.notify(5)
    change(message)
    t.nr:send_nslp(session, message)
    t:nothing(t.nr, { SILENT }, "it is not answered")
    t:nothing(t.ni, { NOT_PASSED }, "it is not relayed")
    t:passes(session.data, { NOT_PASSED }, "it does not end the session")
    t:control()
    session.forwarded = session:send_create():expect_create(nil, "a refresh is still processed")
    session:respond():expect_response()
  end
end

local cases = {}

for _, fault in ipairs(response_faults) do
  cases[#cases + 1] = { id = "3.3-response-" .. fault[1], roles = FIREWALL,
    needs = { "blocks_by_default" },
    purpose = "A RESPONSE with " .. fault[2]
      .. " is not answered, not passed on and installs nothing.",
    requirements = { SILENT, NOT_PASSED, NOT_INSTALLED }, run = wrong_response(fault[3]) }
end

for _, fault in ipairs(notify_faults) do
  cases[#cases + 1] = { id = "3.3-notify-" .. fault[1], roles = FIREWALL,
    needs = { "blocks_by_default" },
    purpose = "A NOTIFY with " .. fault[2] .. " is not answered, not relayed and ends nothing.",
    requirements = { SILENT, NOT_PASSED }, run = wrong_notify(fault[3]) }
end

return cases
