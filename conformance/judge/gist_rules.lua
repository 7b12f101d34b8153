-- What a capture alone can tell of GIST, RFC 5971: one rule each, over the messages that the IUT
-- sent. say(message, expected, actual, holds) is one observation; a rule that says nothing was
-- never exercised.

local engine = require("codec.engine")
local gist = require("codec.gist")
local tables = require("codec.tables")
local view = require("judge.view")

local MRI, SID, NLI, PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE, ERROR, HELLO =
  0, 1, 2, 3, 4, 5, 6, 9, 10
local HEADER, HOP_LIMIT, OBJECTS, VALUES = 1, 2, 9, 10 -- error codes, A.4.4
local CONFIRM = 2 -- a message type, A.1

local header, hex, object, raw, value = view.header, view.hex, view.object, view.raw, view.value
local by_session, with_cookie = view.by_session, view.with_cookie

-- Faults of the codec with these error codes, as one observation a message.
local function without_faults(...)
  local codes = {}
  for _, code in ipairs({ ... }) do codes[code] = true end
  return function(stream, say)
    for _, message in ipairs(stream:sent()) do
      local found = {}
      for _, fault in ipairs(message.item.gist.faults) do
        if codes[fault.class] then
          found[#found + 1] = string.format("error %d/%d: %s", fault.class, fault.code, fault.text)
        end
      end
      say(message, "no fault", #found > 0 and table.concat(found, "; ") or "no fault", #found == 0)
    end
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
local function profiles_of(message)
  local out, padding_set = {}, false
  for place, profile in ipairs(value(message, PROPOSAL, "profiles") or {}) do
    out[place] = table.concat(profile.layers, " ")
    padding_set = padding_set or profile.padding_set
  end
  return table.concat(out, ", "), padding_set
end

-- Octet for octet, or with padding of its own, which is zero.
local function echoes_proposal(mine, theirs)
  local profiles, padding_set = profiles_of(mine)
  return raw(mine, PROPOSAL) == raw(theirs, PROPOSAL)
    or profiles ~= "" and profiles == profiles_of(theirs) and not padding_set
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

local function matched_queries(stream) return view.matched(stream, "Response", "Query", QUERY_COOKIE) end

local function matched_responses(stream)
  return view.matched(stream, "Confirm", "Response", RESPONDER_COOKIE)
end

local function echoes_direction(pairs_of)
  return function(stream, say)
    for message, other in pairs_of(stream) do
      local mine, theirs = object(message, MRI), object(other, MRI)
      mine, theirs = mine and mine.values or {}, theirs and theirs.values or {}
      local expected, actual = mri_differences(mine, theirs)
      say(message, "the MRI of frame " .. other.frame .. " with D inverted: " .. expected,
        mine.mrm and actual or "no MRI", inverted(mine, theirs) or false)
    end
  end
end

local function ports_of(response)
  local list = {}
  for _, option in ipairs(value(response, CONFIGURATION, "options") or {}) do
    if option.protocol == 1 and #(option.data or "") >= 2 then
      list[string.unpack(">I2", option.data)] = true
    end
  end
  return list
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
    judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        local set = own_reserved(message)
        say(message, "zero", #set > 0 and "set in " .. table.concat(set, ", ") or "zero", #set == 0)
      end
    end },
  { id = "gist-magic-number", requirements = { "5.3.1-3" },
    text = "What goes from UDP port 270 to 270 begins with the magic number",
    judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        if message.packet then say(message, "the magic number", "the magic number", true) end
      end
      for _, stranger in ipairs(stream.strangers) do
        if stranger.from_iut then say(stranger, "the magic number", "something else", false) end
      end
    end },
  { id = "gist-c-mode-framing", requirements = { "5.4-i2", "5.2.1-i3" },
    text = "C-mode has no magic number", judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        if message.mode == "C" then
          say(message, "none", message.magic and "a magic number" or "none", not message.magic)
        end
      end
    end },
  { id = "gist-c-mode-s-flag", requirements = { "5.2.1-i1" }, text = "Every C-mode message has S=1",
    judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        if message.mode == "C" then say(message, "S=1", "S=" .. tostring(header(message).s)) end
      end
    end },
  { id = "gist-query-encapsulation", requirements = { "5.1-3" },
    text = "A Query goes in Q-mode, never over an association", judge = function(stream, say)
      for _, message in ipairs(stream:sent("Query")) do
        say(message, "Q-mode", message.mode .. "-mode")
      end
    end },
  { id = "gist-query-dont-fragment", requirements = { "5.3.2.1-5" },
    text = "IPv4 Q-mode packets have Don't Fragment set", judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        if message.mode == "Q" and message.packet.version == 4 then
          say(message, "DF set", message.packet.df and "DF set" or "DF clear")
        end
      end
    end },
  { id = "gist-query-router-alert", requirements = { "5.8.1.2-i2" },
    text = "The router alert option of a NATFW Query, where there is one, has NATFW's value",
    judge = function(stream, say, note)
      for _, message in ipairs(stream:sent("Query")) do
        local four = message.packet and message.packet.version == 4
        if header(message).nslpid == gist.nslpid and four then
          local alert = message.packet.router_alert
          if alert then
            say(message, gist.router_alert, alert)
          else
            note(message, "no router alert option: right only where it is configured off (5.3.2.1)")
          end
        end
      end
    end },
  { id = "gist-query-destination", requirements = { "5.8.1.2-2" },
    text = "A downstream Query goes to the flow's destination", judge = function(stream, say)
      for _, message in ipairs(stream:sent("Query")) do
        local mri = object(message, MRI)
        mri = mri and mri.values or {}
        if message.packet and mri.mrm == 0 and mri.d == 0 and mri.destination then
          say(message, mri.destination, message.packet.destination)
        end
      end
    end },
  { id = "gist-query-source", requirements = { "5.2.2-2", "5.2.1-i2" },
    text = "The source of a Query is the flow's with S=0, the NLI's interface address with S=1",
    judge = function(stream, say)
      for _, message in ipairs(stream:sent("Query")) do
        local wanted = header(message).s == 1 and value(message, NLI, "interface")
          or header(message).s == 0 and value(message, MRI, "source")
        local prefix = value(message, MRI, "source_prefix")
        local exact = header(message).s == 1 or prefix == 32 or prefix == 128
        if message.packet and wanted and exact then
          say(message, wanted, message.packet.source)
        end
      end
    end },
  { id = "gist-nli-address", requirements = { "5.2.2-2" },
    text = "The NLI of other D-mode messages has the packet's source address",
    judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        local interface = value(message, NLI, "interface")
        if message.mode == "D" and interface then say(message, message.source, interface) end
      end
    end },
  { id = "gist-d-mode-s-flag", requirements = { "5.3.1-6a" },
    text = "D-mode messages in normal encapsulation have S=1", judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        if message.mode == "D" then say(message, "S=1", "S=" .. tostring(header(message).s)) end
      end
    end },
  { id = "gist-nli-ttl", requirements = { "5.2.2-5" },
    text = "The NLI of a Query has the IP TTL that it left with, or 0", judge = function(stream, say)
      for _, message in ipairs(stream:sent("Query")) do
        local ttl = value(message, NLI, "ip_ttl")
        if ttl and message.packet then
          say(message, "0, or at least the " .. message.packet.ttl .. " of the packet", ttl,
            ttl == 0 or ttl >= message.packet.ttl)
        end
      end
    end },
  { id = "gist-udp-checksum", requirements = { "5.3.1-2" }, text = "UDP checksums are on",
    judge = function(stream, say)
      for _, message in ipairs(stream:sent()) do
        if message.packet then
          say(message, "a checksum", message.packet.checksum ~= 0 and "a checksum" or "none")
        end
      end
    end },
  { id = "gist-query-cookie-new", requirements = { "5.3.3-6" },
    text = "Each retransmission of a Query has a Query-Cookie of its own",
    judge = function(stream, say)
      local seen = {}
      for _, message in ipairs(stream:sent("Query")) do
        local key = tostring(raw(message, SID)) .. message.sender
        local cookie = raw(message, QUERY_COOKIE)
        if seen[key] and cookie then
          say(message, "a new cookie", seen[key][cookie] and "that of frame " .. seen[key][cookie]
            or "a new cookie")
        end
        seen[key] = seen[key] or {}
        if cookie then seen[key][cookie] = message.frame end
      end
    end },
  { id = "gist-response-cookie", needs_all = true, requirements = { "5.1-9", "5.2.2-i5", "A.3.6-i2" },
    text = "A Response echoes the Query-Cookie of a Query of its session",
    judge = function(stream, say, note)
      local queries_of = by_session(stream:received("Query"))
      local responses_of = by_session(stream:sent("Response"))
      for _, message in ipairs(stream:sent("Response")) do
        local queries = queries_of(message)
        local cookies, known = {}, with_cookie(queries, message, QUERY_COOKIE) ~= nil
        for i, query in ipairs(queries) do cookies[i] = hex(raw(query, QUERY_COOKIE)) end
        local unseen = #queries == 0 or #responses_of(message) > #queries
        if known or not unseen then
          say(message, "one of " .. table.concat(cookies, ", "), hex(raw(message, QUERY_COOKIE)), known)
        elseif #queries > 0 then
          note(message, "no Query has its cookie, but the capture lacks Queries of this session")
        end
      end
    end },
  { id = "gist-response-mri", requirements = { "5.1-9" },
    text = "A Response has the Query's MRI with the direction inverted",
    judge = echoes_direction(matched_queries) },
  { id = "gist-response-r-flag", requirements = { "5.1-11a" },
    text = "A Response with a Responder-Cookie has R=1", judge = function(stream, say)
      for _, message in ipairs(stream:sent("Response")) do
        if object(message, RESPONDER_COOKIE) then
          say(message, "R=1", "R=" .. tostring(header(message).r))
        end
      end
    end },
  { id = "gist-response-ports", requirements = { "5.3.1-5" },
    text = "The UDP ports of a Response mirror those of its Query", judge = function(stream, say)
      for message, query in matched_queries(stream) do
        if message.packet and query.packet then
          local mine, theirs = message.packet, query.packet
          say(message, theirs.destination_port .. " to " .. theirs.source_port,
            mine.source_port .. " to " .. mine.destination_port)
        end
      end
    end },
  { id = "gist-confirm-cookie", needs_all = true, requirements = { "5.1-14", "A.3.7-i2" },
    text = "A Confirm echoes the Responder-Cookie of a Response of its session",
    judge = function(stream, say, note)
      local responses_of = by_session(stream:received("Response"))
      local queries_of = by_session(stream:sent("Query"))
      for _, message in ipairs(stream:sent("Confirm")) do
        local responses, cookies = responses_of(message), {}
        for _, response in ipairs(responses) do
          local cookie = raw(response, RESPONDER_COOKIE)
          if cookie then cookies[#cookies + 1] = hex(cookie) end
        end
        local known = with_cookie(responses, message, RESPONDER_COOKIE) ~= nil
        local unseen = #cookies == 0 or #queries_of(message) > #responses
        if known or not unseen then
          say(message, "one of " .. table.concat(cookies, ", "), hex(raw(message,
            RESPONDER_COOKIE)), known)
        elseif #cookies > 0 then
          note(message, "no Response has its cookie, but the capture lacks Responses of this session")
        end
      end
    end },
  { id = "gist-confirm-mri", requirements = { "5.1-14" },
    text = "A Confirm has the Response's MRI with the direction inverted",
    judge = echoes_direction(matched_responses) },
  { id = "gist-confirm-stack", requirements = { "5.1-15", "5.1-16" },
    text = "The first Confirm of an association echoes the Stack-Proposal, and has no options",
    judge = function(stream, say)
      for message, response in matched_responses(stream) do
        if message.mode == "C" and message.number == 1 and raw(response, PROPOSAL) then
          say(message, hex(raw(response, PROPOSAL)), hex(raw(message, PROPOSAL)),
            echoes_proposal(message, response))
          local count = value(message, CONFIGURATION, "mpo_count")
          if count then say(message, "0 options", count .. " options") end
        end
      end
    end },
  { id = "gist-confirm-first", requirements = { "5.1-12b", "4.4.1-9" },
    text = "The first message on an association that the IUT opened is a Confirm",
    judge = function(stream, say)
      local begun = {}
      for _, message in ipairs(stream:sent()) do
        local connection = message.connection
        if connection and connection.opener == message.source and message.from_start
          and not begun[connection] and message.name ~= "MA-Hello" then
          begun[connection] = true
          say(message, "Confirm", message.name)
        end
      end
    end },
  { id = "gist-association-destination", requirements = { "5.7.2-4" },
    text = "An association is opened to the address and port of a Response",
    judge = function(stream, say)
      for confirm, response in matched_responses(stream) do
        local connection, ports = confirm.connection, ports_of(response)
        if connection and connection.opener == confirm.source and confirm.number == 1
          and confirm.from_start and not tables.is_empty(ports) then
          local announced = ports[connection.opened.port] or false
          say(confirm, "a port that frame " .. response.frame .. " announced", announced
            and "that port" or "port " .. connection.opened.port, announced)
        end
      end
    end },
  { id = "gist-data-nli", requirements = { "5.1-17a", "5.1-17b" },
    text = "Data has an NLI in D-mode, and none in C-mode", judge = function(stream, say)
      for _, message in ipairs(stream:sent("Data")) do
        local wanted = message.mode == "C" and "no NLI" or "an NLI"
        say(message, wanted, object(message, NLI) and "an NLI" or "no NLI")
      end
    end },
  { id = "gist-error", requirements = { "5.6-1", "5.1-18", "5.6-i5" },
    text = "An Error answers no Error, has NSLPID 0, and an NLI in D-mode",
    judge = function(stream, say)
      for _, message in ipairs(stream:sent("Error")) do
        local original = value(message, ERROR, "original_header")
        if original and #original == 8 then
          say(message, "about no Error", original:byte(7) % 128 == 4 and "about an Error"
            or "about no Error")
        end
        say(message, "NSLPID 0", "NSLPID " .. tostring(header(message).nslpid))
        if message.mode ~= "C" then
          say(message, "an NLI", object(message, NLI) and "an NLI" or "no NLI")
        end
      end
    end },
  { id = "gist-hello", requirements = { "5.1-19", "5.1-i8" },
    text = "MA-Hello goes over an association only, with NSLPID 0", judge = function(stream, say)
      for _, message in ipairs(stream:sent("MA-Hello")) do
        say(message, "C-mode, NSLPID 0", message.mode .. "-mode, NSLPID "
          .. tostring(header(message).nslpid))
      end
    end },
  { id = "gist-hello-reply", requirements = { "5.1-20b", "5.2.2-9a" },
    text = "An MA-Hello with R=0 has the Hello-ID of a request, or zero",
    judge = function(stream, say)
      local asked = {}
      for _, message in ipairs(stream:received("MA-Hello")) do
        if message.connection and header(message).r == 1 then
          asked[message.connection] = asked[message.connection] or {}
          asked[message.connection][value(message, HELLO, "hello_id") or 0] = true
        end
      end
      for _, message in ipairs(stream:sent("MA-Hello")) do
        local id = value(message, HELLO, "hello_id")
        if header(message).r == 0 and id and message.connection and message.connection.whole then
          local known = asked[message.connection] or {}
          say(message, "zero, or one that was asked for", id, id == 0 or known[id] or false)
        end
      end
    end },
}
