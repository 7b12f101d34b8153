-- What only a sender is held to: receivers ignore it, or have nobody to tell. Reserved bits are not
-- part of this; see engine.reserved_set.

local rows = require("codec.rows")

local sender = {}

-- RFC 5971, A.4.1 to A.4.4.
local function check_error(spec, values, add)
  local entry = spec.errors[values.code]
  if not entry then return add("Error: code " .. values.code .. " is not in the catalogue") end
  local subcodes = entry.subcodes and #entry.subcodes or 0
  if values.subcode > subcodes then
    add(string.format("Error: subcode %d is not one of code %d", values.subcode, values.code))
  end
  if values.class ~= entry.class then
    add(string.format("Error: class is %d, for code %d it is %d", values.class, values.code,
      entry.class))
  end
  if entry.without_flow and (values.s == 1 or values.m == 1) then
    add("Error: session identifier or MRI beside code " .. values.code)
  end
  local count = {}
  for _, info in ipairs(values.infos) do
    count[info.type] = (count[info.type] or 0) + 1
    local row = { "value", "bytes", as = spec.additional_information[info.type] }
    if row.as and not rows.inside(row, info.value, info) then
      add("Error: Additional Information of type " .. info.type .. " is not of its form")
    end
  end
  local wanted = {}
  for _, kind in ipairs(entry.infos and entry.infos[values.subcode] or {}) do
    wanted[kind] = (wanted[kind] or 0) + 1
    if (count[kind] or 0) < wanted[kind] then
      add("Error: Additional Information of type " .. kind .. " is missing")
    end
  end
  if values.c == 1 and not values.comment:find("%z$") then
    add("Error: comment does not end in a null character")
  end
end

-- RFC 5973, 4.2.5: class 1 is for NOTIFY, and NOTIFY for nothing else.
local function check_info(header, values, add)
  if header.type == 4 and values.class ~= 1 then add("NATFW_INFO: only class 1 in a NOTIFY") end
  if header.type == 3 and values.class == 1 then add("NATFW_INFO: class 1 only in a NOTIFY") end
end

-- A list of texts.
function sender.faults(spec, decoded)
  local list = {}
  local function add(text) list[#list + 1] = text end
  local failure = spec.layer == "gist" and decoded.by_type[9]
  local info = spec.layer == "natfw" and decoded.by_type[0x010]
  if failure and failure.values.infos then check_error(spec, failure.values, add) end
  if info and info.values.class then check_info(decoded.header, info.values, add) end
  return list
end

return sender
