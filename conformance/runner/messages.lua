-- The messages that the runner sends, as tables for codec/engine.lua. What a case wants wrong, it
-- changes in the table before it is encoded.

local engine = require("codec.engine")
local gist = require("codec.gist")
local natfw = require("codec.natfw")

local messages = {}

local MRI, SID, NLI, PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE, DATA, HELLO =
  0, 1, 2, 3, 4, 5, 6, 8, 10
local TCP = 1 -- MA-Protocol-ID, RFC 5971 section 9

local protocols = { tcp = 6, udp = 17 }

-- RFC 5971, A.3.1.2. An EXTERNAL's: from its initiator to the signalling destination address.
local function loose_end_mri(flow, direction)
  return { type = MRI, values = { mrm = 1, n = 0, ip_ver = 4, d = direction, source = flow.source,
    destination = flow.destination } }
end

local function flag(value) return value and 1 or 0 end

-- The MRI of a flow { source, destination, protocol, source_port, destination_port }, with
-- source_prefix and destination_prefix where they are not 32; a port that is false is any port. Or
-- of a loose end { loose_end = true, source, destination }.
function messages.mri(flow, direction)
  if flow.loose_end then return loose_end_mri(flow, direction) end
  return { type = MRI, values = {
    mrm = 0, n = 0, ip_ver = 4, p = 1, t = 0, f = 0, s = 0, a = flag(flow.source_port),
    b = flag(flow.destination_port), d = direction,
    source = flow.source, destination = flow.destination,
    source_prefix = flow.source_prefix or 32, dest_prefix = flow.destination_prefix or 32,
    protocol = protocols[flow.protocol] or flow.protocol, ds_field = 0,
    source_port = flow.source_port or 0, dest_port = flow.destination_port or 0 } }
end

local function sid(session) return { type = SID, values = { sid = session.sid } } end

function messages.nli(peer, ttl)
  return { type = NLI, values = { ip_ttl = ttl, ip_ver = 4, validity_ms = peer.validity_ms,
    peer_identity = peer.identity, interface = peer.address } }
end

local function proposal()
  return { type = PROPOSAL, values = { profiles = { { layers = { TCP }, layer_count = 1 } } } }
end

local function configuration(peer, options)
  return { type = CONFIGURATION, values = { hold_time_ms = peer.hold_time_ms, options = options } }
end

local function header(type_number, flags)
  local values = { type = type_number, s = 1, hops = 1 }
  for key, value in pairs(flags or {}) do values[key] = value end
  return values
end

function messages.query(peer, session, cookie, s_flag)
  return { header = header(0, { c = 1, r = 1, s = s_flag, hops = 10 }), objects = {
    messages.mri(session.flow, 0), sid(session), messages.nli(peer, 64),
    { type = QUERY_COOKIE, values = { cookie = cookie } },
    proposal(), configuration(peer, { { protocol = TCP, profile = 1, data = "" } }) } }
end

