-- IP packets of a capture, version 4 and 6, with UDP and TCP: what passive judgement needs of them.

local address = require("codec.address")
local packet = require("runner.packet")

local ip = {}

local UDP, TCP = 17, 6
local HOP_BY_HOP, ROUTING, DESTINATION = 0, 43, 60
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

local function parse_v4(bytes)
  if #bytes < 20 then return nil end
  local first, _, total, _, fragment, ttl, protocol = string.unpack(">BBI2I2I2BB", bytes)
  local head = (first & 15) * 4
  if head < 20 or #bytes < head or total < head then return nil end
  local parts = { version = 4, ttl = ttl, protocol = protocol, df = fragment & 0x4000 ~= 0,
    fragment = fragment & 0x3FFF ~= 0, source = address.format(bytes:sub(13, 16)),
    destination = address.format(bytes:sub(17, 20)), options = bytes:sub(21, head),
    body = bytes:sub(head + 1, math.min(total, #bytes)), cut = total > #bytes }
  parts.router_alert = packet.router_alert_of(parts)
  return parts
end

local function parse_v6(bytes)
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
  parts.protocol, parts.body = next_header, bytes:sub(position, last)
  return parts
end

local function add_udp(parts)
  if #parts.body < 8 then return nil end
  local length
  parts.source_port, parts.destination_port, length, parts.checksum =
    string.unpack(">I2I2I2I2", parts.body)
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

-- { version, source, destination, ttl, df, router_alert, udp or tcp, ports, payload, … }, or nil for
-- what is no whole packet with UDP or TCP.
function ip.parse(bytes)
  local version = (bytes:byte(1) or 0) >> 4
  local parts = version == 4 and parse_v4(bytes) or version == 6 and parse_v6(bytes) or nil
  if not parts or parts.fragment then return nil end
  if parts.protocol == UDP then return add_udp(parts) end
  if parts.protocol == TCP then return add_tcp(parts) end
  return nil
end

return ip
