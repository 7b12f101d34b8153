-- The GIST messages of captures, in the order of time: datagrams with the magic number, and what
-- TCP connections carry once they are put in order.

local fragments = require("judge.fragments")
local gist = require("codec.gist")
local ip = require("judge.ip")
local Item = require("codec.item")
local tables = require("codec.tables")
local tcp = require("judge.tcp")

local stream = {}

local HEADER_OCTETS, LAST_TYPE = 8, 5
local MRI, NLI, MAGIC = 0, 2, gist.magic
local TLS_HANDSHAKE = "\22\3" -- how a TLS connection begins: its record type, and version 3
-- The same datagram again within this time is one that a second wire, or a wire that duplicates,
-- has shown twice; a node does not send a Query again so soon. So it is at any time with the same
-- identification in its IP header, or with another TTL.
local COPY_WINDOW_S = 0.2

local Stream = {}
Stream.__index = Stream

-- `addresses`: a set of the IUT's addresses.
function stream.new(addresses)
  return setmetatable({ addresses = addresses, messages = {}, connections = {}, strangers = {},
    recent = {}, reassembly = fragments.new(), counts = { frames = 0, datagrams = 0, copies = 0,
      cut = 0, unfinished = 0, behind_holes = 0, tls = 0 } }, Stream)
end

-- Who sent a message: its NLI says so in a Query, whose source may be the flow's.
local function sender_of(message)
  local nli = message.item.gist.by_type[NLI]
  if message.name == "Query" and nli and nli.values and nli.values.interface then
    return nli.values.interface
  end
  return message.source
end

local function add(self, message)
  message.name = message.item.gist.name
  message.sender = sender_of(message)
  message.from_iut = self.addresses[message.sender] or false
  message.to_iut = not message.from_iut and (self.addresses[message.destination]
    or message.mode == "Q") or false
  message.place = #self.messages + 1
  self.messages[message.place] = message
end

-- Datagrams --------------------------------------------------------------------------------------

local function is_copy(self, parts, at)
  local key = table.concat({ parts.source, parts.source_port, parts.destination,
    parts.destination_port, parts.payload }, "|")
  local before = self.recent[key]
  self.recent[key] = { at = at, ttl = parts.ttl, id = parts.id }
  return before and (at - before.at < COPY_WINDOW_S or before.ttl ~= parts.ttl
    or parts.id ~= nil and parts.id ~= 0 and before.id == parts.id)
end

-- One that is cut short says nothing: what is missing is the capture's fault.
local function datagram(self, parts, frame, at)
  if parts.cut then return end
  local has_magic = parts.payload:sub(1, 4) == MAGIC
  if not has_magic then
    if parts.source_port == gist.port and parts.destination_port == gist.port then
      self.strangers[#self.strangers + 1] = { frame = frame, at = at, source = parts.source,
        from_iut = self.addresses[parts.source] or false }
    end
    return
  end
  if is_copy(self, parts, at) then
    self.counts.copies = self.counts.copies + 1
    return
  end
  self.counts.datagrams = self.counts.datagrams + 1
  local item = Item.read(parts.payload:sub(5))
  add(self, { frame = frame, at = at, item = item, packet = parts, source = parts.source,
    destination = parts.destination, mode = item.gist.header.c == 1 and "Q" or "D" })
end

-- Connections ------------------------------------------------------------------------------------

-- Whether octets can be the beginning of a GIST message.
local function plausible(buffer)
  local version, _, words, _, kind = string.unpack(">BBI2I2B", buffer)
  return version == 1 and kind & 127 <= LAST_TYPE and words > 0
end

local function cut_messages(self, side, frame, at)
  while #side.buffer >= HEADER_OCTETS do
    local magic = side.buffer:sub(1, 4) == MAGIC
    local start = magic and 5 or 1
    if #side.buffer < start - 1 + HEADER_OCTETS then return end
    if not side.known and not plausible(side.buffer:sub(start)) then
      side.other = true
      side.connection.is_tls = side.connection.is_tls or side.buffer:sub(1, 2) == TLS_HANDSHAKE
      side.buffer = ""
      return
    end
    side.known = true
    local size = HEADER_OCTETS + string.unpack(">I2", side.buffer, start + 2) * 4
    if #side.buffer < start - 1 + size then return end
    local bytes = side.buffer:sub(start, start - 1 + size)
    side.buffer = side.buffer:sub(start + size)
    side.count = side.count + 1
    add(self, { frame = frame, at = at, item = Item.read(bytes), mode = "C", magic = magic,
      source = side.source, destination = side.destination, connection = side.connection,
      number = side.count, from_start = side.direction.from_start })
  end
end

local function side_of(self, connection, parts)
  local side = { connection = connection, source = parts.source, destination = parts.destination,
    buffer = "", count = 0 }
  side.direction = tcp.direction(function(octets, frame, at)
    if side.other then return end
    side.buffer = side.buffer .. octets
    cut_messages(self, side, frame, at)
  end)
  return side
end

