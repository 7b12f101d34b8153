-- A data flow through the IUT: packets sent without pause in both directions, what arrived, and what
-- a case expects of it. Forward is from the flow's source, inside, to its destination, outside.

local fields = require("runner.fields")
local tables = require("codec.tables")

local Flow = {}
Flow.__index = Flow

local function side_state() return { sent = 0, received = 0, last_at = nil, first_at = nil } end

-- flow: { source, destination, protocol, source_port, destination_port }
function Flow.new(case, flow)
  return setmetatable({ case = case, net = case.net, flow = flow, running = false,
    interval_ms = case.ixit.timing.probe_interval_ms,
    forward = side_state(), reverse = side_state() }, Flow)
end

function Flow:_name()
  local flow = self.flow
  return string.format("%s %s:%d to %s:%d", flow.protocol:upper(), flow.source, flow.source_port,
    flow.destination, flow.destination_port)
end

function Flow:_arrived(direction, at)
  local state = self[direction]
  state.received, state.last_at = state.received + 1, at
  state.first_at = state.first_at or at
  self.case:_wake()
end

local function tick(self)
  if not self.running then return end
  self:_push("forward")
  self:_push("reverse")
  self.timer = self.net.after(self.interval_ms, function() tick(self) end)
end

-- UDP ---------------------------------------------------------------------------------------------

local function open_udp(self)
  local flow = self.flow
  local inside, why = self.net.inside:udp(flow.source, flow.source_port, function(_, source, port,
    at)
    if source == flow.destination and port == flow.destination_port then self:_arrived("reverse",
      at) end
  end)
  if not inside then error({ verdict = "error", reason = "cannot open a flow: " .. why }) end
  local outside
  outside, why = self.net.outside:udp(flow.destination, flow.destination_port,
    function(_, source, port, at)
      if source == flow.source and port == flow.source_port then self:_arrived("forward", at) end
    end)
  if not outside then error({ verdict = "error", reason = "cannot open a flow: " .. why }) end
  self.ends = { forward = inside, reverse = outside }
end

local function push_udp(self, direction)
  local flow = self.flow
  local forward = direction == "forward"
  self.ends[direction]:send("natfw-conform " .. direction, forward and flow.destination
    or flow.source,
    forward and flow.destination_port or flow.source_port)
end

-- TCP ---------------------------------------------------------------------------------------------

local connect_tcp

local function open_tcp(self)
  local flow = self.flow
  self.ends = {}
  local why
  self.listener, why = self.net.outside:listen(flow.destination, flow.destination_port,
    function(connection, source)
      if source ~= flow.source then return connection:close() end
      if self.ends.reverse then self.ends.reverse:close() end
      self.ends.reverse = connection
      connection:receive(function(_, at) self:_arrived("forward", at) end, function() end)
    end)
  if not self.listener then error({ verdict = "error", reason = "cannot open a flow: " .. why }) end
  connect_tcp(self)
end

-- Connects, and again whenever the attempt got nowhere within `timing.connect_ms`.
function connect_tcp(self)
  local flow = self.flow
  self.connected = false
  local connection = self.net.inside:connect(flow.source, flow.source_port, flow.destination,
    flow.destination_port, function() self.connected = true end,
    function(_, at) self:_arrived("reverse", at) end, function() end)
  self.ends.forward = connection
  self.redial = self.net.after(self.case.ixit.timing.connect_ms, function()
    if not self.running or self.connected then return end
    if connection then connection:close() end
    connect_tcp(self)
  end)
end

local function push_tcp(self, direction)
  local connection = self.ends[direction]
  if connection and (direction == "reverse" or self.connected) then connection:write("natfw") end
end

function Flow:_push(direction)
  local state = self[direction]
  state.sent = state.sent + 1
  if self.flow.protocol == "udp" then push_udp(self, direction) else push_tcp(self, direction) end
end

function Flow:start()
  if self.running then return self end
  self.running = true
  if self.flow.protocol == "udp" then open_udp(self) else open_tcp(self) end
  self.case:defer(function() self:_stop() end)
  tick(self)
  return self
end

function Flow:_stop()
  if not self.running then return end
  self.running = false
  if self.timer then self.timer:cancel() end
  if self.redial then self.redial:cancel() end
  for _, connection in tables.sorted(self.ends) do connection:close() end
  if self.listener then self.listener:close() end
end

-- The last arrival in either direction, or nil.
function Flow:last_at()
  local forward, reverse = self.forward.last_at, self.reverse.last_at
  if forward and reverse then return math.max(forward, reverse) end
  return forward or reverse
end

-- The last arrival of the direction that ended first, or nil where one never had any.
function Flow:_first_end_at()
  local forward, reverse = self.forward.last_at, self.reverse.last_at
  if not self.case.ixit.ics.replies_pass then return forward end
  return forward and reverse and math.min(forward, reverse)
