-- The network of one case in virtual time, with the box behind a shim in its middle: the interface of
-- runner/net.lua. Sides are ports of the box, messaging associations are streams, data flows are
-- packets.

local clock = require("runner.clock")
local links = require("runner.links")
local packet = require("codec.packet")
local segment = require("runner.segment")
local Tcp = require("runner.small_tcp")

local START_US = 1 << 40
local shim_net = { START_US = START_US, START_MS = START_US / 1000 }

local TURNS_MAX, TURNS_OF_CASE_MAX = 10000, 100000 -- of one moment, and of all

local GIST_PORT = 270
local TCP, TLS = 0, 1 -- stacks
local TTL, MTU = 64, 1500 -- of what a neighbour sends, and of a link
local TTL_AT = 9 -- octet of an IPv4 header
local PORTS = { inside = 1, outside = 2 }
local SIDES = { "inside", "outside" }

local function microseconds(ms) return math.floor(ms * 1000 + 0.5) end

local function multicast(destination)
  local first = tonumber(destination:match("^(%d+)%."))
  return first and first >= 224
end

-- What the box is told of itself before it starts.
local function description(settings)
  local endpoint = settings.responder or settings.initiator
  local events = { { kind = "configuration", text = settings.shim.text } }
  for _, name in ipairs(SIDES) do
    local side = settings[name]
    if side then
      events[#events + 1] = { kind = "port", port = PORTS[name], name = name,
        side = name == "inside" and 0 or 1, address = endpoint and endpoint.address or side.gateway,
        prefix = 24, mtu = 1500 }
      for _, pool in ipairs({ "signalling", "flows" }) do
        local prefix, length = side[pool]:match("^(.*)/(%d+)$")
        events[#events + 1] = { kind = "route", prefix = prefix, length = tonumber(length),
          port = PORTS[name] }
      end
    end
  end
  return events
end

-- Streams ----------------------------------------------------------------------------------------

local Stream = {}
Stream.__index = Stream

-- Octets and endings go to the box one after the other, whatever delays them.
local function to_box_in_order(self, event)
  local at = math.max(self.net.now() + self.net.links.stream_delay(), self.last_at or 0)
  self.last_at = at
  self.net.clock.at(at, clock.DELIVERY, function()
    self.accepted = self.accepted or event.kind == "stream_accept"
    self.net.to_box(event)
  end)
end

local function from_box_in_order(self, action)
  local at = math.max(self.net.now() + self.net.links.stream_delay(), self.arrives_at or 0)
  self.arrives_at = at
  self.net.clock.at(at, clock.DELIVERY, action)
end

function Stream:receive(on_data, on_close) self.on_data, self.on_close = on_data, on_close end

function Stream:write(octets)
  if not self.open then return false end
  for first = 1, #octets, 0xFFFF do
    to_box_in_order(self, { kind = "stream_octets", stream = self.number,
      octets = octets:sub(first, first + 0xFFFE) })
  end
  return true
end

function Stream:close()
  if not self.open then return end
  self.open = false
  to_box_in_order(self, { kind = "stream_close", stream = self.number })
end

local function stream_ended(self, reason)
  self.net.streams[self.number] = nil
  if not self.open then return end
  self.open = false
  if self.on_close then self.on_close(reason) end
end

local function new_stream(net, number)
  local stream = setmetatable({ net = net, number = number, open = true }, Stream)
  net.streams[number] = stream
  net.ever[number] = true
  return stream
end

-- The stream that the box speaks of: nil for one that is over, whatever it still has to say.
local function stream_of(net, item)
  if not net.ever[item.stream] then
    net.shim:reject("speaks of stream %d, which there was none of", item.stream)
  end
  return net.streams[item.stream]
end

-- Two connections between the same two endpoints cannot be told apart on a wire.
local function note_endpoints(net, item)
  local key = string.format("%s:%d to %s:%d", item.own.address, item.own.port, item.peer.address,
    item.peer.port)
  local before = net.by_endpoints[key]
  if before and net.streams[before] then
    net.shim:reject("opens a second stream from %s, while the first is open", key)
  end
  net.by_endpoints[key] = item.stream
end

-- What the box does -------------------------------------------------------------------------------

local from_box = {}

function from_box.packet(net, item)
  local side = SIDES[item.port]
  if not net.has_port[side] then
    net.shim:reject("sends a packet by port %d, which there is none of", item.port)
  end
  for _, copy in ipairs(net.links.carry(item.octets)) do
    net.clock.at(net.now() + copy[1], clock.DELIVERY, function() net.arrived(side, copy[2]) end)
  end
end

function from_box.stream_open(net, item)
  if not net.has_port[SIDES[item.port]] or not net.is_box(item.own.address) then
    net.shim:reject("opens a stream from %s by port %d, which are not the box's", item.own.address,
      item.port)
  end
  note_endpoints(net, item)
  local listener = net.listeners[item.peer.address .. ":" .. item.peer.port]
  if listener and item.stack ~= (listener.name and TLS or TCP) then listener = nil end
  local stream = new_stream(net, item.stream)
  from_box_in_order(stream, function()
    if not listener then
      net.streams[item.stream] = nil
      return to_box_in_order(stream, { kind = "stream_reset", stream = item.stream })
    end
    to_box_in_order(stream, { kind = "stream_accept", stream = item.stream, name = listener.name })
    listener.accept(stream, item.own.address, item.own.port)
  end)
