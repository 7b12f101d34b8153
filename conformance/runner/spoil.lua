-- Ways to make a message wrong before it is encoded. A change is a function of the message; it works
-- on what runner/messages.lua makes. Objects go by the names of the texts ("NLI", "NATFW_LT"), or by
-- a number where they have no name.

local Item = require("codec.item")
local engine = require("codec.engine")
local gist = require("codec.gist")
local tables = require("codec.tables")

local spoil = {}

-- The object in the message { type, ab, raw, values }, and its place.
function spoil.find(message, name)
  local number = Item.object_number(name)
  for place, object in ipairs(message.objects) do
    if object.type == number then return object, place end
  end
end

-- The fields of the object in the message, to be changed in place.
function spoil.values(message, name) return spoil.find(message, name).values end

-- An object { type = its name or number, ab, raw, values } that may be changed by itself.
local function copy(object)
  local values = tables.copy(object.values or {})
  return { type = Item.object_number(object.type), ab = object.ab, raw = object.raw, values = values }
end

-- One more object, at the end or at this place.
function spoil.with(object, place)
  return function(message) table.insert(message.objects, place or #message.objects + 1, copy(object)) end
end

function spoil.without(name)
  return function(message)
    local _, place = spoil.find(message, name)
    table.remove(message.objects, place)
  end
end

-- The object twice, one after the other.
function spoil.twice(name)
  return function(message)
    local object, place = spoil.find(message, name)
    table.insert(message.objects, place, copy(object))
  end
end

-- The objects in this order, as { 3, 1, 2 }.
function spoil.order(places)
  return function(message)
    local ordered = {}
    for i, place in ipairs(places) do ordered[i] = message.objects[place] end
    for place = #places + 1, #message.objects do ordered[place] = message.objects[place] end
    message.objects = ordered
  end
end

-- Other octets for the object's value, with a length that says so.
function spoil.raw(name, octets)
  return function(message) spoil.find(message, name).raw = octets end
end

-- More octets at the end of the object's value.
function spoil.longer(name, octets)
  return function(message)
    local whole = Item.read(engine.encode(gist, message))
    spoil.find(message, name).raw = whole:raw(name) .. octets
  end
end

-- A Message Length of GIST that is so many words too long, or too short where `words` is negative.
function spoil.message_length(words)
  return function(message)
    message.header.length = (#engine.encode(gist, message) - gist.header_bytes) // 4 + words
  end
end

-- A field of the object's header: ab, length, reserved or reserved_length.
function spoil.object(name, field, value)
  return function(message) spoil.find(message, name)[field] = value end
end

-- One field of the object, or several.
function spoil.value(name, field, value)
  return function(message) spoil.values(message, name)[field] = value end
end

function spoil.fields(name, given)
  return function(message)
    tables.copy(given, spoil.values(message, name))
  end
end

-- Another last bit of a cookie.
function spoil.cookie(name)
  return function(message)
    local values = spoil.values(message, name)
    values.cookie = values.cookie:sub(1, -2) .. string.char(values.cookie:byte(-1) ~ 1)
  end
end

function spoil.header(field, value)
  return function(message) message.header[field] = value end
end

function spoil.all(...)
  local changes = { ... }
  return function(message) for _, change in ipairs(changes) do change(message) end end
end

return spoil
