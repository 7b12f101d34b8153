-- Plays one side of a capture against the IUT, or both, and compares what comes back with what the
-- capture has. Session ids, cookies, addresses, ports, identities and an initiator's sequence
-- numbers are bound as they appear. What is played and expected is replay_script.lua's, how it is
-- compared replay_compare.lua's.
--
-- NATFW messages go out octet for octet, with the pauses of the capture (LONGEST_PAUSE_MS at most).
-- Handshakes are played as often as the capture has them, and where the IUT's routing state would end
-- before that.
-- A forwarder needs both its neighbours: where the capture has one side only, the runner's own node
-- on the other asks or answers as the capture's side makes necessary.

local compare = require("runner.replay_compare")
local messages = require("runner.messages")
local script = require("runner.replay_script")
local show = require("codec.show")
local tables = require("codec.tables")

local replay = {}

local LONGEST_PAUSE_MS = 10000
local LONGEST_WAIT_MS = 600000
-- How long a capture has to go on after its last message to say that nothing more came.
local SILENCE_S = 0.2

replay.read = script.read

-- Why the IUT that the IXIT describes can't be asked for this, or nil.
function replay.obstacle(self, settings)
  local role = table.concat(settings.ics.roles, ", ")
  if settings.responder and not self.nodes.inside then
    return self.path .. ": only " .. self.nodes.outside .. " would be played, on the responder's side; "
      .. "the IXIT's IUT (" .. role .. ") is the responder itself"
  elseif settings.initiator and not self.nodes.outside then
    return self.path .. ": only " .. self.nodes.inside .. " would be played, on the initiator's side; "
      .. "the IXIT's IUT (" .. role .. ") is the initiator itself"
  end
end

-- Sessions ---------------------------------------------------------------------------------------

local function bound_port(t, flow, captured, field)
  if captured then flow[field] = compare.bind(t, "port", captured, flow[field]) end
end

-- The session of now for that of a step: a flow of its own, with what is bound already.
local function session_of(t, step)
  local sid = step.message.item.sid
  local session = t.sessions[sid]
  if session or not step.flow then return session end
  local captured = step.flow
  local flow = t:new_flow({ protocol = captured.protocol })
  flow.source_prefix, flow.destination_prefix = captured.source_prefix, captured.destination_prefix
  compare.bind(t, "address", captured.source, flow.source)
  compare.bind(t, "address", captured.destination, flow.destination)
  bound_port(t, flow, captured.source_port, "source_port")
  bound_port(t, flow, captured.dest_port, "destination_port")
  if t:judges_initiator() then
    session = t:trigger_session({ flow = flow, lifetime_s = t.lifetime_of[sid] })
  else
    session = t:session({ flow = flow })
    compare.bind(t, "sid", show.hex(sid), show.hex(session.sid))
  end
  t.sessions[sid] = session
  return session
end

-- Playing the initiator's side -------------------------------------------------------------------

local OF_THIS_RUN = { ["MRI"] = true, ["SID"] = true, ["NLI"] = true, ["Query-Cookie"] = true,
  ["Stack-Proposal"] = true, ["Stack-Configuration-Data"] = true }

