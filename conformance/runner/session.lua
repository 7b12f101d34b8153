-- A signalling session of a case, with the steps that most cases share. Each step is judged by the
-- phase that it happens in: inconclusive in a preamble, a failure in the body.

local fields = require("runner.fields")
local Flow = require("runner.flow")
local Handshake = require("runner.handshake")
local messages = require("runner.messages")
local tables = require("codec.tables")

local Session = setmetatable({}, { __index = Handshake })
Session.__index = Session

local SUCCESS = 2 -- a class: 4.2.5


-- options: see Case:session.
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

-- The MSN so many after its own; before it, where `distance` is negative.
function Session:msn_plus(distance) return messages.msn_sum(self.msn, distance) end

-- Its flow, as Item:flow_text() writes that of an MRI.
function Session:flow_text()
  local flow = self.flow
  return string.format("%s:%s to %s:%s, protocol %s", flow.source, flow.source_port,
    flow.destination, flow.destination_port, messages.protocol_number(flow.protocol))
end

-- The same session for another flow from now on, as an update of its rule has it.
function Session:move()
  self.flow = self.case:new_flow({ protocol = self.flow.protocol })
  self.data = Flow.new(self.case, self.flow)
  return self
end

-- What an EXTERNAL announces unless a case wants it otherwise: any sender to one port of UDP.
local function usual_dtinfo(self)
  return { i = 1, p = 1, s = 0, sender_prefix = 0, protocol = 17, dr_port = self.case.next_port,
    ds_port = 0, address = "0.0.0.0" }
end

local REQUEST = "lifetime_s msn rule_action sub_ports p e"

-- The request as a table, for who sends it otherwise. Fields: lifetime_s, msn, rule_action, sub_ports,
-- p, e.
function Session:create_message(given)
  given = fields.of("create_message", given, REQUEST .. " change")
  local msn = given.msn
  if not msn then
    if self.sent_any then self.msn = self:msn_plus(1) end
    msn = self.msn
  end
  self.sent_any = true
  local build = self.request == "EXTERNAL" and messages.external or messages.create
  return build({ dtinfo = usual_dtinfo(self),
    lifetime_s = given.lifetime_s or self.case.ixit.lifetime.usual_s, msn = msn,
    rule_action = given.rule_action, sub_ports = given.sub_ports, p = given.p, e = given.e })
end

-- Sends the request, with the next MSN; connects first where that was not done. Fields: those of
-- create_message(), and change, which may spoil it before it is encoded.
function Session:send_create(given)
  given = fields.of("send_create", given, REQUEST .. " change")
  if not self:connected() then self:connect() end
  local message = self:create_message(given)
  if given.change then given.change(message) end
  self.case.ni:send_nslp(self, message)
  return self
end

-- The same of a session that is opened by EXTERNAL.
function Session:send_external(given) return self:send_create(given) end

-- The request that the IUT sends on is under way; see Case:outbound_session.
function Session:begin() return self:send_create() end

-- The CREATE arrives at the responder, who can answer it with respond(). Fields: ids, text, within_ms.
function Session:expect_create(given)
  given = fields.of("expect_create", given, "ids text within_ms")
  local item = self.case.nr:expect({ message = "CREATE", session = self, ids = given.ids,
    text = given.text or "the IUT forwards the CREATE", within_ms = given.within_ms })
  if item.lifetime_s ~= 0 then self.forwarded = item end -- a deletion is not answered
  return item
end

local REFRESHES_MAX = 3

-- The deletion comes that was sent or asked for: a request with lifetime zero. An IUT that opened the
-- session may refresh it at any time before. Fields: ids, text.
function Session:expect_deletion(given)
  given = fields.of("expect_deletion", given, "ids text")
  local request = self:expect_create(given)
  for _ = 1, self.case:judges_initiator() and REFRESHES_MAX or 0 do
    if request.lifetime_s == 0 then break end
    request = self:expect_create(given)
  end
  self.case:check({ ids = given.ids, text = "with lifetime zero", expected = 0,
    actual = request.lifetime_s })
  return request
end

-- A RESPONSE of the NSLP arrives at the initiator. Fields: ids, text, within_ms.
function Session:expect_response(given)
  given = fields.of("expect_response", given, "ids text within_ms")
  return self.case.ni:expect({ message = "RESPONSE", session = self, ids = given.ids,
    text = given.text or "the RESPONSE reaches the initiator", within_ms = given.within_ms })
end

-- The lifetime of the request that arrived last; the usual one where it has none, which no request may.
function Session:forwarded_lifetime_s()
  return self.forwarded.lifetime_s or self.case.ixit.lifetime.usual_s
end