-- `port` is where the association is accepted; none when the Response goes over an association.
function messages.response(peer, session, query_cookie, responder_cookie, port)
  local objects = { messages.mri(session.flow, 1), sid(session), messages.nli(peer, 0),
    { type = QUERY_COOKIE, values = { cookie = query_cookie } },
    { type = RESPONDER_COOKIE, values = { cookie = responder_cookie } } }
  if port then
    objects[#objects + 1] = proposal()
    objects[#objects + 1] = configuration(peer,
      { { protocol = TCP, profile = 1, length = 2, data = string.pack(">I2", port) } })
  end
  return { header = header(1, { r = 1 }), objects = objects }
end

-- `proposal_raw` is the Stack-Proposal of the Response, echoed octet for octet.
function messages.confirm(peer, session, responder_cookie, proposal_raw, first)
  local objects = { messages.mri(session.flow, 0), sid(session), messages.nli(peer, 64) }
  if responder_cookie then
    objects[#objects + 1] = { type = RESPONDER_COOKIE, values = { cookie = responder_cookie } }
    if proposal_raw then
      objects[#objects + 1] = { type = PROPOSAL, raw = proposal_raw }
      if first then objects[#objects + 1] = configuration(peer, {}) end
    end
  end
  return { header = header(2), objects = objects }
end

function messages.data(session, direction, payload)
  return { header = header(3), objects = { messages.mri(session.flow, direction), sid(session),
    { type = DATA, raw = payload } } }
end

function messages.hello(hello_id, reply)
  return { header = header(5, { nslpid = 0, r = reply and 1 or 0 }),
    objects = { { type = HELLO, values = { hello_id = hello_id } } } }
end

-- The NSLP's messages: { header, objects }, with objects that cases look up by name.
local function lifetime(value) return { type = 0x00C, values = { lifetime_s = value } } end
local function sequence(value) return { type = 0x012, values = { msn = value } } end

function messages.create(options)
  return { header = { type = 1, p = options.p, e = options.e }, objects = {
    lifetime(options.lifetime_s),
    { type = 0x00F, values = { rule_action = options.rule_action or 1,
      sub_ports = options.sub_ports or 0 } },
    sequence(options.msn) } }
end

-- options as for CREATE, and dtinfo, the fields of NATFW_DTINFO.
function messages.external(options)
  local message = messages.create(options)
  message.header.type = 2
  message.objects[#message.objects + 1] = { type = 0x013, values = options.dtinfo }
  return message
end

function messages.nslp_response(options)
  local objects = { sequence(options.msn),
    { type = 0x010, values = { class = options.class or 2, code = options.code or 1,
      object_type = options.object_type or 0 } } }
  if options.lifetime_s then table.insert(objects, 1, lifetime(options.lifetime_s)) end
  return { header = { type = 3 }, objects = objects }
end

function messages.notify(code)
  return { header = { type = 4 },
    objects = { { type = 0x010, values = { class = 1, code = code, object_type = 0 } } } }
end

function messages.encode_gist(message) return engine.encode(gist, message) end

function messages.encode_natfw(message) return engine.encode(natfw, message) end

-- A received GIST message with what it carries: { gist, natfw, name, sid, msn, lifetime_s, info }.
function messages.read(bytes)
  local outer = engine.decode(gist, bytes)
  local item = { gist = outer, name = "GIST " .. outer.name }
  local session_id = outer.by_type[SID]
  item.sid = session_id and session_id.raw
  local data = outer.by_type[DATA]
  if data and outer.header.nslpid == gist.nslpid then
    local inner = engine.decode(natfw, data.raw)
    item.natfw, item.name = inner, inner.name
    local function field(type_number, name)
      local object = inner.by_type[type_number]
      return object and object.values[name]
    end
    item.lifetime_s, item.msn = field(0x00C, "lifetime_s"), field(0x012, "msn")
    item.class, item.code = field(0x010, "class"), field(0x010, "code")
    item.object_type = field(0x010, "object_type")
  end
  local failure = outer.name == "Error" and outer.by_type[9]
  if failure then
    item.class, item.code, item.subcode = failure.values.class, failure.values.code,
      failure.values.subcode
    item.sid = failure.values.original_sid
  end
  return item
end

-- What an item is, in a few words.
function messages.summary(item)
  if not item then return "nothing" end
  local parts = { item.name }
  if item.natfw then
    if item.lifetime_s then parts[#parts + 1] = "lifetime " .. item.lifetime_s .. " s" end
    if item.msn then parts[#parts + 1] = "MSN " .. item.msn end
    if item.class then parts[#parts + 1] = string.format("%d/0x%02X", item.class, item.code
      or 0) end
  elseif item.subcode then
    parts[#parts + 1] = string.format("%s, subcode %d",
      gist.error_names[item.code] or "error " .. item.code, item.subcode)
  end
  return table.concat(parts, ", ")
end

return messages
