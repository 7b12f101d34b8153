-- One running case: a coroutine that sends, waits and checks, the list of its steps, and how they
-- make a verdict.
--
-- Phases: in the preamble a failed check is inconclusive, in the body it is a failure of the
-- requirements that it carries, and inconclusive where it carries none, in a control it is inconclusive,
-- in the postamble an error. "Nothing came" and "nothing passed" count only
-- with a positive control after them: something that does come, or does pass, at the same place.
--
-- A check that fails after the runner was deaf for a good part of what it waited for says nothing about
-- the IUT: the case is inconclusive, and stalled.
--
-- Only a MUST, or a plain statement of the text, is checked. A SHOULD that does not hold is a remark,
-- and where the text allows several readings, the one that is seen is named: in both the case goes on.
--
-- docs/guide-cases.md has the steps that a case takes. A name that begins with an underscore is no
-- step: it is for the runner only.

local fields = require("runner.fields")
local instruction_bound = require("runner.instruction_bound")
local Flow = require("runner.flow")
local Initiated = require("runner.initiated")
local Neighbour = require("runner.neighbour")
local Session = require("runner.session")
local messages = require("runner.messages")
local tables = require("codec.tables")

local Case = {}
Case.__index = Case

local VERDICT_OF_PHASE = { preamble = "inconclusive", body = "fail", control = "inconclusive",
  postamble = "error" }

-- context: net, ixit, addresses { ni, nr, source, destination }, strict, done (a function).
function Case.new(definition, context)
  local case = setmetatable({ definition = definition, net = context.net, ixit = context.ixit,
    strict = context.strict, done = context.done, owners = context.owners,
    addresses = context.addresses, tracing = true, phase = "preamble", steps = {}, by_sid = {},
    awaited = {}, deferred = {}, unproved = {}, measured = {}, seen_readings = {}, remarks = {},
    results = {}, tolerated = {},
    next_port = context.addresses.first_port }, Case)
  case.claimed = {}
  for _, id in ipairs(definition.requirements) do case.claimed[id] = true end
  case.ni = Neighbour.new({ case = case, side = "inside", name = "NI",
    address = context.addresses.ni,
    identity = case.net.random(16) })
  case.nr = Neighbour.new({ case = case, side = "outside", name = "NR",
    address = context.addresses.nr, identity = case.net.random(16) })
  return case
end

-- A second initiator, with an address and an identity of its own.
function Case:another_initiator()
  local other = Neighbour.new({ case = self, side = "inside", name = "NI",
    address = self.addresses.other_ni,
    identity = self.net.random(16) })
  self.owners.inside[self.addresses.other_ni] = other
  self:defer(function() other:_close() end)
  return other
end

-- The initiator signals from this address from now on, with a new identity; on the inside unless
-- `side` says otherwise.
function Case:signal_from(own_address, side)
  local owners = self.owners[side or "inside"]
  local before, owner = self.ni, owners[own_address]
  local moved = Neighbour.new({ case = self, side = side or "inside", name = "NI",
    address = own_address, identity = self.net.random(16) })
  self.ni, owners[own_address] = moved, moved
  self:defer(function()
    moved:_close()
    self.ni, owners[own_address] = before, owner
  end)
end

-- Whether the IUT is where flows end: then the runner has one side only.
function Case:judges_responder() return self.ixit.responder ~= nil end

-- Whether the IUT is where sessions begin: then the runner has the other side only.
function Case:judges_initiator() return self.ixit.initiator ~= nil end

-- A session that the IUT opens at the trigger's word. Fields: lifetime_s, protocol, flow.
function Case:trigger_session(given) return self:trigger_later(given):begin() end

-- The same, whose trigger waits for its begin().
function Case:trigger_later(given)
  return Initiated.new(self, fields.of("trigger_session", given, "lifetime_s protocol flow"))
end

-- A session whose requests the IUT will send, once it begins: as a forwarder the one that it gets
-- from the initiator played here, as an initiator its own.
function Case:outbound_session(options)
  if self:judges_initiator() then return self:trigger_later(options) end
  return self:session(options):connect()
end

-- What was sent is not processed: a forwarder sends nothing on, a responder answers nothing. Fields:
-- ids, text.
function Case:expect_not_processed(given)
  given = fields.of("expect_not_processed", given, "ids text")
  local observer = self:judges_responder() and self.ni or self.nr
  observer:expect_nothing(given)
end

-- The coroutine ----------------------------------------------------------------------------------

function Case:_start()
  self.started_at = self.net.now()
  self.thread = coroutine.create(function() self:_perform() end)
  self:_resume()
