-- The messages that the runner sends, as tables for codec/engine.lua. What a case wants wrong, it
-- changes in the table before it is encoded.

local engine = require("codec.engine")
local gist = require("codec.gist")
local natfw = require("codec.natfw")
local tables = require("codec.tables")

local Item = require("codec.item")

local messages = { DOWNSTREAM = 0, UPSTREAM = 1, -- D of an MRI: RFC 5971, A.3.1.1
  HOPS_OF_QUERY = 10 }

local GIST, NATFW = gist.message_number, natfw.message_number
local TCP, TLS = 1, 2 -- MA-Protocol-IDs, RFC 5971 section 9
local LAYERS = { tcp = { TCP }, tls = { TLS, TCP } } -- of a stack, from the top
local USUAL_TTL = 64

local protocols = { tcp = 6, udp = 17 }

local function object(name, values) return { type = Item.object_number(name), values = values } end

local function octets(name, raw) return { type = Item.object_number(name), raw = raw } end

-- RFC 5971, A.3.1.2. An EXTERNAL's: from its initiator to the signalling destination address.
local function loose_end_mri(flow, direction)
  return object("MRI", { mrm = 1, n = 0, ip_ver = 4, d = direction, source = flow.source,
    destination = flow.destination })
end

local function flag(value) return value and 1 or 0 end

-- That of IP, by a flow's protocol.
function messages.protocol_number(protocol) return protocols[protocol] or protocol end

-- The MRI of a flow { source, destination, protocol, source_port, destination_port }, with
-- source_prefix and destination_prefix where they are not 32; a port that is false is any port. Or
-- of a loose end { loose_end = true, source, destination }.
function messages.mri(flow, direction)
  if flow.loose_end then return loose_end_mri(flow, direction) end
  return object("MRI", {
    mrm = 0, n = 0, ip_ver = 4, p = 1, t = 0, f = 0, s = 0, a = flag(flow.source_port),
    b = flag(flow.destination_port), d = direction,
    source = flow.source, destination = flow.destination,
    source_prefix = flow.source_prefix or 32, dest_prefix = flow.destination_prefix or 32,
    protocol = messages.protocol_number(flow.protocol), ds_field = 0,
    source_port = flow.source_port or 0, dest_port = flow.destination_port or 0 })
end

local function sid(session) return object("SID", { sid = session.sid }) end

-- `ttl`: what its IP-TTL says, the usual one of a datagram unless it is given.
function messages.nli(peer, ttl)
  return object("NLI", { ip_ttl = ttl or USUAL_TTL, ip_ver = 4, validity_ms = peer.validity_ms,
    peer_identity = peer.identity, interface = peer.address })
end

