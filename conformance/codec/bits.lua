-- Reads and writes whole numbers of any width at any bit of a string, most significant bit first.
-- Plain arithmetic, so that Lua 5.2 loads it as well as 5.4.

local bits = {}

local floor, char, byte = math.floor, string.char, string.byte

local POWER = {} -- of 2
for exponent = 0, 64 do POWER[exponent] = floor(2 ^ exponent) end

-- SLICES[used][width][octet]: so many bits of the octet behind those that were read.
local SLICES = {}
for used = 0, 7 do
  SLICES[used] = {}
  for width = 1, 8 - used do
    local values = {}
    for octet = 0, 255 do
      values[octet] = floor(octet / POWER[8 - used - width]) % POWER[width]
    end
    SLICES[used][width] = values
  end
end

local Reader = {}
Reader.__index = Reader

-- A reader over `bytes`; take() and take_bytes() return nil where too little is left.
function bits.reader(bytes)
  -- `at` is the octet that is next, `used` the bits of it that were read.
  return setmetatable({ bytes = bytes, size = #bytes, at = 1, used = 0 }, Reader)
end

local function bits_left(self) return (self.size - self.at + 1) * 8 - self.used end

local function take_slice(self, width)
  local used = self.used
  local value = SLICES[used][width][byte(self.bytes, self.at)]
  used = used + width
  if used == 8 then self.at, used = self.at + 1, 0 end
  self.used = used
  return value
end

local function take_bits(self, width)
  local value = 0
  while width > 0 do
    local left = 8 - self.used
    local step = left < width and left or width
    value = value * POWER[step] + take_slice(self, step)
    width = width - step
  end
  return value
end

-- The usual widths are whole octets.
local function take_octets(self, count)
  local at = self.at
  local first, second, third, fourth = byte(self.bytes, at, at + count - 1)
  self.at = at + count
  if count == 2 then return first * 256 + second end
  return ((first * 256 + second) * 256 + third) * 256 + fourth
end

function Reader:take(width)
  local used = self.used
  if width > (self.size - self.at + 1) * 8 - used then return nil end
  if used + width <= 8 then return take_slice(self, width) end
  if used == 0 and (width == 16 or width == 32) then
    return take_octets(self, width == 16 and 2 or 4)
  end
  return take_bits(self, width)
end

function Reader:take_bytes(count)
  if count * 8 > bits_left(self) then return nil end
  local first = self.at
  self.at = first + count
  return self.bytes:sub(first, first + count - 1)
end

-- Skips to the next multiple of four octets; false where the string ends before it. Also returns
-- whether what was skipped is zero.
function Reader:align()
  local over = ((self.at - 1) * 8 + self.used) % 32
  if over == 0 then return true, true end
  if 32 - over > bits_left(self) then return false end
  return true, self:take(32 - over) == 0
end

function Reader:left() return floor(bits_left(self) / 8) end

function bits.writer()
  local parts, pending, width_pending = {}, 0, 0
  local length = 0
  local writer = {}

  local function put_octets(value, count)
    local low = value % 256
    length = length + count
    if count == 1 then
      parts[#parts + 1] = char(low)
    elseif count == 2 then
      parts[#parts + 1] = char(floor(value / 256) % 256, low)
    else
      parts[#parts + 1] = char(floor(value / 16777216) % 256, floor(value / 65536) % 256,
        floor(value / 256) % 256, low)
    end
  end

  local function put_bits(value, width)
    while width > 0 do
      local room = 8 - width_pending
      local step = room < width and room or width
      pending = pending * POWER[step] + floor(value / POWER[width - step]) % POWER[step]
      width_pending, width = width_pending + step, width - step
      if width_pending == 8 then
        parts[#parts + 1] = char(floor(pending))
        pending, width_pending, length = 0, 0, length + 1
      end
    end
  end

  function writer.put(value, width)
    if width_pending > 0 then return put_bits(value, width) end
    if width == 8 or width == 16 or width == 32 then return put_octets(value, width / 8) end
    return put_bits(value, width)
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
