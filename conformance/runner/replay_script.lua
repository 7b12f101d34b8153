-- What a capture gives to play and to expect, for replay.lua: who is played, on which side of the
-- IUT, and the steps in the order of time.
--
-- The played nodes are that of --as, or everybody who talks with the nodes of --iut; without
-- either, the one that asks first, or for an IUT that is an initiator itself, the one that answers
-- first.

local gist = require("codec.gist")
local recording = require("judge.recording")
local tables = require("codec.tables")

local script = {}

local MRI, QUERY_COOKIE = 0, 5
local PROTOCOLS = { [6] = "tcp", [17] = "udp" }

local function values(message, type_number)
  local object = message.item.gist.by_type[type_number]
  return object and object.values or {}
end

local function raw(message, type_number)
  local object = message.item.gist.by_type[type_number]
  return object and object.raw
end

-- The flow of a message's MRI as { protocol, source_prefix, … }, or nil and why it can't be bound.
local function flow_of(message)
  local mri = values(message, MRI)
  if mri.mrm ~= 0 then
    return nil, "its MRI is of the loose-end method, whose addresses cannot be bound"
  elseif mri.ip_ver ~= 4 or not PROTOCOLS[mri.protocol] or not (mri.source_port and mri.dest_port) then
    return nil, "its flow is none of IPv4 with UDP or TCP and both ports"
  elseif mri.t == 1 or mri.f == 1 or mri.s == 1 then
    return nil, "its MRI has a traffic class, a flow label or an SPI, which cannot be bound"
  end
  return { protocol = PROTOCOLS[mri.protocol], source = mri.source, destination = mri.destination,
    source_port = mri.source_port, dest_port = mri.dest_port, source_prefix = mri.source_prefix,
    destination_prefix = mri.dest_prefix }
end

-- Why a played message cannot be played, or nil.
local function obstacle(message)
  if message.item.gist.header.nslpid ~= gist.nslpid then
    return string.format("NSLPID %d is not NATFW's", message.item.gist.header.nslpid)
  elseif message.name == "Error" then
    return "a GIST Error quotes what was wrong, and cannot be bound to another run"
  elseif not message.item.sid then
    return "there is no SID"
  end
  local _, why = flow_of(message)
  return why
end

-- Who a message went to. A Query is addressed as its flow is; its Response tells who took it.
local function receivers(messages)
  local taker = {}
  for _, message in ipairs(messages) do
    if message.name == "Response" and raw(message, QUERY_COOKIE) then
      taker[message.destination .. raw(message, QUERY_COOKIE)] = message.sender
    end
  end
  return function(message)
    if message.name ~= "Query" then return message.destination end
    return taker[message.sender .. (raw(message, QUERY_COOKIE) or "")]
  end
end

local function first_sender(messages, name)
  for _, message in ipairs(messages) do
    if message.name == name then return message.sender end
  end
end

-- A function that says of a node whether it is played, or nil and why not.
local function cast(messages, receiver_of, options)
  if not tables.is_empty(options.iuts or {}) then
    local others = {}
    for _, message in ipairs(messages) do
      local from, to = message.sender, receiver_of(message)
      if to and options.iuts[from] then others[to] = not options.iuts[to] end
      if to and options.iuts[to] then others[from] = not options.iuts[from] end
    end
    return function(node) return others[node] or false end
  end
  local player = options.player or options.judges_initiator and "responder" or "initiator"
  local sends = ({ initiator = "Query", responder = "Response" })[player]
  if sends then
    player = first_sender(messages, sends)
    if not player then return nil, "has no " .. sends end
  end
  return function(node) return node == player end, player
end

-- Whether a message goes from the flow's source towards its destination.
local function goes_downstream(message)
  if message.name == "Query" or message.name == "Confirm" then return true end
  if message.name == "Response" then return false end
  local direction = values(message, MRI).d
  return direction and direction == 0
end

-- The side of the IUT that the played node is on; an Error, which has no MRI, is of the node's
-- last.
local function side_of(message, is_played, node, last_side)
  local downstream = goes_downstream(message)
  if downstream == nil then return last_side[node] end
  return downstream == is_played and "inside" or "outside"
end

-- What of a message is played: NATFW, and what begins a handshake. The rest follows by itself.
local function play_of(message)
  if message.name == "Query" then return "query" end
  if message.item.natfw then return "nslp" end
  return message.name == "Error" and "error" or nil
end

-- What of a message of the IUT is waited for and compared.
local function expectation_of(message, side)
  local name = message.name
  if message.item.natfw then return message.item.name end
  if name == "Error" then return name end
  if side == "inside" then return name == "Response" and name or nil end
  return (name == "Query" or name == "Confirm") and name or nil
end

-- What comes before a message of a handshake, in its session and on its side.
local BEFORE = { Response = "Query", Confirm = "Response" }

