-- The real network: two ports, each in its own namespace, through the C host. Cases see only this
-- interface, so that tests can put a network of their own in its place:
--   now(), after(ms, action) with :cancel(), random(octets)
--   run(command, limit_s, on_end), as runner/command.lua
--   wall_ms(), the time of day, in milliseconds
--   stalled(from, to), for how many milliseconds between these times nothing was seen
--   inside / outside: send_packet(octets, destination), udp(), listen(), connect(), and
--   on_packet, a function that gets every GIST datagram of this side

local Command = require("runner.command")
local gist = require("codec.gist")
local tables = require("codec.tables")

local net = {}

local function must(value, why)
  if not value then error({ usage = why }, 0) end
  return value
end

local Side = {}
Side.__index = Side

-- nil, or why it could not be sent: the destination may be what the IUT says that it is.
function Side:send_packet(bytes, destination)
  local ok, why = self.raw:send(bytes, destination)
  return not ok and "cannot send to " .. destination .. ": " .. why or nil
end

function Side:udp(...) return self.netns:udp(...) end

local NO_TLS = "TLS is judged in virtual time only, see docs/shim-protocol.md"

function Side:listen(own, port, on_accept, tls_name)
  if tls_name then return nil, NO_TLS end
  return self.netns:listen(own, port, on_accept)
end

function Side:connect(own, own_port, target, port, on_open, on_data, on_close, tls_name)
  if tls_name then return nil, NO_TLS end
  return self.netns:connect(own, own_port, target, port, on_open, on_data, on_close)
end

-- Whose routes they are: what a run that was cut off left is taken away first.
local OWN = { "proto", "173" }

local function forget_routes(self)
  for _, kept_in in ipairs({ "main", "local" }) do
    self.netns:ip("route", "flush", "table", kept_in, table.unpack(OWN))
  end
end

-- Adds a route and remembers to take it away; one of somebody else is left alone.
local function add_route(self, ...)
  local words = { ... }
  table.move(OWN, 1, #OWN, #words + 1, words)
  local ok, why = self.netns:ip("route", "add", table.unpack(words))
  if ok then
    table.insert(self.routes, 1, words)
  elseif not why:find("File exists") then
    error({ usage = self.name .. ": ip route add " .. table.concat(words, " ") .. ": " .. why }, 0)
  end
end

local function open_side(host, name, settings, other)
  local side = setmetatable({ name = name, routes = {} }, Side)
  side.netns = must(host.netns(settings.netns))
  must(side.netns:claim())
  forget_routes(side)
  for _, pool in tables.sorted(settings.pools) do add_route(side, "local", pool.prefix, "dev", "lo") end
  for _, pool in tables.sorted(other.pools or {}) do
    add_route(side, pool.prefix, "via", settings.gateway, "dev", settings.interface)
  end
  side.raw = must(side.netns:raw())
  side.gist = must(side.netns:gist(gist.port, function(bytes, _, _, at)
    if side.on_packet then side.on_packet(bytes, at) end
  end))
  side.stamps, side.why_no_stamps = side.netns:check_stamps()
  -- A socket on the port keeps the kernel from refusing what the raw socket has read.
  side.drain = must(side.netns:udp("0.0.0.0", gist.port, function() end))
  return side
end

function net.open(host, settings)
  local opened = { now = host.now, after = host.after, random = host.random, wall_ms = host.wall_ms,
    stalled = host.stalled,
    inside = {}, outside = {} }
  local why = host.watch_stalls(settings.process)
  if why then error({ usage = "process: " .. why }) end
  function opened.run(...) return Command.run(host.after, ...) end
  local names = {}
  local endpoint = settings.responder or settings.initiator
  local iut = endpoint and { pools = { iut = { prefix = endpoint.address .. "/32" } } }
  for name, other in tables.sorted({ inside = "outside", outside = "inside" }) do
    if settings[name] then
      opened[name] = open_side(host, name, settings[name], settings[other] or iut)
      names[#names + 1] = name
    end
  end

  -- nil, or why arrival times of datagrams are those of the runner's loop.
  function opened.why_no_stamps()
    for _, name in ipairs(names) do
      if not opened[name].stamps then return name .. ": " .. opened[name].why_no_stamps end
    end
  end

  -- Live captures, one a port, that each case takes its own packets from.
  function opened.capture()
    for _, name in ipairs(names) do
      opened[name].capture = must(opened[name].netns:capture(settings[name].interface))
    end
  end

  function opened.close()
    for _, name in ipairs(names) do
      local side = opened[name]
      for _, words in ipairs(side.routes) do side.netns:ip("route", "del", table.unpack(words)) end
      if side.capture then side.capture:close() end
      side.gist:close()
      side.drain:close()
      side.raw:close()
      side.netns:close()
    end
  end

  return opened
end

return net
