-- What a capture alone can tell of NATFW, RFC 5973: rules as in gist_rules.lua.

local engine = require("codec.engine")
local natfw = require("codec.natfw")

local INFO = 0x010
local PROTOCOL_ERROR, SUCCESS, SESSION_FAILURE = 3, 2, 7 -- classes of NATFW_INFO
local TOO_LONG, TOO_SHORT = 0x11, 0x12 -- codes of class 7: the bounds of a granted lifetime
local REAUTHENTICATE, EXPIRED = 2, 4 -- codes of class 1
local NO_SESSION = ("\0"):rep(16)
-- What a capture's clock and the IUT's may differ by within a lifetime.
local CLOCK_S = 0.5
local MSN_LIMIT = 4294967296

local REQUESTS = { "CREATE", "EXTERNAL" }

local function inner(message) return message.item.natfw end

local function mri_of(message)
  local mri = message.item.gist.by_type[0]
  return mri and mri.values or {}
end

local function is_request(message)
  return inner(message).name == "CREATE" or inner(message).name == "EXTERNAL"
end

-- What a report says of a message, which is all that has to be kept of it.
local function brief(message)
  return { frame = message.frame, at = message.at, session = message.session,
    item = { name = message.item.name, msn = message.item.msn } }
end

local function msn_text(msn) return msn and tostring(msn) or "none" end

-- The request that came to the IUT with the MSN of this message.
local function request_of(message)
  local request = message.item.msn and message.session:find("requests", "msn", message.item.msn)
  return request and request.is_request and request
end

-- Whether others said the same octets in this session, or may have: then the IUT may only be passing
-- them on.
local function is_passed_on(message)
  local session = message.session
  return session ~= nil and (session:has_forgotten("of_others", message.at)
    or session:find("of_others", "octets", inner(message).bytes) ~= nil)
end

-- Whether the IUT is the initiator of a request's session: the flow begins at it, or an EXTERNAL's
-- loose end does. Of other sessions a capture may just lack what came to the IUT.
local function initiates(message)
  return not message.session.is_foreign and message.run.addresses[mri_of(message).source] or false
end

-- Tells at once what is right; what seems wrong, a while later, when it still does.
local function settle(message, is_right, tell)
  if is_right() or not message.session then return tell() end
  message.session:later(tell)
end

-- Calls judge(message, request, say) with the request that has this message's MSN, where one came.
local function with_request(judge)
  return function(message, say)
    settle(message, function() return request_of(message) end, function()
      local request = request_of(message)
      if request then judge(message, request, say) end
    end)
  end
end

-- Says that a lifetime is no longer than the one of the request that came.
local function judge_lifetime(message, request, say)
  local given = message.item.lifetime_s
  if not (request.lifetime_s and given) then return end
  settle(message, function() return given <= request.lifetime_s end, function()
    say(message, "at most " .. request.lifetime_s .. " s", given .. " s", given <= request.lifetime_s)
  end)
end

-- Says that an MSN is one that was received, in a session of which each request that came had one and
-- was free of faults.
local function judge_msn(message, say, is_other)
  local session, msn = message.session, message.item.msn
  local function known() return msn and session:find("requests", "msn", msn) ~= nil end
  if not session.is_foreign then return end
  settle(message, known, function()
    local unseen = not known() and session:has_forgotten("requests", message.at)
    if session.has_unclear or unseen or is_other() then return end
    say(message, "one that was received", known() and "one that was received" or msn_text(msn))
  end)
end

-- Whether an MSN comes after another. RFC 1982.
local function is_newer(msn, before)
  local distance = (msn - before) % MSN_LIMIT
  return distance > 0 and distance < MSN_LIMIT // 2
end

-- What is said of the flags P and E of a message.
local function flags_text(message, valid)
  local header = inner(message).header
  if not valid then return string.format("P=%d E=%d", header.p, header.e) end
  return is_request(message) and "E only with P" or "P=0 E=0"
end

