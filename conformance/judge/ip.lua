-- IP packets of a capture, version 4 and 6, with UDP and TCP: what passive judgement needs of them.

local address = require("codec.address")
local gist = require("codec.gist")
local packet = require("codec.packet")

local ip = {}

local UDP, TCP = 17, 6
local HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
local IPV6_HEADER, ROUTER_ALERT_V6 = 40, 5

-- The router alert value among IPv6 hop-by-hop options. RFC 2711.
local function router_alert_v6(options)
  local position = 1
  while position <= #options do
    local kind = options:byte(position)
    if kind == ROUTER_ALERT_V6 and position + 3 <= #options then
      return string.unpack(">I2", options, position + 2)
    end
    position = position + (kind == 0 and 1 or 2 + (options:byte(position + 1) or 0))
  end
  return nil
end

local MORE_V4, OFFSET_V4, DF_V4 = 0x2000, 0x1FFF, 0x4000

-- Whether the first fragment of a datagram shows that it is none of GIST's.
local function is_other(parts, fragment)
  if parts.protocol ~= UDP or fragment.offset > 0 or #fragment.octets < 12 then return false end
  local source_port, destination_port = string.unpack(">I2I2", fragment.octets)
  return fragment.octets:sub(9, 12) ~= gist.magic
    and not (source_port == gist.port and destination_port == gist.port)
end

-- The whole body of a fragmented packet, once it is there; nothing is kept of one that is cut.
local function reassemble(reassembly, at, parts, id, fragment)
  if parts.cut or not reassembly then return nil end
  local key = string.format("%s|%s|%s|%d", parts.source, parts.destination, id, parts.protocol)
  if is_other(parts, fragment) then return reassembly:ignore(key, at) end
  return reassembly:add(key, fragment, at)
end

local function parse_v4(bytes, reassembly, at)
  if #bytes < 20 then return nil end
  local first, _, total, id, fragment, ttl, protocol = string.unpack(">BBI2I2I2BB", bytes)
  if total == 0 then total = #bytes end -- segmentation was left to the network card
  local head = (first & 15) * 4
  if head < 20 or #bytes < head or total < head then return nil end
  local parts = { version = 4, ttl = ttl, protocol = protocol, df = fragment & DF_V4 ~= 0, id = id,
    source = address.format(bytes:sub(13, 16)), destination = address.format(bytes:sub(17, 20)),
    options = bytes:sub(21, head), body = bytes:sub(head + 1, math.min(total, #bytes)),
    cut = total > #bytes }
  parts.router_alert = packet.router_alert_of(parts)
  if fragment & (MORE_V4 | OFFSET_V4) == 0 then return parts end
  parts.fragmented = true
  parts.body = reassemble(reassembly, at, parts, id, { offset = (fragment & OFFSET_V4) * 8,
    more = fragment & MORE_V4 ~= 0, octets = parts.body })
  if not parts.body then return nil, true end
  return parts
end

local parse_v6

-- The packet that an IPv6 fragment completes, without its fragment header. RFC 8200, 4.5.
local function defragmented(bytes, parts, position, last, reassembly, at)
  if position + 8 > last + 1 then return nil end
  local next_header, _, offset, id = string.unpack(">BBI2I4", bytes, position)
  parts.protocol = next_header
  local body = reassemble(reassembly, at, parts, id, { offset = offset & 0xFFF8, more = offset & 1 == 1,
    octets = bytes:sub(position + 8, last) })
  if not body or #body > 65535 then return nil, true end
  local whole = parse_v6(bytes:sub(1, 4) .. string.pack(">I2B", #body, next_header)
    .. bytes:sub(8, IPV6_HEADER) .. body)
  if whole then
    whole.fragmented, whole.router_alert = true, whole.router_alert or parts.router_alert
  end
  return whole
end

function parse_v6(bytes, reassembly, at)
  if #bytes < IPV6_HEADER then return nil end
  local _, length, next_header, hop_limit = string.unpack(">I4I2BB", bytes)
  local parts = { version = 6, ttl = hop_limit, source = address.format(bytes:sub(9, 24)),
    destination = address.format(bytes:sub(25, 40)), cut = IPV6_HEADER + length > #bytes }
  local last = math.min(IPV6_HEADER + length, #bytes)
  local position = IPV6_HEADER + 1
  while next_header == HOP_BY_HOP or next_header == ROUTING or next_header == DESTINATION do
    if position + 8 > last + 1 then return nil end
    local size = (bytes:byte(position + 1) + 1) * 8
    if next_header == HOP_BY_HOP then
      parts.router_alert = router_alert_v6(bytes:sub(position + 2, position + size - 1))
    end
    next_header = bytes:byte(position)
    position = position + size
  end
  if next_header == FRAGMENT then
    return defragmented(bytes, parts, position, last, reassembly, at)
  end
  parts.protocol, parts.body = next_header, bytes:sub(position, last)
  return parts
end

local function add_udp(parts)
  if #parts.body < 8 then return nil end
  local length
  parts.source_port, parts.destination_port, length, parts.checksum =
    string.unpack(">I2I2I2I2", parts.body)
  parts.cut = parts.cut or length > #parts.body
  parts.udp, parts.payload = true, parts.body:sub(9, math.max(8, math.min(length, #parts.body)))
  return parts
end

local function add_tcp(parts)
  if #parts.body < 20 then return nil end
  local offset, flags
  parts.source_port, parts.destination_port, parts.sequence, parts.acknowledges, offset, flags =
    string.unpack(">I2I2I4I4BB", parts.body)
  local head = (offset >> 4) * 4
  if head < 20 or #parts.body < head then return nil end
  parts.tcp, parts.payload = true, parts.body:sub(head + 1)
  parts.fin, parts.syn, parts.rst = flags & 1 ~= 0, flags & 2 ~= 0, flags & 4 ~= 0
  parts.ack = flags & 16 ~= 0
  return parts
end

-- { version, source, destination, ttl, df, router_alert, udp or tcp, ports, payload, … }, or nil
-- for what is no packet with UDP or TCP; nil and true for a fragment that completes none. `reassembly`
-- is of fragments.new(); without one, fragments are left out. Octets behind the packet, as Ethernet
-- pads short frames with, are no part of it.
function ip.parse(bytes, reassembly, at)
  local version = (bytes:byte(1) or 0) >> 4
  local parse = version == 4 and parse_v4 or version == 6 and parse_v6
  if not parse then return nil end
  local parts, is_fragment = parse(bytes, reassembly, at)
  if not parts then return nil, is_fragment end
  if parts.protocol == UDP then return add_udp(parts) end
  if parts.protocol == TCP then return add_tcp(parts) end
  return nil
end

return ip
