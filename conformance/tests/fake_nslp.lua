-- What the scripted nodes of the tests make of an NSLP message: its first fault, what goes on of it,
-- and whether its MSN is newer.

local engine = require("codec.engine")
local natfw = require("codec.natfw")

local fake_nslp = {}

-- The objects to send on: without the unknown that say "delete", all reserved bits zero.
function fake_nslp.cleaned(objects)
  local kept = {}
  for _, object in ipairs(objects) do
    local known = natfw.objects[object.type]
    if known or object.ab == 2 then
      local values = {}
      for key, value in pairs(object.values or {}) do values[key] = value end
      values.reserved, values.reserved_r = nil, nil
      table.insert(kept, { type = object.type, ab = not known and 2 or 0, values = values,
        raw = not known and object.raw or nil })
    end
  end
  return kept
end

-- Whether it is just what this box would send itself: no reserved bits, flags or other objects.
function fake_nslp.is_plain(item)
  local decoded = item.natfw
  local order = { [0x00C] = 1, [0x00F] = 2, [0x012] = 3, [0x010] = 4 }
  local last = 0
  for _, object in ipairs(decoded.objects) do
    local place = order[object.type]
    if object.ab ~= 0 or not place or place < last then return false end
    last = place
  end
  return #engine.reserved_set(natfw, decoded) == 0 and decoded.header.p == 0
    and decoded.header.e == 0
end

-- The faults in the order that they are answered in, the first of them.
function fake_nslp.first_fault(decoded)
  local order = { { 3, 1 }, { 3, 2 }, { 3, 7 }, { 3, 9 }, { 3, 6 }, { 3, 10 }, { 3, 5 }, { 3, 4 },
    { 3, 8 }, { 7, 5 }, { 7, 8 } }
  for _, code in ipairs(order) do
    for _, fault in ipairs(decoded.faults) do
      if fault.class == code[1] and fault.code == code[2] then return fault end
    end
  end
  return nil
end

function fake_nslp.newer(msn, stored)
  local difference = (msn - stored) % 4294967296
  return difference > 0 and difference < 2147483648
end

-- Whether a rule is about a flow, or about what answers it (`reverse`).
function fake_nslp.matches(rule, flow, reverse)
  if rule.protocol ~= flow.protocol then return false end
  local extra = rule.sub_ports or 0
  if reverse then
    return rule.source == flow.destination and rule.source_port == flow.destination_port
      and rule.destination == flow.source and flow.source_port >= rule.destination_port
      and flow.source_port <= rule.destination_port + extra
  end
  return rule.source == flow.source and rule.source_port == flow.source_port
    and rule.destination == flow.destination and flow.destination_port >= rule.destination_port
    and flow.destination_port <= rule.destination_port + extra
end

return fake_nslp
