-- What judge keeps of each session that is alive in a capture: what its rules need to see of earlier
-- messages, a bounded number of each, until the session has ended and some time has passed.

local recent = require("judge.recent")
local view = require("judge.view")

local MRI, SID, NLI, PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE = 0, 1, 2, 3, 4, 5, 6

local sessions = {}

-- So long a session is kept after what was said of it last, beyond the lifetime that was asked for;
-- and one that was deleted.
local KEPT_S, KEPT_DELETED_S = 600, 60
local TURN_S, MOST = 60, 20000
-- Of each kind of message those that came last. One that was forgotten may be answered for so long.
local MOST_KEPT, ANSWERED_S = 4, 60
-- How long rules put off what seems wrong, and of how much, in all sessions.
local PUT_OFF_S, MOST_WAITING = 30, 16384

local Session = {}
Session.__index = Session

-- Does what was put off until this time.
local function look_again(session, now)
  local waiting = session.waiting
  while waiting and waiting[1] and waiting[1].due_at <= now do
    session.all.waiting = session.all.waiting - 1
    table.remove(waiting, 1).action()
  end
end

-- Puts an entry { at, … } into one of its lists, which forgets the oldest.
function Session:keep(name, entry)
  local list = self[name]
  if not list then
    list = {}
    self[name] = list
  end
  list[#list + 1] = entry
  if #list > MOST_KEPT then list.forgot_at = table.remove(list, 1).at end
end

-- The first entry of a list with this field, or nil.
function Session:find(name, field, wanted)
  for _, entry in ipairs(self[name] or {}) do
    if entry[field] == wanted then return entry end
  end
end

-- Whether the list had an entry once that may still count for what is said then.
function Session:has_forgotten(name, at)
  local forgot_at = self[name] and self[name].forgot_at
  return forgot_at ~= nil and at - forgot_at < ANSWERED_S
end

-- Does it a while later, when what explains a message must have come, wherever a capture has it; at
-- once, where too much waits.
function Session:later(action)
  if self.is_over or self.all.waiting >= MOST_WAITING then return action() end
  self.all.waiting = self.all.waiting + 1
  self.waiting = self.waiting or {}
  table.insert(self.waiting, { due_at = self.all.now + PUT_OFF_S, action = action })
end

-- What the capture has to be for all that was ever said of the session on one wire to be in it:
-- "whole", or false where it is not in any case.
function Session:shown_on_one_wire() return self.opened_by_query and "whole" end

-- The same of both the wires by which it came and went. A session that begins or ends at the IUT has
-- one of them. Of one that came and did not go on, a capture that shows both of another has both.
function Session:shown_on_its_path()
  if not self.opened_by_query then return false end
  if self.opened_by_iut then return self.begins_at_iut and "whole" end
  return (self.went_on or self.ends_at_iut) and "whole" or "whole, of two wires"
end

local Sessions = {}
Sessions.__index = Sessions

-- options: addresses (a set of the IUT's), ended(session).
function sessions.new(options)
  local self = setmetatable({ addresses = options.addresses, given_up = 0, waiting = 0 }, Sessions)
  self.alive = recent.new({ period_s = TURN_S, most = MOST, forgotten = function(session, forced)
    if not forced and session.until_s > self.now then return true end
    if session.until_s > self.now and not self.finished then self.given_up = self.given_up + 1 end
    session.is_over = true
    look_again(session, math.huge)
    options.ended(session)
  end })
  return self
end

local function opened(self, message)
  local flow = view.object(message, MRI)
  flow = flow and flow.values or {}
  return setmetatable({ all = self, until_s = 0,
    -- One that was given up may only seem to be opened.
    opened_by_query = message.name == "Query" and self.given_up == 0,
    opened_by_iut = message.from_iut, opened_to_iut = message.to_iut,
    begins_at_iut = self.addresses[flow.source] or false,
    ends_at_iut = self.addresses[flow.destination] or false, queries_received = 0,
    queries_sent = 0, responses_received = 0, responses_sent = 0 }, Session)
end

local kept_of = {}

function kept_of.Query(message)
  return { frame = message.frame, at = message.at, cookie = view.raw(message, QUERY_COOKIE),
    mri = view.raw(message, MRI), interface = view.value(message, NLI, "interface"),
    source_port = message.packet and message.source_port,
    destination_port = message.packet and message.destination_port }
end

function kept_of.Response(message)
  return { frame = message.frame, at = message.at, cookie = view.raw(message, RESPONDER_COOKIE),
    mri = view.raw(message, MRI), interface = view.value(message, NLI, "interface"),
    proposal = view.raw(message, PROPOSAL), configuration = view.raw(message, CONFIGURATION) }
end

local function note_query(session, message)
  if message.from_iut then
    session.queries_sent = session.queries_sent + 1
    session.went_on = session.went_on or session.opened_to_iut
  elseif message.to_iut then
    session.queries_received = session.queries_received + 1
    session:keep("queries", kept_of.Query(message))
  end
end

local function note_response(session, message)
  if message.from_iut then
    session.responses_sent = session.responses_sent + 1
  elseif message.to_iut then
    session.responses_received = session.responses_received + 1
    session:keep("responses", kept_of.Response(message))
  end
end

local function is_request(item)
  return item.natfw.name == "CREATE" or item.natfw.name == "EXTERNAL"
end

-- Requests, and what is of a type that is answered as one.
local function is_asked(item) return item.natfw.name ~= "RESPONSE" and item.natfw.name ~= "NOTIFY" end

-- The request that came to the IUT, by MSN. Where several have the same MSN, all but one are stale, and
-- the one with the longest lifetime is kept: no rule may blame the wrong one.
local function keep_request(session, message)
  local item = message.item
  if not item.msn then return end
  local mri = view.object(message, MRI)
  local before = session:find("requests", "msn", item.msn)
  local request = before or { msn = item.msn, at = message.at }
  if not before then session:keep("requests", request) end
  local longer = (item.lifetime_s or 0) > (request.lifetime_s or 0)
  if not is_request(item) or request.is_request and not longer then return end
  request.is_request, request.lifetime_s = true, item.lifetime_s
  request.mrm, request.is_clean = mri and mri.values.mrm, #item.natfw.faults == 0
end

-- A session of which the IUT has received a request before it sent one is foreign: it is not its
-- initiator.
local function note_natfw(session, message)
  local item = message.item
  if not message.from_iut then
    session:keep("of_others", { at = message.at, octets = item.natfw.bytes })
  end
  if not is_asked(item) then return end
  if message.from_iut and not session.is_foreign then
    session.is_own = true
  elseif message.to_iut and not session.is_own then
    session.is_foreign = true
    session.has_unclear = session.has_unclear or not item.msn or #item.natfw.faults > 0
  end
  if message.to_iut then keep_request(session, message) end
end

local function keep_alive(self, session, message)
  local item = message.item
  local lifetime_s = item.natfw and item.lifetime_s
  local ends = lifetime_s == 0 and is_request(item)
  session.until_s = ends and message.at + KEPT_DELETED_S
    or math.max(session.until_s, message.at + KEPT_S + (lifetime_s or 0))
  self.now = message.at
end

-- The session of a message, as it is before it; nil where it has none.
function Sessions:of(message)
  local sid = message.item.gist.by_type[SID]
  if not sid then return nil end
  self.now = message.at
  self.alive:pass(message.at)
  local key = sid.raw .. view.header(message).nslpid
  local session = self.alive:get(key)
  if not session then
    session = opened(self, message)
    self.alive:put(key, session)
  end
  look_again(session, message.at)
  keep_alive(self, session, message)
  return session
end

-- What the message tells of its session, for those after it.
function Sessions:note(session, message)
  if message.name == "Query" then
    note_query(session, message)
    self.shows_two_wires = self.shows_two_wires or session.went_on or false
  elseif message.name == "Response" then
    note_response(session, message)
  elseif message.name == "Confirm" and message.to_iut then
    session.confirmed_at = session.confirmed_at or message.at
  end
  if message.item.natfw then note_natfw(session, message) end
end

function Sessions:finish()
  self.finished = true
  self.alive:finish()
end

return sessions