local function segment(self, parts, frame, at)
  local from = parts.source .. "|" .. parts.source_port
  local to = parts.destination .. "|" .. parts.destination_port
  local key = from < to and from .. "|" .. to or to .. "|" .. from
  local connection = self.connections[key]
  local opens = parts.syn and not parts.ack
  if not connection or opens and connection.opening ~= parts.sequence then
    connection = { sides = {} }
    self.connections[key] = connection
    self.connections[#self.connections + 1] = connection
  end
  if opens then
    connection.opening, connection.opener, connection.opened = parts.sequence, parts.source,
      { address = parts.destination, port = parts.destination_port }
  end
  connection.sides[from] = connection.sides[from] or side_of(self, connection, parts)
  connection.sides[from].direction:segment(parts, frame, at)
  if connection.sides[to] then connection.sides[to].direction:acknowledged(parts) end
end

-- What a connection under TLS carries, of tls.decrypt(); in order, and not before the packet it is
-- in.
function Stream:clear_text(record, frame)
  local from = record.source .. "|" .. record.source_port
  local to = record.destination .. "|" .. record.destination_port
  local connection = self.connections[from < to and from .. "|" .. to or to .. "|" .. from]
  local side = connection and connection.sides[from]
  if not side then return end
  connection.is_read = true
  side.clear = side.clear or { connection = connection, source = side.source,
    destination = side.destination, direction = side.direction, buffer = "", count = 0 }
  if side.clear.other then return end
  side.clear.buffer = side.clear.buffer .. record.octets
  cut_messages(self, side.clear, frame, record.at)
  side.known = side.clear.known
end

-- The ports at which connections under TLS are accepted.
function Stream:tls_ports()
  local ports, list = {}, {}
  for _, connection in ipairs(self.connections) do
    local port = connection.is_tls and connection.opened and connection.opened.port
    if port and not ports[port] then list[#list + 1] = port end
    ports[port or false] = true
  end
  return list
end

-- All ----------------------------------------------------------------------------------------------

-- One IP packet; packets have to come in the order of time.
function Stream:packet(bytes, frame, at)
  self.counts.frames = self.counts.frames + 1
  self.begins_at, self.ends_at = self.begins_at or at, at
  local parts = ip.parse(bytes, self.reassembly, at)
  if not parts then return end
  if parts.cut then self.counts.cut = self.counts.cut + 1 end
  if parts.udp then datagram(self, parts, frame, at) else segment(self, parts, frame, at) end
end

-- A connection is whole where both its sides were seen from their start, without a hole.
local function is_whole(connection)
  local count = 0
  for _, side in tables.sorted(connection.sides) do
    count = count + 1
    if not side.direction.from_start or side.direction:lacks_octets() then return false end
  end
  return count == 2
end

-- Whether it carries GIST, or may where it was not seen.
local function may_matter(connection)
  for _, side in tables.sorted(connection.sides) do
    if side.known then return true end
    if not side.other and (side.buffer ~= "" or side.direction:lacks_octets()) then return true end
  end
  return false
end

local function finish_connection(self, connection)
  local counts = self.counts
  if connection.is_tls and not connection.is_read then counts.tls = counts.tls + 1 end
  for _, side in tables.sorted(connection.sides) do
    counts.behind_holes = counts.behind_holes + (side.other and 0 or side.direction:waiting())
  end
  connection.whole = is_whole(connection)
  if not connection.whole and may_matter(connection) then self.whole = false end
end

-- How a session was opened, and whether one that came to the IUT was seen to go on from it.
local function note_session(self, message)
  local sid = message.item.sid
  local session = self.sessions[sid] or { opening = message }
  self.sessions[sid] = session
  if message.name == "Query" and message.from_iut and session.opening.to_iut then
    session.went_on, self.shows_two_wires = true, true
  end
end

-- Counts what stayed unread: octets behind holes, datagrams of which fragments are missing,
-- connections under TLS.
function Stream:finish()
  self.counts.unfinished = self.reassembly:unfinished()
  self.whole = self.counts.cut + self.counts.unfinished == 0
  for _, connection in ipairs(self.connections) do finish_connection(self, connection) end
  self.whole = self.whole and self.counts.tls == 0
  self.sessions = {}
  for _, message in ipairs(self.messages) do
    if message.item.sid then note_session(self, message) end
  end
  return self
end

-- Whether all that was ever said of a session on one wire can be in the capture: then what is not in
-- it was not said there.
function Stream:shows_all_of(sid)
  local session = self.sessions[sid]
  return self.whole and session ~= nil and session.opening.name == "Query"
end

-- The same of both the wires by which it came and went. A session that begins or ends at the IUT has
-- one of them. Of one that came and did not go on, a capture that shows both of another has both.
function Stream:shows_path_of(sid)
  if not self:shows_all_of(sid) then return false end
  local session = self.sessions[sid]
  local mri = session.opening.item.gist.by_type[MRI]
  local flow = mri and mri.values or {}
  if session.opening.from_iut then return self.addresses[flow.source] or false end
  return session.went_on or self.shows_two_wires or self.addresses[flow.destination] or false
end

-- The messages that the IUT sent, of these GIST names (none: all).
function Stream:sent(...)
  local wanted, list = {}, {}
  for _, name in ipairs({ ... }) do wanted[name] = true end
  for _, message in ipairs(self.messages) do
    if message.from_iut and (tables.is_empty(wanted) or wanted[message.name]) then
      list[#list + 1] = message
    end
  end
  return list
end

-- The messages that others sent to the IUT, or as Queries along a path.
function Stream:received(name)
  local list = {}
  for _, message in ipairs(self.messages) do
    if message.to_iut and (not name or message.name == name) then
      list[#list + 1] = message
    end
  end
  return list
end

-- NATFW messages, sent by the IUT or by others.
function Stream:natfw(from_iut, ...)
  local wanted, list = {}, {}
  for _, name in ipairs({ ... }) do wanted[name] = true end
  for _, message in ipairs(self.messages) do
    local inner = message.item.natfw
    if inner and message.from_iut == from_iut
      and (tables.is_empty(wanted) or wanted[inner.name]) then list[#list + 1] = message end
  end
  return list
end

return stream