end

function from_box.stream_accept(net, item)
  local stream = stream_of(net, item)
  if stream then
    stream.accepted = true
    from_box_in_order(stream, function() if stream.on_open then stream.on_open() end end)
  end
end

function from_box.stream_octets(net, item)
  local stream = stream_of(net, item)
  if not stream then return end
  if not stream.accepted then
    net.shim:reject("sends octets of stream %d before that is accepted", item.stream)
  end
  from_box_in_order(stream, function()
    if stream.open and stream.on_data then stream.on_data(item.octets, net.now()) end
  end)
end

function from_box.stream_close(net, item)
  local stream = stream_of(net, item)
  if stream then
    from_box_in_order(stream, function() stream_ended(stream, "closed by the peer") end)
  end
end

function from_box.stream_reset(net, item)
  local stream = stream_of(net, item)
  if stream then from_box_in_order(stream, function() stream_ended(stream, "reset") end) end
end

function from_box.trigger_done(net, item)
  if item.number == 0 or item.number > net.last_trigger then
    net.shim:reject("answers trigger %d, which there was none of", item.number)
  end
  local ended = net.triggers[item.number]
  net.triggers[item.number] = nil
  if ended then ended(item.status, item.text) end
end

function from_box.log(net, item) net.note(item.text) end

-- The network -------------------------------------------------------------------------------------

-- Turns of the box until it is quiet: what happens to it at this moment, and its own timers.
local function take_turns(net)
  local turns = 0
  local now = microseconds(net.now())
  while net.pending[1] or (net.wake and net.wake <= now) do
    turns, net.turns = turns + 1, net.turns + 1
    if turns > TURNS_MAX or net.turns > TURNS_OF_CASE_MAX then
      error({ reason = string.format("the shim does not come to rest: more than %s",
        turns > TURNS_MAX and TURNS_MAX .. " turns of one moment"
          or TURNS_OF_CASE_MAX .. " turns") })
    end
    local events = net.pending
    net.pending = {}
    local done
    done, net.wake = net.shim:turn(now, events)
    for _, item in ipairs(done) do from_box[item.kind](net, item) end
  end
end

-- An address is on one side only: what comes out where it came in reaches nobody.
local function socket_key(side, address, port) return side .. " " .. address .. ":" .. port end

local function open_side(net, name)
  local side, port = {}, PORTS[name]

  function side:send_packet(bytes, destination)
    if multicast(destination) then return "cannot send to " .. destination end
    for _, copy in ipairs(net.links.carry(bytes)) do
      net.clock.at(net.now() + copy[1], clock.DELIVERY, function()
        net.to_box({ kind = "packet", port = port, octets = copy[2] })
      end)
    end
    return nil
  end

  function side:udp(own, own_port, receive)
    net.sockets[socket_key(name, own, own_port)] = receive
    local last = {} -- a data flow sends the same datagram again and again
    return {
      send = function(_, bytes, target, target_port)
        if last.payload ~= bytes or last.destination ~= target
          or last.destination_port ~= target_port then
          last = { source = own, source_port = own_port, destination = target,
            destination_port = target_port, payload = bytes }
          last.octets = packet.build(last)
        end
        side:send_packet(last.octets, target)
        return true
      end,
      close = function() net.sockets[socket_key(name, own, own_port)] = nil end,
    }
  end

  -- Whoever connects: the box for an association, or the other end of a data flow. With a name it is
  -- of TLS, which proves that name to the box.
  function side:listen(own, own_port, on_accept, tls_name)
    if own_port == 0 then
      net.last_port = net.last_port + 1
      own_port = net.last_port
    end
    net.listeners[own .. ":" .. own_port] = { accept = on_accept, name = tls_name }
    net.tcp:listen(own, own_port, on_accept)
    return { close = function()
      net.listeners[own .. ":" .. own_port] = nil
      net.tcp:stop_listening(own, own_port)
    end }, own_port
  end

  function side:connect(own, own_port, target, target_port, on_open, on_data, on_close, tls_name)
    if not net.is_box(target) then
      return net.tcp:connect(name, { address = own, port = own_port },
        { address = target, port = target_port }, on_open, on_data, on_close)
    end
    if own_port == 0 then
      net.last_port = net.last_port + 1
      own_port = net.last_port
    end
    net.last_stream = net.last_stream + 2
    local stream = new_stream(net, net.last_stream)
    stream:receive(on_data, on_close)
    stream.on_open = on_open
    to_box_in_order(stream, { kind = "stream_open", stream = stream.number, port = port,
      peer = { address = own, port = own_port }, own = { address = target, port = target_port },
      stack = tls_name and TLS or TCP, name = tls_name or "" })
    return stream
  end

  return side
end