end

function Case:_resume()
  self.woken = false
  self.awake = true
  local ok, why = coroutine.resume(self.thread)
  self.awake = false
  if not ok then error(debug.traceback(self.thread, why), 0) end
end

-- Something happened: a waiting case looks again.
function Case:_wake()
  self.woken = true
  if self.awake or not self.waiting then return end
  self.waiting = false
  self:_resume()
end

-- From this share of a wait on, or from so long on, nothing is blamed on the IUT that is found after it.
local DEAF_SHARE, DEAF_MS = 0.1, 250

-- A wait is over that began then: how much of it nothing could be seen in counts for the checks after.
local function note_deafness(self, began)
  local now = self.net.now()
  local stalled = self.net.stalled(began, now)
  if stalled > math.min((now - began) * DEAF_SHARE, DEAF_MS) then
    self.deaf = string.format("the runner was deaf for %.0f of %.0f ms", stalled, now - began)
  end
end

-- Waits until poll() gives a value, at most so long; nil if it never did.
function Case:_await(timeout_ms, poll)
  local began, waited = self.net.now(), false
  local deadline, timer = began + timeout_ms, nil
  local function ended(value)
    if timer then timer:cancel() end
    if waited then note_deafness(self, began) end
    return value
  end
  while true do
    local value = poll()
    if value then return ended(value) end
    if self.interrupted and self.phase ~= "postamble" then
      ended()
      error({ verdict = "inconclusive", reason = self.interrupted })
    end
    local left = deadline - self.net.now()
    if left <= 0 then return ended(nil) end
    timer = timer or self.net.after(left, function()
      timer = nil
      self:_wake()
    end)
    if self.has_checked then self.deaf, self.has_checked = nil, false end
    self.woken, self.waiting, waited = false, true, true
    instruction_bound.wait()
  end
end

-- Lets time pass, for windows in which nothing may come.
function Case:pause(duration_ms)
  self:_await(duration_ms, function() return nil end)
end

local function describe(problem)
  if type(problem) == "table" then return problem.verdict, problem.reason end
  return "error", tostring(problem)
end

function Case:_perform()
  local function guarded(body)
    local ok, problem = instruction_bound.call(body)
    if not ok and (not self.verdict or self.verdict == "pass") then self.verdict,
      self.reason = describe(problem) end
  end
  guarded(function()
    if not self:judges_responder() then self.nr:_listen() end
    self.definition.run(self)
    self:_conclude()
  end)
  self.phase = "postamble"
  while #self.deferred > 0 do
    guarded(table.remove(self.deferred))
  end
  self.ni:_close()
  self.nr:_close()
  self.finished_at = self.net.now()
  self.done(self)
end

