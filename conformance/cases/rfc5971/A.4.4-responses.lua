-- RFC 5971, section 5.6 and Appendix A: the errors that a Response can meet, one a case, at the
-- node that asked. The Response echoes session id and cookie: it is surely the one waited for.

local gist = require("codec.gist")
local error_object = require("runner.error_object")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local UNKNOWN = 0x3F0 -- an object that no RFC has registered
local LENGTH_INFO, TYPE_INFO, VALUE_INFO = "Message Length Info", "Object Type Info",
  "Object Value Info"
local WORD = "\1\2\3\4"

local TO_NLI = "RFC5971-5.6-3"
local D_MODE = { "RFC5971-5.3.1-3", "RFC5971-5.3.1-5", "RFC5971-5.3.1-6a" }

local function run(row)
  return function(t)
    local session = t:outbound_session()
    t:body()
    t.nr.change_response = row.change
    session:begin()
    local item = t.nr:expect{ message = "GIST Error", ids = row.ids,
      text = "the Response is answered by an Error" }
    error_object.expect(t, item, { ids = row.ids, error = row.error, sent = session:response_sent(),
      quotes = row.quotes, info = row.info, objects = row.objects, order = row.order })
    t:check{ ids = row.ids, text = "and the Response is dropped: no association is opened",
      expected = 0, actual = #t.nr.associations }
    t:check{ ids = { TO_NLI }, text = "it comes to the address in the Response's NLI",
      expected = t.nr.address, actual = item.packet.destination }
    t:check{ ids = { D_MODE[1], D_MODE[2] },
      text = "its port is that of the Response, its magic number GIST's", expected = gist.port,
      actual = item.packet.destination_port }
    t:check{ ids = { D_MODE[3] }, text = "S is set", expected = 1, actual = item.gist.header.s }
    t:control()
    t.nr.change_response = nil
    t:tolerate("GIST Error") -- of a Response that was sent again meanwhile
    session:expect_create{ text = "a valid Response is taken, and the request comes" }
  end
end

local function mri(changes) return spoil.fields("MRI", changes) end

local LIST = "RFC5971-A.3.4-5"

local rows = {
  { "type-99", "an unknown message type", "1/1", { "RFC5971-A.4.4.1-i2" },
    spoil.header("type", 99), quotes = false },
  { "e-set", "E set", "1/4", { "RFC5971-A.1-5", "RFC5971-A.4.4.1-i6" }, spoil.header("e", 1),
    quotes = false },
  { "length-long", "a Message Length that is a word too long", "1/3", { "RFC5971-A.4.4.1-i4" },
    spoil.message_length(1), quotes = false, info = LENGTH_INFO },
  { "without-configuration", "a Stack-Proposal but no Stack-Configuration-Data", "9/2",
    { "RFC5971-5.1-2" }, spoil.without("Stack-Configuration-Data"), quotes = true, info = TYPE_INFO,
    objects = { "Stack-Configuration-Data" } },
  { "without-responder-cookie", "a Stack-Proposal but no Responder-Cookie", "9/2",
    { "RFC5971-5.1-2" }, spoil.without("Responder-Cookie"), quotes = true, info = TYPE_INFO,
    objects = { "Responder-Cookie" } },
  { "two-nli", "the NLI twice", "9/0", { "RFC5971-5.1-2" }, spoil.twice("NLI"), quotes = true,
    info = TYPE_INFO, objects = { "NLI" } },
  { "two-configurations", "the Stack-Configuration-Data twice", "9/0", { "RFC5971-5.1-2" },
    spoil.twice("Stack-Configuration-Data"), quotes = true, info = TYPE_INFO,
    objects = { "Stack-Configuration-Data" } },
  { "with-hello-id", "a Hello-ID", "9/3", { "RFC5971-5.1-2" },
    spoil.with({ type = "Hello-ID", values = { hello_id = 1 } }), quotes = true, info = TYPE_INFO,
    objects = { "Hello-ID" } },
  { "unknown", "an unknown object, AB=00", "9/1", { "RFC5971-A.2.1-1" },
    spoil.with({ type = UNKNOWN, raw = WORD }), quotes = true, info = TYPE_INFO, objects = { UNKNOWN } },
  { "unknown-ab-11", "an unknown object, AB=11", "9/5", { "RFC5971-A.2.1-4" },
    spoil.with({ type = UNKNOWN, ab = 3, raw = WORD }), quotes = true, info = TYPE_INFO,
    objects = { UNKNOWN } },
  { "cookie-ab-11", "AB=11 on the Responder-Cookie", "9/5", { "RFC5971-A.2.1-4" },
    spoil.object("Responder-Cookie", "ab", 3), quotes = true, info = TYPE_INFO,
    objects = { "Responder-Cookie" } },
  { "proposal-short", "a Stack-Proposal with fewer profiles than it says", "10/0",
    { "RFC5971-A.2-1" }, spoil.raw("Stack-Proposal", "\2\0\0\0\1\1\0\0"), quotes = true,
    info = VALUE_INFO, objects = { "Stack-Proposal" } },
  { "no-profiles", "a Stack-Proposal without profiles", "10/1",
    { "RFC5971-A.3.4-1", "RFC5971-A.3.4-4a", LIST }, spoil.raw("Stack-Proposal", "\0\0\0\0"),
    quotes = true, info = VALUE_INFO, objects = { "Stack-Proposal" } },
  { "empty-profile", "a Stack-Proposal with an empty profile", "10/3",
    { "RFC5971-A.3.4-2", "RFC5971-A.3.4-4b", LIST }, spoil.raw("Stack-Proposal", "\1\0\0\0\0\0\0\0"),
    quotes = true, info = VALUE_INFO, objects = { "Stack-Proposal" } },
  { "unproposed-protocol", "options for a protocol that is not proposed", "10/5",
    { "RFC5971-5.7.1-2" }, spoil.value("Stack-Configuration-Data", "options",
      { { protocol = 2, profile = 1, data = "" } }), quotes = true, info = VALUE_INFO,
    objects = { "Stack-Proposal", "Stack-Configuration-Data" }, order = "RFC5971-A.4.4.10-1" },
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
  for _, id in ipairs({ error_object.header, error_object.nli, TO_NLI,
    row.quotes and error_object.quotes or row.quotes == false and error_object.quotes_nothing
      or row.info and error_object.info, row.info and error_object.info, row.order }) do
    requirements[#requirements + 1] = id
  end
  cases[#cases + 1] = { id = "gist-A.4.4-response-" .. name, roles = roles.sends_queries,
    purpose = "A Response with " .. what .. " is answered by error " .. row.error
      .. ", with what the catalogue asks for, and not confirmed.",
    requirements = requirements, run = run(row) }
end

-- Each odd Response is taken as if it were not odd.
for _, row in ipairs({
  { "reserved-bits", "RFC5971-A-1b", "reserved bits in header and objects",
    spoil.all(spoil.header("reserved", 31), spoil.value("NLI", "reserved", 4095),
      spoil.value("MRI", "reserved_flags", 31)) },
  { "unknown-ab-01", "RFC5971-A.2.1-2", "an unknown object, AB=01",
    spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }) },
  { "profile-padding", "RFC5971-A.3.4-3", "padding in its profile that is not zero",
    spoil.raw("Stack-Proposal", "\1\0\0\0\1\1\255\255") },
}) do
  cases[#cases + 1] = { id = "gist-A-response-" .. row[1], roles = roles.sends_queries,
    purpose = "A Response with " .. row[3] .. " is taken.",
    requirements = { row[2] },
    run = function(t)
      local session = t:outbound_session()
      t:body()
      t.nr.change_response = row[4]
      session:begin():expect_create{ ids = { row[2] },
        text = "the Response is taken, and the request comes" }
    end }
end

cases[#cases + 1] = { id = "gist-5.6-error-to-the-nli", roles = roles.sends_queries,
  purpose = "An Error about a Response goes to the address in its NLI, not to its IP source.",
  requirements = { TO_NLI },
  run = function(t)
    local session = t:outbound_session()
    t:body()
    t.nr.response_source = t.addresses.destination
    t.nr.change_response = spoil.with({ type = UNKNOWN, raw = WORD })
    session:begin()
    local item = t.nr:take{ within_ms = t.ixit.timing.response_ms / 3 }
    if not item then t:not_applicable("the IUT looks for a NAT first, as 7.2.1 has it") end
    t:check{ ids = { TO_NLI }, text = "an Error comes", expected = "GIST Error",
      actual = item.name }
    t:check{ ids = { TO_NLI }, text = "to the address in the NLI", expected = t.nr.address,
      actual = item.packet.destination }
  end }

return cases
