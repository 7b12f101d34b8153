-- Plays the initiator's side of a capture against the IUT, and compares what comes back with what
-- the capture has, field by field. Session ids, cookies, addresses, ports and identities are bound
-- as they appear: the same value in the capture has to be the same value now.
--
-- NATFW messages go out octet for octet, with the pauses of the capture (LONGEST_PAUSE_MS at most).
-- Behind an IUT that forwards them the runner's responder answers as the capture's RESPONSE says.

local gist = require("codec.gist")
local judge = require("judge.judge")
local messages = require("runner.messages")
local show = require("codec.show")

local replay = {}

local MRI, SID, NLI, QUERY_COOKIE, PROPOSAL, CONFIGURATION = 0, 1, 2, 5, 3, 4

local LONGEST_PAUSE_MS = 10000

-- Fields whose values differ from run to run, with what they are bound as.
local BOUND = { sid = "sid", cookie = "cookie", peer_identity = "identity", source = "address",
  destination = "address", interface = "interface", address = "address", source_port = "port",
  dest_port = "port", dr_port = "port", ds_port = "port", port = "port", nonce = "nonce",
  original_sid = "sid" }

-- What is the IUT's own configuration, or follows from lengths of cookies: no part of the verdict.
local FREE = { length = true, validity_ms = true, hold_time_ms = true, ip_ttl = true, hops = true,
  pi_length = true, options = true, mpo_count = true, profiles = true, profile_count = true,
  raw = true, comment = true, original_header = true }

-- Reading the capture ----------------------------------------------------------------------------

local PROTOCOLS = { [6] = "tcp", [17] = "udp" }

local function protocol_of(message)
  local mri = message.item.gist.by_type[MRI]
  mri = mri and mri.values or {}
  return mri.source_port and mri.dest_port and mri.ip_ver == 4 and PROTOCOLS[mri.protocol] or nil
end

-- Why a message that the player sent cannot be played, or nil.
local function obstacle(message)
  if message.item.gist.header.nslpid ~= gist.nslpid then
    return string.format("NSLPID %d is not NATFW's", message.item.gist.header.nslpid)
  elseif not message.item.sid then
    return "there is no SID"
  elseif not protocol_of(message) then
    return "its flow is none of IPv4 with UDP or TCP and both ports"
  end
end

local function first_querier(gathered)
  for _, message in ipairs(gathered.messages) do
    if message.name == "Query" then return message.sender end
  end
end

