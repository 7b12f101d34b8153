-- A messaging association: a TCP connection that carries GIST messages. RFC 5971, section 5.4.

local messages = require("runner.messages")

local Association = {}
Association.__index = Association

local HEADER_OCTETS = 8
local HELLO_ID_TYPE = 10

-- `receive(item)` gets each message, `closed(reason)` the end of it.
function Association.new(net, handlers)
  return setmetatable({ net = net, handlers = handlers, buffer = "", open = false, count = 0,
    hellos = {} },
    Association)
end

function Association:attach(connection)
  self.connection, self.open = connection, true
end

function Association:send(bytes)
  return self.open and self.connection:write(bytes)
end

function Association:close()
  self.open = false
  if self.keeper then self.keeper:cancel() end
  if self.connection then self.connection:close() end
end

function Association:fed(bytes, at)
  self.buffer = self.buffer .. bytes
  while #self.buffer >= HEADER_OCTETS do
    local size = HEADER_OCTETS + string.unpack(">I2", self.buffer, 3) * 4
    if #self.buffer < size then return end
    local message = self.buffer:sub(1, size)
    self.buffer = self.buffer:sub(size + 1)
    local item = messages.read(message)
    item.at, item.mode, item.association = at, "C", self
    self.count = self.count + 1
    item.place = self.count
    if not self:answer_hello(item) then self.handlers.receive(item) end
  end
end

-- An MA-Hello is always allowed; one with the R-flag is answered with its Hello-ID.
function Association:answer_hello(item)
  if item.gist.name ~= "MA-Hello" then return false end
  local hello = item.gist.by_type[HELLO_ID_TYPE]
  self.hellos[#self.hellos + 1] = item
  if self.handlers.heard then self.handlers.heard() end
  if item.gist.header.r == 1 and #item.gist.faults == 0 then
    self:send(messages.encode_gist(messages.hello(hello.values.hello_id, false)))
  end
  return true
end

function Association:ended(reason)
  local was_open = self.open
  self.open, self.ended_because = false, reason
  if self.keeper then self.keeper:cancel() end
  if was_open and self.handlers.closed then self.handlers.closed(self, reason) end
end

-- Says MA-Hello every so often, so that the peer keeps the association.
function Association:keep(interval_ms)
  local function again()
    if not self.open then return end
    self:send(messages.encode_gist(messages.hello(0, false)))
    self.keeper = self.net.after(interval_ms, again)
  end
  self.keeper = self.net.after(interval_ms, again)
end

return Association
