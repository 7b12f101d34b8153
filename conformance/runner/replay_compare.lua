-- Compares a message of a capture with one of now, field by field, for replay.lua. What differs
-- from run to run is bound as it appears: the same value there has to be the same value here.

local engine = require("codec.engine")
local gist = require("codec.gist")
local natfw = require("codec.natfw")
local show = require("codec.show")
local tables = require("codec.tables")

local compare = {}

-- Fields that are bound, with what they are bound as.
local BOUND = { sid = "sid", cookie = "cookie", peer_identity = "identity", source = "address",
  destination = "address", interface = "interface", address = "address", source_port = "port",
  dest_port = "port", dr_port = "port", ds_port = "port", port = "port", ports = "port",
  nonce = "nonce", original_sid = "sid" }

-- Of these, what differs there has to differ here too.
local DISTINCT = { sid = true }

-- What is the IUT's own configuration, or follows from lengths of cookies and identities: no part of
-- the verdict.
local FREE = { length = true, validity_ms = true, hold_time_ms = true, ip_ttl = true, hops = true,
  pi_length = true, options = true, mpo_count = true, profiles = true, profile_count = true,
  mri_length = true, comment = true, object = true, real_length = true, calculated_length = true,
  link_mtu = true }

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

-- What the cookies of a handshake are bound as.
function compare.cookie(handshake) return "cookie of " .. handshake end

-- What a value of the capture stands for here: what it stood for before, or `actual`.
function compare.bind(t, kind, captured, actual)
  local key = kind .. "|" .. tostring(captured)
  if t.bound[key] == nil then
    local taken = kind .. " here|" .. tostring(actual)
    if DISTINCT[kind] and t.bound[taken] ~= nil then return "another than before" end
    t.bound[key], t.bound[taken] = actual, captured
  end
  return t.bound[key]
end

-- The sequence number of an initiator is its own: all of a session differ by the same from the
-- capture's. Other nodes copy what the player sent, which is the capture's.
local function wanted_msn(t, session, captured, actual)
  if not t:judges_initiator() or not session then return captured end
  session.msn_offset = session.msn_offset or (actual - captured) % MSN_LIMIT
  return (captured + session.msn_offset) % MSN_LIMIT
end

-- A cookie means something in one handshake only: one node makes the next anew, another from what is
-- the same.
local function bound_as(key, handshake)
  return key == "cookie" and compare.cookie(handshake) or BOUND[key]
end

-- A GIST Error quotes a common header, whose hop count and length are not compared either.
local function without_free(key, given)
  if key ~= "original_header" or type(given) ~= "string" then return given end
  return given:sub(1, 2) .. given:sub(9)
end

local function shown(given)
  if given == nil then return "absent" end
  return type(given) == "table" and "a list" or given
end

local function keys_of(captured, actual)
  return tables.keys(tables.copy(actual, tables.copy(captured)))
end

-- One value, or all that are in it: of a list item by item, of a table by its keys.
local function value(t, context, where, key, wanted, got)
  if type(wanted) == "table" and type(got) == "table" then
    for _, inner in ipairs(keys_of(wanted, got)) do
      local name = type(inner) == "number" and string.format("%s[%d]", where, inner)
        or where .. " " .. inner
      if not FREE[inner] then
        value(t, context, name, type(inner) == "number" and key or inner, wanted[inner], got[inner])
      end
    end
    return
  end
  if BOUND[key] and wanted ~= nil and got ~= nil then
    wanted = compare.bind(t, bound_as(key, context.handshake), wanted, got)
  end
  if key == "msn" and wanted ~= nil and got ~= nil then
    wanted = wanted_msn(t, context.session, wanted, got)
  end
  wanted, got = without_free(key, wanted), without_free(key, got)
  compare.record(t, where, shown(wanted), shown(got), wanted == got)
end

local function fields(t, context, where, captured, actual, free)
  for _, key in ipairs(keys_of(captured, actual)) do
    if not FREE[key] and not free[key] then
      value(t, context, where .. " " .. key, key, captured[key], actual[key])
    end
  end
end

-- Objects by type, and the number among those of their type, in their order.
local function numbered(message)
  local list, counts, found = {}, {}, {}
  for place, object in ipairs(message.objects) do
    local number = (counts[object.type] or 0) + 1
    counts[object.type] = number
    list[place] = { object = object, key = object.type .. "|" .. number,
      name = object.name .. (number > 1 and " again" or "") }
    found[list[place].key] = object
  end
  return list, found
end

local function order_of(list, others)
  local names = {}
  for _, one in ipairs(list) do
    if others[one.key] then names[#names + 1] = one.name end
  end
  return table.concat(names, ", ")
end

local function object_values(t, context, name, captured, actual, is_payload)
  compare.record(t, name .. " AB", captured.ab, actual.ab, captured.ab == actual.ab)
  if is_payload then return end
  if captured.fields and actual.fields then
    fields(t, context, name, captured.fields, actual.fields, {})
  else
    compare.record(t, name .. " octets", captured.raw, actual.raw, captured.raw == actual.raw)
  end
end

local function objects(t, context, where, captured, actual)
  local mine, mine_by = numbered(captured)
  local theirs, theirs_by = numbered(actual)
  for _, one in ipairs(mine) do
    local other = theirs_by[one.key]
    local name = where .. " " .. one.name
    compare.record(t, name, "present", other and "present" or "absent", other ~= nil)
    local is_payload = one.object.type == NSLP_DATA and captured.nslp and actual.nslp
    if other then object_values(t, context, name, one.object, other, is_payload) end
  end
  for _, one in ipairs(theirs) do
    if not mine_by[one.key] then
      compare.record(t, where .. " " .. one.name, "absent", "present", false)
    end
  end
  if captured.layer ~= "gist" then return end -- NATFW's may come in any order
  local wanted, got = order_of(mine, theirs_by), order_of(theirs, mine_by)
  compare.record(t, where .. ": the order of its objects", wanted, got, wanted == got)
end

local specs = { gist = gist, natfw = natfw }

local NONE_SET = "none set" -- which is right, whatever the capture has

local function reserved_bits(decoded)
  local set = engine.reserved_set(specs[decoded.layer], decoded)
  return #set > 0 and table.concat(set, ", ") or NONE_SET
end

-- The same of messages as show.plain() has them, without reserved bits.
function compare.plain(t, context, captured, actual)
  local where = captured.layer:upper() .. " " .. captured.name
  local same = captured.name == actual.name
  compare.record(t, where .. ": the message", captured.name, actual.name, same)
  if not same then return end
  fields(t, context, where, captured.header, actual.header,
    captured.name == "Query" and FREE_IN_QUERY or {})
  objects(t, context, where, captured, actual)
  if captured.nslp and actual.nslp then
    compare.plain(t, context, captured.nslp, actual.nslp)
  end
end

-- Both are items of messages.read(); `context` is { session, handshake }: their session here, if any,
-- and what names the handshake that they are of.
function compare.messages(t, context, captured, actual)
  compare.plain(t, context, show.plain(captured.gist), show.plain(actual.gist))
  for _, layer in ipairs({ "gist", "natfw" }) do
    if captured[layer] and actual[layer] then
      local wanted, got = reserved_bits(captured[layer]), reserved_bits(actual[layer])
      compare.record(t, layer:upper() .. ": reserved bits", wanted, got,
        got == NONE_SET or wanted == got)
    end
  end
end

return compare
