-- IPv4 packets with UDP: what D-mode and Q-mode GIST travels in. RFC 5971, section 5.3.

local address = require("codec.address")

local packet = {}

-- RFC 1071: words of four octets give the same sum as those of two, once its carries are added.
local function checksum(bytes)
  bytes = bytes .. ("\0"):rep(-#bytes % 16)
  local sum = 0
  for position = 1, #bytes, 16 do
    local a, b, c, d = string.unpack(">I4I4I4I4", bytes, position)
    sum = sum + a + b + c + d
  end
  while sum > 0xFFFF do sum = (sum & 0xFFFF) + (sum >> 16) end
  return ~sum & 0xFFFF
end

-- RFC 2113: type 148, length 4, value.
function packet.router_alert(value) return string.pack(">BBI2", 148, 4, value) end

-- An IPv4 packet with this payload: { source, destination, ttl, options, df }.
function packet.ip(parts, protocol, payload)
  local options = parts.options or ""
  local words = 5 + #options // 4
  local fragment = parts.df == false and 0 or 0x4000
  local head = string.pack(">BBI2I2I2BBI2", 0x40 | words, 0, words * 4 + #payload, 0, fragment,
    parts.ttl or 64, protocol, 0) .. address.parse(parts.source) .. address.parse(parts.destination)
    .. options
  return head:sub(1, 10) .. string.pack(">I2", checksum(head)) .. head:sub(13) .. payload
end

-- The checksum of a UDP or TCP payload, whose own is zero in it.
function packet.transport_checksum(parts, protocol, payload)
  return checksum(address.parse(parts.source) .. address.parse(parts.destination)
    .. string.pack(">I2I2", protocol, #payload) .. payload)
end

-- What is wrong with the checksums of a whole IPv4 packet with UDP or TCP, or nil. A UDP checksum may be
-- left out.
function packet.wrong_checksum(bytes)
  local head = (bytes:byte(1) & 15) * 4
  local protocol = bytes:byte(10)
  if head < 20 or #bytes < head or checksum(bytes:sub(1, head)) ~= 0 then return "IP" end
  local least = protocol == 17 and 8 or protocol == 6 and 20
  if not least or #bytes < head + least then return nil end
  local payload = bytes:sub(head + 1)
  if protocol == 17 and payload:sub(7, 8) == "\0\0" then return nil end
  local sum = checksum(bytes:sub(13, 20) .. string.pack(">I2I2", protocol, #payload) .. payload)
  return sum ~= 0 and (protocol == 17 and "UDP" or "TCP") or nil
end

-- { source, destination, source_port, destination_port, payload, ttl, options, df } to octets.
function packet.build(parts)
  local head = string.pack(">I2I2I2", parts.source_port, parts.destination_port, 8 + #parts.payload)
  local sum = packet.transport_checksum(parts, 17, head .. "\0\0" .. parts.payload)
  return packet.ip(parts, 17, head .. string.pack(">I2", sum == 0 and 0xFFFF or sum)
    .. parts.payload)
end

-- The parts of an IPv4 packet with UDP, or nil.
function packet.parse(bytes)
  if #bytes < 28 then return nil end
  local first, _, total, _, fragment, ttl, protocol = string.unpack(">BBI2I2I2BB", bytes)
  local head = (first & 15) * 4
  if first >> 4 ~= 4 or protocol ~= 17 or head < 20 or #bytes < head + 8 then return nil end
  local source_port, destination_port, length, sum = string.unpack(">I2I2I2I2", bytes, head + 1)
  return {
    source = address.format(bytes:sub(13, 16)), destination = address.format(bytes:sub(17, 20)),
    source_port = source_port, destination_port = destination_port, checksum = sum,
    ttl = ttl, df = fragment & 0x4000 ~= 0, options = bytes:sub(21, head),
    payload = bytes:sub(head + 9, math.min(head + length, #bytes)), total = total,
  }
end

-- The value of the router alert option, or nil.
function packet.router_alert_of(parts)
  local position = 1
  while position <= #parts.options do
    local kind = parts.options:byte(position)
    if kind == 0 then return nil end
    if kind == 148 and position + 3 <= #parts.options then
      return string.unpack(">I2", parts.options, position + 2)
    end
    position = position + (kind == 1 and 1 or math.max(parts.options:byte(position + 1) or 2, 2))
  end
  return nil
end

return packet
