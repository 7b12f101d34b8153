-- A signalling session of a case, with the steps that most cases share. Each step is judged by the
-- phase that it happens in: inconclusive in a preamble, a failure in the body.

local Flow = require("runner.flow")
local messages = require("runner.messages")

local Session = {}
Session.__index = Session

local MSN_LIMIT = 4294967296

-- options: protocol, msn, destination (another flow destination), sid, flow (that and no new one),
-- external (a session that EXTERNAL opens, by the loose-end method).
function Session.new(case, options)
  local session = setmetatable({ case = case, queries = {} }, Session)
  session.sid = options.sid or case.net.random(16)
  session.msn = options.msn or string.unpack(">I4", case.net.random(4))
  session.request = options.external and "EXTERNAL" or "CREATE"
  session.flow = options.flow or options.external and case:new_loose_end()
    or case:new_flow(options)
  session.data = Flow.new(case, session.flow)
  case.by_sid[session.sid] = session
  return session
end

local function next_msn(msn) return (msn + 1) % MSN_LIMIT end

-- The same session for another flow from now on, as an update of its rule has it.
function Session:move()
  self.flow = self.case:new_flow({ protocol = self.flow.protocol })
  self.data = Flow.new(self.case, self.flow)
  return self
end

-- GIST: Query, Response, association, Confirm.
function Session:connect(options)
  local case = self.case
  case.ni:start_handshake(self, options)
  local exchange = self.querying
  case:await(case.ixit.timing.response_ms, function()
    return exchange.confirmed_at or exchange.failed
  end)
  self:stop_asking()
  case:check(options and options.ids, "the IUT answers the Query with a Response",
    "a Response", messages.summary(exchange.response), exchange.response ~= nil)
  case:check(options and options.ids, "the association that the Response announces can be used",
    "open", exchange.failed or exchange.confirmed_at and "open"
      or "no answer from " .. (exchange.tried or "it"), exchange.confirmed_at ~= nil)
  self:expect_iut_between(options and options.ids)
  return self
end

-- No Query is sent again from here on.
function Session:stop_asking()
  if self.querying.timer then self.querying.timer:cancel() end
  self.querying.stopped = true
end

-- A path without the IUT would let both neighbours talk to each other, and prove nothing.
function Session:expect_iut_between(ids)
  local nli = self.querying.response.gist.by_type[2]
  local own = nli and nli.values.peer_identity == self.case.nr.identity
  self.case:check(ids, "it is the IUT that answers, not the runner's own responder behind it",
    "the IUT",
    own and "the responder" or "the IUT")
end

function Session:connected() return self.querying and self.querying.confirmed_at ~= nil end

-- What an EXTERNAL announces unless a case wants it otherwise: any sender to one port of UDP.
local function usual_dtinfo(self)
  return { i = 1, p = 1, s = 0, sender_prefix = 0, protocol = 17, dr_port = self.case.next_port,
    ds_port = 0, address = "0.0.0.0" }
end

-- The request as a table; options: lifetime_s, msn, rule_action, sub_ports, p, e.
function Session:create_message(options)
  options = options or {}
  local msn = options.msn
  if not msn then
    if self.sent_any then self.msn = next_msn(self.msn) end
    msn = self.msn
  end
  self.sent_any = true
  local build = self.request == "EXTERNAL" and messages.external or messages.create
  return build({ dtinfo = usual_dtinfo(self),
    lifetime_s = options.lifetime_s or self.case.ixit.lifetime.usual_s, msn = msn,
    rule_action = options.rule_action, sub_ports = options.sub_ports, p = options.p,
    e = options.e })
end

-- Sends the request, CREATE or EXTERNAL; options.change may spoil it before it is encoded.
function Session:send_create(options)
  if not self:connected() then self:connect() end
  local message = self:create_message(options)
  if options and options.change then options.change(message) end
  self.case.ni:send_nslp(self, message)
  return self
end

function Session:send_external(options) return self:send_create(options) end

-- The request that the IUT sends on is under way; see Case:outbound_session.
function Session:begin() return self:send_create() end

-- That request is granted, and the IUT passes the news on.
function Session:expect_granted(ids, text)
  self:respond()
  local item = self:expect_response(ids, text)
  self.case:check(ids, "the RESPONSE is a success", 2, item.class)
  return item
end

function Session:expect_create(ids, text)
  return self.case:expect(self.case.nr, "CREATE", self, ids, text or "the IUT forwards the CREATE")
end

function Session:expect_response(ids, text)
  return self.case:expect(self.case.ni, "RESPONSE", self, ids,
    text or "the RESPONSE reaches the initiator")
end

-- The responder's RESPONSE; options: class, code, lifetime_s, msn, change.
function Session:respond(options)
  options = options or {}
  local class = options.class or 2
  local message = messages.nslp_response({ class = class, code = options.code,
    msn = options.msn or self.msn,
    lifetime_s = options.lifetime_s or (class == 2 and self.forwarded.lifetime_s) or nil })
  if options.change then options.change(message) end
  local sent = self.case.nr:send_nslp(self, message)
  self.case:check(nil, "the responder has an association with the IUT", "one", sent and "one"
    or "none")
  return self
end

-- An error RESPONSE from the IUT itself, of this class and code.
function Session:expect_error(class, code, ids, text)
  local case = self.case
  local item = case:expect(case.ni, "RESPONSE", self, ids, text)
  case:check(ids, text .. ": class and code", string.format("%d/0x%02X", class, code),
    string.format("%d/0x%02X", item.class or 0, item.code or 0))
  return item
end

-- A CREATE that was sent is accepted: forwarded and answered by us, or answered by the IUT.
function Session:expect_accepted(ids, text)
  if not self.case:judges_responder() then
    self.forwarded = self:expect_create(ids, text)
    self:respond()
  end
  local item = self:expect_response(ids, text)
  self.case:check(ids, "the RESPONSE is a success", "2/0x01",
    string.format("%d/0x%02X", item.class or 0, item.code or 0))
  return item
end

local function request_and_grant(self, options)
  self:send_create(options)
  if self.case:judges_responder() then return end
  self.forwarded = self:expect_create(options.ids)
  self:respond(options.response)
end

-- The same where each message is a datagram that may be lost: from the start again, up to three
-- times.
local function insist_on_grant(self, options)
  local case = self.case
  local patience_ms = case.ixit.timing.response_ms / 3
  for _ = 1, 3 do
    self:send_create(options)
    if not case:judges_responder()
      and case:await(patience_ms, function() return case.nr.inbox[1] end) then
      self.forwarded = self:expect_create(options.ids)
      self:respond(options.response)
    end
    if case:await(patience_ms, function() return case.ni.inbox[1] end) then return end
  end
end

-- CREATE there, success RESPONSE back: the whole exchange.
function Session:establish(options)
  options = options or {}
  local by_datagrams = self.querying and self.querying.options.d_mode
  local exchange = by_datagrams and insist_on_grant or request_and_grant
  exchange(self, options)
  local item = self:expect_response(options.ids)
  self.case:check(options.ids, "the RESPONSE is a success", 2, item.class)
  self.granted, self.granted_s, self.established_at = item, item.lifetime_s, item.at
  return self
end

-- A session that the IUT sends requests for is still there: its next request comes.
function Session:expect_alive(text, ids)
  self:send_create():expect_accepted(ids, text or "the session goes on")
end

function Session:delete()
  self.deleted_at = self.case.net.now()
  self:send_create({ lifetime_s = 0 })
  return self
end

return Session
