-- RFC 5971, section 5.6 and Appendix A.4: the errors that a Query can meet, one a case, and what an
-- Error message has to tell about each.

local ALL = { "NF-FW", "edge-FW", "NR" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local MRI, SID, NLI, PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE, HELLO, ERROR =
  0, 1, 2, 3, 4, 5, 6, 10, 9
local UNKNOWN = 0x3F0
local LENGTH_INFO, TYPE_INFO, VALUE_INFO = 1, 3, 4
local WORD = "\1\2\3\4"

local function hex(bytes)
  return bytes and (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
    or "none"
end

-- Sends the Query, with S=0 unless `own_source`; the Error that answers it. There is no
-- Response. With S=0 an Error finds us by the NLI only.
local function provoke(t, ids, change, own_source)
  local session = t:session()
  t.ni:start_handshake(session, { only_query = true, own_source = own_source,
    flow_source = not own_source, change_query = change })
  local item = t:expect(t.ni, "GIST Error", nil, ids, "it is answered by an Error")
  session:stop_asking()
  t:check(ids, "and by no Response", "none", messages.summary(session.querying.response),
    session.querying.response == nil)
  return item, session, item.gist.by_type[ERROR].values
end

local function infos_of(failure, wanted)
  local found = {}
  for _, info in ipairs(failure.infos or {}) do
    if info.type == wanted then found[#found + 1] = info end
  end
  return found
end

-- The session's id and MRI as they were sent, without object headers.
local function quoted(session, failure)
  local sent = messages.read(session.querying.sent).gist
  local function raw(type_number)
    local object = sent.by_type[type_number]
    return hex(object and object.raw)
  end
  local sid = failure.s == 1 and hex(failure.original_sid) or "none"
  local mri = failure.m == 1 and hex(failure.original_mri) or "none"
  return sid .. " " .. mri, raw(SID) .. " " .. raw(MRI)
end

-- What a row proves besides, by its name.
local LIST, FLAGS, ORDER = "RFC5971-A.3.4-5", "RFC5971-A.3.1.1-5", "RFC5971-A.4.4.10-1"
local MORE = {
  ["no-profiles"] = { "RFC5971-A.3.4-4a", LIST }, ["empty-profile"] = { "RFC5971-A.3.4-4b", LIST },
  ["unproposed-protocol"] = { ORDER }, ["flow-label-of-ipv4"] = { FLAGS },
  ["spi-without-protocol"] = { FLAGS }, ["source-port-without-protocol"] = { FLAGS },
  ["destination-port-without-protocol"] = { FLAGS },
}

local function ids_of(row, ...)
  local ids = { row.id, ... }
  for _, id in ipairs(MORE[row.name] or {}) do
    if id ~= ORDER then ids[#ids + 1] = id end
  end
  return ids
end

local HEADER, QUOTES, NO_QUOTES, NLI_ID, INFO_ID, TO_NLI = "RFC5971-A.4.1-1a", "RFC5971-A.4.1-1b",
  "RFC5971-A.4.4.1-1", "RFC5971-5.1-18", "RFC5971-A.4.1-2a", "RFC5971-5.6-3"

local function check_info(t, row, session, failure)
  local found = infos_of(failure, row.info)
  local wanted = row.infos or 1
  t:check({ INFO_ID }, "it has its Additional Information, type " .. row.info, wanted, #found,
    #found >= wanted)
  for place, object in ipairs(row.name == "unproposed-protocol" and { PROPOSAL, CONFIGURATION }
    or {}) do
    t:check({ ORDER }, "info " .. place .. " has the object of type", object,
      #found[place].value >= 6 and string.unpack(">I2", found[place].value, 5) & 0xFFF or nil)
  end
  if row.info == TYPE_INFO then
    t:check({ INFO_ID }, "naming the type of the object at fault", row.object,
      (string.unpack(">I2", found[1].value)))
  elseif row.info == LENGTH_INFO then
    t:check({ INFO_ID }, "with the length that the objects add up to", (#session.querying.sent - 8)
      // 4, (string.unpack(">I2", found[1].value)))
  end
end

local function run(row)
  return function(t)
    t:body()
    local item, session, failure = provoke(t, row.own and ids_of(row)
      or ids_of(row, TO_NLI, row.also), row.change, row.own)
    t:check(ids_of(row, row.also), "error and subcode", row.error, item.code .. "/" .. item.subcode)
    if not row.own then
      t:check({ TO_NLI }, "it comes to the address in the Query's NLI", t.ni.address,
        item.packet.destination)
    end
    t:check({ row.id }, "its class is Protocol-Error", 2, failure.class)
    t:check({ NLI_ID }, "in D-mode it has the sender's NLI", "there",
      item.gist.by_type[NLI] and "there" or "missing")
    t:check({ HEADER }, "it quotes the common header",
      hex(session.querying.sent:sub(3, 8)), hex(failure.original_header:sub(3, 8)))
    local is, was = quoted(session, failure)
    if row.quotes == false then
      t:check({ NO_QUOTES }, "without session id and MRI", "none none", is)
    elseif row.quotes then
      t:check({ QUOTES }, "with the session id and the MRI", was, is)
    end
    if row.info then check_info(t, row, session, failure) end
    t:control()
    t:session():connect()
  end
end

local function requirements_of(row)
  local list = { row.id, NLI_ID, HEADER }
  if not row.own then list[#list + 1] = TO_NLI end
  list[#list + 1] = row.also
  table.move(MORE[row.name] or {}, 1, #(MORE[row.name] or {}), #list + 1, list)
  if row.quotes == false then list[#list + 1] = NO_QUOTES end
  if row.quotes then list[#list + 1] = QUOTES end
  if row.info then list[#list + 1] = INFO_ID end
  return list
end

local function insert(place, object)
  return function(query) table.insert(query.objects, place, object) end
end

local function missing(name, what, object, quotes)
  return { name = "without-" .. name, what = "no " .. what, error = "9/2", id = "RFC5971-A.4.4.9-i3",
    change = spoil.without(object), info = TYPE_INFO, object = object, quotes = quotes }
end

local function twice(name, what, object)
  return { name = "two-" .. name, what = what .. " twice", error = "9/0",
    id = "RFC5971-A.4.4.9-i1", change = spoil.twice(object), info = TYPE_INFO, object = object,
    quotes = object > 1 or nil }
end

local function value(name, what, error, id, change, quotes)
  return { name = name, what = what, error = error, id = id, change = change, info = VALUE_INFO,
    quotes = quotes }
end

local function mri(field, wrong)
  return spoil.value(MRI, field, wrong)
end

local rows = {
  { name = "version-2", what = "version 2", error = "1/0", id = "RFC5971-A.4.4.1-i1",
    change = spoil.header("version", 2), quotes = false, own = true },
  { name = "type-99", what = "an unknown message type", error = "1/1", id = "RFC5971-A.4.4.1-i2",
    change = spoil.header("type", 99), quotes = false },
  { name = "r-clear", what = "R clear", error = "1/2", id = "RFC5971-A.4.4.1-i3",
    change = spoil.header("r", 0), quotes = false },
  { name = "e-set", what = "E set", error = "1/4", id = "RFC5971-A.4.4.1-i6",
    change = spoil.header("e", 1), quotes = false },
  { name = "length-long", what = "a Message Length that is a word too long", error = "1/3",
    id = "RFC5971-A.4.4.1-i4", quotes = false, own = true, info = LENGTH_INFO,
    change = function(query) query.header.length = (#messages.encode_gist(query) - 8) // 4 + 1 end },
  { name = "length-short", what = "a Message Length that is a word too short", error = "1/3",
    id = "RFC5971-A.4.4.1-i4", quotes = false, own = true,
    change = function(query) query.header.length = (#messages.encode_gist(query) - 8) // 4 - 1 end },
  missing("mri", "MRI", MRI),
  missing("sid", "session id", SID),
  missing("query-cookie", "Query-Cookie", QUERY_COOKIE, true),
  { name = "without-configuration", what = "a Stack-Proposal but no Stack-Configuration-Data",
    error = "9/2", id = "RFC5971-A.4.4.9-i4", change = spoil.without(CONFIGURATION), quotes = true,
    info = TYPE_INFO, object = CONFIGURATION },
  { name = "without-proposal", what = "Stack-Configuration-Data but no Stack-Proposal",
    error = "9/2", id = "RFC5971-A.4.4.9-i4", change = spoil.without(PROPOSAL), quotes = true,
    info = TYPE_INFO, object = PROPOSAL },
  twice("mri", "the MRI", MRI),
  twice("sid", "the session id", SID),
  twice("nli", "the NLI", NLI),
  twice("query-cookie", "the Query-Cookie", QUERY_COOKIE),
  twice("proposal", "the Stack-Proposal", PROPOSAL),
  twice("configuration", "the Stack-Configuration-Data", CONFIGURATION),
  { name = "with-responder-cookie", what = "a Responder-Cookie", error = "9/3",
    id = "RFC5971-A.4.4.9-i5", change = insert(5, { type = RESPONDER_COOKIE,
      values = { cookie = WORD } }), quotes = true, info = TYPE_INFO, object = RESPONDER_COOKIE },
  { name = "with-hello-id", what = "a Hello-ID", error = "9/3", id = "RFC5971-A.4.4.9-i5",
    change = insert(7, { type = HELLO, values = { hello_id = 1 } }), quotes = true,
    info = TYPE_INFO, object = HELLO },
  { name = "unknown", what = "an unknown object, AB=00", error = "9/1", id = "RFC5971-A.4.4.9-i2",
    change = insert(7, { type = UNKNOWN, raw = WORD }), quotes = true, info = TYPE_INFO,
    object = UNKNOWN },
  { name = "unknown-ab-11", what = "an unknown object, AB=11", error = "9/5",
    id = "RFC5971-A.4.4.9-i7", change = insert(7, { type = UNKNOWN, ab = 3, raw = WORD }),
    quotes = true, info = TYPE_INFO, object = UNKNOWN },
  { name = "nli-ab-11", what = "AB=11 on the Query-Cookie", error = "9/5",
    id = "RFC5971-A.4.4.9-i7", change = spoil.object(QUERY_COOKIE, "ab", 3), quotes = true,
    info = TYPE_INFO, object = QUERY_COOKIE },
  value("sid-short", "a session id of three words", "10/0", "RFC5971-A.3.2-i1",
    spoil.raw(SID, ("\1"):rep(12))),
  value("sid-long", "a session id of five words", "10/0", "RFC5971-A.3.2-i1",
    spoil.raw(SID, ("\1"):rep(20))),
  value("no-profiles", "a Stack-Proposal without profiles", "10/1", "RFC5971-A.3.4-1",
    spoil.raw(PROPOSAL, "\0\0\0\0"), true),
  value("empty-profile", "a Stack-Proposal with an empty profile", "10/3", "RFC5971-A.3.4-2",
    spoil.raw(PROPOSAL, "\1\0\0\0\0\0\0\0"), true),
  value("proposal-count", "a Stack-Proposal with fewer profiles than it says", "10/0",
    "RFC5971-A.3.4-i2", spoil.raw(PROPOSAL, "\2\0\0\0\1\1\0\0"), true),
  value("unproposed-protocol", "options for a protocol that is not proposed", "10/5",
    "RFC5971-5.7.1-2", spoil.value(CONFIGURATION, "options",
      { { protocol = 2, profile = 1, data = "" } }), true),
  value("unproposed-profile", "options for a profile that is not proposed", "10/5",
    "RFC5971-5.7.1-2", spoil.value(CONFIGURATION, "options",
      { { protocol = 1, profile = 2, data = "" } }), true),
  value("flow-label-of-ipv4", "F set in an MRI of IPv4", "10/2", "RFC5971-A.3.1.1-2", mri("f", 1)),
  value("spi-without-protocol", "S set and P clear in the MRI", "10/2", "RFC5971-A.3.1.1-3",
    function(query)
      local values = spoil.find(query, MRI).values
      values.p, values.a, values.b, values.s = 0, 0, 0, 1
    end),
  value("source-port-without-protocol", "A set and P clear in the MRI", "10/2",
    "RFC5971-A.3.1.1-4", function(query)
      local values = spoil.find(query, MRI).values
      values.p, values.b = 0, 0
    end),
  value("destination-port-without-protocol", "B set and P clear in the MRI", "10/2",
    "RFC5971-A.3.1.1-4", function(query)
      local values = spoil.find(query, MRI).values
      values.p, values.a = 0, 0
    end),
  value("source-prefix-33", "a source prefix of 33 in an MRI of IPv4", "10/1",
    "RFC5971-A.3.1.1-i6", mri("source_prefix", 33)),
  value("mri-long", "an MRI with a word too many", "10/0", "RFC5971-A.3.1.1-i22", function(query)
    local object = spoil.find(query, MRI)
    object.raw = messages.read(messages.encode_gist(query)).gist.by_type[MRI].raw .. "\0\0\0\0"
  end),
}
rows[#rows].info, rows[#rows - 1].info = VALUE_INFO, VALUE_INFO
for _, row in ipairs(rows) do
  if row.error == "10/5" then row.infos = 2 end
  if row.error:find("^9/[023]") then row.also = "RFC5971-5.1-2" end
end

local cases = {}
for _, row in ipairs(rows) do
  cases[#cases + 1] = { id = "gist-A.4.4-query-" .. row.name, roles = ALL,
    purpose = "A Query with " .. row.what .. " is answered by error " .. row.error
      .. ", with what the catalogue asks for, and by no Response.",
    requirements = requirements_of(row), run = run(row) }
end

cases[#cases + 1] = {
  id = "gist-5.6-error-without-nli", roles = ALL,
  purpose = "An Error about a Query without NLI goes to its IP source where S says that this is the "
    .. "sender.",
  requirements = { "RFC5971-5.6-4", "RFC5971-5.1-2" },
  run = function(t)
    t:body()
    local session = t:session()
    t.ni:start_handshake(session, { only_query = true, own_source = true,
      change_query = spoil.without(NLI) })
    local item = t:expect(t.ni, "GIST Error", nil, { "RFC5971-5.6-4" }, "an Error comes")
    session:stop_asking()
    t:check({ "RFC5971-5.1-2" }, "'Missing Object'", "9/2", item.code .. "/" .. item.subcode)
    t:control()
    t:session():connect()
  end,
}

cases[#cases + 1] = {
  id = "gist-5.6-no-error-to-a-flow-source", roles = ALL,
  purpose = "An Error about a Query without NLI is not sent to an IP source that S says is only the "
    .. "flow's.",
  requirements = { "RFC5971-5.6-4" },
  run = function(t)
    t:body()
    local session = t:session()
    t.ni:start_handshake(session, { only_query = true, change_query = spoil.without(NLI) })
    session:stop_asking()
    t:nothing(t.ni, { "RFC5971-5.6-4" }, "no Error comes, to the flow's source or elsewhere")
    t:control()
    local good = t:session():connect()
    good:send_create():expect_accepted()
    t:nothing(t.ni, nil, "nor later")
    good:send_create():expect_accepted()
  end,
}

for _, row in ipairs({
  { "gist-A.3.3-validity-zero", "RFC5971-A.3.3-1", "a routing state validity time of zero",
    spoil.value(NLI, "validity_ms", 0) },
  { "gist-A.3.5-hold-time-zero", "RFC5971-A.3.5-2", "an MA-Hold-Time of zero",
    spoil.value(CONFIGURATION, "hold_time_ms", 0) } }) do
  cases[#cases + 1] = {
    id = row[1], roles = ALL,
    purpose = "What the IUT does about a Query with " .. row[3] .. ", which the text forbids to send: "
      .. "whatever it does, it says no such thing itself.",
    requirements = { row[2] },
    run = function(t)
      t:body()
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, own_source = true, change_query = row[4] })
      session:stop_asking()
      local item = t:await(t.ixit.timing.quiet_ms,
        function() return session.querying.response or table.remove(t.ni.inbox, 1) end)
      t:reading(row[2], messages.summary(item))
      if t.strict then
        t:check({ row[2] }, "as this project reads it, it is refused", "Object Value Error, subcode 1",
          messages.summary(item), item ~= nil and item.code == 10 and item.subcode == 1)
      end
      local good = t:session():connect({ ids = { row[2] } })
      local by_type = good.querying.response.gist.by_type
      t:check({ row[2] }, "its own validity and hold times are above zero", "above 0",
        math.min(by_type[NLI].values.validity_ms, by_type[CONFIGURATION].values.hold_time_ms),
        by_type[NLI].values.validity_ms > 0 and by_type[CONFIGURATION].values.hold_time_ms > 0)
    end,
  }
end

cases[#cases + 1] = {
  id = "gist-5.6-no-error-about-an-error", roles = ALL,
  purpose = "An Error message with a fault is not answered by an Error.",
  requirements = { "RFC5971-5.6-1" },
  run = function(t)
    local session = t:session():connect()
    t:body()
    local wrong = { header = { type = 4, s = 1, hops = 1, nslpid = 0 }, objects = {
      messages.nli(t.ni, 64), { type = ERROR, values = { class = 2, code = 9, subcode = 1, d = 1,
        original_header = ("\1"):rep(8), infos = {} } },
      { type = UNKNOWN, raw = WORD } } }
    t.ni:send_datagram(messages.encode_gist(wrong), { destination = t.ni:peer_address(session) })
    t:nothing(t.ni, { "RFC5971-5.6-1" }, "an Error with an unknown object, in D-mode")
    table.remove(wrong.objects, 1)
    session.querying.association:send(messages.encode_gist(wrong))
    t:nothing(t.ni, { "RFC5971-5.6-1" }, "an Error with an unknown object, over an association")
    wrong.header.r = 1
    session.querying.association:send(messages.encode_gist(wrong))
    t:nothing(t.ni, { "RFC5971-5.6-1" }, "an Error with R set, over an association")
    t:control()
    session:send_create():expect_accepted()
  end,
}

cases[#cases + 1] = {
  id = "gist-5.1-order-of-objects", roles = ALL,
  purpose = "A Query whose objects are out of order is answered by an Error and by no Response.",
  requirements = { "RFC5971-5.1-1" },
  run = function(t)
    t:body()
    local item = provoke(t, { "RFC5971-5.1-1" }, function(query)
      query.objects[1], query.objects[2] = query.objects[2], query.objects[1]
    end)
    t:check({ "RFC5971-5.1-1" }, "'Object Type Error'", 9, item.code)
    t:control()
    t:session():connect()
  end,
}

return cases
