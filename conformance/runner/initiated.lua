-- A session that the IUT opens as initiator, because the IXIT's trigger told it to. The runner is
-- the first node on the path and the responder in one. What it is after the IUT's first Query is a
-- Session like any other.

local Session = require("runner.session")
local Trigger = require("runner.trigger")
local messages = require("runner.messages")

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
  local mri = item.gist.by_type[0]
  if item.name ~= "GIST Query" then return nil end
  for place, session in ipairs(case.awaited) do
    if #case.awaited == 1 or mri and mri.values.dest_port == session.flow.destination_port then
      table.remove(case.awaited, place)
      session.sid, case.by_sid[item.sid] = item.sid, session
      return session
    end
  end
  return nil
end

-- The IUT's first Query.
function Initiated:expect_query(ids, text)
  local query = self.case:await(self.case.ixit.timing.response_ms, function()
    return self.queries[1]
  end)
  self.case:check(ids, text, "a Query", messages.summary(query), query ~= nil)
  return query
end

-- The next CREATE of the IUT; its MSN is that of the session from now on.
function Initiated:expect_request(ids, text, timeout_ms)
  local item = self.case:expect(self.case.nr, "CREATE", self, ids, text, timeout_ms)
  self.forwarded, self.last_msn, self.msn = item, self.msn, item.msn
  return item
end

function Initiated:expect_create(ids, text, timeout_ms)
  return self:expect_request(ids, text or "the IUT sends a CREATE", timeout_ms)
end

-- Asked for, and answered with success; the trigger says so. options as for Session:establish.
function Initiated:establish(options)
  options = options or {}
  if not self.opening then self:begin() end
  self:expect_create(options.ids)
  self.granted_s = options.response and options.response.lifetime_s or self.forwarded.lifetime_s
  self:expect_granted(options.ids, nil, options.response)
  self.established_at = self.case.net.now()
  return self
end

function Initiated:expect_granted(ids, text, response)
  self:respond(response)
  self:expect_reported(0, ids, text or "the trigger reports success")
end

-- The trigger that opened it ends: with exit status 0, or any other where `wanted` is not 0.
function Initiated:expect_reported(wanted, ids, text)
  local status = self.opening:wait()
  self.case:check(ids, text, wanted == 0 and "exit status 0" or "another exit status than 0",
    self.opening:summary(), status ~= nil and (status == 0) == (wanted == 0))
end

-- An initiator sends a deletion only for a session that it still has.
function Initiated:expect_alive(text, ids)
  local deletion = self:delete():expect_create(ids, text or "the session lives, and can be deleted")
  self.case:check(ids, "with lifetime zero", 0, deletion.lifetime_s)
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
