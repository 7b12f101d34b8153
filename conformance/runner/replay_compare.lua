-- Compares a message of a capture with one of now, field by field, for replay.lua. What differs
-- from run to run is bound as it appears: the same value there has to be the same value here.

local show = require("codec.show")
local tables = require("codec.tables")

local compare = {}

-- Fields that are bound, with what they are bound as.
local BOUND = { sid = "sid", cookie = "cookie", peer_identity = "identity", source = "address",
  destination = "address", interface = "interface", address = "address", source_port = "port",
  dest_port = "port", dr_port = "port", ds_port = "port", port = "port", nonce = "nonce",
  original_sid = "sid" }

-- What is the IUT's own configuration, or follows from lengths of cookies: no part of the verdict.
local FREE = { length = true, validity_ms = true, hold_time_ms = true, ip_ttl = true, hops = true,
  pi_length = true, options = true, mpo_count = true, profiles = true, profile_count = true,
  raw = true, comment = true, original_header = true }

-- A Query may have the flow's source or the node's own, RFC 5971, 5.8.1.2.
local FREE_IN_QUERY = { s = true }

local NSLP_DATA = 8
local MSN_LIMIT = 4294967296

function compare.record(t, text, expected, actual, holds)
  t.steps[#t.steps + 1] = { kind = "check", at = t.net.now(), text = text, ids = {}, phase = "body",
    expected = tostring(expected), actual = tostring(actual), ok = holds }
  t.compared = (t.compared or 0) + 1
  if holds then return end
  t.differences = (t.differences or 0) + 1
  t.first_difference = t.first_difference or string.format("%s: expected %s, got %s", text,
    tostring(expected), tostring(actual))
end

function compare.bind(t, kind, captured, actual)
  local key = kind .. "|" .. tostring(captured)
  if t.bound[key] == nil then t.bound[key] = actual end
  return t.bound[key]
end

-- The sequence number of an initiator is its own: all of a session differ by the same from the
-- capture's. Other nodes copy what the player sent, which is the capture's.
local function wanted_msn(t, session, captured, actual)
  if not t:judges_initiator() or not session then return captured end
  session.msn_offset = session.msn_offset or (actual - captured) % MSN_LIMIT
  return (captured + session.msn_offset) % MSN_LIMIT
end

-- A cookie means something between two neighbours only, so it is bound on each side by itself.
local function bound_as(key, side) return key == "cookie" and key .. " " .. side or BOUND[key] end

local function fields(t, context, where, captured, actual, free)
  local keys = tables.keys(captured)
  for _, key in ipairs(keys) do
    local wanted, got = captured[key], actual[key]
    if BOUND[key] and got ~= nil then
      wanted = compare.bind(t, bound_as(key, context.side), wanted, got)
    end
    if key == "msn" and got ~= nil then wanted = wanted_msn(t, context.session, wanted, got) end
    if type(wanted) ~= "table" and not FREE[key] and not free[key] then
      compare.record(t, where .. " " .. key, wanted, got == nil and "absent" or got, wanted == got)
    end
  end
end

local function objects_by_type(message)
  local found = {}
  for _, object in ipairs(message.objects) do found[object.type] = found[object.type] or object end
  return found
end

local function objects(t, context, where, captured, actual)
  local mine, theirs = objects_by_type(captured), objects_by_type(actual)
  for _, object in ipairs(captured.objects) do
    local other = theirs[object.type]
    local name = where .. " " .. object.name
    compare.record(t, name, "present", other and "present" or "absent", other ~= nil)
    local is_payload = captured.layer == "gist" and object.type == NSLP_DATA
    if other and object.fields and other.fields and not is_payload then
      fields(t, context, name, object.fields, other.fields, {})
    end
  end
  for _, object in ipairs(actual.objects) do
    if not mine[object.type] then
      compare.record(t, where .. " " .. object.name, "absent", "present", false)
    end
  end
end

local function plain_messages(t, context, captured, actual)
  local where = captured.layer:upper() .. " " .. captured.name
  local same = captured.name == actual.name
  compare.record(t, where .. ": the message", captured.name, actual.name, same)
  if not same then return end
  fields(t, context, where, captured.header, actual.header,
    captured.name == "Query" and FREE_IN_QUERY or {})
  objects(t, context, where, captured, actual)
  if captured.nslp and actual.nslp then
    plain_messages(t, context, captured.nslp, actual.nslp)
  end
end

-- Both are items of messages.read(); `context` is the side that they came to, and their session, if
-- any.
function compare.messages(t, context, captured, actual)
  plain_messages(t, context, show.plain(captured.gist), show.plain(actual.gist))
end

return compare