local function proposal(stacks)
  local profiles = {}
  for i, stack in ipairs(stacks) do
    profiles[i] = { layers = LAYERS[stack], layer_count = #LAYERS[stack] }
  end
  return object("Stack-Proposal", { profiles = profiles })
end

local function configuration(peer, options)
  return object("Stack-Configuration-Data",
    { hold_time_ms = peer.hold_time_ms, options = options })
end

local function header(type_number, flags)
  return tables.copy(flags or {}, { type = type_number, s = 1, hops = 1 })
end

-- Whether a Stack-Proposal has a stack, "tcp" or "tls": the number of its profile, or nil.
function messages.profile_of(proposed, stack)
  for i, profile in ipairs(proposed.profiles or {}) do
    if table.concat(profile.layers, " ") == table.concat(LAYERS[stack], " ") then return i end
  end
  return nil
end

-- `stacks`: the names of those that it proposes, the best first; TCP alone where they are left out.
function messages.query(peer, session, cookie, s_flag, stacks)
  stacks = stacks or { "tcp" }
  local options = {}
  for i in ipairs(stacks) do options[i] = { protocol = TCP, profile = i, data = "" } end
  local flags = { c = 1, r = 1, s = s_flag, hops = messages.HOPS_OF_QUERY }
  return { header = header(GIST.Query, flags), objects = {
    messages.mri(session.flow, 0), sid(session), messages.nli(peer),
    object("Query-Cookie", { cookie = cookie }),
    proposal(stacks), configuration(peer, options) } }
end

-- `ports` is where associations are accepted: { { stack, port } }, the best first, or the port of TCP
-- alone; none when the Response goes over an association.
function messages.response(peer, session, query_cookie, responder_cookie, ports)
  local objects = { messages.mri(session.flow, 1), sid(session), messages.nli(peer, 0),
    object("Query-Cookie", { cookie = query_cookie }),
    object("Responder-Cookie", { cookie = responder_cookie }) }
  if ports then
    if type(ports) == "number" then ports = { { "tcp", ports } } end
    local stacks, options = {}, {}
    for i, offer in ipairs(ports) do
      stacks[i] = offer[1]
      options[i] = { protocol = TCP, profile = i, length = 2, data = string.pack(">I2", offer[2]) }
    end
    objects[#objects + 1] = proposal(stacks)
    objects[#objects + 1] = configuration(peer, options)
  end
  return { header = header(GIST.Response, { r = 1 }), objects = objects }
end

-- `proposal_raw` is the Stack-Proposal of the Response, echoed octet for octet.
function messages.confirm(peer, session, responder_cookie, proposal_raw, first)
  local objects = { messages.mri(session.flow, 0), sid(session), messages.nli(peer) }
  if responder_cookie then
    objects[#objects + 1] = object("Responder-Cookie", { cookie = responder_cookie })
    if proposal_raw then
      objects[#objects + 1] = octets("Stack-Proposal", proposal_raw)
      if first then objects[#objects + 1] = configuration(peer, {}) end
    end
  end
  return { header = header(GIST.Confirm), objects = objects }
end

-- `payload`: a message of the NSLP, or octets.
function messages.data(session, direction, payload)
  return { header = header(GIST.Data), objects = { messages.mri(session.flow, direction),
    sid(session), octets("NSLP-Data", messages.octets_of(payload, natfw)) } }
end

function messages.hello(hello_id, reply)
  return { header = header(GIST["MA-Hello"], { nslpid = 0, r = reply and 1 or 0 }),
    objects = { object("Hello-ID", { hello_id = hello_id }) } }
end

-- An Error of ours, by its name, about a message that has session id and MRI.
function messages.error(name, about)
  local code, subcode = gist.error_number[name]:match("^(%d+)/?(%d*)$")
  local octets_about = messages.octets_of(about)
  local quoted = messages.read(octets_about)
  local mri = quoted:raw("MRI")
  return { header = header(GIST.Error, { nslpid = 0 }), objects = {
    object("Error", { class = gist.errors[tonumber(code)].class, code = tonumber(code),
      subcode = tonumber(subcode) or 0, s = 1, m = 1,
      original_header = octets_about:sub(1, gist.header_bytes), original_sid = quoted:raw("SID"),
      original_mri = mri, mri_length = #mri // 4, infos = {} }) } }
end

-- The NSLP's messages: { header, objects }, with objects that cases look up by name.
local function lifetime(value) return object("NATFW_LT", { lifetime_s = value }) end
local function sequence(value) return object("NATFW_MSN", { msn = value }) end

-- Class and code of "5/0x02".
function messages.info_of(text)
  local class, code = text:match("^(%d+)/0x(%x%x)$")
  if not class then error("'" .. text .. "' is no class and code like 5/0x02", 0) end
  return tonumber(class), tonumber(code, 16)
end

function messages.create(options)
  return { header = { type = NATFW.CREATE, p = options.p, e = options.e }, objects = {
    lifetime(options.lifetime_s),
    object("NATFW_EFI", { rule_action = options.rule_action or natfw.rule_action.allow,
      sub_ports = options.sub_ports or 0 }),
    sequence(options.msn) } }
end

-- options as for CREATE, and dtinfo, the fields of NATFW_DTINFO.
function messages.external(options)
  local message = messages.create(options)
  message.header.type = NATFW.EXTERNAL
  message.objects[#message.objects + 1] = object("NATFW_DTINFO", options.dtinfo)
  return message
end

function messages.nslp_response(options)
  local objects = { sequence(options.msn),
    object("NATFW_INFO", { class = options.class or 2, code = options.code or 1,
      object_type = options.object_type or 0 }) }
  if options.lifetime_s then table.insert(objects, 1, lifetime(options.lifetime_s)) end
  return { header = { type = NATFW.RESPONSE }, objects = objects }
end

-- `info`: class and code, as "1/0x05".
function messages.notify(info)
  local class, code = messages.info_of(info)
  return { header = { type = NATFW.NOTIFY },
    objects = { object("NATFW_INFO", { class = class, code = code, object_type = 0 }) } }
end

-- A message of the NSLP without any object, by its name.
function messages.empty(name) return { header = { type = NATFW[name] }, objects = {} } end

function messages.encode_gist(message) return engine.encode(gist, message) end

function messages.encode_natfw(message) return engine.encode(natfw, message) end

-- The octets of a message of this layer; octets stay what they are.
function messages.octets_of(message, layer)
  return type(message) == "string" and message or engine.encode(layer or gist, message)
end

messages.read, messages.hex, messages.msn_sum = Item.read, Item.to_hex, Item.msn_sum

-- What an item is, in a few words; "nothing" for none.
function messages.summary(item) return item and item:summary() or "nothing" end

return messages
