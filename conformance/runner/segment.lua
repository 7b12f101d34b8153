-- TCP segments in IPv4 packets, for the runner's small TCP. RFC 9293, section 3.1, without options.

local address = require("codec.address")
local packet = require("codec.packet")

local segment = {}

segment.FIN, segment.SYN, segment.RST, segment.PSH, segment.ACK = 1, 2, 4, 8, 16

local PROTOCOL, WINDOW = 6, 0xFFFF

-- { source, destination, source_port, destination_port, sequence, acknowledged, flags, payload } to
-- octets.
function segment.build(parts)
  local function octets(sum)
    return string.pack(">I2I2I4I4BBI2I2I2", parts.source_port, parts.destination_port,
      parts.sequence & 0xFFFFFFFF, parts.acknowledged & 0xFFFFFFFF, 5 << 4, parts.flags, WINDOW,
      sum, 0) .. parts.payload
  end
  return packet.ip(parts, PROTOCOL, octets(packet.transport_checksum(parts, PROTOCOL, octets(0))))
end

-- The parts of an IPv4 packet with TCP, or nil.
function segment.parse(bytes)
  if #bytes < 40 then return nil end
  local first, _, total, _, _, _, protocol = string.unpack(">BBI2I2I2BB", bytes)
  local head = (first & 15) * 4
  if first >> 4 ~= 4 or protocol ~= PROTOCOL or #bytes < head + 20 then return nil end
  local source_port, destination_port, sequence, acknowledged, offset, flags =
    string.unpack(">I2I2I4I4BB", bytes, head + 1)
  return { source = address.format(bytes:sub(13, 16)), destination = address.format(bytes:sub(17, 20)),
    source_port = source_port, destination_port = destination_port, sequence = sequence,
    acknowledged = acknowledged, flags = flags,
    payload = bytes:sub(head + (offset >> 4) * 4 + 1, math.min(total, #bytes)) }
end

return segment