-- Steps { play or expect, message }: without retransmissions, Confirms (which follow by themselves)
-- and MA-Hellos.
local function steps_of(gathered, player)
  local steps, asked = {}, {}
  for _, message in ipairs(gathered.messages) do
    local sid = message.item.sid
    if message.sender == player and message.name == "Query" then
      if not asked[sid] then steps[#steps + 1] = { play = "query", message = message } end
      asked[sid] = true
    elseif message.sender == player and message.item.natfw then
      steps[#steps + 1] = { play = "nslp", message = message }
    elseif message.destination == player and message.sender ~= player
      and (message.name == "Response" or message.item.natfw or message.name == "Error") then
      steps[#steps + 1] = { expect = message.item.name, message = message }
    end
  end
  return steps
end

-- { steps, player }, or nil and why.
function replay.read(path, player, read_pcap)
  local gathered, why = judge.gather({ path }, {}, read_pcap)
  if not gathered then return nil, why end
  player = player or first_querier(gathered)
  if not player then return nil, path .. ": has no Query" end
  local steps = steps_of(gathered, player)
  local plays = 0
  for _, step in ipairs(steps) do
    why = step.play and obstacle(step.message)
    if why then return nil, string.format("%s: frame %s: %s", path, step.message.frame, why) end
    plays = plays + (step.play and 1 or 0)
  end
  if plays == 0 then
    return nil, path .. ": has nothing that " .. player .. " sent and I can play"
  end
  return { steps = steps, player = player, path = path }
end

-- Comparing --------------------------------------------------------------------------------------

local function record(t, text, expected, actual, holds)
  t.steps[#t.steps + 1] = { kind = "check", at = t.net.now(), text = text, ids = {}, phase = "body",
    expected = tostring(expected), actual = tostring(actual), ok = holds }
  if not holds then t.differences = (t.differences or 0) + 1 end
end

local function bind(t, kind, captured, actual)
  local key = kind .. "|" .. tostring(captured)
  if t.bound[key] == nil then t.bound[key] = actual end
  return t.bound[key]
end

local function compare_fields(t, where, captured, actual)
  local keys = {}
  for key in pairs(captured) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local wanted, got = captured[key], actual[key]
    if BOUND[key] and got ~= nil then wanted = bind(t, BOUND[key], wanted, got) end
    if type(wanted) ~= "table" and not FREE[key] then
      record(t, where .. " " .. key, wanted, got == nil and "absent" or got, wanted == got)
    end
  end
end

local function objects_by_type(message)
  local found = {}
  for _, object in ipairs(message.objects) do found[object.type] = found[object.type] or object end
  return found
end

local function compare_messages(t, captured, actual)
  local where = captured.layer:upper() .. " " .. captured.name
  record(t, where .. ": the message", captured.name, actual.name, captured.name == actual.name)
  compare_fields(t, where, captured.header, actual.header)
  local mine, theirs = objects_by_type(captured), objects_by_type(actual)
  for _, object in ipairs(captured.objects) do
    local other = theirs[object.type]
    local name = where .. " " .. object.name
    record(t, name, "present", other and "present" or "absent", other ~= nil)
    if other and object.fields and other.fields and not (captured.layer == "gist"
      and object.type == 8) then
      compare_fields(t, name, object.fields, other.fields)
    end
  end
  for _, object in ipairs(actual.objects) do
    if not mine[object.type] then record(t, where .. " " .. object.name, "absent", "present", false)
    end
  end
  if captured.nslp and actual.nslp then compare_messages(t, captured.nslp, actual.nslp) end
end

-- Playing ----------------------------------------------------------------------------------------

-- The Query as captured, with what is bound to this run in place of what was bound to that one.
local function like_captured(captured)
  return function(query)
    local own = {}
    for _, object in ipairs(query.objects) do own[object.type] = object end
    local flags = captured.item.gist.header
    query.header.hops, query.header.e = flags.hops, flags.e
    query.objects = {}
    for _, object in ipairs(captured.item.gist.objects) do
      local kind = object.type
      local ours = kind == MRI or kind == SID or kind == NLI or kind == QUERY_COOKIE
        or kind == PROPOSAL or kind == CONFIGURATION
      query.objects[#query.objects + 1] = ours and own[kind]
        or { type = kind, ab = object.ab, raw = object.raw }
    end
  end
end

local function session_of(t, message)
  local sid = message.item.sid
  local session = t.sessions[sid]
  if session then return session end
  session = t:session({ protocol = protocol_of(message) })
  t.sessions[sid] = session
  local mri = message.item.gist.by_type[MRI].values
  bind(t, "sid", show.hex(sid), show.hex(session.sid))
  bind(t, "address", mri.source, session.flow.source)
  bind(t, "address", mri.destination, session.flow.destination)
  if mri.source_port then bind(t, "port", mri.source_port, session.flow.source_port) end
  if mri.dest_port then bind(t, "port", mri.dest_port, session.flow.destination_port) end
  return session
end

-- Answers what the IUT forwards as the capture says that it was answered.
local function answer_behind(t, session, answer)
  local item = t.nr and t.nr.inbox[1]
  if not item then return end
  table.remove(t.nr.inbox, 1)
  local request = item.name == "CREATE" or item.name == "EXTERNAL"
  if not request or item.lifetime_s == 0 or item.session ~= session then return end
  local given = answer and answer.message.item
  t.nr:send_nslp(session, messages.nslp_response({ class = given and given.class or 2,
    code = given and given.code, msn = item.msn,
    lifetime_s = given and given.lifetime_s or item.lifetime_s }))
end

local plays = {}

function plays.query(t, session, message)
  session:connect({ change_query = like_captured(message) })
  local cookie = message.item.gist.by_type[QUERY_COOKIE]
  local echoed = session.querying.response.gist.by_type[QUERY_COOKIE]
  if cookie and echoed then
    bind(t, "cookie", show.hex(cookie.raw), show.hex(echoed.raw))
  end
end

function plays.nslp(t, session, message)
  if not session:connected() then session:connect() end
  t.ni:send_nslp(session, message.item.natfw.bytes)
end

local function expect(t, step)
  local message = step.message
  local session = message.item.sid and t.sessions[message.item.sid]
  local captured = show.plain(message.item.gist)
  if message.name == "Response" then
    local response = session and session.querying and session.querying.response
    if response then compare_messages(t, captured, show.plain(response.gist)) end
    return
  end
  local item = t:await(t.ixit.timing.response_ms, function()
    if session then answer_behind(t, session, step) end
    return table.remove(t.ni.inbox, 1)
  end)
  record(t, "frame " .. message.frame .. ": " .. step.expect .. " comes",
    messages.summary(message.item), messages.summary(item), item ~= nil)
  if item then compare_messages(t, captured, show.plain(item.gist)) end
end

-- The case that plays it.
function replay.definition(script, roles)
  local name = script.path:match("([^/]*)$"):gsub("[^%w.-]", "-")
  return { id = "replay-" .. name, document = "", section = "", file = script.path, roles = roles,
    requirements = {}, purpose = "Plays " .. script.player .. " of " .. script.path
      .. " and compares what comes back.",
    run = function(t)
      t.bound, t.sessions = {}, {}
      t:body()
      local before = script.steps[1].message.at
      for _, step in ipairs(script.steps) do
        local pause_ms = math.min((step.message.at - before) * 1000, LONGEST_PAUSE_MS)
        before = step.message.at
        if step.play then
          if pause_ms > 0 then t:pause(pause_ms) end
          plays[step.play](t, session_of(t, step.message), step.message)
        else
          expect(t, step)
        end
      end
      if t.differences then
        error({ verdict = "fail", reason = t.differences .. " fields differ from the capture" })
      end
    end }
end

return replay
