-- RFC 5971, section 5.6 and Appendix A: the errors that a Response can meet, one a case, at the
-- node that asked. The Response echoes session id and cookie: it is surely the one waited for.

local QUERIER = { "NF-FW", "edge-FW", "NI" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local MRI, SID, NLI, PROPOSAL, CONFIGURATION, RESPONDER_COOKIE, HELLO, ERROR =
  0, 1, 2, 3, 4, 6, 10, 9
local UNKNOWN = 0x3F0
local LENGTH_INFO, TYPE_INFO, VALUE_INFO = 1, 3, 4
local WORD = "\1\2\3\4"

local HEADER, QUOTES, NO_QUOTES, NLI_ID, INFO_ID, TO_NLI = "RFC5971-A.4.1-1a", "RFC5971-A.4.1-1b",
  "RFC5971-A.4.4.1-1", "RFC5971-5.1-18", "RFC5971-A.4.1-2a", "RFC5971-5.6-3"
local D_MODE = { "RFC5971-5.3.1-3", "RFC5971-5.3.1-5", "RFC5971-5.3.1-6a" }

local function hex(bytes)
  return bytes and (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
    or "none"
end

local function infos_of(failure, wanted)
  local found = {}
  for _, info in ipairs(failure.infos or {}) do
    if info.type == wanted then found[#found + 1] = info end
  end
  return found
end

-- The object that an Object Value Info quotes, by its type; nil for any other info.
local function quoted_type(info)
  if #info.value < 6 then return nil end
  return string.unpack(">I2", info.value, 5) & 0xFFF
end

local function check_infos(t, row, session, failure)
  local found = infos_of(failure, row.info)
  local wanted = row.objects and #row.objects or 1
  t:check({ INFO_ID }, "it has its Additional Information, type " .. row.info, wanted, #found,
    #found >= wanted)
  if row.info == LENGTH_INFO then
    t:check({ INFO_ID }, "with the length that the objects add up to",
      (#session.responding.sent.gist.bytes - 8) // 4, (string.unpack(">I2", found[1].value)))
  end
  for place, object in ipairs(row.objects or {}) do
    local named = row.info == TYPE_INFO and (string.unpack(">I2", found[place].value))
      or quoted_type(found[place])
    t:check(row.order and { INFO_ID, row.order } or { INFO_ID }, "info " .. place
      .. " is about the object at fault", object, named)
  end
end

-- The session id and MRI that the Error quotes, and those that were sent.
local function check_quotes(t, row, session, failure)
  local by_type = session.responding.sent.gist.by_type
  local is = (failure.s == 1 and hex(failure.original_sid) or "none") .. " "
    .. (failure.m == 1 and hex(failure.original_mri) or "none")
  if row.quotes then
    t:check({ QUOTES }, "it quotes session id and MRI",
      hex(by_type[SID].raw) .. " " .. hex(by_type[MRI].raw), is)
  elseif row.quotes == false then
    t:check({ NO_QUOTES }, "without session id and MRI", "none none", is)
  end
end

local function run(row)
  return function(t)
    local session = t:outbound_session()
    t:body()
    t.nr.change_response = row.change
    session:begin()
    local item = t:expect(t.nr, "GIST Error", nil, row.ids, "the Response is answered by an Error")
    local failure = item.gist.by_type[ERROR].values
    t:check(row.ids, "error and subcode", row.error, item.code .. "/" .. item.subcode)
    t:check(row.ids, "its class is Protocol-Error", 2, failure.class)
    t:check(row.ids, "and the Response is dropped: no association is opened", 0,
      #t.nr.associations)
    t:check({ TO_NLI }, "it comes to the address in the Response's NLI", t.nr.address,
      item.packet.destination)
    t:check({ NLI_ID }, "in D-mode it has the sender's NLI", "there",
      item.gist.by_type[NLI] and "there" or "missing")
    t:check({ D_MODE[1], D_MODE[2] }, "its port is that of the Response, its magic number GIST's",
      270, item.packet.destination_port)
    t:check({ D_MODE[3] }, "S is set", 1, item.gist.header.s)
    t:check({ HEADER }, "it quotes the common header",
      hex(session.responding.sent.gist.bytes:sub(3, 8)), hex(failure.original_header:sub(3, 8)))
    check_quotes(t, row, session, failure)
    if row.info then check_infos(t, row, session, failure) end
    t:control()
    t.nr.change_response = nil
    t:tolerate("GIST Error") -- of a Response that was sent again meanwhile
    session:expect_create(nil, "a right Response is taken, and the request comes")
  end
end

local function with(object) return spoil.with(object) end

local function mri(changes)
  return function(response)
    local fields = spoil.find(response, MRI).values
    for key, value in pairs(changes) do fields[key] = value end
  end
end

local LIST = "RFC5971-A.3.4-5"

local rows = {
  { "type-99", "an unknown message type", "1/1", { "RFC5971-A.4.4.1-i2" },
    spoil.header("type", 99), quotes = false },
  { "e-set", "E set", "1/4", { "RFC5971-A.1-4", "RFC5971-A.4.4.1-i6" }, spoil.header("e", 1),
    quotes = false },
  { "length-long", "a Message Length that is a word too long", "1/3", { "RFC5971-A.4.4.1-i4" },
    function(response)
      response.header.length = (#messages.encode_gist(response) - 8) // 4 + 1
    end, quotes = false, info = LENGTH_INFO },
  { "without-configuration", "a Stack-Proposal but no Stack-Configuration-Data", "9/2",
    { "RFC5971-5.1-2" }, spoil.without(CONFIGURATION), quotes = true, info = TYPE_INFO,
    objects = { CONFIGURATION } },
  { "without-responder-cookie", "a Stack-Proposal but no Responder-Cookie", "9/2",
    { "RFC5971-5.1-2" }, spoil.without(RESPONDER_COOKIE), quotes = true, info = TYPE_INFO,
    objects = { RESPONDER_COOKIE } },
  { "two-nli", "the NLI twice", "9/0", { "RFC5971-5.1-2" }, spoil.twice(NLI), quotes = true,
    info = TYPE_INFO, objects = { NLI } },
  { "two-configurations", "the Stack-Configuration-Data twice", "9/0", { "RFC5971-5.1-2" },
    spoil.twice(CONFIGURATION), quotes = true, info = TYPE_INFO, objects = { CONFIGURATION } },
  { "with-hello-id", "a Hello-ID", "9/3", { "RFC5971-5.1-2" },
    with({ type = HELLO, values = { hello_id = 1 } }), quotes = true, info = TYPE_INFO,
    objects = { HELLO } },
  { "unknown", "an unknown object, AB=00", "9/1", { "RFC5971-A.2.1-1" },
    with({ type = UNKNOWN, raw = WORD }), quotes = true, info = TYPE_INFO, objects = { UNKNOWN } },
  { "unknown-ab-11", "an unknown object, AB=11", "9/5", { "RFC5971-A.2.1-4" },
    with({ type = UNKNOWN, ab = 3, raw = WORD }), quotes = true, info = TYPE_INFO,
    objects = { UNKNOWN } },
  { "cookie-ab-11", "AB=11 on the Responder-Cookie", "9/5", { "RFC5971-A.2.1-4" },
    spoil.object(RESPONDER_COOKIE, "ab", 3), quotes = true, info = TYPE_INFO,
    objects = { RESPONDER_COOKIE } },
  { "proposal-short", "a Stack-Proposal with fewer profiles than it says", "10/0",
    { "RFC5971-A.2-1" }, spoil.raw(PROPOSAL, "\2\0\0\0\1\1\0\0"), quotes = true, info = VALUE_INFO,
    objects = { PROPOSAL } },
  { "no-profiles", "a Stack-Proposal without profiles", "10/1",
    { "RFC5971-A.3.4-1", "RFC5971-A.3.4-4a", LIST }, spoil.raw(PROPOSAL, "\0\0\0\0"), quotes = true,
    info = VALUE_INFO, objects = { PROPOSAL } },
  { "empty-profile", "a Stack-Proposal with an empty profile", "10/3",
    { "RFC5971-A.3.4-2", "RFC5971-A.3.4-4b", LIST }, spoil.raw(PROPOSAL, "\1\0\0\0\0\0\0\0"),
    quotes = true, info = VALUE_INFO, objects = { PROPOSAL } },
  { "unproposed-protocol", "options for a protocol that is not proposed", "10/5",
    { "RFC5971-5.7.1-2" }, spoil.value(CONFIGURATION, "options",
      { { protocol = 2, profile = 1, data = "" } }), quotes = true, info = VALUE_INFO,
    objects = { PROPOSAL, CONFIGURATION }, order = "RFC5971-A.4.4.10-1" },
  { "flow-label-of-ipv4", "F set in an MRI of IPv4", "10/2",
    { "RFC5971-A.3.1.1-2", "RFC5971-A.3.1.1-5" }, mri({ f = 1 }), info = VALUE_INFO },
  { "spi-without-protocol", "S set and P clear in the MRI", "10/2",
    { "RFC5971-A.3.1.1-3", "RFC5971-A.3.1.1-5" }, mri({ p = 0, a = 0, b = 0, s = 1 }),
    info = VALUE_INFO },
  { "ports-without-protocol", "A and B set and P clear in the MRI", "10/2",
    { "RFC5971-A.3.1.1-4", "RFC5971-A.3.1.1-5", "RFC5971-5.8.1.1-3" }, mri({ p = 0 }),
    info = VALUE_INFO },
}

local cases = {}
for _, row in ipairs(rows) do
  local name, what
  name, what, row.error, row.ids, row.change = table.unpack(row, 1, 5)
  local requirements = table.move(row.ids, 1, #row.ids, 1, {})
  table.move(D_MODE, 1, #D_MODE, #requirements + 1, requirements)
  for _, id in ipairs({ HEADER, NLI_ID, TO_NLI, row.quotes and QUOTES
    or row.quotes == false and NO_QUOTES or row.info and INFO_ID, row.info and INFO_ID,
      row.order }) do
    requirements[#requirements + 1] = id
  end
  cases[#cases + 1] = { id = "gist-A.4.4-response-" .. name, roles = QUERIER,
    purpose = "A Response with " .. what .. " is answered by error " .. row.error
      .. ", with what the catalogue asks for, and not confirmed.",
    requirements = requirements, run = run(row) }
end

-- Each odd Response is taken as if it were not odd.
for _, row in ipairs({
  { "reserved-bits", "RFC5971-A-1b", "reserved bits in header and objects", function(response)
    response.header.reserved = 31
    spoil.find(response, NLI).values.reserved = 4095
    spoil.find(response, MRI).values.reserved_flags = 31
  end },
  { "unknown-ab-01", "RFC5971-A.2.1-2", "an unknown object, AB=01",
    with({ type = UNKNOWN, ab = 1, raw = WORD }) },
  { "profile-padding", "RFC5971-A.3.4-3", "padding in its profile that is not zero",
    spoil.raw(PROPOSAL, "\1\0\0\0\1\1\255\255") },
}) do
  cases[#cases + 1] = { id = "gist-A-response-" .. row[1], roles = QUERIER,
    purpose = "A Response with " .. row[3] .. " is taken.",
    requirements = { row[2] },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      t.nr.change_response = row[4]
      session:begin():expect_create({ row[2] }, "the Response is taken, and the request comes")
    end }
end

cases[#cases + 1] = { id = "gist-5.6-error-to-the-nli", roles = QUERIER,
  purpose = "An Error about a Response goes to the address in its NLI, not to its IP source.",
  requirements = { TO_NLI },
  run = function(t)
    local session = t:outbound_session()
    t:body()
    t.nr.response_source = t.addresses.destination
    t.nr.change_response = with({ type = UNKNOWN, raw = WORD })
    session:begin()
    local item = t:await(t.ixit.timing.response_ms / 3,
      function() return table.remove(t.nr.inbox, 1) end)
    if not item then t:not_applicable("the IUT looks for a NAT first, as 7.2.1 has it") end
    t:check({ TO_NLI }, "an Error comes", "GIST Error", item.name)
    t:check({ TO_NLI }, "to the address in the NLI", t.nr.address, item.packet.destination)
  end }

return cases
