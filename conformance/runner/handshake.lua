-- The steps of a session that are GIST's: Query, Response and Confirm, towards the IUT as the one who
-- asks and from it as the one who is asked. RFC 5971, section 4.4.1. A session of runner/session.lua
-- is one of these.

local fields = require("runner.fields")
local messages = require("runner.messages")
local tables = require("codec.tables")

local Handshake = {}
Handshake.__index = Handshake

-- What a handshake can be made to be. own_source, flow_source: S=1, or
-- S=0 in each attempt; without them S=0 first. source, ttl: of the IP header. d_mode: no association
-- is asked for. stacks: what is proposed, TCP alone without it; tls_name: the association is of TLS, and
-- by this name. change_query, change_confirm: functions that spoil the message.
local HANDSHAKE = "own_source flow_source source ttl d_mode stacks tls_name change_query change_confirm"

-- As the one who asks -----------------------------------------------------------------------------

-- Sends the Query, and goes on by itself to the Confirm; expects nothing. Fields: those of HANDSHAKE.
function Handshake:start_handshake(given)
  self.case.ni:_start_handshake(self, fields.of("start_handshake", given, HANDSHAKE))
  return self
end

-- Sends the Query only: a Response is left without Confirm. Fields: those of HANDSHAKE.
function Handshake:query_only(given)
  local options = tables.copy(fields.of("query_only", given, HANDSHAKE), { only_query = true })
  self.case.ni:_start_handshake(self, options)
  return self
end

-- Query, Response, association, Confirm. Fields: those of HANDSHAKE, and ids.
function Handshake:connect(given)
  given = fields.of("connect", given, HANDSHAKE .. " ids")
  local case, ids = self.case, given.ids
  case.ni:_start_handshake(self, given)
  local exchange = self.querying
  case:_await(case.ixit.timing.response_ms, function()
    return exchange.confirmed_at or exchange.failed
  end)
  self:stop_asking()
  case:check({ ids = ids, text = "the IUT answers the Query with a Response",
    expected = "a Response", actual = messages.summary(exchange.response),
    holds = exchange.response ~= nil })
  case:check({ ids = ids, text = "the association that the Response announces can be used",
    expected = "open", actual = exchange.failed or exchange.confirmed_at and "open"
      or "no answer from " .. (exchange.tried or "it"), holds = exchange.confirmed_at ~= nil })
  self:expect_iut_between({ ids = ids })
  return self
end

-- No Query is sent again from here on.
function Handshake:stop_asking()
  if self.querying.timer then self.querying.timer:cancel() end
  self.querying.stopped = true
end

-- The Response of GIST that answered, or nil; of several the first.
function Handshake:response() return self.querying.response end

-- Waits for that Response, or for so many: the last of them, or nil. Fields: number, within_ms.
function Handshake:await_response(given)
  given = fields.of("await_response", given, "number within_ms")
  return self.case:_await(given.within_ms or self.case.ixit.timing.response_ms, function()
    return self.querying.responses[given.number or 1]
  end)
end

-- A Response of GIST comes, from the IUT; the Query is not sent again. Fields: ids, text.
function Handshake:expect_gist_response(given)
  given = fields.of("expect_gist_response", given, "ids text")
  local response = self:await_response()
  self:stop_asking()
  self.case:check({ ids = given.ids, text = given.text or "a Response comes",
    expected = "a Response", actual = messages.summary(response), holds = response ~= nil })
  self:expect_iut_between({ ids = given.ids })
  return response
end

-- No Response of GIST came. Fields: ids, text.
function Handshake:expect_no_gist_response(given)
  given = fields.of("expect_no_gist_response", given, "ids text")
  local response = self:response()
  self.case:check({ ids = given.ids, text = given.text or "and by no Response", expected = "none",
    actual = messages.summary(response), holds = response == nil })
end

-- The Query is refused: by this Error, and by no Response. Fields: ids, text, error (its name in
-- RFC 5971, A.4.4, or "9/2"). The Error.
function Handshake:expect_query_refused(given)
  given = fields.of("expect_query_refused", given, "ids text error")
  local item = self.case.ni:expect_error({ ids = given.ids, error = given.error,
    text = given.text or "it is answered by an Error" })
  self:stop_asking()
  self:expect_no_gist_response({ ids = given.ids })
  return item
end

-- Waits for any message to the initiator, and leaves it there: it, or nil. Meanwhile the routing state
-- is refreshed before its validity time ends, as a querier does. Fields: within_ms.
function Handshake:await_message_refreshing(given)
  given = fields.of("await_message_refreshing", given, "within_ms")
  local case = self.case
  local period_ms = self:response():values("NLI").validity_ms / 2
  local until_ms = case:now() + given.within_ms
  while case:now() < until_ms do
    local left_ms = until_ms - case:now()
    local item = case.ni:await_message({ within_ms = math.min(period_ms, left_ms) })
    if item then return item end
    self:start_handshake()
  end
