-- Reads and writes whole numbers of any width at any bit of a string, most significant bit first.
-- Plain arithmetic, so that Lua 5.2 loads it as well as 5.4.

local bits = {}

local floor = math.floor

-- A reader over `bytes`; take() and take_bytes() return nil where too little is left.
function bits.reader(bytes)
  local position, size = 0, #bytes * 8
  local reader = {}

  function reader.take(width)
    if position + width > size then return nil end
    local value = 0
    while width > 0 do
      local byte = bytes:byte(floor(position / 8) + 1)
      local left = 8 - position % 8
      local step = left < width and left or width
      local shifted = floor(byte / 2 ^ (left - step)) % 2 ^ step
      value = floor(value * 2 ^ step + shifted)
      position, width = position + step, width - step
    end
    return value
  end

  function reader.take_bytes(count)
    if position + count * 8 > size then return nil end
    local first = floor(position / 8) + 1
    position = position + count * 8
    return bytes:sub(first, first + count - 1)
  end

  -- Skips to the next multiple of four octets; false where the string ends before it. Also returns
  -- whether what was skipped is zero.
  function reader.align()
    local over = position % 32
    if over == 0 then return true, true end
    if position + 32 - over > size then return false end
    return true, reader.take(32 - over) == 0
  end

  function reader.left() return floor((size - position) / 8) end

  function reader.offset() return floor(position / 8) end

  return reader
end

function bits.writer()
  local parts, pending, width_pending = {}, 0, 0
  local length = 0
  local writer = {}

  function writer.put(value, width)
    for bit = width - 1, 0, -1 do
      pending = pending * 2 + floor(value / 2 ^ bit) % 2
      width_pending = width_pending + 1
      if width_pending == 8 then
        parts[#parts + 1] = string.char(floor(pending))
        pending, width_pending, length = 0, 0, length + 1
      end
    end
  end

  function writer.put_bytes(bytes)
    parts[#parts + 1] = bytes
    length = length + #bytes
  end

  function writer.align()
    while length % 4 ~= 0 do writer.put(0, 8) end
  end

  function writer.bytes() return table.concat(parts) end

  return writer
end

return bits
