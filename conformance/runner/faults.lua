-- Every fault that a message of the NSLP can have, made from the list of its objects, and the cases
-- that send each one: a faulty request is answered by its code, a faulty RESPONSE or NOTIFY by nothing.
-- RFC 5973, sections 3.2.7, 3.3 and 4.

local Item = require("codec.item")
local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local faults = {}

local NO_DISCARD, OBJECT_TYPE, SILENT, NOT_PASSED, CHECKED = "RFC5973-3.3-i9",
  "RFC5973-4.2.5-i5", "RFC5973-3.2.7-1", "RFC5973-3.3-i6", "RFC5973-3.3-i2"
local UNKNOWN = 0x3F0 -- no NSLP has registered it
local WORD = "\0\0\0\7"

-- long: octets that are too many (nil: none are); values: for one more of it; words: how long that is;
-- length_id: the requirement that says how long it has to be.
local objects = {
  lt = { words = 1, long = WORD .. WORD, values = { lifetime_s = 60 },
    length_id = "RFC5973-4.2.1-i3" },
  external_ip = { long = "\0\7\64\0" .. WORD .. WORD,
    values = { port = 0, address = "192.0.2.77" }, length_id = "RFC5973-4.2.2-i4" },
  external_binding = { length_id = "RFC5973-4.2.3-i4",
    values = { port = 0, addresses = { { address = "192.0.2.77" } } } },
  efi = { long = "\0\1\0\0" .. WORD, values = { rule_action = 1, sub_ports = 0 },
    length_id = "RFC5973-4.2.4-i3" },
  info = { words = 1, long = "\2\1\0\0" .. WORD, values = { class = 2, code = 1 } },
  nonce = { long = WORD .. WORD, values = { nonce = 7 },
    length_id = "RFC5973-4.2.6-i3" },
  msn = { words = 1, long = WORD .. WORD, values = { msn = 1 },
    length_id = "RFC5973-4.2.7-i3" },
  dtinfo = { words = 3,
    long = "\xC0\0\0\17" .. WORD .. "\0\0\0\0" .. WORD,
    values = { i = 0, p = 0, s = 0, sender_prefix = 0, protocol = 0, address = "0.0.0.0" },
    length_id = "RFC5973-4.2.8-i4" },
  icmp_types = { long = "\1\8\0\0" .. WORD, values = { types = { 8 } },
    length_id = "RFC5973-4.2.9-i3" },
}

local MISSING, ILLEGAL, UNKNOWN_OBJECT, LENGTH, VALUE, COMBINATION, TWICE = "3/0x04", "3/0x05",
  "3/0x06", "3/0x07", "3/0x08", "3/0x09", "3/0x0A"

-- The requirement that each code is about.
local requirement_of = { ["3/0x01"] = "RFC5973-4.1-3", [MISSING] = "RFC5973-4.3-2",
  [ILLEGAL] = "RFC5973-4.3-3", [UNKNOWN_OBJECT] = "RFC5973-4.2-2", [LENGTH] = "RFC5973-4.2-1",
  [VALUE] = "RFC5973-4.2.5-i29", [COMBINATION] = "RFC5973-4.2-3b", [TWICE] = "RFC5973-4.3-4",
  ["7/0x05"] = "RFC5973-4.2.4-3", ["7/0x08"] = "RFC5973-4.2.4-4b" }

local function title(name) return "NATFW_" .. name:upper() end

local function dashed(name) return (name:gsub("_", "-")) end

local function with(name, ab)
  local object = objects[name]
  return spoil.with({ type = title(name), ab = ab, values = object.values })
end

-- What an object can be that every message of its kind has, or (`optional`) may have.
local function of_object(name, optional, add)
  local object = objects[name]
  local id, what = dashed(name), title(name)
  local function put(change) return optional and spoil.all(with(name), change) or change end
  add(LENGTH, id .. "-empty", "a " .. what .. " of no words", what,
    put(spoil.raw(what, "")), object.length_id)
  if object.long then
    add(LENGTH, id .. "-long", "a " .. what .. " that is too long", what,
      put(spoil.raw(what, object.long)), object.length_id)
  end
  add(COMBINATION, id .. "-ab-11", "AB=11 on " .. what, what,
    put(spoil.object(what, "ab", 3)))
  add(TWICE, "two-" .. id, what .. " twice", what, put(spoil.twice(what)))
end

