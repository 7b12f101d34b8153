-- Tells the copies of one datagram, as a capture of several wires shows it and as a wire may make
-- two of it, from a datagram that its sender sent again with the same octets.

local recent = require("judge.recent")

local copies = {}

-- Through this time the same datagram may be on its way from one wire of a capture to the next.
local WAY_S = 2
-- A node that sends the same again on one wire waits longer: a Query is sent again after 500 ms, a
-- Response or a Confirm only when another message asks for it again.
local WINDOW_S = 0.2
local MOST_OF_ONE = 8

local Copies = {}
Copies.__index = Copies

function copies.new()
  return setmetatable({ seen = recent.new({ period_s = WAY_S, most = 16384 }) }, Copies)
end

-- With another identification it is another datagram. One of zero, as those have that may not be
-- fragmented (RFC 6864), says nothing, and IPv6 has none.
local function can_be(datagram, parts, at)
  if datagram.id ~= parts.id then return false end
  local on_this_wire = datagram.seen_at[parts.ttl]
  if on_this_wire then return math.abs(at - on_this_wire) < WINDOW_S end
  return math.abs(at - datagram.at) < WAY_S
end

-- Whether a UDP packet is a copy of one that was seen: the same addresses, ports and octets, and as
-- far as its identification, its TTL and the time can tell, the same that was sent. A wire further on
-- shows it with another TTL, and each datagram once.
function Copies:is_copy(parts, at)
  self.seen:pass(at)
  local key = table.concat({ parts.source, parts.source_port, parts.destination,
    parts.destination_port, parts.payload }, "|")
  local sent = self.seen:get(key)
  if not sent then
    sent = {}
    self.seen:put(key, sent)
  end
  for place = #sent, 1, -1 do
    if can_be(sent[place], parts, at) then
      sent[place].seen_at[parts.ttl] = at
      return true
    end
  end
  sent[#sent + 1] = { at = at, id = parts.id, seen_at = { [parts.ttl] = at } }
  if #sent > MOST_OF_ONE then table.remove(sent, 1) end
  return false
end

return copies
