-- A small TCP for both ends of a data flow through a box in virtual time: it connects, numbers and
-- acknowledges octets, sends again what got lost, and ends by a reset. What a data flow needs to
-- show whether packets pass, and no more.

local segment = require("runner.segment")

local RETRANSMIT_MS, UNACKNOWLEDGED_MAX = 200, 16
local SYN, RST, PSH, ACK = segment.SYN, segment.RST, segment.PSH, segment.ACK

local function key(address, port, peer, peer_port)
  return address .. ":" .. port .. "-" .. peer .. ":" .. peer_port
end

local Connection = {}
Connection.__index = Connection

local function transmit(self, flags, sequence, payload)
  self.tcp.send(self.side, segment.build({ source = self.address, source_port = self.port,
    destination = self.peer, destination_port = self.peer_port, sequence = sequence,
    acknowledged = self.received, flags = flags, payload = payload or "" }))
end

-- The oldest that is not acknowledged, again and again until it is.
local function watch(self)
  if self.timer or not self.unacknowledged[1] then return end
  self.timer = self.tcp.after(RETRANSMIT_MS, function()
    self.timer = nil
    local oldest = self.unacknowledged[1]
    if not oldest or not self.open then return end
    transmit(self, oldest.flags, oldest.sequence, oldest.payload)
    watch(self)
  end)
end

local function transmit_surely(self, flags, payload)
  local sent = { flags = flags, sequence = self.sent, payload = payload }
  self.unacknowledged[#self.unacknowledged + 1] = sent
  self.sent = self.sent + math.max(#payload, 1)
  sent.ends = self.sent
  transmit(self, flags, sent.sequence, payload)
  watch(self)
end

local function forget(self)
  self.open = false
  if self.timer then self.timer:cancel() end
  self.tcp.connections[self.key] = nil
end

function Connection:receive(on_data, on_close) self.on_data, self.on_close = on_data, on_close end

-- What does not fit in what may be on its way is not sent: a flow only shows that packets pass.
function Connection:write(octets)
  if self.established and #self.unacknowledged < UNACKNOWLEDGED_MAX then
    transmit_surely(self, PSH | ACK, octets)
  end
  return self.open
end

function Connection:close()
  if not self.open then return end
  if self.established then transmit(self, RST | ACK, self.sent) end
  forget(self)
end

local function acknowledge(self, number)
  while self.unacknowledged[1] and self.unacknowledged[1].ends <= number do
    table.remove(self.unacknowledged, 1)
  end
end

local function establish(self)
  if self.established then return end
  self.established = true
  if self.on_open then self.on_open(self) end
end

local function arrived(self, parts)
  if parts.flags & RST ~= 0 then
    forget(self)
    if self.on_close then self.on_close("reset") end
    return
  end
  if parts.flags & ACK ~= 0 then acknowledge(self, parts.acknowledged) end
  if parts.flags & SYN ~= 0 then
    if parts.flags & ACK == 0 then return end -- it asks again; the answer is on its way
    self.received = parts.sequence + 1
    transmit(self, ACK, self.sent)
    return establish(self)
  end
  if not self.unacknowledged[1] or self.unacknowledged[1].flags & SYN == 0 then establish(self) end
  if #parts.payload == 0 then return end
  local expected = parts.sequence == self.received
  if expected then self.received = self.received + #parts.payload end
  transmit(self, ACK, self.sent)
  if expected and self.on_data then self.on_data(parts.payload, self.tcp.now()) end
end

local Tcp = {}
Tcp.__index = Tcp

-- options: send(side, packet), after(ms, action), now().
function Tcp.new(options)
  options.connections, options.listeners = {}, {}
  return setmetatable(options, Tcp)
end

local function new_connection(self, side, address, port, peer, peer_port)
  local connection = setmetatable({ tcp = self, side = side, address = address, port = port,
    peer = peer, peer_port = peer_port, open = true, sent = 1000, received = 0,
    unacknowledged = {}, key = key(address, port, peer, peer_port) }, Connection)
  self.connections[connection.key] = connection
  return connection
end

function Tcp:connect(side, own, peer, on_open, on_data, on_close)
  local connection = new_connection(self, side, own.address, own.port, peer.address, peer.port)
  connection:receive(on_data, on_close)
  connection.on_open = on_open
  transmit_surely(connection, SYN, "")
  return connection
end

-- on_accept(connection, address, port of the peer).
function Tcp:listen(address, port, on_accept)
  self.listeners[address .. ":" .. port] = on_accept
end

function Tcp:stop_listening(address, port) self.listeners[address .. ":" .. port] = nil end

-- A packet with TCP that came to this side.
function Tcp:arrived(side, parts)
  local connection = self.connections[key(parts.destination, parts.destination_port, parts.source,
    parts.source_port)]
  if connection then return arrived(connection, parts) end
  local accept = self.listeners[parts.destination .. ":" .. parts.destination_port]
  if not accept or parts.flags & SYN == 0 then return end
  connection = new_connection(self, side, parts.destination, parts.destination_port, parts.source,
    parts.source_port)
  connection.received = parts.sequence + 1
  connection.on_open = function() accept(connection, parts.source, parts.source_port) end
  transmit_surely(connection, SYN | ACK, "")
end

return Tcp
