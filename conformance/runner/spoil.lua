-- Ways to make a message wrong before it is encoded, and what every case about a wrong message
-- does. A change is a function of the message; it works on what runner/messages.lua makes.

local spoil = {}

function spoil.find(message, type_number)
  for place, object in ipairs(message.objects) do
    if object.type == type_number then return object, place end
  end
end

local function copy(object)
  local values = {}
  for key, value in pairs(object.values or {}) do values[key] = value end
  return { type = object.type, ab = object.ab, raw = object.raw, values = values }
end

-- One more object at the end.
function spoil.with(object)
  return function(message) table.insert(message.objects, copy(object)) end
end

function spoil.without(type_number)
  return function(message)
    local _, place = spoil.find(message, type_number)
    table.remove(message.objects, place)
  end
end

-- The object twice, one after the other.
function spoil.twice(type_number)
  return function(message)
    local object, place = spoil.find(message, type_number)
    table.insert(message.objects, place, copy(object))
  end
end

-- Other octets for the object's value, with a length that says so.
function spoil.raw(type_number, bytes)
  return function(message) spoil.find(message, type_number).raw = bytes end
end

-- A field of the object's header: ab, length, reserved or reserved_length.
function spoil.object(type_number, field, value)
  return function(message) spoil.find(message, type_number)[field] = value end
end

function spoil.value(type_number, field, value)
  return function(message) spoil.find(message, type_number).values[field] = value end
end

function spoil.header(field, value)
  return function(message) message.header[field] = value end
end

function spoil.all(...)
  local changes = { ... }
  return function(message) for _, change in ipairs(changes) do change(message) end end
end

function spoil.code_of(item)
  return item.class and string.format("%d/0x%02X", item.class, item.code or 0) or "none"
end

return spoil
