-- A data flow through the IUT: packets sent without pause in both directions, and what arrived.
-- Forward is from the flow's source, inside, to its destination, outside.

local Flow = {}
Flow.__index = Flow

local function side_state() return { sent = 0, received = 0, last_at = nil, first_at = nil } end

-- flow: { source, destination, protocol, source_port, destination_port }
function Flow.new(case, flow)
  return setmetatable({ case = case, net = case.net, flow = flow, running = false,
    interval_ms = case.ixit.timing.probe_interval_ms,
    forward = side_state(), reverse = side_state() }, Flow)
end

function Flow:name()
  local flow = self.flow
  return string.format("%s %s:%d to %s:%d", flow.protocol:upper(), flow.source, flow.source_port,
    flow.destination, flow.destination_port)
end

function Flow:arrived(direction, at)
  local state = self[direction]
  state.received, state.last_at = state.received + 1, at
  state.first_at = state.first_at or at
  self.case:wake()
end

local function tick(self)
  if not self.running then return end
  self:push("forward")
  self:push("reverse")
  self.timer = self.net.after(self.interval_ms, function() tick(self) end)
end

-- UDP ---------------------------------------------------------------------------------------------

local function open_udp(self)
  local flow = self.flow
  local inside, why = self.net.inside:udp(flow.source, flow.source_port, function(_, source, port,
    at)
    if source == flow.destination and port == flow.destination_port then self:arrived("reverse",
      at) end
  end)
  if not inside then error({ verdict = "error", reason = "cannot open a flow: " .. why }) end
  local outside
  outside, why = self.net.outside:udp(flow.destination, flow.destination_port,
    function(_, source, port, at)
      if source == flow.source and port == flow.source_port then self:arrived("forward", at) end
    end)
  if not outside then error({ verdict = "error", reason = "cannot open a flow: " .. why }) end
  self.ends = { forward = inside, reverse = outside }
end

local function push_udp(self, direction)
  local flow = self.flow
  local forward = direction == "forward"
  self.ends[direction]:send("natfw-conform " .. direction, forward and flow.destination
    or flow.source,
    forward and flow.destination_port or flow.source_port)
end

-- TCP ---------------------------------------------------------------------------------------------

local connect_tcp

local function open_tcp(self)
  local flow = self.flow
  self.ends = {}
  local why
  self.listener, why = self.net.outside:listen(flow.destination, flow.destination_port,
    function(connection, source)
      if source ~= flow.source then return connection:close() end
      if self.ends.reverse then self.ends.reverse:close() end
      self.ends.reverse = connection
      connection:receive(function(_, at) self:arrived("forward", at) end, function() end)
    end)
  if not self.listener then error({ verdict = "error", reason = "cannot open a flow: " .. why }) end
  connect_tcp(self)
end

-- Connects, and again whenever the attempt got nowhere within `timing.connect_ms`.
function connect_tcp(self)
  local flow = self.flow
  self.connected = false
  local connection = self.net.inside:connect(flow.source, flow.source_port, flow.destination,
    flow.destination_port, function() self.connected = true end,
    function(_, at) self:arrived("reverse", at) end, function() end)
  self.ends.forward = connection
  self.redial = self.net.after(self.case.ixit.timing.connect_ms, function()
    if not self.running or self.connected then return end
    if connection then connection:close() end
    connect_tcp(self)
  end)
end

local function push_tcp(self, direction)
  local connection = self.ends[direction]
  if connection and (direction == "reverse" or self.connected) then connection:write("natfw") end
end

function Flow:push(direction)
  local state = self[direction]
  state.sent = state.sent + 1
  if self.flow.protocol == "udp" then push_udp(self, direction) else push_tcp(self, direction) end
end

function Flow:start()
  if self.running then return self end
  self.running = true
  if self.flow.protocol == "udp" then open_udp(self) else open_tcp(self) end
  self.case:defer(function() self:stop() end)
  tick(self)
  return self
end

function Flow:stop()
  if not self.running then return end
  self.running = false
  if self.timer then self.timer:cancel() end
  if self.redial then self.redial:cancel() end
  for _, connection in pairs(self.ends) do connection:close() end
  if self.listener then self.listener:close() end
end

-- The last arrival in either direction, or nil.
function Flow:last_at()
  local forward, reverse = self.forward.last_at, self.reverse.last_at
  if forward and reverse then return math.max(forward, reverse) end
  return forward or reverse
end

-- The last arrival of the direction that ended first, or nil where one never had any.
function Flow:first_end_at()
  local forward, reverse = self.forward.last_at, self.reverse.last_at
  return forward and reverse and math.min(forward, reverse)
end

-- A mark to compare with later: how many have arrived so far.
function Flow:mark() return { forward = self.forward.received, reverse = self.reverse.received } end

function Flow:since(mark)
  return { forward = self.forward.received - mark.forward,
    reverse = self.reverse.received - mark.reverse }
end

return Flow