-- What any message can have.
local function of_any_message(last, add)
  add(MISSING, "without-objects", "no objects at all", nil,
    function(message) message.objects = {} end)
  add(UNKNOWN_OBJECT, "unknown-0x3f0", "an unknown object of type 0x3F0, AB=00", UNKNOWN,
    spoil.with({ type = UNKNOWN, raw = WORD }))
  add(UNKNOWN_OBJECT, "unknown-0x015", "an unknown object of the type after the last known, AB=00",
    0x015, spoil.with({ type = 0x015, raw = WORD }))
  add(UNKNOWN_OBJECT, "unknown-0xfff", "an unknown object of the last type, AB=00", 0xFFF,
    spoil.with({ type = 0xFFF, raw = WORD }))
  add(UNKNOWN_OBJECT, "unknown-empty", "an unknown object without a value, AB=00", UNKNOWN,
    spoil.with({ type = UNKNOWN, raw = "" }))
  add(COMBINATION, "unknown-ab-11", "AB=11 on an unknown object", UNKNOWN,
    spoil.with({ type = UNKNOWN, ab = 3, raw = WORD }))
  add(LENGTH, "overrun-by-a-word", "a last object that runs one word past the end",
    title(last), spoil.object(title(last), "length", objects[last].words + 1))
  add(LENGTH, "overrun-by-far", "a last object that runs far past the end", nil,
    spoil.object(title(last), "length", 4095))
  add(LENGTH, "overrun-of-an-unknown", "an unknown object, AB=01, that runs past the end", nil,
    spoil.all(spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }),
      spoil.object(UNKNOWN, "length", 9)))
end

