-- What a capture alone can tell of GIST, RFC 5971: one rule each, over one message after the other.
-- judge(message, say, note) sees those that the IUT sent, of the names in `of` where it is given; with
-- `by_anyone` others' as well. `of_session`: only those of a session, message.session, which has what
-- the rule needs of earlier ones. say(message, expected, actual, holds) is one observation; a rule that
-- says nothing was never exercised. What violates a rule with needs_all or needs_path does so only if
-- the capture shows all of the session; `silent`: otherwise it is not even a note; `only_shown`: nor
-- does what conforms count otherwise.

local engine = require("codec.engine")
local gist = require("codec.gist")
local tables = require("codec.tables")
local view = require("judge.view")

local MRI, NLI, PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE, ERROR, HELLO =
  0, 2, 3, 4, 5, 6, 9, 10
local HEADER, HOP_LIMIT, OBJECTS, VALUES = 1, 2, 9, 10 -- error codes, A.4.4
local CONFIRM = 2 -- a message type, A.1

local header, hex, object, raw, value = view.header, view.hex, view.object, view.raw, view.value
local values_of = view.values_of

-- Faults of the codec with these error codes, as one observation a message.
local function without_faults(...)
  local codes = {}
  for _, code in ipairs({ ... }) do codes[code] = true end
  return function(message, say)
    if #message.item.gist.faults == 0 then return say(message, "no fault", "no fault") end
    local found = {}
    for _, fault in ipairs(message.item.gist.faults) do
      if codes[fault.class] then
        found[#found + 1] = string.format("error %d/%d: %s", fault.class, fault.code, fault.text)
      end
    end
    say(message, "no fault", #found > 0 and table.concat(found, "; ") or "no fault", #found == 0)
  end
end

-- The MRI's fields but the direction, and what says nothing: reserved bits, Protocol without P.
local function mri_text(values)
  local out = {}
  for key, field in tables.sorted(values or {}) do
    local counts = key ~= "d" and not key:find("^reserved")
      and not (key == "protocol" and values.p == 0)
    if counts then out[#out + 1] = key .. "=" .. tostring(field) end
  end
  return table.concat(out, " ")
end

-- What `mine` has otherwise than `theirs` with D inverted, as it had to be and as it is.
local function mri_differences(mine, theirs)
  local wanted, expected, actual = tables.copy(theirs), {}, {}
  wanted.d = theirs.d and 1 - theirs.d
  if theirs.p == 0 then wanted.protocol = mine.protocol end
  for _, key in ipairs({ "d", "mrm", "n", "ip_ver", "source", "source_prefix", "source_port",
    "destination", "dest_prefix", "dest_port", "protocol", "p", "t", "f", "s", "a", "b", "ds_field",
    "flow_label", "spi" }) do
    if wanted[key] ~= mine[key] then
      expected[#expected + 1] = key .. "=" .. tostring(wanted[key])
      actual[#actual + 1] = key .. "=" .. tostring(mine[key])
    end
  end
  return table.concat(expected, " "), table.concat(actual, " ")
end

-- The profiles of a Stack-Proposal as text, and whether its padding is set.
local function profiles_of(proposal)
  local out, padding_set = {}, false
  for place, profile in ipairs(proposal.profiles or {}) do
    out[place] = table.concat(profile.layers, " ")
    padding_set = padding_set or profile.padding_set
  end
  return table.concat(out, ", "), padding_set
end

-- Octet for octet, or with padding of its own, which is zero.
local function echoes_proposal(mine, theirs)
  if mine == theirs then return true end
  local profiles, padding_set = profiles_of(values_of(PROPOSAL, mine))
  return profiles ~= "" and profiles == profiles_of(values_of(PROPOSAL, theirs)) and not padding_set
end

local function inverted(first, second)
  return first and second and first.d ~= nil and second.d ~= nil and first.d ~= second.d
    and mri_text(first) == mri_text(second)
end

-- The reserved bits that are set, but in a Stack-Proposal that a Confirm has to echo.
local function own_reserved(message)
  local set = {}
  for _, name in ipairs(engine.reserved_set(gist, message.item.gist)) do
    if header(message).type ~= CONFIRM or not name:find("^Stack%-Proposal") then
      set[#set + 1] = name
    end
  end
  return set
end

-- judge(message, kept, say) for the Query that a Response answers, by its cookie, and for the Response
-- that a Confirm does.
local function with_query(judge) return view.with_kept("queries", QUERY_COOKIE, judge) end

local function with_response(judge) return view.with_kept("responses", RESPONDER_COOKIE, judge) end

local D_FLAG = 0x20 -- in the fourth octet of a path-coupled MRI, A.3.1.1

-- Whether octets of a path-coupled MRI are those of the other, but for D.
local function is_inverted(first, second)
  return first and second and #first == #second and #first > 3 and first:byte(1) == 0
    and first:byte(4) ~ second:byte(4) == D_FLAG and first:sub(1, 3) == second:sub(1, 3)
    and first:sub(5) == second:sub(5)
end

local function judge_direction(message, other, say)
  local own = object(message, MRI)
  if is_inverted(own and own.raw, other.mri) then return say(message, "inverted", "inverted") end
  local mine, theirs = own and own.values or {}, values_of(MRI, other.mri)
  local expected, actual = mri_differences(mine, theirs)
  say(message, "the MRI of frame " .. other.frame .. " with D inverted: " .. expected,
    mine.mrm and actual or "no MRI", inverted(mine, theirs) or false)
end

local function ports_of(response)
  local list = {}
  for _, option in ipairs(values_of(CONFIGURATION, response.configuration).options or {}) do
    if option.protocol == 1 and #(option.data or "") >= 2 then
      list[string.unpack(">I2", option.data)] = true
    end
  end
  return list
end

local MOST_HELLOS = 64

-- The Hello-IDs that were asked for on an association, the latest.
local function note_asked(connection, id)
  connection.asked = connection.asked or {}
  table.insert(connection.asked, id)
  if #connection.asked > MOST_HELLOS then table.remove(connection.asked, 1) end
end

local function was_asked(connection, id)
  for _, asked in ipairs(connection.asked or {}) do
    if asked == id then return true end
  end
  return id == 0
end

-- One that nobody asked for is wrong, if the association is seen whole; whether it is may show only at
-- its end.
local function judge_hello_id(message, say, id)
  local connection = message.connection
  local function tell()
    say(message, "zero, or one that was asked for", id, was_asked(connection, id))
  end
  if was_asked(connection, id) and connection:is_whole() then return tell() end
  connection.at_end = connection.at_end or {}
  if #connection.at_end < MOST_HELLOS then table.insert(connection.at_end, tell) end
end

-- Says of an echo { cookie, list, asked, answers, lacks } whether it is that of a kept message, at once
-- where it is; else a while later, unless the capture lacks messages that could have it:
-- more is `answers` than what they answer, `asked`.
local function judge_echo(message, say, note, echo)
  local session, cookie = message.session, raw(message, echo.cookie)
  local function known() return cookie and session:find(echo.list, "cookie", cookie) end
  if known() then return say(message, "one that was received", "that", true) end
  session:later(function()
    local cookies = view.cookies(session[echo.list])
    if cookies == "" and not known() then return end
    if known() then
      say(message, "one that was received", "that", true)
    elseif session:has_forgotten(echo.list, message.at)
      or session[echo.answers] > session[echo.asked] then
      note(message, echo.lacks)
    else
      say(message, "one of " .. cookies, hex(cookie), false)
    end
  end)
end

return {
  { id = "gist-header", requirements = { "A.1-1", "A.1-4", "A.1-i3", "A.1-i5", "5.2.1-1" },
    text = "The common header is valid: version, length, flags of this message type",
    judge = without_faults(HEADER) },
  { id = "gist-hop-count", requirements = { "4.3.1-i3" },
    text = "No message has a hop count of zero", judge = without_faults(HOP_LIMIT) },
  { id = "gist-objects", requirements = { "5.1-1", "5.1-i1", "A.2.1-i2" },
    text = "Each message has its mandatory objects, once, in order, no others, none with AB=11",
    judge = without_faults(OBJECTS) },
  { id = "gist-values", requirements = { "A.3.3-1", "A.3.4-1", "A.3.4-2", "A.3.5-2", "A.3.1.1-2",
    "A.3.1.1-3", "A.3.1.1-4", "5.2.2-8" },
    text = "Object lengths agree with their fields, and no field has a forbidden value",
    judge = without_faults(VALUES) },
  { id = "gist-reserved-bits", requirements = { "A-1a" }, text = "Reserved bits are zero",
    judge = function(message, say)
      local set = own_reserved(message)
      say(message, "zero", #set > 0 and "set in " .. table.concat(set, ", ") or "zero", #set == 0)
    end },
  { id = "gist-magic-number", of_strangers = true, requirements = { "5.3.1-3" },
    text = "What goes from UDP port 270 to 270 begins with the magic number",
    judge = function(message, say)
      if message.is_stranger then
        say(message, "the magic number", "something else", false)
      elseif message.packet then
        say(message, "the magic number", "the magic number", true)
      end
    end },
  { id = "gist-c-mode-framing", requirements = { "5.4-i2", "5.2.1-i3" },
    text = "C-mode has no magic number", judge = function(message, say)
      if message.mode == "C" then
        say(message, "none", message.magic and "a magic number" or "none", not message.magic)
      end
    end },
  { id = "gist-c-mode-s-flag", requirements = { "5.2.1-i1" }, text = "Every C-mode message has S=1",
    judge = function(message, say)
      if message.mode == "C" then say(message, "S=1", "S=" .. tostring(header(message).s)) end
    end },
  { id = "gist-query-encapsulation", requirements = { "5.1-3" },
    text = "A Query goes in Q-mode, never over an association",
    of = { "Query" }, judge = function(message, say)
      say(message, "Q-mode", message.mode .. "-mode")
    end },
  { id = "gist-query-dont-fragment", requirements = { "5.3.2.1-5" },
    text = "IPv4 Q-mode packets have Don't Fragment set", judge = function(message, say)
      if message.mode == "Q" and message.packet.version == 4 then
        say(message, "DF set", message.packet.df and "DF set" or "DF clear")
      end
    end },
  { id = "gist-query-router-alert", requirements = { "5.8.1.2-i2" },
    text = "The router alert option of a NATFW Query, where there is one, has NATFW's value",
    of = { "Query" }, judge = function(message, say, note)
      local four = message.packet and message.packet.version == 4
      if header(message).nslpid == gist.nslpid and four then
        local alert = message.packet.router_alert
        if alert then
          say(message, gist.router_alert, alert)
        else
          note(message, "no router alert option: right only where it is configured off (5.3.2.1)")
        end
      end
    end },
  { id = "gist-query-destination", requirements = { "5.8.1.2-2" },
    text = "A downstream Query goes to the flow's destination",
    of = { "Query" }, judge = function(message, say)
      local mri = object(message, MRI)
      mri = mri and mri.values or {}
      if message.packet and mri.mrm == 0 and mri.d == 0 and mri.destination then
        say(message, mri.destination, message.packet.destination)
      end
    end },
  { id = "gist-query-source", requirements = { "5.2.2-2", "5.2.1-i2" },
    text = "The source of a Query is the flow's with S=0, the NLI's interface address with S=1",
    of = { "Query" }, judge = function(message, say)
      local wanted = header(message).s == 1 and value(message, NLI, "interface")
        or header(message).s == 0 and value(message, MRI, "source")
      local prefix = value(message, MRI, "source_prefix")
      local exact = header(message).s == 1 or prefix == 32 or prefix == 128
      if message.packet and wanted and exact then
        say(message, wanted, message.packet.source)
      end
    end },
  { id = "gist-nli-address", requirements = { "5.2.2-2" },
    text = "The NLI of other D-mode messages has the packet's source address",
    judge = function(message, say)
      local interface = value(message, NLI, "interface")
      if message.mode == "D" and interface then say(message, message.source, interface) end
    end },
  { id = "gist-d-mode-s-flag", requirements = { "5.3.1-6a" },
    text = "D-mode messages in normal encapsulation have S=1", judge = function(message, say)
      if message.mode == "D" then say(message, "S=1", "S=" .. tostring(header(message).s)) end
    end },
  { id = "gist-nli-ttl", requirements = { "5.2.2-5" },
    text = "The NLI of a Query has the IP TTL that it left with, or 0",
    of = { "Query" }, judge = function(message, say)
      local ttl = value(message, NLI, "ip_ttl")
      if ttl and message.packet then
        say(message, "0, or at least the " .. message.packet.ttl .. " of the packet", ttl,
          ttl == 0 or ttl >= message.packet.ttl)
      end
    end },
  { id = "gist-udp-checksum", requirements = { "5.3.1-2" }, text = "UDP checksums are on",
    judge = function(message, say)
      if message.packet then
        say(message, "a checksum", message.packet.checksum ~= 0 and "a checksum" or "none")
      end
    end },
  { id = "gist-query-cookie-new", of_session = true, requirements = { "5.3.3-6" }, of = { "Query" },
    text = "Each retransmission of a Query has a Query-Cookie of its own",
    judge = function(message, say)
      local session, cookie = message.session, raw(message, QUERY_COOKIE)
      if not cookie then return end
      local key = message.sender .. cookie
      local before = session:find("own_queries", "key", key)
      if session:find("own_queries", "sender", message.sender) then
        say(message, "a new cookie", before and "that of frame " .. before.frame or "a new cookie")
      end
      session:keep("own_queries", { at = message.at, key = key, sender = message.sender,
        frame = message.frame })
    end },
  { id = "gist-response-cookie", needs_all = true, of_session = true, of = { "Response" },
    requirements = { "5.1-9", "5.2.2-i5", "A.3.6-i2" },
    text = "A Response echoes the Query-Cookie of a Query of its session",
    judge = function(message, say, note)
      judge_echo(message, say, note, { cookie = QUERY_COOKIE, list = "queries",
        asked = "queries_received", answers = "responses_sent",
        lacks = "no Query has its cookie, but the capture lacks Queries of this session" })
    end },
  { id = "gist-response-mri", of_session = true, of = { "Response" }, requirements = { "5.1-9" },
    text = "A Response has the Query's MRI with the direction inverted",
    judge = with_query(judge_direction) },
  { id = "gist-response-r-flag", requirements = { "5.1-11a" },
    text = "A Response with a Responder-Cookie has R=1",
    of = { "Response" }, judge = function(message, say)
      if object(message, RESPONDER_COOKIE) then
        say(message, "R=1", "R=" .. tostring(header(message).r))
      end
    end },
  { id = "gist-response-ports", of_session = true, of = { "Response" }, requirements = { "5.3.1-5" },
    text = "The UDP ports of a Response mirror those of its Query",
    judge = with_query(function(message, query, say)
      if message.packet and query.source_port then
        say(message, query.destination_port .. " to " .. query.source_port,
          message.source_port .. " to " .. message.destination_port)
      end
    end) },
  { id = "gist-confirm-cookie", needs_all = true, of_session = true, of = { "Confirm" },
    requirements = { "5.1-14", "A.3.7-i2" },
    text = "A Confirm echoes the Responder-Cookie of a Response of its session",
    judge = function(message, say, note)
      judge_echo(message, say, note, { cookie = RESPONDER_COOKIE, list = "responses",
        asked = "responses_received", answers = "queries_sent",
        lacks = "no Response has its cookie, but the capture lacks Responses of this session" })
    end },
  { id = "gist-confirm-mri", of_session = true, of = { "Confirm" }, requirements = { "5.1-14" },
    text = "A Confirm has the Response's MRI with the direction inverted",
    judge = with_response(judge_direction) },
  { id = "gist-confirm-stack", of_session = true, of = { "Confirm" },
    requirements = { "5.1-15", "5.1-16" },
    text = "The first Confirm of an association echoes the Stack-Proposal, and has no options",
    judge = with_response(function(message, response, say)
      if message.mode ~= "C" or message.number ~= 1 or not response.proposal then return end
      say(message, hex(response.proposal), hex(raw(message, PROPOSAL)),
        echoes_proposal(raw(message, PROPOSAL), response.proposal))
      local count = value(message, CONFIGURATION, "mpo_count")
      if count then say(message, "0 options", count .. " options") end
    end) },
  { id = "gist-confirm-first", requirements = { "5.1-12b", "4.4.1-9" },
    text = "The first message on an association that the IUT opened is a Confirm",
    judge = function(message, say)
      local connection = message.connection
      if connection and connection.opener == message.source and message.from_start
        and not connection.has_begun and message.name ~= "MA-Hello" then
        connection.has_begun = true
        say(message, "Confirm", message.name)
      end
    end },
  { id = "gist-association-destination", of_session = true, of = { "Confirm" },
    requirements = { "5.7.2-4" },
    text = "An association is opened to the address and port of a Response",
    judge = with_response(function(message, response, say)
      local connection = message.connection
      if not (connection and connection.opener == message.source
        and message.number == 1 and message.from_start) then return end
      local ports, opened = ports_of(response), connection.opened.port
      if tables.is_empty(ports) then return end
      say(message, "a port that frame " .. response.frame .. " announced", ports[opened]
        and "that port" or "port " .. opened, ports[opened] or false)
    end) },
  { id = "gist-data-nli", requirements = { "5.1-17a", "5.1-17b" },
    text = "Data has an NLI in D-mode, and none in C-mode",
    of = { "Data" }, judge = function(message, say)
      local wanted = message.mode == "C" and "no NLI" or "an NLI"
      say(message, wanted, object(message, NLI) and "an NLI" or "no NLI")
    end },
  { id = "gist-error", requirements = { "5.6-1", "5.1-18", "5.6-i5" },
    text = "An Error answers no Error, has NSLPID 0, and an NLI in D-mode",
    of = { "Error" }, judge = function(message, say)
      local original = value(message, ERROR, "original_header")
      if original and #original == 8 then
        say(message, "about no Error", original:byte(7) % 128 == 4 and "about an Error"
          or "about no Error")
      end
      say(message, "NSLPID 0", "NSLPID " .. tostring(header(message).nslpid))
      if message.mode ~= "C" then
        say(message, "an NLI", object(message, NLI) and "an NLI" or "no NLI")
      end
    end },
  { id = "gist-hello", requirements = { "5.1-19", "5.1-i8" },
    text = "MA-Hello goes over an association only, with NSLPID 0",
    of = { "MA-Hello" }, judge = function(message, say)
      say(message, "C-mode, NSLPID 0", message.mode .. "-mode, NSLPID "
        .. tostring(header(message).nslpid))
    end },
  { id = "gist-hello-reply", requirements = { "5.1-20b", "5.2.2-9a" },
    text = "An MA-Hello with R=0 has the Hello-ID of a request, or zero",
    of = { "MA-Hello" }, by_anyone = true, judge = function(message, say)
      local connection, id = message.connection, value(message, HELLO, "hello_id")
      if message.to_iut and connection and header(message).r == 1 then
        note_asked(connection, id or 0)
      elseif message.from_iut and connection and header(message).r == 0 and id then
        judge_hello_id(message, say, id)
      end
    end },
}