-- A case that ran to its end: passed, unless something was left without proof.
function Case:_conclude()
  if not tables.is_empty(self.unproved) then
    for id, result in tables.sorted(self.results) do
      if result == "pass" then self.results[id] = "inconclusive" end
    end
  end
  if self.verdict then return end
  local observer, text = tables.sorted(self.unproved)()
  if observer then
    self.verdict, self.reason = "inconclusive", "no positive control after: " .. text
      .. " (" .. observer .. ")"
    return
  end
  local missing = {}
  for _, id in ipairs(self.definition.requirements) do
    local result = self.results[id]
    if result ~= "pass" and result ~= "remark" then missing[#missing + 1] = id end
  end
  if #missing > 0 then
    self.verdict, self.reason = "error", "no executed step carries " .. table.concat(missing, ", ")
  elseif not self.has_body then
    self.verdict, self.reason = "error", "the case never says t:body(), so it cannot fail"
  else
    self.verdict = "pass"
  end
end

-- What a case says -------------------------------------------------------------------------------

function Case:preamble() self.phase = "preamble" end

function Case:body() self.phase, self.has_body = "body", true end

-- What follows only shows that the IUT and the path still work.
function Case:control() self.phase = "control" end

function Case:defer(action) self.deferred[#self.deferred + 1] = action end

function Case:not_applicable(reason) error({ verdict = "not applicable", reason = reason }) end

function Case:measure(name, milliseconds) self.measured[name] = milliseconds end

-- Waits until a message has come to either neighbour: that neighbour, or nil. Where both have one, the
-- initiator's side. Fields: within_ms.
function Case:await_message(given)
  given = fields.of("await_message", given, "within_ms")
  return self:_await(given.within_ms or self.ixit.timing.response_ms, function()
    return self.ni:waiting() > 0 and self.ni or self.nr:waiting() > 0 and self.nr
  end)
end

-- A message that a neighbour sent or received, whole, for the report. A box may have much to say: of
-- what goes on longer than any case of the suite, only the names are kept.
local TRACED_MAX = 1 << 15 -- octets of one case

function Case:_trace(who, item)
  local text = who .. " " .. messages.summary(item)
  self.traced = (self.traced or 0) + (item and #item.gist.bytes or 0)
  if self.traced > TRACED_MAX then return self:_note(text .. ", not kept") end
  self.steps[#self.steps + 1] = { kind = "message", at = self.net.now(), text = text, item = item }
end

-- What else happened, for whoever reads the report; a box may have much to say.
local NOTES_MAX = 1000

function Case:_note(text)
  self.notes = (self.notes or 0) + 1
  if self.notes > NOTES_MAX then return end
  self.steps[#self.steps + 1] = { kind = "note", at = self.net.now(), text = "(" .. text .. ")" }
end

-- What arrives is looked at outside the case's own steps: a fault of the runner in that is this case's
-- error, and no other's.
function Case:_guard(action, ...)
  local ok, problem = xpcall(action, debug.traceback, ...)
  if ok then return end
  self.verdict, self.reason = describe(problem)
  self:_wake()
end

local function shown(value)
  if value == nil then return "nothing" end
  return tostring(value)
end

local ASSERTION = "ids text expected actual holds"
local LENIENT = { SHOULD = true, ["SHOULD NOT"] = true, RECOMMENDED = true }
local BINDING = { MUST = true, ["MUST NOT"] = true, REQUIRED = true }

-- "FILE:LINE: " of the step that a case is at.
local function place_in(definition)
  local source = debug.getinfo(definition.run, "S").source
  for level = 2, math.huge do
    local at = debug.getinfo(level, "Sl")
    if not at then return "" end
    if at.source == source then return at.short_src .. ":" .. at.currentline .. ": " end
  end
end

-- The step is one that may carry these ids: the case claims them, and their levels are not `wrong`.
function Case:_may_carry(ids, wrong, instead)
  for _, id in ipairs(ids) do
    local level = (self.definition.levels or {})[id]
    if not self.claimed[id] or wrong[level] then
      error({ verdict = "error", reason = place_in(self.definition) .. "a step carries " .. id
        .. (self.claimed[id] and ", which is a " .. level .. ": " .. instead
        or ", which the case does not claim") })
    end
  end
end

-- A step that holds or not, for the report: whether it does, its ids, and what to say where it does not.
function Case:_assert(given, weight)
  local expected, actual, ids = given.expected, given.actual, given.ids or {}
  local holds = given.holds
  if holds == nil then holds = expected == actual end
  self.steps[#self.steps + 1] = { kind = "check", weight = weight, at = self.net.now(),
    text = given.text, ids = ids, expected = shown(expected), actual = shown(actual),
    phase = self.phase, ok = holds and true or false }
  self.has_checked = true
  return holds, ids, string.format("%s: expected %s, got %s", given.text, shown(expected), shown(actual))
end

-- What does not hold after the runner was deaf is nobody's fault.
function Case:_blame_nobody(reason)
  self.stalled = true
  error({ verdict = "inconclusive", reason = reason .. "; " .. self.deaf })
end

-- One assertion: `actual` is `expected`, or where `holds` is given, that is true. Fields: ids (the
-- requirements that it proves), text, expected, actual, holds.
function Case:check(given, strictly)
  local holds, ids, reason = self:_assert(fields.of("check", given, ASSERTION))
  self:_may_carry(ids, LENIENT, "a remark has to")
  for _, id in ipairs(ids) do
    if not holds then
      self.results[id] = self.phase == "body" and not self.deaf and "fail" or "not reached"
    elseif self.results[id] ~= "fail" then
      self.results[id] = "pass"
    end
  end
  if holds then return end
  if self.deaf then self:_blame_nobody(reason) end
  -- Only a requirement can be violated: what none asks for is a way to what one does.
  local asked = self.phase ~= "body" or #ids > 0 or strictly
    or #self.definition.requirements == 0 -- a capture that is played again
  error({ verdict = asked and VERDICT_OF_PHASE[self.phase] or "inconclusive", reason = reason })
end

-- The same of what the text only recommends. The case goes on.
function Case:remark(given)
  local holds, ids, reason = self:_assert(fields.with_texts("remark", given, ASSERTION, "text"),
    "remark")
  self:_may_carry(ids, BINDING, "a check has to")
  if not holds and self.deaf then self:_blame_nobody(reason) end
  for _, id in ipairs(ids) do
    self.results[id] = (not holds or self.results[id] == "remark") and "remark" or "pass"
  end
  if not holds then self.remarks[#self.remarks + 1] = reason end
end

-- Which of the readings that the text allows the IUT follows. Where `ours` is given, that is this
-- project's, and --strict-rulings asks for it. Fields: of (the ruling, or the requirement), seen, ours,
-- ids.
function Case:reading(given)
  given = fields.with_texts("reading", given, "of seen ours ids", "of seen")
  self:_may_carry(given.ids or {}, LENIENT, "a remark has to")
  local is_other = given.ours and given.seen ~= given.ours
  self.seen_readings[given.of] = given.seen
    .. (is_other and " (this project: " .. given.ours .. ")" or "")
  if self.strict and given.ours then
    self:check({ ids = given.ids, text = "as this project reads " .. given.of, expected = given.ours,
      actual = given.seen }, true)
  end
end

-- The ratios of two intervals of a back-off, of which one message or one each was lost on the way.
local RATIOS_WITH_LOSS = { 2, 4 / 3, 4, 6 }

-- Three messages came at these times: the second interval is about twice the first, or what is left
-- of that where the IXIT says that the path loses packets. Fields: ids, times.
function Case:expect_backoff(given)
  given = fields.of("expect_backoff", given, "ids times")
  local first_at, second_at, third_at = table.unpack(given.times)
  local first, second = second_at - first_at, third_at - second_at
  local holds = second >= first * 1.5 and second <= first * 2.5
  for _, ratio in ipairs(self.ixit.path.loses and RATIOS_WITH_LOSS or {}) do
    holds = holds or math.abs(second - first * ratio) <= first * ratio / 10
  end
  self:check({ ids = given.ids, text = "the second interval is about twice the first",
    expected = string.format("%.0f to %.0f ms", first * 1.5, first * 2.5),
    actual = string.format("%.0f ms", second), holds = holds })
end

-- From here on messages of this name may come or not, of any session or of this one: the text allows
-- both.
function Case:tolerate(name, session) self.tolerated[name] = session or true end

-- From here on they may not come any more.
function Case:tolerate_no_more(name) self.tolerated[name] = nil end

function Case:_tolerates(item)
  local whose = self.tolerated[item.name]
  return whose == true or whose ~= nil and whose == item.session
end

-- How often a datagram is sent that may be lost, until something comes of it.
function Case:attempts() return self.ixit.path.loses and 8 or 3 end

-- The runner's clock, in milliseconds.
function Case:now() return self.net.now() end

-- Where nothing came, or nothing passed, that counts only once something did.
function Case:_unproved(where, text) self.unproved[where] = text end

function Case:_proved(where) self.unproved[where] = nil end

-- Pools ------------------------------------------------------------------------------------------

-- A flow of this case: its own addresses, and ports that no other flow of it has. Options: protocol,
-- destination_port.
function Case:new_flow(options)
  self.next_port = self.next_port + 4
  return { source = self.addresses.source, destination = self.addresses.destination,
    protocol = options.protocol or "udp", source_port = self.next_port,
    destination_port = options.destination_port or self.next_port + 10000 }
end

-- The flow of this case that the IXIT says is refused with this code, as "5/0x02". Where it names
-- the peer that is refused, the initiator signals as that from now on.
function Case:refused_flow(code)
  local row = self.ixit.refusals[code]
  if not row then self:not_applicable("the IXIT names no flow that is refused with " .. code) end
  local flow = self:new_flow({ protocol = row.protocol })
  flow.source_port = not row.any_source_port and flow.source_port
  flow.destination_port = not row.any_destination_port
    and (row.destination_port or flow.destination_port)
  flow.source_prefix, flow.destination_prefix = row.source_prefix, row.destination_prefix
  if row.peer then self:signal_from(row.peer) end
  return flow
end

-- The loose end of an EXTERNAL: this initiator, and a signalling destination address outside.
function Case:new_loose_end()
  self.next_port = self.next_port + 4
  return { loose_end = true, source = self.addresses.ni, destination = self.addresses.destination }
end

-- A session that the initiator played here opens. Fields: protocol, msn, sid, flow (that and no new
-- one), external (opened by EXTERNAL, by the loose-end method).
function Case:session(given)
  return Session.new(self, fields.of("session", given, "protocol msn sid flow external"))
end

function Case:data_flow(flow) return Flow.new(self, flow) end

return Case