-- options: has, may_have, may_not_have (lists of names; the last of `has` is the last in the message),
-- missing (the requirement, by name), illegal (the same), add_more(add). Rows { code, name, what, the
-- object at fault (nil: not looked at), the change, a requirement beside that of its code }. Who asks
-- may set or_code, another code that the text allows, and may_be_taken, where none forbids to take it.
function faults.list(options)
  local rows = {}
  local function add(code, name, what, object, change, also)
    rows[#rows + 1] = { code = code, name = name, what = what, object = object, change = change,
      also = also, id = requirement_of[code] }
    return rows[#rows]
  end
  for _, name in ipairs(options.has) do
    add(MISSING, "without-" .. dashed(name), "no " .. title(name), title(name),
      spoil.without(title(name)), options.missing and options.missing[name])
    of_object(name, false, add)
  end
  for _, name in ipairs(options.may_have or {}) do of_object(name, true, add) end
  for _, name in ipairs(options.may_not_have) do
    add(ILLEGAL, "with-" .. dashed(name), "a " .. title(name), title(name), with(name),
      options.illegal)
  end
  of_any_message(options.has[#options.has], add)
  if options.add_more then options.add_more(add) end
  return rows
end

-- What a NATFW_ICMP_TYPES can be wrong in, and the NATFW_EFI of a request.
function faults.of_requests(add)
  local EFI, ICMP = "NATFW_EFI", "NATFW_ICMP_TYPES"
  add(LENGTH, "icmp-types-short", "a NATFW_ICMP_TYPES shorter than its count", ICMP,
    spoil.with({ type = ICMP, raw = "\9\8\0\0" }), objects.icmp_types.length_id)
  add(LENGTH, "overrun-of-variable-length", "a NATFW_ICMP_TYPES that runs past the end", ICMP,
    spoil.all(with("icmp_types"), spoil.object(ICMP, "length", 2)))
  add(VALUE, "icmp-types-none", "a NATFW_ICMP_TYPES with a count of zero", ICMP,
    spoil.with({ type = ICMP, raw = "\0\0\0\0" })).may_be_taken = true
  for _, action in ipairs({ { 0, "0" }, { 3, "3" }, { 0xFFFF, "0xffff" } }) do
    add("7/0x05", "rule-action-" .. action[2], "rule action " .. action[2], EFI,
      spoil.value(EFI, "rule_action", action[1]))
  end
  for _, count in ipairs({ { 2, "2" }, { 0xFFFF, "0xffff" } }) do
    add("7/0x08", "sub-ports-" .. count[2], "sub_ports " .. count[2], EFI,
      spoil.value(EFI, "sub_ports", count[1]))
  end
end

-- Cases ------------------------------------------------------------------------------------------

-- Whether the request is processed: sent on, or answered otherwise than it would be if refused for this.
local function is_taken(t, code)
  t:await_message()
  local answer = t.ni:await_message{ within_ms = 0 }
  local taken = t.nr:waiting() > 0 or answer and answer:info() ~= code
  return taken or false
end

local function request_run(row, options)
  local ids = { row.id, row.also }
  local what = options.article .. " with " .. row.what
  return function(t)
    local session = t:session{ external = options.external }:connect()
    t:body()
    session:send_create{ change = row.change }
    if row.may_be_taken and is_taken(t, row.code) then
      t:not_applicable("the IUT takes it, which no text forbids")
    end
    local response = session:expect_response{ ids = ids, text = what .. " is answered" }
    local info = response:info()
    t:check{ ids = ids, text = what .. " is answered: class and code", actual = info,
      expected = row.code .. (row.or_code and " or " .. row.or_code or ""),
      holds = info == row.code or info == row.or_code }
    if row.or_code then t:reading{ of = row.id, ids = ids, seen = info, ours = row.code } end
    -- What is missing has no object that could be named: ruling A13.
    local names_none = row.code == MISSING and response.object_type == 0
    if row.object then
      if row.code == MISSING then t:reading{ of = "A13", seen = names_none and "0" or "the type" } end
      t:check{ ids = { OBJECT_TYPE }, text = "its Object Type is that of the object at fault",
        holds = names_none or response.object_type == Item.object_number(row.object),
        expected = string.format("0x%03X", Item.object_number(row.object)),
        actual = string.format("0x%03X", response.object_type or 0) }
    end
    t.ni:expect_nothing{ ids = { NO_DISCARD }, text = "it is answered by that one RESPONSE" }
    t:check{ ids = { NO_DISCARD }, text = "it is not forwarded", expected = 0,
      actual = t.nr:waiting() }
    t:control()
    options.valid(t, session)
  end
end

-- The cases of a CREATE or an EXTERNAL. options: prefix, article, external, roles, smoke (a set of
-- names), valid(t, session): that a valid one is processed.
function faults.request_cases(rows, options)
  local cases = {}
  for _, row in ipairs(rows) do
    local requirements = { row.id, NO_DISCARD, row.also }
    if row.object then table.insert(requirements, OBJECT_TYPE) end
    cases[#cases + 1] = { id = options.prefix .. row.name, roles = options.roles,
      smoke = options.smoke and options.smoke[row.name],
      purpose = options.article .. " with " .. row.what .. " is answered " .. row.code
        .. " and not forwarded.",
      requirements = requirements, run = request_run(row, options) }
  end
  return cases
end

-- Who gives a session up, and says so, has no more to say about it.
local function expect_another(t)
  t:reading{ of = "3.2.7-1", seen = "gives the session up" }
  t:control()
  t:trigger_session():establish()
end

local function wrong_response(change)
  return function(t)
    local session = t:outbound_session():begin()
    session:expect_create()
    if not t:judges_initiator() then session.data:expect_blocked() end
    t:body()
    session:respond{ change = change }
    t.nr:expect_no_response{ ids = { SILENT }, faulty = true, text = "it is not answered" }
    if t:judges_initiator() then
      session:expect_no_success{ ids = { CHECKED } }
      t:check{ ids = { NOT_PASSED }, text = "nor passed on", expected = 0, actual = t.ni:waiting() }
      if session:reported() then return expect_another(t) end
    else
      t.ni:expect_nothing{ ids = { NOT_PASSED }, text = "it is not passed on" }
      session.data:expect_blocked{ ids = { CHECKED }, text = "it installs nothing" }
    end
    t:control()
    session:expect_granted{ text = "the valid RESPONSE is taken" }
    if not t:judges_initiator() then session.data:expect_passing() end
    session:delete():expect_deletion()
  end
end

local function expect_session_kept(t, session)
  if t:judges_responder() then
    session:send_create{ msn = session.msn }
    t.ni:expect_nothing{ ids = { CHECKED },
      text = "the session is as it was: its MSN is stale" }
  end
  if t:judges_initiator() then
    return session:expect_alive{ ids = { CHECKED }, text = "the session lives, and can be deleted" }
  end
  t:control()
  session:expect_alive()
end

local function wrong_notify(change, may_be_taken)
  return function(t)
    local from = t:judges_responder() and t.ni or t.nr
    local session = (t:judges_responder() and t:session() or t:outbound_session()):establish()
    local forwards = not (t:judges_initiator() or t:judges_responder())
    if forwards then session.data:expect_passing() end
    t:body()
    local message = messages.notify("1/0x05")
    change(message)
    from:send_nslp(session, message)
    from:expect_no_response{ ids = { SILENT }, faulty = true, text = "it is not answered" }
    if may_be_taken and t.ni:waiting() > 0 then t:not_applicable("the IUT takes it: ruling A30") end
    if forwards then
      t.ni:expect_nothing{ ids = { SILENT }, message = "RESPONSE", other_ids = { NOT_PASSED },
        text = "the initiator gets no RESPONSE for it" }
      session.data:expect_passing{ ids = { CHECKED }, text = "it does not end the session" }
    else
      t:check{ ids = { NOT_PASSED }, text = "nor relayed", expected = 0,
        actual = t.ni:waiting() + t.nr:waiting() }
    end
    expect_session_kept(t, session)
  end
end

local function silent_cases(rows, options)
  local cases = {}
  for _, row in ipairs(rows) do
    cases[#cases + 1] = { id = options.prefix .. row.name,
      roles = row.may_be_taken and roles.firewall or options.roles,
      needs = { "blocks_by_default" },
      purpose = options.article .. " with " .. row.what .. options.outcome,
      requirements = options.requirements, run = options.run(row.change, row.may_be_taken) }
  end
  return cases
end

function faults.response_cases(rows)
  return silent_cases(rows, { prefix = "3.3-response-", article = "A RESPONSE",
    roles = roles.sends_queries,
    outcome = " is not answered, not passed on and installs nothing.",
    requirements = { SILENT, NOT_PASSED, CHECKED }, run = wrong_response })
end

function faults.notify_cases(rows)
  return silent_cases(rows, { prefix = "3.3-notify-", article = "A NOTIFY",
    roles = roles.all,
    outcome = " is not answered, not relayed and ends nothing.",
    requirements = { SILENT, NOT_PASSED, CHECKED }, run = wrong_notify })
end

return faults
