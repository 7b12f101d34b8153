-- How the rules look at a GIST message of a stream.

local bits = require("codec.bits")
local gist = require("codec.gist")
local rows = require("codec.rows")

local view = {}

function view.object(message, type_number) return message.item.gist.by_type[type_number] end

function view.raw(message, type_number)
  local found = view.object(message, type_number)
  return found and found.raw
end

function view.value(message, type_number, field)
  local found = view.object(message, type_number)
  return found and found.values and found.values[field]
end

-- The values of an object of which the octets were kept.
function view.values_of(type_number, raw)
  if not raw then return {} end
  return (rows.read(gist.objects[type_number].fields, bits.reader(raw), {}))
end

function view.header(message) return message.item.gist.header end

function view.hex(bytes)
  if not bytes then return "none" end
  return (bytes:gsub(".", function(octet) return string.format("%02x", octet:byte()) end))
end

-- The cookies of kept messages in hex.
function view.cookies(list)
  local out = {}
  for _, kept in ipairs(list or {}) do
    if kept.cookie then out[#out + 1] = view.hex(kept.cookie) end
  end
  return table.concat(out, ", ")
end

-- Calls judge(message, kept, say) with the kept message of the list that has the cookie of this one, at
-- once or, where a capture has them in the wrong order, a while later.
function view.with_kept(list, type_number, judge)
  return function(message, say)
    local session, cookie = message.session, view.raw(message, type_number)
    local function found()
      local kept = cookie and session:find(list, "cookie", cookie)
      if kept then judge(message, kept, say) end
      return kept
    end
    if cookie and not found() then session:later(found) end
  end
end

return view