-- Whether a message of a handshake was sent again: a Query that has no Response yet, or what comes
-- where it is not its turn. A Query after that begins the next handshake.
local function is_repeated(message, side, last)
  if message.item.natfw or not (message.name == "Query" or BEFORE[message.name]) then return false end
  local key = tostring(message.item.sid) .. side
  local before = last[key]
  local repeated
  if message.name == "Query" then
    repeated = before == "Query"
  else
    repeated = before ~= nil and before ~= BEFORE[message.name]
  end
  if not repeated then last[key] = message.name end
  return repeated
end

-- The number of a handshake in its session and on its side.
local function handshake_of(message, side, count)
  local key = tostring(message.item.sid) .. side
  if message.name == "Query" then count[key] = (count[key] or 0) + 1 end
  return count[key] or 1
end

-- A message of the IUT's side that is not compared, and why.
local function leave_out(self, why)
  self.left_out[why] = (self.left_out[why] or 0) + 1
end

local function add_step(self, message, is_played, node)
  local side = side_of(message, is_played, node, self.last_side)
  if not side then return end
  self.last_side[node] = side
  local step = { side = side, message = message, flow = flow_of(message) }
  local repeated = is_repeated(message, side, self.last)
  if is_played then
    step.play = play_of(message)
  else
    self.of_iut = self.of_iut + 1
    step.expect = expectation_of(message, side)
    if not step.expect then return leave_out(self, message.name) end
    if not message.item.sid then return leave_out(self, message.name .. " without a SID") end
    if repeated then return leave_out(self, message.name .. " sent again") end
  end
  if not (step.play or step.expect) or repeated then return end
  step.handshake = handshake_of(message, side, self.handshakes)
  local why = step.play and obstacle(message)
  if why then return string.format("frame %s: %s", message.frame, why) end
  local nodes = self.nodes
  if nodes[side] and nodes[side] ~= node then
    return string.format("%s and %s are on the same side of the IUT; say with --as which to play",
      nodes[side], node)
  end
  nodes[side] = node
  if is_played then self.plays = self.plays + 1 else self.expects = self.expects + 1 end
  table.insert(self.steps, step)
end

local function steps_of(gathered, receiver_of, is_player)
  local self = { steps = {}, nodes = {}, last = {}, handshakes = {}, last_side = {}, left_out = {},
    of_iut = 0, plays = 0, expects = 0 }
  for _, message in ipairs(gathered.messages) do
    local from, to = is_player(message.sender), receiver_of(message)
    local why
    if from and not is_player(to) then
      why = add_step(self, message, true, message.sender)
    elseif not from and to and is_player(to) then
      why = add_step(self, message, false, to)
    end
    if why then return nil, why end
  end
  return self
end

-- Why playing these nodes would leave a side of the capture unseen: messages of a session that they take
-- part in, which they neither send nor get. Nil where it would not.
local function unseen(gathered, receiver_of, is_player)
  local theirs, others, first, count = {}, {}, nil, 0
  for _, message in ipairs(gathered.messages) do
    local is_theirs = is_player(message.sender) or is_player(receiver_of(message))
    if not is_theirs then others[#others + 1] = message end
    theirs[message.item.sid or false] = is_theirs or theirs[message.item.sid or false]
  end
  for _, message in ipairs(others) do
    if message.item.sid and theirs[message.item.sid] then
      first, count = first or message, count + 1
    end
  end
  if not first then return nil end
  return string.format("%d of its messages, the first in frame %s from %s to %s, would be left unseen",
    count, first.frame, first.sender, receiver_of(first) or "nobody who answers")
end

local function names_of(words) return table.concat(tables.keys(words), ", ") end

-- Reads captures, all of one recording. options: player (an address,
-- "initiator" or "responder"), iuts (a set of them),
-- judges_initiator. Gives { steps, nodes = { inside, outside }, path, ends_at }, or nil and why.
function script.read(paths, options, reader)
  local where = table.concat(paths, ", ")
  local gathered, why = recording.messages(paths, {}, reader)
  if not gathered then return nil, why end
  if #gathered.messages == 0 then return nil, where .. ": has no GIST message" end
  local receiver_of = receivers(gathered.messages)
  local is_player, player = cast(gathered.messages, receiver_of, options)
  if not is_player then return nil, where .. ": " .. player end
  why = player and unseen(gathered, receiver_of, is_player)
  if why then
    return nil, string.format("%s: with %s played, %s; name the IUT's addresses with --iut, and all who "
      .. "talk with it are played", where, player, why)
  end
  local self
  self, why = steps_of(gathered, receiver_of, is_player)
  if not self then return nil, where .. ": " .. why end
  if self.plays + self.expects == 0 then
    return nil, string.format("%s: has nothing that %s and that I can play", where, player
      and player .. " sent" or "anybody sent to " .. names_of(options.iuts))
  elseif self.expects == 0 then
    return nil, where .. ": has nothing of the IUT to compare with"
  end
  self.path, self.ends_at, self.warnings = where, gathered.ends_at, gathered.warnings
  return self
end

return script
