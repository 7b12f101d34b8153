-- What a capture alone can tell of NATFW, RFC 5973: rules as in gist_rules.lua.

local engine = require("codec.engine")
local natfw = require("codec.natfw")
local tables = require("codec.tables")

local INFO = 0x010
local PROTOCOL_ERROR, SUCCESS, SESSION_FAILURE = 3, 2, 7 -- classes of NATFW_INFO
local TOO_LONG, TOO_SHORT = 0x11, 0x12 -- codes of class 7: the bounds of a granted lifetime
local REAUTHENTICATE, EXPIRED = 2, 4 -- codes of class 1
local NO_SESSION = ("\0"):rep(16)
-- What a capture's clock and the IUT's may differ by within a lifetime.
local CLOCK_S = 0.5
local MSN_LIMIT = 4294967296

local function inner(message) return message.item.natfw end

local function mri_of(message)
  local mri = message.item.gist.by_type[0]
  return mri and mri.values or {}
end

local function is_request(message)
  return inner(message).name == "CREATE" or inner(message).name == "EXTERNAL"
end

local function key_of(message)
  return tostring(message.item.sid) .. "|" .. tostring(message.item.msn)
end

-- The request that came to the IUT, by session and MSN. Where several have the same MSN, all but
-- one are stale, and the one with the longest lifetime is taken: no rule may blame the wrong one.
local function requests_received(stream)
  local found = {}
  for _, message in ipairs(stream:natfw(false, "CREATE", "EXTERNAL")) do
    local key = key_of(message)
    local before = found[key]
    local longer = before and (message.item.lifetime_s or 0) > (before.item.lifetime_s or 0)
    if message.to_iut and message.item.msn and (not before or longer) then
      found[key] = message
    end
  end
  return found
end

-- A deletion of many sessions by one message, which an NF may pass on one by one with MSNs of its
-- own. RFC 5973, 3.7.4.
local function deletes_many(stream)
  for _, message in ipairs(stream:natfw(false, "CREATE", "EXTERNAL")) do
    if message.item.sid == NO_SESSION then return true end
  end
  return false
end

-- Sessions of which the IUT has received a request before it sent one: it is not their initiator.
-- `whole` where the capture has every such request, each with an MSN and without a fault.
local function foreign_sessions(stream)
  local found, own = {}, {}
  for _, message in ipairs(stream.messages) do
    local item, sid = message.item, message.item.sid
    local name = item.natfw and item.natfw.name -- a request, or of a type that is answered as one
    local counts = name and sid and name ~= "RESPONSE" and name ~= "NOTIFY"
    if counts and message.from_iut and not found[sid] then
      own[sid] = true
    elseif counts and message.to_iut and not own[sid] then
      found[sid] = found[sid] or { msns = {}, whole = stream:shows_path_of(sid) }
      local session = found[sid]
      if item.msn then session.msns[item.msn] = true end
      session.whole = session.whole and item.msn ~= nil and #item.natfw.faults == 0
    end
  end
  return found
end

-- The octets of NATFW messages that others sent: what the IUT may only be passing on.
local function passed_on(stream)
  local octets = {}
  for _, message in ipairs(stream:natfw(false)) do octets[inner(message).bytes] = true end
  return function(message) return octets[inner(message).bytes] end
end

-- Whether the IUT is the initiator of a request's session: the flow begins at it, or an EXTERNAL's
-- loose end does. Of other sessions a capture may just lack what came to the IUT.
local function initiates(stream, message, foreign)
  return not foreign[message.item.sid] and stream.addresses[mri_of(message).source] or false
end

-- Whether an MSN comes after another. RFC 1982.
local function is_newer(msn, before)
  local distance = (msn - before) % MSN_LIMIT
  return distance > 0 and distance < MSN_LIMIT // 2
end

local function msn_text(msn) return msn and tostring(msn) or "none" end