-- The responder's RESPONSE to the request that arrived last. Fields: info (class and code,
-- "2/0x01"), lifetime_s, msn, and change, which may spoil it.
function Session:respond(given)
  given = fields.of("respond", given, "info lifetime_s msn change")
  local class, code = messages.info_of(given.info or "2/0x01")
  local message = messages.nslp_response({ class = class, code = code, msn = given.msn or self.msn,
    lifetime_s = given.lifetime_s or (class == SUCCESS and self:forwarded_lifetime_s()) or nil })
  if given.change then given.change(message) end
  local sent = self.case.nr:send_nslp(self, message)
  self.case:check({ text = "the responder has an association with the IUT", expected = "one",
    actual = sent and "one" or "none" })
  return self
end

-- A RESPONSE from the IUT itself that refuses. Fields: ids, text, info (class and code, "7/0x02").
function Session:expect_error(given)
  given = fields.of("expect_error", given, "ids text info")
  local item = self:expect_response({ ids = given.ids, text = given.text })
  self.case:check({ ids = given.ids, text = given.text .. ": class and code", expected = given.info,
    actual = item:info() })
  return item
end

local function check_class(self, ids, item)
  self.case:check({ ids = ids, text = "the RESPONSE is a success", expected = SUCCESS,
    actual = item.class })
  return item
end

-- A CREATE that was sent is accepted: forwarded and answered by us, or answered by the IUT. Fields:
-- ids, text.
function Session:expect_accepted(given)
  given = fields.of("expect_accepted", given, "ids text")
  if not self.case:judges_responder() then
    self:expect_create(given)
    self:respond()
  end
  local item = self:expect_response(given)
  self.case:check({ ids = given.ids, text = "the RESPONSE is a success", expected = "2/0x01",
    actual = item:info() })
  return item
end

-- The request that arrived is granted, and the IUT passes the news on. Fields: ids, text.
function Session:expect_granted(given)
  given = fields.of("expect_granted", given, "ids text")
  self:respond()
  return check_class(self, given.ids, self:expect_response(given))
end

local function request_and_grant(self, given)
  self:send_create(given.request)
  if self.case:judges_responder() then return end
  self:expect_create({ ids = given.ids })
  self:respond(given.response)
end

-- The same where each message is a datagram that may be lost: from the start again.
local function insist_on_grant(self, given)
  local case = self.case
  local patience_ms = case.ixit.timing.response_ms / 3
  for _ = 1, case:attempts() do
    self:send_create(given.request)
    if not case:judges_responder() and case.nr:await_message({ within_ms = patience_ms }) then
      self:expect_create({ ids = given.ids })
      self:respond(given.response)
    end
    if case.ni:await_message({ within_ms = patience_ms }) then return end
  end
end

-- CREATE there, success RESPONSE back: the whole exchange. Fields: ids, those of create_message(), and
-- response, a table of those of respond().
function Session:establish(given)
  given = fields.of("establish", given, "ids response " .. REQUEST)
  local request = {}
  for name, value in tables.sorted(given) do
    if name ~= "ids" and name ~= "response" then request[name] = value end
  end
  local by_datagrams = self.querying and self.querying.options.d_mode
  local exchange = by_datagrams and insist_on_grant or request_and_grant
  exchange(self, { ids = given.ids, request = request, response = given.response })
  local item = check_class(self, given.ids, self:expect_response({ ids = given.ids }))
  self.granted, self.established_at = item, item.at
  self.granted_s = item.lifetime_s or self.case.ixit.lifetime.usual_s
  return self
end

-- The flow of a message is this session's. Fields: ids.
function Session:expect_flow_of(item, given)
  given = fields.of("expect_flow_of", given, "ids")
  self.case:check({ ids = given.ids, text = "its flow is the one asked for",
    expected = self:flow_text(), actual = item:flow_text() })
end

-- What comes with its session id is its own again, where another session of the case had that too.
function Session:reclaim() self.case.by_sid[self.sid] = self end

-- When the lifetime ends that was granted, by the runner's clock.
function Session:ends_at() return self.established_at + self.granted_s * 1000 end

-- A session that the IUT sends requests for is still there: its next request comes. Fields: ids, text.
function Session:expect_alive(given)
  given = fields.of("expect_alive", given, "ids text")
  self:send_create():expect_accepted({ ids = given.ids, text = given.text or "the session goes on" })
end

-- The session is not there any more: a CREATE with a lower MSN, which would be stale, begins it anew.
-- Fields: ids.
function Session:expect_forgotten(given)
  given = fields.of("expect_forgotten", given, "ids")
  self.msn = self:msn_plus(-5)
  self:send_create({ msn = self.msn }):expect_accepted({ ids = given.ids,
    text = "the session is forgotten: a CREATE with a lower MSN begins it anew" })
end

-- As a control: the IUT and the path still work, for this session too.
function Session:expect_still_works()
  self.case:control()
  self:send_create():expect_accepted()
end

function Session:delete()
  self.deleted_at = self.case:now()
  self:send_create({ lifetime_s = 0 })
  return self
end

return Session
