-- A session that the IUT opens as initiator, because the IXIT's trigger told it to. The runner is
-- the first node on the path and the responder in one. What it is after the IUT's first Query is a
-- Session like any other.

local fields = require("runner.fields")
local messages = require("runner.messages")
local Session = require("runner.session")
local Trigger = require("runner.trigger")



local Initiated = setmetatable({}, { __index = Session })
Initiated.__index = Initiated

local function hex(bytes)
  return (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
end

-- options: lifetime_s, protocol, flow (that and no new one).
function Initiated.new(case, options)
  local self = setmetatable({ case = case, queries = {}, querying = { options = {} },
    options = options }, Initiated)
  self.flow = options.flow or case:new_flow(options)
  return self
end

-- Pulls the trigger. One that fails before any Query came says nothing about the IUT.
function Initiated:begin()
  local case, flow = self.case, self.flow
  case.awaited[#case.awaited + 1] = self
  self.opening = Trigger.start(case, case.ixit.trigger.open, { source = flow.source,
    source_port = flow.source_port, destination = flow.destination,
    destination_port = flow.destination_port, protocol = flow.protocol,
    lifetime_s = self.options.lifetime_s or case.ixit.lifetime.usual_s }, function(trigger)
      if trigger.status ~= 0 and not self.queries[1] then
        case.interrupted = "the trigger failed: " .. trigger:summary()
      end
    end)
  case:defer(function() self:close() end)
  return self
end

-- A Query with a session id that the case does not know: it is of the session that waits for it, by
-- the destination port; where one session waits, a Query for another flow is its as well.
function Initiated.adopt(case, item)
  if item.name ~= "GIST Query" then return nil end
  local port = item:values("MRI").dest_port
  for place, session in ipairs(case.awaited) do
    if #case.awaited == 1 or port == session.flow.destination_port then
      table.remove(case.awaited, place)
      session.sid, case.by_sid[item.sid] = item.sid, session
      return session
    end
  end
  return nil
end

-- The next CREATE of the IUT; its MSN is that of the session from now on. Fields: ids, text, within_ms.
function Initiated:expect_create(given)
  given = fields.of("expect_create", given, "ids text within_ms")
  local item = self.case.nr:expect({ message = "CREATE", session = self, ids = given.ids,
    text = given.text or "the IUT sends a CREATE", within_ms = given.within_ms })
  self:_asked(item)
  return item
end

-- This CREATE is the one to be answered.
function Initiated:_asked(item)
  self.forwarded, self.last_msn, self.msn = item, self.msn, item.msn
end

-- The MSN of that CREATE is the next after the one before. Fields: ids.
function Initiated:expect_next_msn(given)
  given = fields.of("expect_next_msn", given, "ids")
  self.case:check({ ids = given.ids, text = "its MSN is the one before plus one",
    expected = messages.msn_sum(self.last_msn, 1), actual = self.msn })
end

-- Asked for, and answered with success; the trigger says so. Fields: ids, and response, a table of the
-- fields of respond().
function Initiated:establish(given)
  given = fields.of("establish", given, "ids response")
  local response = given.response
  if not self.opening then self:begin() end
  self:expect_create({ ids = given.ids })
  self.granted_s = response and response.lifetime_s or self:forwarded_lifetime_s()
  self:expect_granted({ ids = given.ids, response = response })
  self.established_at = self.case:now()
  return self
end

-- The CREATE that arrived is granted, and the trigger says so. Fields: ids, text, response.
function Initiated:expect_granted(given)
  given = fields.of("expect_granted", given, "ids text response")
  self:respond(given.response)
  self:expect_reported({ ids = given.ids, text = given.text or "the trigger reports success" })
end

-- The trigger that opened it ends with exit status 0, or, where `failure` is set, with any other.
-- Fields: ids, text, failure.
function Initiated:expect_reported(given)
  given = fields.of("expect_reported", given, "ids text failure")
  local status = self.opening:wait()
  local failed = given.failure or false
  self.case:check({ ids = given.ids, text = given.text,
    expected = failed and "another exit status than 0" or "exit status 0",
    actual = self.opening:summary(), holds = status ~= nil and (status ~= 0) == failed })
end

-- The trigger that closed it ends with exit status 0. Fields: ids, text.
function Initiated:expect_close_reported(given)
  given = fields.of("expect_close_reported", given, "ids text")
  local status = self.closing:wait()
  self.case:check({ ids = given.ids, text = given.text, expected = "exit status 0",
    actual = self.closing:summary(), holds = status == 0 })
end

-- The trigger that opened it does not report success. Fields: ids, text.
function Initiated:expect_no_success(given)
  given = fields.of("expect_no_success", given, "ids text")
  self.case:check({ ids = given.ids, text = given.text or "success is not reported",
    expected = "no exit status 0", actual = self.opening:summary(), holds = self:reported() ~= 0 })
end

-- The trigger that opened it has not ended: what came was not taken for an answer. Fields: ids, text.
function Initiated:expect_unanswered(given)
  given = fields.of("expect_unanswered", given, "ids text")
  self.case:check({ ids = given.ids, text = given.text or "it is not taken for the answer",
    expected = "still running", actual = self.opening:summary() })
end

-- Waits until the trigger that opened it has ended, or a message came to the responder. Fields:
-- within_ms (as long as a trigger may take).
function Initiated:await_report_or_message(given)
  given = fields.of("await_report_or_message", given, "within_ms")
  return self.case:_await(given.within_ms or (self.opening.limit_s + 1) * 1000,
    function() return self:reported() or self.case.nr.inbox[1] end)
end

-- The exit status of that trigger, or nil where it has not ended.
function Initiated:reported() return self.opening.status end

-- An initiator sends a deletion only for a session that it still has. Fields: ids, text.
function Initiated:expect_alive(given)
  given = fields.of("expect_alive", given, "ids text")
  return self:delete():expect_deletion({ ids = given.ids,
    text = given.text or "the session lives, and can be deleted" })
end

function Initiated:delete()
  self:close()
  return self
end

-- Has the IUT delete the session, unless that was done.
function Initiated:close()
  if not self.sid or self.closing then return end
  self.closing = Trigger.start(self.case, self.case.ixit.trigger.close, { sid = hex(self.sid) })
end

return Initiated
