-- What has come to a neighbour, and what a case expects of it. A neighbour of runner/neighbour.lua has
-- one of these.

local fields = require("runner.fields")
local gist = require("codec.gist")
local messages = require("runner.messages")

local Inbox = {}
Inbox.__index = Inbox

-- The message that has waited longest, without those that the case tolerates, or nil.
local function waits_first(self)
  while self.inbox[1] and self.case:_tolerates(self.inbox[1]) do table.remove(self.inbox, 1) end
  return self.inbox[1]
end

local function take(self) return waits_first(self) and table.remove(self.inbox, 1) end

-- The next message is this one, of this session (any, where none is given). Anything else fails.
-- Fields: ids, text, message ("CREATE", "GIST Error"), session, within_ms. The message.
function Inbox:expect(given)
  given = fields.of("expect", given, "ids text message session within_ms")
  local case, name = self.case, given.message
  local item = case:_await(given.within_ms or case.ixit.timing.response_ms,
    function() return take(self) end)
  local is_it = item and item.name == name
  local is_ours = given.session == nil or item and item.session == given.session
  local got = messages.summary(item)
  if is_it and not is_ours then got = got .. " of another session" end
  case:check({ ids = given.ids, text = given.text, expected = name, actual = got,
    holds = is_it and is_ours or false })
  case:_proved("messages at the " .. self.name)
  return item
end

-- The same for what send() provokes; as it may be lost, it is sent again.
function Inbox:insist(send, given)
  for _ = 1, self.case:attempts() do
    send()
    if self:await_message({ within_ms = self.case.ixit.timing.response_ms / 3 }) then break end
  end
  return self:expect(given)
end

-- A GIST Error comes. Fields: ids, text, error (its name in RFC 5971, A.4.4, or code and subcode as
-- "9/2"), and send, a function that provokes it and may be called again where that was lost.
function Inbox:expect_error(given)
  given = fields.of("expect_error", given, "ids text error send")
  local wanted = { message = "GIST Error", ids = given.ids, text = given.text }
  local item = given.send and self:insist(given.send, wanted) or self:expect(wanted)
  local error = given.error:find("^%d") and given.error or gist.error_number[given.error]
  self.case:check({ ids = given.ids, text = given.text .. ": error", expected = error,
    actual = error:find("/") and string.format("%s/%s", item.code, item.subcode)
      or tostring(item.code) })
  return item
end

-- Nothing comes for a while; a later expect() here is the control. Fields: ids, text, for_ms, and
-- message, where the ids are about that one only: of another that comes they say nothing, but other_ids.
function Inbox:expect_nothing(given)
  given = fields.of("expect_nothing", given, "ids text for_ms message other_ids")
  local case, name = self.case, given.message
  local item = case:_await(given.for_ms or case.ixit.timing.quiet_ms,
    function() return take(self) end)
  local is_another = item and name and item.name ~= name
  case:check({ ids = given.ids, text = given.text, expected = "no " .. (name or "message"),
    actual = messages.summary(item), holds = item == nil or is_another or false })
  if name then
    case:check({ ids = given.other_ids, text = given.text .. ", nor anything else",
      expected = "nothing", actual = messages.summary(item), holds = not is_another })
  end
  case:_unproved("messages at the " .. self.name, given.text)
end

local PROTOCOL_ERROR = 3

-- What was sent is no request, and not answered by a RESPONSE: 3.2.7. Where it is faulty, sections 4.1
-- to 4.3 have it answered by a protocol error all the same: ruling A02. An initiator may send requests
-- meanwhile, 3.7.1: how many came. Fields: ids, text, faulty.
function Inbox:expect_no_response(given)
  given = fields.of("expect_no_response", given, "ids text faulty")
  local case, requests, answer = self.case, 0, nil
  case:_await(case.ixit.timing.quiet_ms, function()
    local item = take(self)
    local asks = item and case:judges_initiator() and item.name == "CREATE"
    if asks and item.session then item.session:_asked(item) end
    requests = requests + (asks and 1 or 0)
    answer = not asks and item or nil
    return answer
  end)
  local is_response = answer and answer.name == "RESPONSE"
  local is_fault = is_response and given.faulty and answer.class == PROTOCOL_ERROR
  case:check({ ids = given.ids, text = given.text, expected = "no RESPONSE"
      .. (given.faulty and ", or a protocol error" or ""),
    actual = messages.summary(answer), holds = not is_response or is_fault })
  if answer and not is_response then
    case:check({ text = given.text, expected = "nothing", actual = messages.summary(answer) })
  end
  if given.faulty then
    case:reading({ of = "A02", seen = answer and "answered" or "dropped", ours = "dropped",
      ids = given.ids })
  end
  case:_unproved("messages at the " .. self.name, given.text)
  return requests
end

-- Waits for any message, and leaves it there: it, or nil. Fields: within_ms.
function Inbox:await_message(given)
  given = fields.of("await_message", given, "within_ms")
  return self.case:_await(given.within_ms or self.case.ixit.timing.response_ms,
    function() return waits_first(self) end)
end

-- Waits for any message, and takes it: it, or nil. Fields: within_ms (timing.quiet_ms, for what may
-- come or not).
function Inbox:take(given)
  given = fields.of("take", given, "within_ms")
  return self.case:_await(given.within_ms or self.case.ixit.timing.quiet_ms,
    function() return table.remove(self.inbox, 1) end)
end

-- Takes all that has come so far, or comes within that time: a list. Fields: within_ms (0).
function Inbox:drain(given)
  given = fields.of("drain", given, "within_ms")
  local taken = {}
  self.case:_await(given.within_ms or 0, function()
    while self.inbox[1] do taken[#taken + 1] = table.remove(self.inbox, 1) end
  end)
  return taken
end

-- How many messages wait here, without those that the case tolerates.
function Inbox:waiting()
  local count = 0
  for _, item in ipairs(self.inbox) do
    if not self.case:_tolerates(item) then count = count + 1 end
  end
  return count
end

return Inbox
