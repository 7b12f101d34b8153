-- How the rules look at a GIST message of a stream.

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

function view.header(message) return message.item.gist.header end

function view.hex(bytes)
  if not bytes then return "none" end
  return (bytes:gsub(".", function(octet) return string.format("%02x", octet:byte()) end))
end

-- Messages by SID and NSLPID: a function that gives those of another's session.
function view.by_session(list)
  local found = {}
  local function key_of(message)
    return tostring(view.raw(message, 1)) .. view.header(message).nslpid
  end
  for _, message in ipairs(list) do
    local key = key_of(message)
    found[key] = found[key] or {}
    table.insert(found[key], message)
  end
  return function(message) return found[key_of(message)] or {} end
end

-- The message of a list that has the same cookie.
function view.with_cookie(list, message, type_number)
  local cookie = view.raw(message, type_number)
  for _, other in ipairs(list) do
    if cookie and view.raw(other, type_number) == cookie then return other end
  end
end

-- Pairs of a message that the IUT sent and the one that it answers by a cookie.
function view.matched(stream, sent, received, type_number)
  local asked_in = view.by_session(stream:received(received))
  local list, index = stream:sent(sent), 0
  return function()
    while list[index + 1] do
      index = index + 1
      local other = view.with_cookie(asked_in(list[index]), list[index], type_number)
      if other then return list[index], other end
    end
  end
end

return view
