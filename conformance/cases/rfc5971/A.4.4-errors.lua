-- RFC 5971, section 5.6 and Appendix A.4: the errors that a Query can meet, one a case, and what an
-- Error message has to tell about each.

local gist = require("codec.gist")
local error_object = require("runner.error_object")
local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local UNKNOWN = 0x3F0 -- an object that no RFC has registered
local LENGTH_INFO, TYPE_INFO, VALUE_INFO = "Message Length Info", "Object Type Info",
  "Object Value Info"
local WORD = "\1\2\3\4"

-- Sends the Query, with S=0 unless `own_source`; the Error that answers it. There is no
-- Response. With S=0 an Error finds us by the NLI only.
local function provoke(t, ids, change, own_source)
  local session = t:session():query_only{ own_source = own_source, flow_source = not own_source,
    change_query = change }
  local item = t.ni:expect{ message = "GIST Error", ids = ids, text = "it is answered by an Error" }
  session:stop_asking()
  session:expect_no_gist_response{ ids = ids }
  return item, session
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

local TO_NLI = "RFC5971-5.6-3"

local function run(row)
  return function(t)
    t:body()
    local ids = row.own and ids_of(row) or ids_of(row, TO_NLI, row.also)
    local item, session = provoke(t, ids, row.change, row.own)
    if row.any_error then t:reading{ of = row.id, seen = item:error() } end
    error_object.expect(t, item, { ids = ids_of(row, row.also), error = not row.any_error and row.error,
      sent = messages.read(session:query_sent()), quotes = row.quotes, info = row.info,
      infos = row.infos, objects = row.objects, order = row.order })
    if not row.own then
      t:check{ ids = { TO_NLI }, text = "it comes to the address in the Query's NLI",
        expected = t.ni.address, actual = item.packet.destination }
    end
    t:control()
    t:session():connect()
  end
end