end

-- Waits until the Confirm was sent: nil if it never was. Fields: within_ms.
function Handshake:await_confirm(given)
  given = fields.of("await_confirm", given, "within_ms")
  return self.case:_await(given.within_ms or self.case.ixit.timing.response_ms, function()
    return self.querying.confirmed_at
  end)
end

-- The handshake gets as far as the Confirm, whatever becomes of that.
function Handshake:expect_confirm_sent()
  local sent = self:await_confirm()
  self.case:check({ text = "the handshake gets as far as the Confirm", expected = "sent",
    actual = sent and "sent" or "not sent" })
  self:expect_iut_between()
end

-- One more Confirm over the association, for this Response; `change` may spoil it.
function Handshake:send_confirm(response, change)
  local confirm = messages.confirm(self.case.ni, self, response:raw("Responder-Cookie"))
  if change then change(confirm) end
  self:association():send(confirm)
end

-- A path without the IUT would let both neighbours talk to each other, and prove nothing. Fields: ids.
function Handshake:expect_iut_between(given)
  given = fields.of("expect_iut_between", given, "ids")
  local own = self:response():values("NLI").peer_identity == self.case.nr.identity
  self.case:check({ ids = given.ids,
    text = "it is the IUT that answers, not the runner's own responder behind it",
    expected = "the IUT", actual = own and "the responder" or "the IUT" })
end

-- The association on the initiator's side.
function Handshake:association() return self.querying.association end

-- Sends over this association from now on: the Confirm of it was, or will be, sent there.
function Handshake:use_association(association)
  self.querying.association, self.querying.confirmed_at = association, self.case:now()
end

-- Sends what it says in the place of another session, over that one's association, until
-- use_own_handshake().
function Handshake:use_handshake_of(other)
  self.own_querying, self.querying = self.querying, other.querying
end

function Handshake:use_own_handshake() self.querying = self.own_querying end

-- The octets of the last Query, and whether a Query that arrived is one of those sent, octet for
-- octet but for the GIST hop count.
function Handshake:query_sent() return self.querying.sent end

function Handshake:has_sent(query) return self.querying.all_sent[query.gist.bytes:sub(3)] == true end

-- When the Query was sent that has this cookie; nil for a cookie that none has.
function Handshake:sent_at(cookie) return self.querying.cookies[cookie] end

-- As the one who is asked -------------------------------------------------------------------------

-- Waits for the Query of this number to the responder (the first): it, or nil. Fields: number,
-- within_ms.
function Handshake:await_query(given)
  given = fields.of("await_query", given, "number within_ms")
  return self.case:_await(given.within_ms or self.case.ixit.timing.response_ms, function()
    return self.queries[given.number or 1]
  end)
end

-- A Query comes to the responder. Fields: ids, text, number (the first), within_ms.
function Handshake:expect_query(given)
  given = fields.of("expect_query", given, "ids text number within_ms")
  local query = self:await_query({ number = given.number, within_ms = given.within_ms })
  self.case:check({ ids = given.ids, text = given.text or "a Query comes", expected = "a Query",
    actual = messages.summary(query), holds = query ~= nil })
  return query
end

-- Whether a Query of this session came to the responder.
function Handshake:was_queried() return self.responding ~= nil end

-- The Confirm that the responder got last, or nil.
function Handshake:received_confirm() return self.responding and self.responding.confirm end

-- All Confirms that it got.
function Handshake:_received_confirms() return self.responding and self.responding.confirms or {} end

-- Waits for a Confirm to the responder that is not `before`: it, or nil.
function Handshake:await_received_confirm(before)
  return self.case:_await(self.case.ixit.timing.response_ms, function()
    local confirm = self:received_confirm()
    return confirm ~= before and confirm or nil
  end)
end

-- The association on the responder's side, once it is confirmed; waiting for it.
function Handshake:responder_association() return self.responding and self.responding.association end

function Handshake:await_responder_association()
  return self.case:_await(self.case.ixit.timing.response_ms,
    function() return self:responder_association() end)
end

-- The responder's last Response, when it was sent, and whether it gave this Responder-Cookie.
function Handshake:response_sent() return self.responding and self.responding.sent end

function Handshake:answered_at() return self.responding.answered_at end

function Handshake:has_given(cookie) return self.responding.cookies[cookie] == true end

-- Waits for what the Query meets first: a Response, or the responder that it is sent on to.
function Handshake:await_response_or_query()
  return self.case:_await(self.case.ixit.timing.response_ms,
    function() return self.querying.response or self.queries[1] end)
end

function Handshake:connected() return self.querying and self.querying.confirmed_at ~= nil end

return Handshake