-- "open source=192.0.2.1 ..." as the operation and its fields, in their order.
local function operation_of(line)
  local operation, rest = line:match("^(%S+)%s*(.*)$")
  local given = {}
  for name, value in rest:gmatch("([%w_]+)=(%S*)") do
    given[#given + 1] = { key = name, value = value }
  end
  return operation, given
end

local function impairment_of(given)
  return { loss = given.loss_percent / 100, duplication = given.duplication_percent / 100,
    reordering = given.reordering_percent / 100, corruption = given.corruption_percent / 100,
    delay_ms = given.delay_ms }
end

-- A box started anew for one case. settings.shim also has text, the configuration.
function shim_net.open(shim, settings, seed)
  local time = clock.new(shim_net.START_MS)
  local draw = links.generator(seed)
  local net = { shim = shim, clock = time, after = time.after, pending = {}, turns = 0, sockets = {},
    listeners = {}, streams = {}, ever = {}, by_endpoints = {}, triggers = {}, last_port = 40000,
    last_stream = -1,
    last_trigger = 0, has_port = {},
    links = links.new(impairment_of(settings.shim), seed ~ 0x5851F42D4C957F2D) }
  local own = {}

  function net.now() return time.time end

  function net.stalled() return 0 end -- virtual time does not pass unseen

  function net.random(count)
    local octets = {}
    for i = 1, count do octets[i] = string.char(math.floor(draw() * 256)) end
    return table.concat(octets)
  end

  function net.to_box(event) net.pending[#net.pending + 1] = event end

  -- The case is over: the box forgets it.
  function net.finish() shim:finish(microseconds(time.time)) end

  -- The box is no more: nothing reaches it, and time goes on without it.
  function net.cut_off()
    net.pending, net.wake = {}, nil
    net.to_box = function() end
  end

  function net.is_box(target) return own[target] or false end

  -- Data between others: what it sends itself, and Queries in a flow's name, have any TTL.
  local function is_forwarded(parts)
    return parts and parts.destination_port ~= GIST_PORT and not own[parts.source]
  end

  -- For whoever reads what happened; who runs a case takes it from here.
  function net.note() end

  -- A host takes no packet whose checksums are wrong.
  function net.arrived(side, octets)
    local version = #octets > 0 and octets:byte(1) >> 4 or 0
    if version ~= 4 then return net.note("a packet of IP version " .. version .. " comes " .. side) end
    local wrong = #octets < 20 and "IP" or packet.wrong_checksum(octets)
    if wrong then return net.note("a packet whose " .. wrong .. " checksum is wrong comes " .. side) end
    if octets:byte(TTL_AT) == 0 then return net.note("a packet whose TTL is 0 comes " .. side) end
    if #octets > MTU then return net.note("a packet longer than the link's MTU comes " .. side) end
    local parts = packet.parse(octets)
    if is_forwarded(parts) and octets:byte(TTL_AT) >= TTL then
      return net.note("a packet that is forwarded with its TTL as it was comes " .. side)
    end
    if parts and parts.destination_port == GIST_PORT then
      if net[side].on_packet then net[side].on_packet(octets, net.now()) end
      return
    end
    if parts then
      local receive = net.sockets[socket_key(side, parts.destination, parts.destination_port)]
      if receive then receive(parts.payload, parts.source, parts.source_port, net.now()) end
      return
    end
    parts = segment.parse(octets)
    if parts then net.tcp:arrived(side, parts) end
  end

  -- A trigger: an operation of the box, with its fields. 124 is the status of one that took too long.
  function net.run(line, limit_s, on_end)
    local operation, given = operation_of(line)
    net.last_trigger = net.last_trigger + 1
    local number = net.last_trigger
    local handle = { cancel = function(self) self.over = true end }
    local function ended(status, text)
      if handle.over then return end
      handle.over = true
      on_end(status, text)
    end
    net.triggers[number] = ended
    net.to_box({ kind = "trigger", number = number, operation = operation, fields = given })
    time.after(limit_s * 1000, function() ended(124, "") end)
    return handle
  end

  net.tcp = Tcp.new({ after = time.after, now = net.now,
    send = function(side, octets) net[side]:send_packet(octets, "0.0.0.0") end })
  for _, event in ipairs(description(settings)) do
    net.to_box(event)
    if event.kind == "port" then
      own[event.address] = true
      net.has_port[event.name] = true
      net[event.name] = open_side(net, event.name)
    end
  end
  for _, name in ipairs(SIDES) do net[name] = net[name] or open_side(net, name) end
  net.to_box({ kind = "start", seed = seed })

  -- Runs until finished() says so; false where nothing is left that could happen.
  function net.run_until(finished)
    take_turns(net)
    while not finished() do
      local next_at = time.next_at()
      local wake_at = net.wake and net.wake / 1000
      if not next_at and not wake_at then return false end
      if next_at and (not wake_at or next_at <= wake_at) then
        repeat time.step() until finished() or time.next_at() ~= time.time
      else
        time.time = wake_at
      end
      take_turns(net)
    end
    return true
  end

  return net
end

return shim_net
