-- Writes a capture of both wires of a firewall, as large as wanted, for harness/judge-speed: sessions
-- that are opened one after another, refreshed in turn and left alive, among the data that they let
-- pass, at 100 Mbit/s.
--
-- usage: lua big_capture.lua FILE MEGABYTES SESSIONS [DATA-SHARE-IN-PERCENT [SESSIONS-OF-ONE-PEER]]

local address = require("codec.address")
local made = require("tests.conversation")

local path, megabytes, sessions = arg[1], tonumber(arg[2]), tonumber(arg[3])
local data_share = (tonumber(arg[4]) or 95) / 100
local per_peer = tonumber(arg[5]) or 10 -- they share associations
local octets_wanted = megabytes * 1000000
local FIRST_PORT, PORTS, DATA_OCTETS = 1024, 60000, 1400
local SYN, SYN_ACK, ACK, PSH_ACK = 2, 18, 16, 24
local ETHERNET = ("\2\0\0\0\0\1\2\0\0\0\0\2") .. "\8\0"

local file = assert(io.open(path, "wb"))
local written, count, batch = 0, 0, {}

local function flush()
  file:write(table.concat(batch))
  batch = {}
end

local function write(packet)
  local micros = written * 8 // 100
  local record = string.pack("<I4I4I4I4", 1700000000 + micros // 1000000, micros % 1000000,
    #packet + #ETHERNET, #packet + #ETHERNET) .. ETHERNET .. packet
  batch[#batch + 1] = record
  written, count = written + #record, count + 1
  if #batch == 1000 then flush() end
end

local function ip(from, to, protocol, body)
  return string.pack(">BBI2I2I2BBI2", 0x45, 0, 20 + #body, 0, 0x4000, 64, protocol, 0) .. from .. to
    .. body
end

local function segment(from, to, from_port, to_port, sequence, acknowledges, flags, payload)
  return ip(from, to, 6, string.pack(">I2I2I4I4BBI2I2I2", from_port, to_port, sequence, acknowledges,
    0x50, flags, 65535, 0, 0) .. payload)
end

-- Signalling: the messages of a made conversation, with what is each session's own put into them.

local steps = made.conversation()
local DELETION = #steps - 1
local datagrams = {}
for _, one in ipairs(made.packets(steps)) do
  if one.bytes:byte(10) == 17 then datagrams[#datagrams + 1] = one.bytes end
end

local MSN = "\0\18\0\1\0\0\0\7"

local function own(octets, session, round)
  local sid = string.format("session-%08d", session)
  local cookie = string.format("%04x%04x", round & 0xFFFF, session & 0xFFFF)
  local msn = "\0\18\0\1" .. string.pack(">I4", 7 + round)
  return (octets:gsub(("s"):rep(16), sid):gsub(("q"):rep(8), cookie)
    :gsub(("r"):rep(16), cookie .. "-cookie-"):gsub(MSN, { [MSN] = msn }))
end

local rounds, associations = {}, {} -- by session; by peer and side

-- The association of these nodes, as it is to be used next.
local function association_of(peer, opener, step)
  local key = opener .. peer
  local association = associations[key]
  if association then return association end
  association = { sent = { [step.from] = 1, [step.to] = 1 }, port = FIRST_PORT + peer % PORTS,
    at = (opener == made.NI and 30000 or 31000) + peer // PORTS }
  associations[key] = association
  local from, to = address.parse(step.from), address.parse(step.to)
  write(segment(from, to, association.port, association.at, 0, 0, SYN, ""))
  write(segment(to, from, association.at, association.port, 0, 1, SYN_ACK, ""))
  return association
end

-- What the initiator's side opens, the firewall accepts; towards the responder the firewall opens.
local function say(session, step)
  local from_opener = step.from == made.NI or step.from == made.OUTSIDE
  local opener = from_opener and step.from or step.to
  local association = association_of(session // per_peer, opener, step)
  local bytes, sent = own(step.bytes, session, rounds[session]), association.sent
  local from_port = from_opener and association.port or association.at
  local to_port = from_opener and association.at or association.port
  local from, to = address.parse(step.from), address.parse(step.to)
  write(segment(from, to, from_port, to_port, sent[step.from], sent[step.to], PSH_ACK, bytes))
  sent[step.from] = sent[step.from] + #bytes
  write(segment(to, from, to_port, from_port, sent[step.to], sent[step.from], ACK, ""))
end

-- A session is opened, or refreshed, from both sides of the firewall.
local function signal(session)
  rounds[session] = (rounds[session] or -1) + 1
  local next_datagram = 0
  for place, step in ipairs(steps) do
    if place >= DELETION then break end
    if step.mode == "C" then
      say(session, step)
    else
      next_datagram = next_datagram + 1
      write(own(datagrams[next_datagram], session, rounds[session]))
    end
  end
end

-- Data: of every session a flow, by UDP or by TCP, some under TLS.

local source, destination = address.parse("192.0.2.10"), address.parse("192.0.2.20")
local filling = ("data"):rep(DATA_OCTETS // 4)
local TLS = "\22\3\1" .. filling:sub(4)
local flows = {}

local function send_data(session)
  local port = FIRST_PORT + session % PORTS
  if session % 2 == 0 then
    return write(ip(source, destination, 17, string.pack(">I2I2I2I2", port, 5004, 8 + DATA_OCTETS, 1)
      .. filling))
  end
  local flow = flows[session]
  if not flow then
    flow = { sent = 1 }
    flows[session] = flow
    write(segment(source, destination, port, 443, 0, 0, SYN, ""))
    write(segment(destination, source, 443, port, 0, 1, SYN_ACK, ""))
  end
  local payload = flow.sent == 1 and session % 4 == 1 and TLS or filling
  write(segment(source, destination, port, 443, flow.sent & 0xFFFFFFFF, 1, PSH_ACK, payload))
  flow.sent = flow.sent + DATA_OCTETS
  write(segment(destination, source, 443, port, 1, flow.sent & 0xFFFFFFFF, ACK, ""))
end

file:write(string.pack("<I4I2I2I4I4I4I4", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
local signalled, data, messages = 0, 0, 0
while written < octets_wanted do
  local before = written
  if data >= (data + signalled) * data_share then
    signal(messages % sessions)
    messages = messages + 1
    signalled = signalled + written - before
  else
    send_data((data * 7919 + count) % math.max(1, math.min(messages, sessions)))
    data = data + written - before
  end
end
flush()
file:close()
print(string.format("%s: %.0f MB, %d packets, %d sessions, %d times opened or refreshed, %.0f%% data",
  path, written / 1e6, count, math.min(messages, sessions), messages, data / written * 100))
