-- The Error that a right node answers a faulty GIST message with: what RFC 5971, A.4.1 and A.4.4
-- ask for, made from the faults that the runner's codec lists.

local gist = require("codec.gist")
local messages = require("runner.messages")

local MRI, SID, NLI, PROPOSAL, CONFIGURATION, ERROR = 0, 1, 2, 3, 4, 9
local HEADER_FAULT, TYPE_FAULT, VALUE_FAULT = 1, 9, 10
local LENGTH_INFO, TYPE_INFO, VALUE_INFO = 1, 3, 4
local WRONG_LENGTH, MISMATCH = 3, 5

local fake_error = {}

local function infos_about(item, fault)
  if fault.class == HEADER_FAULT and fault.code == WRONG_LENGTH then
    return { { type = LENGTH_INFO, value = string.pack(">I2I2", (#item.gist.bytes - 8) // 4, 0) } }
  elseif fault.class == TYPE_FAULT then
    return { { type = TYPE_INFO, value = string.pack(">I2I2", fault.object, 0) } }
  elseif fault.class ~= VALUE_FAULT then
    return {}
  end
  local infos = {}
  for _, object in ipairs(fault.code == MISMATCH and { PROPOSAL, CONFIGURATION }
    or { fault.object or 0 }) do
    infos[#infos + 1] = { type = VALUE_INFO, value = string.pack(">I4I2I2", 0, object, 0) }
  end
  return infos
end

-- The Error about an item, from a node { identity, address }: in D-mode with its NLI.
function fake_error.about(item, fault, node)
  local quotes = fault.class ~= HEADER_FAULT
  local mri = quotes and item.gist.by_type[MRI]
  local sid = quotes and item.gist.by_type[SID]
  local values = { class = gist.errors[fault.class].class, code = fault.class,
    subcode = fault.code, d = item.mode == "C" and 0 or 1,
    q = item.mode == "Q" and 1 or 0, s = sid and #sid.raw == 16 and 1 or 0, m = mri and 1 or 0,
    original_header = item.gist.bytes:sub(1, 8), original_sid = sid and sid.raw,
    original_mri = mri and mri.raw, infos = infos_about(item, fault) }
  local failure = { header = { type = 4, nslpid = 0, s = 1, hops = 1 },
    objects = { { type = ERROR, values = values } } }
  if item.mode ~= "C" then table.insert(failure.objects, 1, messages.nli(node, 0)) end
  return messages.encode_gist(failure)
end

-- Where an Error about a datagram goes: to the address of its NLI; without one to its IP source, if
-- S says that this is the sender's; else nowhere.
function fake_error.address_for(item)
  local nli = item.gist.by_type[NLI]
  if nli and nli.values.interface then return nli.values.interface end
  return item.gist.header.s == 1 and item.packet.source or nil
end

return fake_error
