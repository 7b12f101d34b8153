-- What a capture alone can tell of NATFW, RFC 5973: rules as in gist_rules.lua.

local engine = require("codec.engine")
local natfw = require("codec.natfw")

local INFO = 0x010
local PROTOCOL_ERROR, SUCCESS = 3, 2
local MSN_LIMIT = 4294967296

local function inner(message) return message.item.natfw end

local function is_request(message)
  return inner(message).name == "CREATE" or inner(message).name == "EXTERNAL"
end

local function key_of(message)
  return tostring(message.item.sid) .. "|" .. tostring(message.item.msn)
end

-- The request that came to the IUT, by session and MSN. Where several have the same MSN, all but one
-- are stale, and the one with the longest lifetime is taken: no rule may blame the wrong one.
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
    if message.item.sid == ("\0"):rep(16) then return true end
  end
  return false
end

-- Sessions of which the IUT has received a request: it is not their initiator. `whole` where every
-- such request had an MSN and no fault.
local function foreign_sessions(stream)
  local found = {}
  for _, message in ipairs(stream:natfw(false)) do
    local name = inner(message).name -- a request, or of a type that is answered as one
    if message.to_iut and message.item.sid and name ~= "RESPONSE" and name ~= "NOTIFY" then
      found[message.item.sid] = found[message.item.sid] or { msns = {}, whole = true }
      local session = found[message.item.sid]
      local msn = message.item.msn
      if msn then session.msns[msn] = true end
      session.whole = session.whole and msn ~= nil and #inner(message).faults == 0
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
  { id = "natfw-reserved-bits", requirements = { "4.1-2a", "4.2.5-1a", "4.2.5-i7" },
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
  { id = "natfw-proxy-flags", requirements = { "4.1-5", "4.1-8", "4.1-9" },
    text = "P and E are set in requests only, and E never without P", judge = function(stream, say)
      local only_passed_on = passed_on(stream)
      for _, message in ipairs(stream:natfw(true)) do
        local header = inner(message).header
        local right = is_request(message) and (header.e == 0 or header.p == 1)
          or header.p == 0 and header.e == 0
        if header.p and not only_passed_on(message) then
          say(message, is_request(message) and "E only with P" or "P=0 E=0",
            right and (is_request(message) and "E only with P" or "P=0 E=0")
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
  { id = "natfw-response-msn", requirements = { "3.5-5", "3.5-1b" },
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
  { id = "natfw-request-msn", requirements = { "3.5-1b" },
    text = "A request that is passed on keeps its MSN", judge = function(stream, say)
      local sessions, many = foreign_sessions(stream), deletes_many(stream)
      for _, message in ipairs(stream:natfw(true, "CREATE", "EXTERNAL")) do
        local session = message.item.sid and sessions[message.item.sid]
        if session and not (many and message.item.lifetime_s == 0) then
          say(message, "one that was received", session.msns[message.item.msn]
            and "one that was received" or msn_text(message.item.msn))
        end
      end
    end },
  { id = "natfw-msn-increments", requirements = { "3.5-3", "3.5-2b", "3.5-1a" },
    text = "Each request that it initiates has the previous MSN of its session plus one",
    judge = function(stream, say, note)
      local sessions, last = foreign_sessions(stream), {}
      local holes = stream.counts.behind_holes > 0 or stream.counts.cut > 0
      for _, message in ipairs(stream:natfw(true, "CREATE", "EXTERNAL")) do
        local sid, msn = message.item.sid, message.item.msn
        if sid and msn and not sessions[sid] then
          local wanted = last[sid] and (last[sid] + 1) % MSN_LIMIT
          if wanted and wanted ~= msn and holes then
            note(message, "the MSN skips, but so does the capture")
          elseif wanted then
            say(message, wanted, msn)
          end
          last[sid] = msn
        end
      end
    end },
  { id = "natfw-lifetime-forwarded", requirements = { "3.4-10" },
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
  { id = "natfw-lifetime-granted", requirements = { "3.4-10" },
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
  { id = "natfw-deletion-silent", requirements = { "3.7.4-i6" },
    text = "A deletion gets no RESPONSE", judge = function(stream, say)
      local answers = {}
      for _, message in ipairs(stream:natfw(true, "RESPONSE")) do
        answers[key_of(message)] = message
      end
      for key, request in pairs(requests_received(stream)) do
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
  { id = "natfw-create-direction", requirements = { "4.3.1-3" },
    text = "A CREATE goes downstream by the path-coupled method", judge = function(stream, say)
      for _, message in ipairs(stream:natfw(true, "CREATE")) do
        local mri = message.item.gist.by_type[0]
        mri = mri and mri.values or {}
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