local function requirements_of(row)
  local list = { row.id, error_object.nli, error_object.header }
  if not row.own then list[#list + 1] = TO_NLI end
  list[#list + 1] = row.also
  table.move(MORE[row.name] or {}, 1, #(MORE[row.name] or {}), #list + 1, list)
  if row.quotes == false then list[#list + 1] = error_object.quotes_nothing end
  if row.quotes then list[#list + 1] = error_object.quotes end
  if row.info then list[#list + 1] = error_object.info end
  return list
end

local function missing(name, what, object, quotes)
  return { name = "without-" .. name, what = "no " .. what, error = "9/2", id = "RFC5971-A.4.4.9-i3",
    change = spoil.without(object), info = TYPE_INFO, objects = { object }, quotes = quotes }
end

local function twice(name, what, object)
  return { name = "two-" .. name, what = what .. " twice", error = "9/0",
    id = "RFC5971-A.4.4.9-i1", change = spoil.twice(object), info = TYPE_INFO,
    objects = { object }, quotes = object ~= "MRI" and object ~= "SID" or nil }
end

local function value(name, what, error, id, change, quotes)
  return { name = name, what = what, error = error, id = id, change = change, info = VALUE_INFO,
    quotes = quotes }
end

local function mri(changes) return spoil.fields("MRI", changes) end

local rows = {
  { name = "version-2", what = "version 2", error = "1/0", id = "RFC5971-A.4.4.1-i1",
    change = spoil.header("version", 2), quotes = false, own = true },
  { name = "type-99", what = "an unknown message type", error = "1/1", id = "RFC5971-A.4.4.1-i2",
    change = spoil.header("type", 99), quotes = false, own = true },
  { name = "r-clear", what = "R clear", error = "1/2", id = "RFC5971-A.4.4.1-i3",
    change = spoil.header("r", 0), quotes = false, own = true },
  { name = "e-set", what = "E set", error = "1/4", id = "RFC5971-A.4.4.1-i6",
    change = spoil.header("e", 1), quotes = false, own = true },
  { name = "length-long", what = "a Message Length that is a word too long", error = "1/3",
    id = "RFC5971-A.4.4.1-i4", quotes = false, own = true, info = LENGTH_INFO,
    change = spoil.message_length(1) },
  { name = "length-short", what = "a Message Length that is a word too short", error = "1/3",
    id = "RFC5971-A.4.4.1-i4", quotes = false, own = true,
    change = spoil.message_length(-1) },
  missing("mri", "MRI", "MRI"),
  missing("sid", "session id", "SID"),
  missing("query-cookie", "Query-Cookie", "Query-Cookie", true),
  { name = "without-configuration", what = "a Stack-Proposal but no Stack-Configuration-Data",
    error = "9/2", id = "RFC5971-A.4.4.9-i4", change = spoil.without("Stack-Configuration-Data"),
    quotes = true, info = TYPE_INFO, objects = { "Stack-Configuration-Data" } },
  { name = "without-proposal", what = "Stack-Configuration-Data but no Stack-Proposal",
    error = "9/2", id = "RFC5971-A.4.4.9-i4", change = spoil.without("Stack-Proposal"), quotes = true,
    info = TYPE_INFO, objects = { "Stack-Proposal" } },
  twice("mri", "the MRI", "MRI"),
  twice("sid", "the session id", "SID"),
  twice("nli", "the NLI", "NLI"),
  twice("query-cookie", "the Query-Cookie", "Query-Cookie"),
  twice("proposal", "the Stack-Proposal", "Stack-Proposal"),
  twice("configuration", "the Stack-Configuration-Data", "Stack-Configuration-Data"),
  { name = "with-responder-cookie", what = "a Responder-Cookie", error = "9/3",
    id = "RFC5971-A.4.4.9-i5", change = spoil.with({ type = "Responder-Cookie",
      values = { cookie = WORD } }, 5), quotes = true, info = TYPE_INFO,
    objects = { "Responder-Cookie" } },
  { name = "with-hello-id", what = "a Hello-ID", error = "9/3", id = "RFC5971-A.4.4.9-i5",
    change = spoil.with({ type = "Hello-ID", values = { hello_id = 1 } }, 7), quotes = true,
    info = TYPE_INFO, objects = { "Hello-ID" } },
  { name = "unknown", what = "an unknown object, AB=00", error = "9/1", id = "RFC5971-A.4.4.9-i2",
    change = spoil.with({ type = UNKNOWN, raw = WORD }, 7), quotes = true, info = TYPE_INFO,
    objects = { UNKNOWN } },
  { name = "unknown-ab-11", what = "an unknown object, AB=11", error = "9/5",
    id = "RFC5971-A.4.4.9-i7", change = spoil.with({ type = UNKNOWN, ab = 3, raw = WORD }, 7),
    quotes = true, info = TYPE_INFO, objects = { UNKNOWN } },
  { name = "nli-ab-11", what = "AB=11 on the Query-Cookie", error = "9/5",
    id = "RFC5971-A.4.4.9-i7", change = spoil.object("Query-Cookie", "ab", 3), quotes = true,
    info = TYPE_INFO, objects = { "Query-Cookie" } },
  value("sid-short", "a session id of three words", "10/0", "RFC5971-A.3.2-i1",
    spoil.raw("SID", ("\1"):rep(12))),
  value("sid-long", "a session id of five words", "10/0", "RFC5971-A.3.2-i1",
    spoil.raw("SID", ("\1"):rep(20))),
  value("no-profiles", "a Stack-Proposal without profiles", "10/1", "RFC5971-A.3.4-1",
    spoil.raw("Stack-Proposal", "\0\0\0\0"), true),
  value("empty-profile", "a Stack-Proposal with an empty profile", "10/3", "RFC5971-A.3.4-2",
    spoil.raw("Stack-Proposal", "\1\0\0\0\0\0\0\0"), true),
  value("proposal-count", "a Stack-Proposal with fewer profiles than it says", "10/0",
    "RFC5971-A.3.4-i2", spoil.raw("Stack-Proposal", "\2\0\0\0\1\1\0\0"), true),
  value("unproposed-protocol", "options for a protocol that is not proposed", "10/5",
    "RFC5971-5.7.1-2", spoil.value("Stack-Configuration-Data", "options",
      { { protocol = 2, profile = 1, data = "" } }), true),
  value("unproposed-profile", "options for a profile that is not proposed", "10/5",
    "RFC5971-5.7.1-2", spoil.value("Stack-Configuration-Data", "options",
      { { protocol = 1, profile = 2, data = "" } }), true),
  value("flow-label-of-ipv4", "F set in an MRI of IPv4", "10/2", "RFC5971-A.3.1.1-2", mri({ f = 1 })),
  value("spi-without-protocol", "S set and P clear in the MRI", "10/2", "RFC5971-A.3.1.1-3",
    mri({ p = 0, a = 0, b = 0, s = 1 })),
  value("source-port-without-protocol", "A set and P clear in the MRI", "10/2",
    "RFC5971-A.3.1.1-4", mri({ p = 0, b = 0 })),
  value("destination-port-without-protocol", "B set and P clear in the MRI", "10/2",
    "RFC5971-A.3.1.1-4", mri({ p = 0, a = 0 })),
  value("source-prefix-33", "a source prefix of 33 in an MRI of IPv4", "10/1",
    "RFC5971-A.3.1.1-i6", mri({ source_prefix = 33 })),
  value("mri-long", "an MRI with a word too many", "10/0", "RFC5971-A.3.1.1-i22",
    spoil.longer("MRI", "\0\0\0\0")),
}
for _, row in ipairs(rows) do
  if row.name == "source-prefix-33" then
    row.any_error, row.info = true, nil -- no text says which
  end
  if row.error == "10/5" then row.infos = 2 end
  if row.name == "unproposed-protocol" then
    row.objects, row.order = { "Stack-Proposal", "Stack-Configuration-Data" }, ORDER
  end
  if row.error:find("^9/[023]") then row.also = "RFC5971-5.1-2" end
end

local cases = {}
for _, row in ipairs(rows) do
  cases[#cases + 1] = { id = "gist-A.4.4-query-" .. row.name, roles = roles.answers_queries,
    purpose = "A Query with " .. row.what .. " is answered by "
      .. (row.any_error and "an Error" or "error " .. row.error)
      .. ", with what the catalogue asks for, and by no Response.",
    requirements = requirements_of(row), run = run(row) }
end

cases[#cases + 1] = {
  id = "gist-5.6-error-without-nli", roles = roles.answers_queries,
  purpose = "An Error about a Query without NLI goes to its IP source where S says that this is the "
    .. "sender.",
  requirements = { "RFC5971-5.6-4", "RFC5971-5.1-2" },
  run = function(t)
    t:body()
    local session = t:session()
    session:query_only{ own_source = true, change_query = spoil.without("NLI") }
    local item = t.ni:expect{ message = "GIST Error", ids = { "RFC5971-5.6-4" },
      text = "an Error comes" }
    session:stop_asking()
    t:check{ ids = { "RFC5971-5.1-2" }, text = "'Missing Object'",
      expected = gist.error_number["Missing Object"], actual = item:error() }
    t:control()
    t:session():connect()
  end,
}

cases[#cases + 1] = {
  id = "gist-5.6-no-error-to-a-flow-source", roles = roles.answers_queries,
  purpose = "A Query without NLI whose IP source is only the flow's is not answered by a Response; "
    .. "where an Error could go the text does not say.",
  requirements = { "RFC5971-5.1-2" },
  run = function(t)
    local ids = { "RFC5971-5.1-2" }
    t:body()
    local session = t:session()
    session:query_only{ change_query = spoil.without("NLI") }
    session:stop_asking()
    local item = t.ni:take()
    t:reading{ of = "5.6-4", ids = ids, seen = messages.summary(item),
      ours = messages.summary(nil) }
    t:check{ ids = ids, text = "if an Error comes, it is 'Missing Object'",
      expected = gist.error_number["Missing Object"] .. ", or nothing",
      actual = item and item:error() or "nothing",
      holds = not item or item:is_error("Missing Object") }
    session:expect_no_gist_response{ ids = ids, text = "no Response comes" }
    t:control()
    t:session():send_create():expect_accepted()
  end,
}

cases[#cases + 1] = {
  id = "gist-A.1-header-fault-of-a-flow-source", roles = roles.answers_queries,
  purpose = "A Query with R clear whose IP source is only the flow's is not processed; an Error comes "
    .. "to the address in its NLI, where that is still read.",
  requirements = { "RFC5971-A.1-5" },
  run = function(t)
    local ids = { "RFC5971-A.1-5" }
    t:body()
    local session = t:session():query_only{ flow_source = true, change_query = spoil.header("r", 0) }
    local item = t.ni:take()
    session:stop_asking()
    t:reading{ of = "A.1-5", ids = ids, seen = item and "told of" or "dropped", ours = "told of" }
    t:check{ ids = ids, text = "if an Error comes, it is 'Invalid R-flag'",
      expected = gist.error_number["Invalid R-flag"] .. ", or nothing",
      actual = item and item:error() or "nothing",
      holds = not item or item:is_error("Invalid R-flag") }
    session:expect_no_gist_response{ ids = ids, text = "no Response comes" }
    t:control()
    t:session():connect()
  end,
}

for _, row in ipairs({
  { "gist-A.3.3-validity-zero", "RFC5971-A.3.3-1", "a routing state validity time of zero",
    spoil.value("NLI", "validity_ms", 0) },
  { "gist-A.3.5-hold-time-zero", "RFC5971-A.3.5-2", "an MA-Hold-Time of zero",
    spoil.value("Stack-Configuration-Data", "hold_time_ms", 0) } }) do
  cases[#cases + 1] = {
    id = row[1], roles = roles.answers_queries,
    purpose = "What the IUT does about a Query with " .. row[3] .. ", which the text forbids to send: "
      .. "whatever it does, it says no such thing itself.",
    requirements = { row[2] },
    run = function(t)
      t:body()
      local session = t:session()
      session:query_only{ own_source = true, change_query = row[4] }
      session:stop_asking()
      local item = session:await_response{ within_ms = t.ixit.timing.quiet_ms }
        or t.ni:take{ within_ms = 0 }
      local refused = item and item:is_error("Value Not Supported")
      t:reading{ of = row[2], ids = { row[2] }, seen = refused and "refused" or messages.summary(item),
        ours = "refused" }
      local good = t:session():connect{ ids = { row[2] } }:response()
      local validity_ms = good:values("NLI").validity_ms
      local hold_time_ms = good:values("Stack-Configuration-Data").hold_time_ms
      t:check{ ids = { row[2] }, text = "its own validity and hold times are above zero",
        expected = "above 0",
        actual = math.min(validity_ms, hold_time_ms),
        holds = validity_ms > 0 and hold_time_ms > 0 }
    end,
  }
end

cases[#cases + 1] = {
  id = "gist-5.6-no-error-about-an-error", roles = roles.answers_queries,
  purpose = "An Error message with a fault is not answered by an Error.",
  requirements = { "RFC5971-5.6-1" },
  run = function(t)
    local session = t:session():connect()
    t:body()
    local wrong = messages.error("Unrecognised Object",
      messages.data(session, messages.UPSTREAM, ""))
    spoil.all(spoil.with(messages.nli(t.ni), 1), spoil.with({ type = UNKNOWN, raw = WORD }))(wrong)
    t.ni:send_to_iut(session, wrong)
    t.ni:expect_nothing{ ids = { "RFC5971-5.6-1" },
      text = "an Error with an unknown object, in D-mode" }
    spoil.without("NLI")(wrong)
    session:association():send(wrong)
    t.ni:expect_nothing{ ids = { "RFC5971-5.6-1" },
      text = "an Error with an unknown object, over an association" }
    wrong.header.r = 1
    session:association():send(wrong)
    t.ni:expect_nothing{ ids = { "RFC5971-5.6-1" },
      text = "an Error with R set, over an association" }
    t:control()
    session:send_create():expect_accepted()
  end,
}

cases[#cases + 1] = {
  id = "gist-5.1-order-of-objects", roles = roles.answers_queries,
  purpose = "What is done about a Query whose objects are out of order, which the text forbids to send: "
    .. "whatever that is, the Response to one in order is in order itself.",
  requirements = { "RFC5971-5.1-1" },
  run = function(t)
    local ids = { "RFC5971-5.1-1" }
    t:body()
    local session = t:session():query_only{ own_source = true, change_query = spoil.order({ 2, 1 }) }
    t:reading{ of = "5.1-1", ids = ids, ours = "refused",
      seen = session:await_response{ within_ms = t.ixit.timing.quiet_ms } and "answered"
        or t.ni:waiting() > 0 and "refused" or "dropped" }
    session:stop_asking()
    t.ni:drain()
    local response = t:session():query_only():expect_gist_response()
    t:check{ ids = ids, text = "the Response to a Query in order has no fault", expected = "none",
      actual = response:fault("gist") }
  end,
}

return cases
