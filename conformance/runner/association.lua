-- A messaging association: a TCP connection that carries GIST messages. RFC 5971, section 5.4.

local fields = require("runner.fields")
local gist = require("codec.gist")
local messages = require("runner.messages")

local Association = {}
Association.__index = Association

local HEADER_OCTETS = gist.header_bytes
local HELLO_ID = 305419896 -- of an MA-Hello that asks for a reply

-- `receive(item)` gets each message, `closed(reason)` the end of it.
function Association.new(case, handlers)
  return setmetatable({ case = case, net = case.net, handlers = handlers, buffer = "", open = false,
    count = 0, hellos = {} }, Association)
end

function Association:_attach(connection)
  self.connection, self.open = connection, true
end

-- Sends a message, or octets.
function Association:send(message)
  return self.open and self.connection:write(messages.octets_of(message))
end

local function await(self, timeout_ms, poll)
  return self.case:_await(timeout_ms or self.case.ixit.timing.response_ms, poll)
end

-- Waits for the MA-Hello of this number, counted from the association's start: it, or nil. Fields:
-- number, within_ms.
function Association:await_hello(given)
  given = fields.of("await_hello", given, "number within_ms")
  return await(self, given.within_ms, function() return self.hellos[given.number] end)
end

-- Waits for the answer to an MA-Hello of ours: the first that has its Hello-ID, or another and R clear;
-- what has R set besides is the peer's own to ask. It, or nil.
function Association:await_reply()
  return await(self, nil, function()
    for _, hello in ipairs(self.hellos) do
      local id = hello:values("Hello-ID").hello_id
      if id == HELLO_ID or id ~= 0 and hello.gist.header.r == 0 then return hello end
    end
    return nil
  end)
end

-- An MA-Hello of ours that asks for a reply gets one. Fields: ids.
function Association:expect_hello_answered(given)
  given = fields.of("expect_hello_answered", given, "ids")
  self:send(messages.hello(HELLO_ID, true))
  local reply = self:await_reply()
  self.case:check({ ids = given.ids, text = "a reply comes with the same Hello-ID",
    expected = HELLO_ID, actual = reply and reply:values("Hello-ID").hello_id })
  self.case:check({ ids = given.ids, text = "R is clear in it", expected = 0,
    actual = reply.gist.header.r })
end

-- Waits until the peer has ended it.
function Association:await_end()
  return await(self, nil, function() return self.closed_at end)
end

function Association:_close()
  self.open = false
  if self.keeper then self.keeper:cancel() end
  if self.connection then self.connection:close() end
end

function Association:_fed(bytes, at)
  self.buffer = self.buffer .. bytes
  while #self.buffer >= HEADER_OCTETS do
    local size = HEADER_OCTETS + string.unpack(">I2", self.buffer, 3) * 4
    if #self.buffer < size then return end
    local message = self.buffer:sub(1, size)
    self.buffer = self.buffer:sub(size + 1)
    local item = messages.read(message)
    item.at, item.mode, item.association = at, "C", self
    if not self:_answer_hello(item) then
      self.count = self.count + 1 -- an MA-Hello is of no session
      item.place = self.count
      self.handlers.receive(item)
    end
  end
end

-- An MA-Hello is always allowed; one with the R-flag is answered with its Hello-ID.
function Association:_answer_hello(item)
  if item.gist.name ~= "MA-Hello" then return false end
    self.hellos[#self.hellos + 1] = item
  if self.handlers.heard then self.handlers.heard() end
  if item.gist.header.r == 1 and #item.gist.faults == 0 then
    self:send(messages.hello(item:values("Hello-ID").hello_id, false))
  end
  return true
end

function Association:_ended(reason)
  local was_open = self.open
  self.open, self.ended_because = false, reason
  if self.keeper then self.keeper:cancel() end
  if was_open and self.handlers.closed then self.handlers.closed(self, reason) end
end

-- Says MA-Hello every so often, so that the peer keeps the association.
function Association:_keep(interval_ms)
  local function again()
    if not self.open then return end
    self:send(messages.hello(0, false))
    self.keeper = self.net.after(interval_ms, again)
  end
  self.keeper = self.net.after(interval_ms, again)
end

return Association