-- The Query as captured, with what is bound to this run in place of what was bound to that one.
local function like_captured(captured)
  return function(query)
    local own = {}
    for _, object in ipairs(query.objects) do own[object.type] = object end
    local flags = captured.item.gist.header
    query.header.hops, query.header.e = flags.hops, flags.e
    query.objects = {}
    for _, object in ipairs(captured.item.gist.objects) do
      query.objects[#query.objects + 1] = OF_THIS_RUN[object.name] and own[object.type]
        or { type = object.type, ab = object.ab, raw = object.raw }
    end
  end
end

local function name_of_handshake(step)
  return string.format("%s %s %d", step.side, show.hex(step.message.item.sid or ""), step.handshake)
end

-- A handshake; where it refreshes routing state, what it asks for no association for goes on over that
-- which there is.
local function connect(t, session, step)
  local captured = step and step.message
  local association = session:connected() and session:association()
  local d_mode = captured and not captured.item:has("Stack-Proposal")
  session:connect(captured and { change_query = like_captured(captured), d_mode = d_mode } or nil)
  if association and association.open and not session:association() then
    session:use_association(association)
  end
  local echoed = session:response():raw("Query-Cookie")
  local sent = captured and captured.item:raw("Query-Cookie")
  if sent and echoed then
    compare.bind(t, compare.cookie(name_of_handshake(step)), show.hex(sent), show.hex(echoed))
  end
end

-- The octets of a captured NATFW message, with the sequence number that the session has now.
local function bound_octets(session, item)
  local octets, sequence = item.natfw.bytes, item:object("NATFW_MSN")
  if not session.msn_offset or not sequence or #sequence.raw ~= 4 then return octets end
  local header = string.pack(">I2I2", sequence.ab << 14 | sequence.type, 1)
  local place = octets:find(header .. sequence.raw, 1, true)
  if not place then return octets end
  local msn = messages.msn_sum(item.msn, session.msn_offset)
  return octets:sub(1, place + 3) .. string.pack(">I4", msn) .. octets:sub(place + 8)
end

local plays = {}

plays.query = connect

function plays.nslp(t, session, step)
  local message = step.message
  local octets = bound_octets(session, message.item)
  if step.side == "inside" then
    if not session:connected() then connect(t, session) end
    return t.ni:send_nslp(session, octets)
  end
  local sent = t.nr:send_nslp(session, octets)
  compare.record(t, "frame " .. message.frame .. ": an association to send it on", "one",
    sent and "one" or "none", sent and true or false)
end

-- The other neighbour, where the capture lacks it ------------------------------------------------

local function is_request(item) return item.name == "CREATE" or item.name == "EXTERNAL" end

-- Behind the IUT: answers what it forwards as the capture says that it was answered, and says what
-- the capture has it pass on.
local function answer_behind(t, session, step)
  local item = t.nr:take({ within_ms = 0 })
  local given = step.message.item
  if step.expect == "NOTIFY" and not step.driven and session.responding then
    step.driven = true
    t.nr:send_nslp(session, given.natfw.bytes)
  end
  if not item or not is_request(item) or item.lifetime_s == 0 or item.session ~= session then return end
  t.nr:send_nslp(session, step.expect == "RESPONSE" and given.natfw.bytes
    or messages.nslp_response({ msn = item.msn, lifetime_s = item.lifetime_s }))
end

-- The request of this session that the capture has next, at this place or after it.
local function next_request(t, place)
  local sid = t.script.steps[place].message.item.sid
  for i = place, #t.script.steps do
    local step = t.script.steps[i]
    if step.message.item.sid == sid and step.expect and is_request(step.message.item) then
      return step
    end
  end
end

-- Before the IUT: asks for what the capture has the IUT ask for.
local function ask_before(t, session, place)
  local request = next_request(t, place)
  if not request or request.driven then return end
  request.driven = true
  if t:judges_initiator() then
    if request.message.item.lifetime_s == 0 then session:close() end
    return
  end
  if not session:connected() then connect(t, session) end
  t.ni:send_nslp(session, request.message.item.natfw.bytes)
end

-- Waiting ----------------------------------------------------------------------------------------

-- The session of those played at the IUT's inside whose routing state has to be refreshed first, and
-- when; halfway through its validity time.
local function next_refresh(t)
  local first, first_at
  for _, session in tables.sorted(t.sessions) do
    local exchange = not t:judges_initiator() and session:connected() and session.querying
    if exchange then
      local validity_ms = exchange.response:values("NLI").validity_ms or math.huge
      local at = exchange.confirmed_at + validity_ms / 2
      if not first or at < first_at then first, first_at = session, at end
    end
  end
  return first, first_at
end

-- Waits for what poll() gives, at most so long, and refreshes routing state meanwhile.
local function await(t, timeout_ms, poll)
  local deadline = t:now() + timeout_ms
  while true do
    local session, refresh_at = next_refresh(t)
    local until_ms = session and math.min(deadline, refresh_at) or deadline
    local value = t:_await(math.max(until_ms - t:now(), 0), poll)
    if value or t:now() >= deadline then return value end
    connect(t, session)
  end
end

local function pause(t, duration_ms) await(t, duration_ms, function() return nil end) end

-- Expecting --------------------------------------------------------------------------------------

-- The next message of the list that was not taken before; those that were sent again are taken with it.
local function take_next(session, name, list)
  session.taken = session.taken or {}
  local found = list[(session.taken[name] or 0) + 1]
  if found then session.taken[name] = #list end
  return found
end

-- When an IUT refreshes its routing state is its own affair: a later handshake of its own may come or
-- not, but what belongs to one that came has to.
local function may_stay_away(session, step)
  if step.expect == "Query" then return step.handshake > 1 end
  return step.expect == "Confirm" and step.handshake > 1 and session.last_query_stayed_away
end

local function expected_at(t, session, step)
  if step.expect == "Response" then return session.querying and session:response() end
  if step.expect == "Query" then return take_next(session, "Query", session.queries) end
  if step.expect == "Confirm" then return take_next(session, "Confirm", session:_received_confirms()) end
  local neighbour = step.side == "inside" and t.ni or t.nr
  return neighbour:take({ within_ms = 0 })
end

-- The cookie that a Confirm has to have is one that the runner gave.
local function bind_cookie(t, session, captured, item)
  local ours = item:raw("Responder-Cookie")
  if not captured:has("Responder-Cookie") or not ours then return end
  local given = session:has_given(ours)
  compare.record(t, "GIST Confirm: its Responder-Cookie", "one that the runner gave",
    given and "one that the runner gave" or show.hex(ours), given)
end

local function expect(t, step, place, gap_ms)
  local message, session = step.message, session_of(t, step)
  local captured = message.item
  local alone = not t.script.nodes[step.side == "inside" and "outside" or "inside"]
  if alone and step.side == "outside" and step.expect ~= "Confirm" then
    ask_before(t, session, place)
  end
  local optional = session and may_stay_away(session, step)
  local item = await(t, gap_ms + (optional and 0 or t.ixit.timing.response_ms), function()
    if alone and step.side == "inside" and session and not t:judges_responder() then
      answer_behind(t, session, step)
    end
    return expected_at(t, session, step)
  end)
  if session and step.expect == "Query" then session.last_query_stayed_away = item == nil end
  if optional and not item then
    return t:_note(string.format("frame %s: %s does not come: the IUT refreshes at other times",
      message.frame, step.expect))
  end
  compare.record(t, "frame " .. message.frame .. ": " .. step.expect .. " comes",
    messages.summary(captured), messages.summary(item), item ~= nil)
  if not item then return end
  t.script.compared = t.script.compared + 1
  if step.expect == "Query" and t:judges_initiator() then
    compare.bind(t, "sid", show.hex(captured.sid), show.hex(item.sid))
  end
  if step.expect == "Confirm" then bind_cookie(t, session, captured, item) end
  local mode = item.mode == "C" and "C-mode" or "D-mode"
  local wanted = message.mode == "C" and "C-mode" or "D-mode"
  compare.record(t, "frame " .. message.frame .. ": " .. step.expect .. " is carried in", wanted,
    mode, mode == wanted)
  compare.messages(t, { session = session, handshake = name_of_handshake(step) }, captured, item)
end

-- What comes after the capture's last message, where the capture goes on long enough to say.
local function expect_silence(t)
  local steps = t.script.steps
  local silence_s = t.script.ends_at - steps[#steps].message.at
  if silence_s < SILENCE_S then return end
  for side, neighbour in tables.sorted({ inside = t.ni, outside = t.nr }) do
    if t.script.nodes[side] then
      local item = neighbour:take({
        within_ms = math.min(silence_s * 1000, t.ixit.timing.quiet_ms) })
      compare.record(t, "after the last message of the capture, " .. side, "nothing",
        messages.summary(item), item == nil)
    end
  end
end

-- All ----------------------------------------------------------------------------------------------

-- Whether the runner has to have the IUT say it, at its time: an initiator refreshes by itself.
local function is_asked_for(t, step)
  if step.side == "inside" or t.script.nodes.inside then return false end
  return not t:judges_initiator() or step.message.item.lifetime_s == 0
end

local function perform(t)
  local before = t.script.steps[1].message.at
  for place, step in ipairs(t.script.steps) do
    local gap_ms = (step.message.at - before) * 1000
    before = step.message.at
    if step.play then
      if gap_ms > 0 then pause(t, math.min(gap_ms, LONGEST_PAUSE_MS)) end
      plays[step.play](t, session_of(t, step), step)
    else
      if is_asked_for(t, step) then pause(t, math.min(gap_ms, LONGEST_PAUSE_MS)) end
      expect(t, step, place, math.min(gap_ms, LONGEST_WAIT_MS))
    end
  end
  expect_silence(t)
end

-- The lifetime of the first request of each session, for an IUT that has to be told.
local function lifetimes(steps)
  local found = {}
  for _, step in ipairs(steps) do
    local item = step.message.item
    if item.natfw and is_request(item) and item.sid then
      found[item.sid] = found[item.sid] or item.lifetime_s
    end
  end
  return found
end

local function sides_of(nodes)
  local list = {}
  for _, side in ipairs({ "inside", "outside" }) do
    if nodes[side] then list[#list + 1] = nodes[side] .. " (" .. side .. ")" end
  end
  return table.concat(list, " and ")
end

-- How much of the IUT's side was compared, in a sentence.
function replay.summary(self)
  local others = {}
  for why, count in tables.sorted(self.left_out) do others[#others + 1] = count .. " " .. why end
  return string.format("compared %d of %d messages of the IUT's side%s", self.compared, self.of_iut,
    #others > 0 and "; left out: " .. table.concat(others, ", ") or "")
end

-- The case that plays it.
function replay.definition(self, roles)
  local name = self.path:match("([^/]*)$"):gsub("[^%w.-]", "-")
  return { id = "replay-" .. name, document = "", section = "", file = self.path, roles = roles,
    requirements = {}, purpose = "Plays " .. sides_of(self.nodes) .. " of " .. self.path
      .. " and compares what the IUT says.",
    run = function(t)
      t.bound, t.sessions, t.script, self.compared = {}, {}, self, 0
      t.lifetime_of = lifetimes(self.steps)
      for _, step in ipairs(self.steps) do step.driven = nil end
      t:body()
      perform(t)
      if t.differences then
        error({ verdict = "fail", reason = string.format("%d of %d comparisons differ from the capture, "
          .. "the first: %s", t.differences, t.compared, t.first_difference) })
      end
    end }
end

return replay
