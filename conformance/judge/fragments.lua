-- Puts fragmented IP datagrams together again, bounded in number, size and time: fragments that
-- come out of order or twice; those that overlap with other octets are given up.

local recent = require("judge.recent")
local tables = require("codec.tables")

local fragments = {}

local MOST_AT_ONCE, MOST_OCTETS, MOST_PIECES, LIFETIME_S = 64, 65535, 128, 30

local Fragments = {}
Fragments.__index = Fragments

function fragments.new()
  return setmetatable({ order = {}, datagrams = {}, lost = 0,
    ignored = recent.new({ period_s = LIFETIME_S, most = 4096 }) }, Fragments)
end

local function forget(self, key)
  self.datagrams[key] = nil
  for place, other in ipairs(self.order) do
    if other == key then return table.remove(self.order, place) end
  end
end

local function give_up(self, key)
  if not self.datagrams[key].done then self.lost = self.lost + 1 end
  forget(self, key)
end

local function make_room(self, at)
  local oldest = self.order[1]
  while oldest and (#self.order >= MOST_AT_ONCE or at - self.datagrams[oldest].at > LIFETIME_S) do
    give_up(self, oldest)
    oldest = self.order[1]
  end
end

-- Where a piece belongs among those in order; nil if it is there already, false if it contradicts.
local function place_of(pieces, offset, octets)
  for place, other in ipairs(pieces) do
    if other.offset == offset and other.octets == octets then return nil end
    if offset < other.offset + #other.octets and other.offset < offset + #octets then return false end
    if offset < other.offset then return place end
  end
  return #pieces + 1
end

local function joined(datagram)
  local parts, next_offset = {}, 0
  for place, piece in ipairs(datagram.pieces) do
    if piece.offset ~= next_offset then return nil end
    parts[place], next_offset = piece.octets, next_offset + #piece.octets
  end
  return next_offset == datagram.size and table.concat(parts) or nil
end

-- The datagram `key` need not be put together.
function Fragments:ignore(key, at)
  self.ignored:pass(at)
  self.ignored:put(key, true)
  if self.datagrams[key] then forget(self, key) end
end

-- A fragment { offset, more, octets } of the datagram `key`, at this time in seconds: the whole
-- datagram's octets, or nil as long as some are missing.
function Fragments:add(key, fragment, at)
  self.ignored:pass(at)
  if fragment.offset == 0 then
    self.ignored:remove(key) -- another datagram with this identification
  elseif self.ignored:get(key) then
    return nil
  end
  make_room(self, at)
  local datagram = self.datagrams[key]
  if datagram and datagram.done
    and place_of(datagram.pieces, fragment.offset, fragment.octets) ~= nil then
    forget(self, key)
    datagram = nil
  end
  if not datagram then
    datagram = { pieces = {}, at = at }
    self.datagrams[key] = datagram
    self.order[#self.order + 1] = key
  end
  local last = fragment.offset + #fragment.octets
  local place = place_of(datagram.pieces, fragment.offset, fragment.octets)
  if place == nil then return nil end
  if not place or last > MOST_OCTETS or #datagram.pieces >= MOST_PIECES then
    return give_up(self, key)
  end
  table.insert(datagram.pieces, place, fragment)
  if not fragment.more then datagram.size = last end
  local whole = datagram.size and joined(datagram) or nil
  datagram.done = whole ~= nil -- but kept for a while, so that a copy of a piece begins no other
  return whole
end

-- Datagrams of which fragments are missing.
function Fragments:unfinished()
  local count = self.lost
  for _, datagram in tables.sorted(self.datagrams) do count = count + (datagram.done and 0 or 1) end
  return count
end

return fragments