return {
  { id = "natfw-well-formed", requirements = { "4.3-1a", "4-i1", "4.2-3a", "4.3-i2" },
    text = "Every NATFW message is free of syntax faults", judge = function(message, say)
      local found = {}
      for _, fault in ipairs(inner(message).faults) do
        if fault.class == PROTOCOL_ERROR then
          found[#found + 1] = string.format("%d/0x%02X %s", fault.class, fault.code, fault.text)
        end
      end
      say(message, "no fault", #found > 0 and table.concat(found, "; ") or "no fault", #found == 0)
    end },
  { id = "natfw-reserved-bits", needs_path = true, requirements = { "4.1-2a", "4.2.5-1a", "4.2.5-i7" },
    text = "Reserved bits of messages that it makes itself are zero", judge = function(message, say)
      if is_passed_on(message) then return end
      local set = engine.reserved_set(natfw, inner(message))
      settle(message, function() return #set == 0 end, function()
        if is_passed_on(message) then return end
        say(message, "zero", #set > 0 and "set in " .. table.concat(set, ", ") or "zero", #set == 0)
      end)
    end },
  { id = "natfw-proxy-flags", needs_path = true, requirements = { "4.1-5", "4.1-8", "4.1-9" },
    text = "P and E are set in requests only, and E never without P", judge = function(message, say)
      local header = inner(message).header
      if not header.p or is_passed_on(message) then return end
      local valid = is_request(message) and (header.e == 0 or header.p == 1)
        or header.p == 0 and header.e == 0
      settle(message, function() return valid end, function()
        if is_passed_on(message) then return end
        say(message, flags_text(message, true), flags_text(message, valid))
      end)
    end },
  { id = "natfw-response-info", requirements = { "3.2.7-2", "4.2.5-i9", "4.2.5-i10" },
    text = "A RESPONSE has one NATFW_INFO, of a class that is defined and not 1",
    of = { "RESPONSE" }, judge = function(message, say)
      local count = 0
      for _, object in ipairs(inner(message).objects) do
        if object.type == INFO then count = count + 1 end
      end
      local class = message.item.class
      say(message, "one, class 2 to 5 or 7", string.format("%d, class %s", count, tostring(class)),
        count == 1 and class ~= nil and class ~= 1 and natfw.class_names[class] ~= nil)
    end },
  { id = "natfw-response-msn", needs_path = true, only_shown = true, of_session = true,
    of = { "RESPONSE" }, requirements = { "3.5-5", "3.5-1b" },
    text = "A RESPONSE has the MSN of a request of its session", judge = function(message, say)
      judge_msn(message, say, function() return false end)
    end },
  { id = "natfw-request-msn", needs_path = true, only_shown = true, of_session = true,
    of = REQUESTS, requirements = { "3.5-1b" }, text = "A request that is passed on keeps its MSN",
    judge = function(message, say)
      -- A deletion of many sessions may be passed on one by one, with MSNs of their own: 3.7.4.
      judge_msn(message, say, function()
        return message.run.deletes_many and message.item.lifetime_s == 0
      end)
    end },
  { id = "natfw-msn-increments", of_session = true, of = REQUESTS,
    requirements = { "3.5-3", "3.5-2b", "3.5-1a" },
    text = "Each request that it initiates has the previous MSN of its session plus one",
    judge = function(message, say, note)
      local msn, session = message.item.msn, message.session
      if not msn or not initiates(message) then return end
      local before = session.last_own
      session.last_own = { msn = msn, connection = message.connection }
      local wanted = before and (before.msn + 1) % MSN_LIMIT
      if not wanted then return end
      settle(message, function() return wanted == msn end, function()
        local connection = message.connection
        local unseen = connection ~= before.connection or not connection or not connection:is_whole()
        if wanted ~= msn and unseen then
          note(message, "the MSN skips, but the capture may lack a request")
        else
          say(message, wanted, msn)
        end
      end)
    end },
  { id = "natfw-lifetime-forwarded", needs_path = true, of_session = true, of = REQUESTS,
    requirements = { "3.4-10" }, text = "A request is passed on with no longer a lifetime",
    judge = with_request(judge_lifetime) },
  { id = "natfw-lifetime-granted", needs_path = true, of_session = true, of = { "RESPONSE" },
    requirements = { "3.4-10" }, text = "A success RESPONSE grants no more than was asked for",
    judge = with_request(function(message, request, say)
      if message.item.class == SUCCESS then judge_lifetime(message, request, say) end
    end) },
  { id = "natfw-deletion-silent", needs_path = true, of_session = true, by_anyone = true,
    of = { "CREATE", "EXTERNAL", "RESPONSE" }, requirements = { "3.7.4-i6" },
    text = "A deletion gets no RESPONSE", judge = function(message, say)
      local session, msn = message.session, message.item.msn
      if message.from_iut and inner(message).name == "RESPONSE" and msn then
        return session:keep("answers", { msn = msn, at = message.at, frame = message.frame,
          session = session, item = { name = "RESPONSE" } })
      elseif not (message.to_iut and is_request(message) and message.item.lifetime_s == 0) then
        return
      end
      local deletion = brief(message)
      session:later(function()
        local request = request_of(deletion)
        if not request or request.lifetime_s ~= 0 or not request.is_clean then return end
        local answer = session:find("answers", "msn", msn)
        say(answer or deletion, "none", answer and "a RESPONSE" or "none")
      end)
    end },
  { id = "natfw-notify-class", of = { "NOTIFY" }, requirements = { "3.7.5-1" },
    text = "A NOTIFY has class 1", judge = function(message, say)
      say(message, 1, message.item.class)
    end },
  { id = "natfw-notify-direction", of = { "NOTIFY" }, requirements = { "3.7.5-5", "3.7.5-i14" },
    text = "A NOTIFY that asks for authentication goes towards the initiator only",
    judge = function(message, say)
      if message.item.code == REAUTHENTICATE then
        say(message, "D=1", "D=" .. tostring(mri_of(message).d))
      end
    end },
  { id = "natfw-notify-originator", of_session = true, of = { "CREATE", "EXTERNAL", "NOTIFY" },
    requirements = { "3.7.5-12" }, text = "The initiator of a session sends no NOTIFY of it",
    judge = function(message, say)
      local session = message.session
      if is_request(message) and initiates(message) then
        if not session.is_initiated then say(message, "no NOTIFY", "no NOTIFY") end
        session.is_initiated = true
      elseif inner(message).name == "NOTIFY" and session.is_initiated then
        say(message, "no NOTIFY", "a NOTIFY")
      end
    end },
  { id = "natfw-expired-notify", needs_path = true, of_session = true, by_anyone = true,
    requirements = { "3.7.3-i7", "3.7.5-i5" },
    text = "A NOTIFY that a lifetime expired comes no sooner than that lifetime",
    judge = function(message, say)
      local item, session = message.item, message.session
      local granted = session.granted -- when its last lifetime began at the earliest
      if is_request(message) and (item.lifetime_s or 0) > 0 then
        session.granted = { at = message.at, lifetime_s = item.lifetime_s }
      elseif item.class == SUCCESS and granted and item.lifetime_s then
        granted.lifetime_s = math.min(granted.lifetime_s, item.lifetime_s)
      elseif message.from_iut and item.natfw.name == "NOTIFY" and item.code == EXPIRED and granted then
        local after_s, lifetime_s = message.at - granted.at, granted.lifetime_s
        local holds = after_s >= lifetime_s - CLOCK_S
        settle(message, function() return holds and not is_passed_on(message) end, function()
          if is_passed_on(message) then return end
          say(message, "at least " .. lifetime_s .. " s after the request",
            string.format("%.1f s", after_s), holds)
        end)
      end
    end },
  { id = "natfw-response-session", needs_path = true, silent = true, of_session = true,
    of = { "RESPONSE" }, requirements = { "3.2.7-1" },
    text = "A RESPONSE is of a session of which a request came",
    judge = function(message, say)
      local session = message.session
      settle(message, function() return session.is_foreign end, function()
        say(message, "a request of it", session.is_foreign and "a request of it" or "none")
      end)
    end },
  { id = "natfw-request-order", needs_path = true, of_session = true, by_anyone = true,
    requirements = { "3.5-6" },
    text = "Of requests that are passed on over an association, each is newer than the one before",
    judge = function(message, say)
      -- `before` is kept while the session can't have ended and begun again with another MSN.
      local item, session = message.item, message.session
      local before = session.passed_on
      if message.from_iut and is_request(message) and item.msn then
        local same = before and before.connection == message.connection and message.connection
          and message.at - before.at < before.lifetime_s
        if same then
          say(message, "newer than " .. before.msn, item.msn, is_newer(item.msn, before.msn))
        end
        session.passed_on = (item.lifetime_s or 0) > 0 and { msn = item.msn, at = message.at,
          lifetime_s = item.lifetime_s, connection = message.connection } or nil
      elseif not is_request(message) and item.class ~= SUCCESS then
        session.passed_on = nil
      elseif item.class == SUCCESS and before and item.lifetime_s then
        before.lifetime_s = math.min(before.lifetime_s, item.lifetime_s)
      end
    end },
  { id = "natfw-lifetime-bound", needs_path = true, of = { "RESPONSE" },
    requirements = { "3.4-12", "3.4-13" },
    text = "A RESPONSE 7/0x11 or 7/0x12 has the bound as NATFW_LT",
    judge = function(message, say)
      local item = message.item
      local bound = item.class == SESSION_FAILURE and (item.code == TOO_LONG or item.code == TOO_SHORT)
      if not bound or is_passed_on(message) then return end
      settle(message, function() return item.lifetime_s end, function()
        if is_passed_on(message) then return end
        say(message, "NATFW_LT", item.lifetime_s and "NATFW_LT" or "none")
      end)
    end },
  { id = "natfw-aggregate-stays", by_anyone = true, of = REQUESTS, requirements = { "3.7.4-4a" },
    text = "A deletion of many sessions is not passed on", judge = function(message, say)
      local of_many = message.item.sid == NO_SESSION
      local run = message.run
      if not message.from_iut then
        run.deletes_many = run.deletes_many or of_many
        run.is_asked_to_delete_many = run.is_asked_to_delete_many or of_many and message.to_iut
      elseif run.is_asked_to_delete_many then
        say(message, "a session of its own", of_many and "SID zero" or "a session of its own")
      end
    end },
  { id = "natfw-create-direction", of = { "CREATE" }, requirements = { "4.3.1-3" },
    text = "A CREATE goes downstream by the path-coupled method", judge = function(message, say)
      local mri = mri_of(message)
      say(message, "MRM 0, D=0", string.format("MRM %s, D=%s", tostring(mri.mrm), tostring(mri.d)))
    end },
  { id = "natfw-response-mrm", of_session = true, of = { "RESPONSE" }, requirements = { "4.3.3-2" },
    text = "A RESPONSE goes by the routing method of its request",
    judge = with_request(function(message, request, say)
      local mine = mri_of(message).mrm
      if mine and request.mrm then say(message, request.mrm, mine) end
    end) },
}
