-- The GIST messages of captures, in the order of time, one by one: datagrams with the magic number,
-- and what TCP connections carry once they are put in order.

local connections = require("judge.connections")
local copies = require("judge.copies")
local engine = require("codec.engine")
local fragments = require("judge.fragments")
local gist = require("codec.gist")
local ip = require("judge.ip")
local Item = require("codec.item")

local stream = {}

local NLI, MAGIC = 2, gist.magic

local Stream = {}
Stream.__index = Stream

-- Who sent a message: its NLI says so in a Query, whose source may be the flow's.
local function sender_of(message)
  local nli = message.item.gist.by_type[NLI]
  if message.name == "Query" and nli and nli.values and nli.values.interface then
    return nli.values.interface
  end
  return message.source
end

local function receive(self, message)
  message.name = message.item.gist.name
  message.sender = sender_of(message)
  message.from_iut = self.addresses[message.sender] or false
  message.to_iut = not message.from_iut and (self.addresses[message.destination]
    or message.mode == "Q") or false
  self.counts.messages = self.counts.messages + 1
  self.listener.message(message)
end

-- options: addresses (a set of the IUT's), ignore(bytes, both) and keeps_tls as of connections.new(),
-- message(message), and stranger({ frame, at, source, from_iut, is_stranger }) for what goes from
-- GIST's port to it and has no magic number.
function stream.new(options)
  local self = setmetatable({ addresses = options.addresses, listener = options,
    memory = engine.memory(), reassembly = fragments.new(), copies = copies.new(),
    counts = { messages = 0, datagrams = 0, copies = 0, cut = 0, unfinished = 0, behind_holes = 0,
      tls = 0, not_whole = 0, no_gist = 0 } }, Stream)
  self.connections = connections.new({ addresses = options.addresses, counts = self.counts,
    keeps_tls = options.keeps_tls, ignore = options.ignore or function() end,
    memory = self.memory, receive = function(message) receive(self, message) end })
  return self
end

-- One that is cut short says nothing: what is missing is the capture's fault.
local function datagram(self, parts, frame, at)
  if parts.cut then return end
  local counts = self.counts
  if parts.payload:sub(1, 4) ~= MAGIC then
    counts.no_gist = counts.no_gist + 1
    if self.listener.stranger and parts.source_port == gist.port
      and parts.destination_port == gist.port then
      self.listener.stranger({ is_stranger = true, frame = frame, at = at, source = parts.source,
        from_iut = self.addresses[parts.source] or false })
    end
    return
  end
  if self.copies:is_copy(parts, at) then
    counts.copies = counts.copies + 1
    return
  end
  counts.datagrams = counts.datagrams + 1
  local item = Item.read_with(self.memory, parts.payload:sub(5))
  receive(self, { frame = frame, at = at, item = item, packet = parts, source = parts.source,
    destination = parts.destination, source_port = parts.source_port,
    destination_port = parts.destination_port, mode = item.gist.header.c == 1 and "Q" or "D" })
end

-- One IP packet; packets have to come in the order of time.
function Stream:packet(bytes, frame, at)
  self.ends_at = at
  local parts, is_fragment = ip.parse(bytes, self.reassembly, at)
  if not parts then
    self.counts.no_gist = self.counts.no_gist + (is_fragment and 0 or 1)
    return
  end
  if parts.cut then self.counts.cut = self.counts.cut + 1 end
  if parts.udp then
    datagram(self, parts, frame, at)
  else
    self.connections:segment(parts, bytes, frame, at)
  end
end

function Stream:clear_text(record, frame) self.connections:clear_text(record, frame) end

-- The ports at which connections under TLS are accepted, as a set.
function Stream:tls_ports() return self.connections.tls_ports end

-- Counts what stayed unread: octets behind holes, datagrams of which fragments are missing,
-- connections under TLS. `whole`, where nothing did.
function Stream:finish()
  local counts = self.counts
  self.connections:finish()
  counts.unfinished = self.reassembly:unfinished()
  self.whole = self.connections.whole and counts.cut + counts.unfinished == 0
  return self
end

return stream