end

-- A mark to compare with later: how many have arrived so far.
function Flow:mark() return { forward = self.forward.received, reverse = self.reverse.received } end

function Flow:since(mark)
  return { forward = self.forward.received - mark.forward,
    reverse = self.reverse.received - mark.reverse }
end

-- What a case expects ------------------------------------------------------------------------------

local ENOUGH = 3

local function counts(since)
  return string.format("%d forward, %d reverse", since.forward, since.reverse)
end

-- Packets arrive, in both directions, where replies pass, or those named. That replies pass no text
-- demands (ruling A103): the ids are about the flow itself. Fields: ids, text, directions.
function Flow:expect_passing(given)
  given = fields.of("expect_passing", given, "ids text directions")
  local case = self.case
  local directions = given.directions or case.ixit.ics.replies_pass and { "forward", "reverse" }
    or { "forward" }
  self:start()
  local mark = self:mark()
  local function enough()
    local since = self:since(mark)
    for _, direction in ipairs(directions) do
      if since[direction] < ENOUGH then return nil end
    end
    return true
  end
  local passed = case:_await(case.ixit.timing.pass_ms, enough)
  local only_replies_lack = not passed and not given.directions and self:since(mark).forward >= ENOUGH
  case:check({ ids = not only_replies_lack and given.ids or nil,
    text = given.text or "data passes: " .. self:_name(),
    expected = "packets, " .. table.concat(directions, " and "), actual = counts(self:since(mark)),
    holds = passed or false })
  case:_proved("data")
end

-- No packet arrives for a while; a later expect_passing() is the control. Fields: ids, text, for_ms.
function Flow:expect_blocked(given)
  given = fields.of("expect_blocked", given, "ids text for_ms")
  local case = self.case
  self:start()
  local mark = self:mark()
  local function leaked()
    local since = self:since(mark)
    return since.forward > 0 or since.reverse > 0
  end
  case:_await(given.for_ms or case.ixit.timing.quiet_ms, leaked)
  case:check({ ids = given.ids, text = given.text or "no data passes: " .. self:_name(),
    expected = "no packets", actual = counts(self:since(mark)), holds = not leaked() })
  case:_unproved("data", given.text or "no data passes")
end

-- The running flow stops, in both directions, because of what happened at `at_ms`: by `by_ms` at the
-- latest (timing.stop_ms after it), and not before `from_ms` (it ran until `at_ms`, give or take
-- timing.expiry_early_ms). The time of its last packet after `at_ms` is measured. Fields: ids, text,
-- at_ms, from_ms, by_ms, and early_ids, what it has to run so long for; all times are of the runner's
-- clock, as t:now() tells it.
function Flow:expect_stop(given)
  given = fields.of("expect_stop", given, "ids text at_ms from_ms by_ms early_ids")
  local case = self.case
  local timing, at_ms = case.ixit.timing, given.at_ms
  local from_ms = given.from_ms or at_ms - timing.expiry_early_ms
  local by_ms = given.by_ms or at_ms + timing.stop_ms
  case:_await(math.max(by_ms + timing.quiet_ms - self.net.now(), timing.quiet_ms), function()
    local now = self.net.now()
    return now >= at_ms + timing.quiet_ms and now - (self:last_at() or 0) >= timing.quiet_ms
  end)
  local last, first_end = self:last_at() or 0, self:_first_end_at() or 0
  local has_stopped = self.net.now() - last >= timing.quiet_ms
  if has_stopped then case:measure(given.text, last - at_ms) end
  case:check({ ids = given.early_ids, text = given.text .. ", and not before",
    expected = string.format("last packet %.0f ms after, or later", from_ms - at_ms),
    actual = string.format("%.1f ms", first_end - at_ms), holds = first_end >= from_ms })
  case:check({ ids = given.ids, text = given.text,
    expected = string.format("last packet by %.0f ms after", by_ms - at_ms),
    actual = has_stopped and string.format("%.1f ms", last - at_ms) or "still passing",
    holds = last <= by_ms and has_stopped })
  case:_unproved("data", given.text)
end

-- The same at the end of a lifetime: at `at_ms`, within the IXIT's window. Fields: ids, text, at_ms,
-- early_ids.
function Flow:expect_expiry(given)
  given = fields.of("expect_expiry", given, "ids text at_ms early_ids")
  local timing = self.case.ixit.timing
  self:expect_stop({ ids = given.ids, early_ids = given.early_ids, text = given.text,
    at_ms = given.at_ms, from_ms = given.at_ms - timing.expiry_early_ms,
    by_ms = given.at_ms + timing.expiry_late_ms })
end

return Flow
