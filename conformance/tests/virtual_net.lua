-- A network in virtual time for the tests of the runner: the interface of runner/net.lua, with a
-- scripted box in the middle instead of an IUT.

local new_clock = require("runner.clock").new

local virtual = {}

local HOP_MS = 0.2

-- Two ends of a connection; `open()` says whether the path between them passes now.
local function connection_pair(clock, passes)
  local function new_end()
    local one = { open = true }
    function one:receive(on_data, on_close) self.on_data, self.on_close = on_data, on_close end
    function one:write(bytes)
      local peer = self.peer
      if not self.open or not peer.open then return self.open end
      if not passes(self) then return true end
      clock.after(HOP_MS, function()
        if peer.open and peer.on_data then peer.on_data(bytes, clock.time) end
      end)
      return true
    end
    function one:close()
      if not self.open then return end
      self.open = false
      local peer = self.peer
      clock.after(HOP_MS, function()
        if peer.open and peer.on_close and passes(self) then peer.on_close("closed by the peer") end
      end)
    end
    return one
  end
  local near, far = new_end(), new_end()
  near.peer, far.peer = far, near
  return near, far
end

-- box: { owns(address), packet(side, bytes), accept(side, connection, source), allows(flow),
-- run(command, ended) }.
function virtual.new(seed)
  local clock = new_clock(0)
  local state = seed or 1
  local net = { after = clock.after, sockets = {}, listeners = {} }

  function net.now() return clock.time end

  function net.stalled() return 0 end

  function net.wall_ms() return clock.time end

  -- Runs until `finished()` or nothing is left; fails past `limit_ms`, for no test may hang.
  function net.run_until(finished, limit_ms)
    while clock.next_at() and not finished() do
      assert(clock.next_at() < limit_ms, "the virtual clock ran past its limit")
      clock.step()
    end
  end

  function net.random(count)
    local out = {}
    for i = 1, count do
      state = (state * 1103515245 + 12345) & 0x7FFFFFFF
      out[i] = string.char((state >> 16) & 255)
    end
    return table.concat(out)
  end

  local function key(address, port) return address .. ":" .. port end

  local function allows(side, source, source_port, destination, port, protocol)
    return net.box.allows({ side = side, source = source, source_port = source_port,
      destination = destination, destination_port = port, protocol = protocol })
  end

  local function open_side(name)
    local side = {}

    function side:send_packet(bytes, destination)
      if destination:find("^2[2-5]%d%.") then return "cannot send to " .. destination end
      clock.after(HOP_MS, function() net.box.packet(name, bytes) end)
    end

    function side:udp(address, port, receive)
      net.sockets[key(address, port)] = receive
      return {
        send = function(_, bytes, target, target_port)
          if not allows(name, address, port, target, target_port, "udp") then return true end
          clock.after(HOP_MS, function()
            local socket = net.sockets[key(target, target_port)]
            if socket then socket(bytes, address, port, clock.time) end
          end)
          return true
        end,
        close = function() net.sockets[key(address, port)] = nil end,
      }
    end

    local next_port = 40000
    function side:listen(address, port, on_accept)
      if port == 0 then
        next_port = next_port + 1
        port = next_port
      end
      net.listeners[key(address, port)] = on_accept
      return { close = function() net.listeners[key(address, port)] = nil end }, port
    end

    function side:connect(source, source_port, address, port, on_open, on_data, on_close)
      local direct = net.box.owns(address)
      local function passes(one)
        if direct then return true end
        if one.is_far then return allows("outside", address, port, source, source_port, "tcp") end
        return allows(name, source, source_port, address, port, "tcp")
      end
      local near, far = connection_pair(clock, passes)
      far.is_far = true
      near:receive(on_data, on_close)
      clock.after(HOP_MS, function()
        local accept = net.listeners[key(address, port)]
        if not near.open or not passes(near) then return end
        if direct then
          net.box.accept(name, far, source)
        elseif accept then
          accept(far, source, source_port)
        else
          return on_close("refused")
        end
        on_open()
      end)
      return near
    end

    return side
  end

  -- A command beside the runner: the box's script decides how it ends, or it takes too long.
  function net.run(command, limit_s, on_end)
    local handle = { cancel = function(self) self.over = true end }
    local function ended(status, output)
      clock.after(HOP_MS, function()
        if handle.over then return end
        handle.over = true
        on_end(status, output)
      end)
    end
    clock.after(limit_s * 1000, function() ended(124, "") end)
    net.box.run(command, ended)
    return handle
  end

  net.inside, net.outside = open_side("inside"), open_side("outside")

  -- A packet from the box to a neighbour.
  function net.deliver(side, bytes)
    clock.after(HOP_MS, function() net[side].on_packet(bytes, clock.time) end)
  end

  -- A connection from the box to a neighbour's listener.
  function net.connect_out(address, port, on_open, on_data)
    local near, far = connection_pair(clock, function() return true end)
    near:receive(on_data, function() end)
    clock.after(HOP_MS, function()
      local accept = net.listeners[key(address, port)]
      if not accept then return end
      accept(far, "192.0.2.254", 50000)
      on_open()
    end)
    return near
  end

  return net
end

return virtual