return {
  { id = "natfw-well-formed", requirements = { "4.3-1a", "4-i1", "4.2-3a", "4.3-i2" },
    text = "Every NATFW message is free of syntax faults", judge = function(stream, say)
      for _, message in ipairs(stream:natfw(true)) do
        local found = {}
        for _, fault in ipairs(inner(message).faults) do
          if fault.class == PROTOCOL_ERROR then
            found[#found + 1] = string.format("%d/0x%02X %s", fault.class, fault.code, fault.text)
          end
        end
        say(message, "no fault", #found > 0 and table.concat(found, "; ") or "no fault",
          #found == 0)
      end
    end },
  { id = "natfw-reserved-bits", needs_path = true, requirements = { "4.1-2a", "4.2.5-1a", "4.2.5-i7" },
    text = "Reserved bits of messages that it makes itself are zero", judge = function(stream, say)
      local only_passed_on = passed_on(stream)
      for _, message in ipairs(stream:natfw(true)) do
        if not only_passed_on(message) then
          local set = engine.reserved_set(natfw, inner(message))
          say(message, "zero", #set > 0 and "set in " .. table.concat(set, ", ") or "zero",
            #set == 0)
        end
      end
    end },
  { id = "natfw-proxy-flags", needs_path = true, requirements = { "4.1-5", "4.1-8", "4.1-9" },
    text = "P and E are set in requests only, and E never without P", judge = function(stream, say)
      local only_passed_on = passed_on(stream)
      for _, message in ipairs(stream:natfw(true)) do
        local header = inner(message).header
        local valid = is_request(message) and (header.e == 0 or header.p == 1)
          or header.p == 0 and header.e == 0
        if header.p and not only_passed_on(message) then
          say(message, is_request(message) and "E only with P" or "P=0 E=0",
            valid and (is_request(message) and "E only with P" or "P=0 E=0")
            or string.format("P=%d E=%d", header.p, header.e))
        end
      end
    end },
  { id = "natfw-response-info", requirements = { "3.2.7-2", "4.2.5-i9", "4.2.5-i10" },
    text = "A RESPONSE has one NATFW_INFO, of a class that is defined and not 1",
    judge = function(stream, say)
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        local count = 0
        for _, object in ipairs(inner(message).objects) do
          if object.type == INFO then count = count + 1 end
        end
        local class = message.item.class
        say(message, "one, class 2 to 5 or 7", string.format("%d, class %s", count,
          tostring(class)), count == 1 and class ~= nil and class ~= 1
          and natfw.class_names[class] ~= nil)
      end
    end },
  { id = "natfw-response-msn", needs_path = true, requirements = { "3.5-5", "3.5-1b" },
    text = "A RESPONSE has the MSN of a request of its session", judge = function(stream, say)
      local sessions = foreign_sessions(stream)
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        local session = message.item.sid and sessions[message.item.sid]
        if session and session.whole then
          say(message, "one that was received", session.msns[message.item.msn]
            and "one that was received" or msn_text(message.item.msn))
        end
      end
    end },
  { id = "natfw-request-msn", needs_path = true, requirements = { "3.5-1b" },
    text = "A request that is passed on keeps its MSN", judge = function(stream, say)
      local sessions, many = foreign_sessions(stream), deletes_many(stream)
      for _, message in ipairs(stream:natfw(true, "CREATE", "EXTERNAL")) do
        local session = message.item.sid and sessions[message.item.sid]
        if session and session.whole and not (many and message.item.lifetime_s == 0) then
          say(message, "one that was received", session.msns[message.item.msn]
            and "one that was received" or msn_text(message.item.msn))
        end
      end
    end },
  { id = "natfw-msn-increments", requirements = { "3.5-3", "3.5-2b", "3.5-1a" },
    text = "Each request that it initiates has the previous MSN of its session plus one",
    judge = function(stream, say, note)
      local sessions, last = foreign_sessions(stream), {}
      for _, message in ipairs(stream:natfw(true, "CREATE", "EXTERNAL")) do
        local sid, msn = message.item.sid, message.item.msn
        if sid and msn and initiates(stream, message, sessions) then
          local before = last[sid]
          local wanted = before and (before.item.msn + 1) % MSN_LIMIT
          local unseen = before and (not message.connection or not message.connection.whole
            or message.connection ~= before.connection)
          if wanted and wanted ~= msn and unseen then
            note(message, "the MSN skips, but the capture may lack a request")
          elseif wanted then
            say(message, wanted, msn)
          end
          last[sid] = message
        end
      end
    end },
  { id = "natfw-lifetime-forwarded", needs_path = true, requirements = { "3.4-10" },
    text = "A request is passed on with no longer a lifetime", judge = function(stream, say)
      local received = requests_received(stream)
      for _, message in ipairs(stream:natfw(true, "CREATE", "EXTERNAL")) do
        local request = received[key_of(message)]
        local asked, given = request and request.item.lifetime_s, message.item.lifetime_s
        if asked and given then
          say(message, "at most " .. asked .. " s", given .. " s", given <= asked)
        end
      end
    end },
  { id = "natfw-lifetime-granted", needs_path = true, requirements = { "3.4-10" },
    text = "A success RESPONSE grants no more than was asked for", judge = function(stream, say)
      local received = requests_received(stream)
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        local request = received[key_of(message)]
        local asked, given = request and request.item.lifetime_s, message.item.lifetime_s
        if asked and given and message.item.class == SUCCESS then
          say(message, "at most " .. asked .. " s", given .. " s", given <= asked)
        end
      end
    end },
  { id = "natfw-deletion-silent", needs_path = true, requirements = { "3.7.4-i6" },
    text = "A deletion gets no RESPONSE", judge = function(stream, say)
      local answers = {}
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        answers[key_of(message)] = message
      end
      for key, request in tables.sorted(requests_received(stream)) do
        if request.item.lifetime_s == 0 and #inner(request).faults == 0 then
          local answer = answers[key]
          say(answer or request, "none", answer and "a RESPONSE" or "none")
        end
      end
    end },
  { id = "natfw-notify-class", requirements = { "3.7.5-1" }, text = "A NOTIFY has class 1",
    judge = function(stream, say)
      for _, message in ipairs(stream:natfw(true, "NOTIFY")) do
        say(message, 1, message.item.class)
      end
    end },
  { id = "natfw-notify-direction", requirements = { "3.7.5-5", "3.7.5-i14" },
    text = "A NOTIFY that asks for authentication goes towards the initiator only",
    judge = function(stream, say)
      for _, message in ipairs(stream:natfw(true, "NOTIFY")) do
        if message.item.code == REAUTHENTICATE then
          say(message, "D=1", "D=" .. tostring(mri_of(message).d))
        end
      end
    end },
  { id = "natfw-notify-originator", requirements = { "3.7.5-12" },
    text = "The initiator of a session sends no NOTIFY of it", judge = function(stream, say)
      local sessions, own = foreign_sessions(stream), {}
      for _, message in ipairs(stream:natfw(true)) do
        local sid = message.item.sid
        if sid and is_request(message) and initiates(stream, message, sessions) then
          if not own[sid] then say(message, "no NOTIFY", "no NOTIFY") end
          own[sid] = true
        elseif inner(message).name == "NOTIFY" and own[sid] then
          say(message, "no NOTIFY", "a NOTIFY")
        end
      end
    end },
  { id = "natfw-expired-notify", needs_path = true, requirements = { "3.7.3-i7", "3.7.5-i5" },
    text = "A NOTIFY that a lifetime expired comes no sooner than that lifetime",
    judge = function(stream, say)
      local granted = {} -- by session, when its last lifetime began at the earliest
      local is_passed_on = passed_on(stream)
      for _, message in ipairs(stream.messages) do
        local item = message.item
        local notify = message.from_iut and item.natfw and item.natfw.name == "NOTIFY"
          and not is_passed_on(message)
        if item.natfw and is_request(message) and item.sid and (item.lifetime_s or 0) > 0 then
          granted[item.sid] = { at = message.at, lifetime_s = item.lifetime_s }
        elseif item.class == SUCCESS and granted[item.sid] and item.lifetime_s then
          granted[item.sid].lifetime_s = math.min(granted[item.sid].lifetime_s, item.lifetime_s)
        elseif notify and item.code == EXPIRED and granted[item.sid] then
          local after_s = message.at - granted[item.sid].at
          local lifetime_s = granted[item.sid].lifetime_s
          say(message, "at least " .. lifetime_s .. " s after the request", string.format("%.1f s",
            after_s), after_s >= lifetime_s - CLOCK_S)
        end
      end
    end },
  { id = "natfw-response-session", needs_path = true, requirements = { "3.2.7-1" },
    text = "A RESPONSE is of a session of which a request came", judge = function(stream, say)
      local sessions = foreign_sessions(stream)
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        local sid = message.item.sid
        if sid and (sessions[sid] or stream:shows_path_of(sid)) then
          say(message, "a request of it", sessions[sid] and "a request of it" or "none")
        end
      end
    end },
  { id = "natfw-request-order", needs_path = true, requirements = { "3.5-6" },
    text = "Of requests that are passed on over an association, each is newer than the one before",
    judge = function(stream, say)
      local last = {} -- by session, while it can't have ended and begun again with another MSN
      for _, message in ipairs(stream.messages) do
        local item = message.item
        local sid, before = item.sid, item.sid and last[item.sid]
        if item.natfw and message.from_iut and is_request(message) and sid and item.msn then
          local same = before and before.connection == message.connection and message.connection
            and message.at - before.at < before.lifetime_s
          if same then
            say(message, "newer than " .. before.msn, item.msn, is_newer(item.msn, before.msn))
          end
          last[sid] = (item.lifetime_s or 0) > 0 and { msn = item.msn, at = message.at,
            lifetime_s = item.lifetime_s, connection = message.connection } or nil
        elseif item.natfw and sid and not is_request(message) and item.class ~= SUCCESS then
          last[sid] = nil
        elseif item.class == SUCCESS and before and item.lifetime_s then
          before.lifetime_s = math.min(before.lifetime_s, item.lifetime_s)
        end
      end
    end },
  { id = "natfw-lifetime-bound", needs_path = true, requirements = { "3.4-12", "3.4-13" },
    text = "A RESPONSE 7/0x11 or 7/0x12 has the bound as NATFW_LT", judge = function(stream, say)
      local is_passed_on = passed_on(stream)
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        local bound = message.item.class == SESSION_FAILURE
          and (message.item.code == TOO_LONG or message.item.code == TOO_SHORT)
        if bound and not is_passed_on(message) then
          say(message, "NATFW_LT", message.item.lifetime_s and "NATFW_LT" or "none")
        end
      end
    end },
  { id = "natfw-aggregate-stays", requirements = { "3.7.4-4a" },
    text = "A deletion of many sessions is not passed on", judge = function(stream, say)
      local received = {}
      for _, message in ipairs(stream:natfw(false, "CREATE", "EXTERNAL")) do
        if message.to_iut and message.item.sid == NO_SESSION then
          received[#received + 1] = message
        end
      end
      if #received == 0 then return end
      for _, message in ipairs(stream:natfw(true, "CREATE", "EXTERNAL")) do
        say(message, "a session of its own", message.item.sid == NO_SESSION and "SID zero"
          or "a session of its own")
      end
    end },
  { id = "natfw-create-direction", requirements = { "4.3.1-3" },
    text = "A CREATE goes downstream by the path-coupled method", judge = function(stream, say)
      for _, message in ipairs(stream:natfw(true, "CREATE")) do
        local mri = mri_of(message)
        say(message, "MRM 0, D=0", string.format("MRM %s, D=%s", tostring(mri.mrm),
          tostring(mri.d)))
      end
    end },
  { id = "natfw-response-mrm", requirements = { "4.3.3-2" },
    text = "A RESPONSE goes by the routing method of its request", judge = function(stream, say)
      local received = requests_received(stream)
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        local request = received[key_of(message)]
        local mine, theirs = message.item.gist.by_type[0], request
          and request.item.gist.by_type[0]
        if mine and theirs then say(message, theirs.values.mrm, mine.values.mrm) end
      end
    end },
}
