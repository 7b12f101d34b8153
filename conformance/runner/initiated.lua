-- A session that the IUT opens as initiator, because the IXIT's trigger told it to. The runner is the
-- first node on the path and the responder in one. What it is after the IUT's first Query is a
-- Session like any other.

local Session = require("runner.session")
local Trigger = require("runner.trigger")

local Initiated = setmetatable({}, { __index = Session })
Initiated.__index = Initiated

local function hex(bytes)
  return (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
end

-- options: lifetime_s, protocol, flow (that and no new one).
function Initiated.open(case, options)
  local self = setmetatable({ case = case, queries = {}, querying = { options = {} } }, Initiated)
  local flow = options.flow or case:new_flow(options)
  self.flow = flow
  case.awaited[#case.awaited + 1] = self
  self.opening = Trigger.start(case, case.ixit.trigger.open, { source = flow.source,
    source_port = flow.source_port, destination = flow.destination,
    destination_port = flow.destination_port, protocol = flow.protocol,
    lifetime_s = options.lifetime_s or case.ixit.lifetime.usual_s })
  case:defer(function() self:close() end)
  return self
end

-- A Query with a session id that the case does not know: it is of the session that waits for it.
function Initiated.adopt(case, item)
  local mri = item.gist.by_type[0]
  for place, session in ipairs(case.awaited) do
    if item.name == "GIST Query" and mri and mri.values.dest_port == session.flow.destination_port then
      table.remove(case.awaited, place)
      session.sid, case.by_sid[item.sid] = item.sid, session
      return session
    end
  end
  return nil
end

-- The next CREATE of the IUT; its MSN is that of the session from now on.
function Initiated:expect_request(ids, text, timeout_ms)
  local item = self.case:expect(self.case.nr, "CREATE", self, ids, text, timeout_ms)
  self.forwarded, self.last_msn, self.msn = item, self.msn, item.msn
  return item
end

-- Asked for, and answered with success; the trigger says so.
function Initiated:establish(ids)
  self:expect_request(ids, "the IUT sends a CREATE")
  self.granted_s = self.forwarded.lifetime_s
  self:respond()
  self:expect_reported(0, ids, "the trigger reports success")
  return self
end

-- The trigger that opened it ends: with exit status 0, or any other where `wanted` is not 0.
function Initiated:expect_reported(wanted, ids, text)
  local status = self.opening:wait()
  self.case:check(ids, text, wanted == 0 and "exit status 0" or "another exit status than 0",
    self.opening:summary(), status ~= nil and (status == 0) == (wanted == 0))
end

-- Has the IUT delete the session, unless that was done.
function Initiated:close()
  if not self.sid or self.closing then return end
  self.closing = Trigger.start(self.case, self.case.ixit.trigger.close, { sid = hex(self.sid) })
end

return Initiated
