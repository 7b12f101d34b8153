-- The two neighbours that the runner plays: the querier upstream of the IUT, on the NI's side, and
-- the responder downstream of it, on the NR's side. RFC 5971, sections 4.4.1 and 5.1.

local Association = require("runner.association")
local fields = require("runner.fields")
local Inbox = require("runner.inbox")
local Initiated = require("runner.initiated")
local gist = require("codec.gist")
local instruction_bound = require("runner.instruction_bound")
local messages = require("runner.messages")
local packet = require("codec.packet")
local tables = require("codec.tables")

local Neighbour = setmetatable({}, { __index = Inbox })
Neighbour.__index = Neighbour

-- options: case, side ("inside" or "outside"), name ("NI" or "NR"), address, identity.
function Neighbour.new(options)
  local timing = options.case.ixit.timing
  local neighbour = setmetatable(options, Neighbour)
  neighbour.net = options.case.net
  neighbour.inbox, neighbour.associations, neighbour.wire = {}, {}, options.case.net[options.side]
  neighbour.stray_hellos = 0 -- MA-Hellos in D-mode
  neighbour.arrived_at = {} -- datagrams, for copies that the path makes
  neighbour.validity_ms, neighbour.hold_time_ms = timing.validity_ms, timing.hold_time_ms
  return neighbour
end


local function handlers(self)
  return {
    receive = function(item) self.case:_guard(self._received, self, item) end,
    heard = function() self.case:_wake() end,
    closed = function(association, reason)
      association.closed_at, association.closed_because = self.net.now(), reason
      self.case:_wake()
    end,
  }
end

-- Sending ----------------------------------------------------------------------------------------

function Neighbour:send_datagram(bytes, options)
  local parts = { payload = (options.magic or gist.magic) .. bytes,
    source = options.source or self.address, destination = options.destination,
    source_port = options.source_port or gist.port,
    destination_port = options.destination_port or gist.port, options = options.options,
    ttl = options.ttl, df = options.df }
  local why_not = self.wire:send_packet(packet.build(parts), options.destination)
  if not why_not then return end
  self.case.interrupted = why_not
  self.case:_wake()
end

-- Q-mode: addressed as the flow is, with the router alert option. RFC 5971, 5.8.1.2.
function Neighbour:_send_query(session, attempt)
  local exchange = session.querying
  local options = exchange.options
  local s_flag = (options.own_source or attempt > 1 and not options.flow_source) and 1 or 0
  local cookie = self.net.random(8)
  exchange.cookies[cookie] = self.net.now() -- when the Query with it was sent
  local query = messages.query(self, session, cookie, s_flag, options.stacks)
  if exchange.options.d_mode then query.objects[5], query.objects[6] = nil, nil end -- no stack
  if exchange.change then exchange.change(query) end
  exchange.sent, exchange.attempts = messages.encode_gist(query), attempt
  self.case:_trace(self.name .. " sends", messages.read(exchange.sent))
  exchange.all_sent[exchange.sent:sub(3)] = true
  self:send_datagram(exchange.sent, {
    source = options.source or s_flag == 0 and session.flow.source or self.address,
    destination = session.flow.destination, ttl = options.ttl,
    options = packet.router_alert(gist.router_alert) })
end

-- Data with a message of the NSLP, or octets, over the session's association, or in D-mode where it
-- has none. Fields: change, which may spoil the Data.
function Neighbour:send_nslp(session, message, given)
  local options = fields.of("send_nslp", given, "change")
  if self.name == "NI" and session.querying.options.d_mode then
    return self:send_nslp_datagram(session, message, options)
  end
  local data = messages.data(session, self:_direction(), message)
  if options.change then options.change(data) end
  local bytes = messages.encode_gist(data)
  local sent = messages.read(bytes)
  self.case:_trace(self.name .. " sends", sent)
  if self.name == "NR" then
    return session.responding and session.responding.association
      and session.responding.association:send(bytes)
  end
  return session.querying.association:send(bytes)
end

-- The same in D-mode, straight to the IUT's address on this side: what an association would carry.
-- Fields: change, and magic, the number before it where that is to be wrong.
function Neighbour:send_nslp_datagram(session, message, given)
  given = fields.of("send_nslp_datagram", given, "change magic")
  local data = messages.data(session, self:_direction(), message)
  table.insert(data.objects, 3, messages.nli(self))
  if given.change then given.change(data) end
  self.case:_trace(self.name .. " sends in D-mode", messages.read(messages.encode_gist(data)))
  self:send_to_iut(session, data, { magic = given.magic })
end

-- A message of GIST, or octets, in D-mode to the address that the IUT has on this side, as its NLI of
-- this session says. Fields: magic (the number before it, where it is to be wrong).
function Neighbour:send_to_iut(session, message, given)
  given = fields.of("send_to_iut", given, "magic")
  self:send_datagram(messages.octets_of(message), { destination = self:iut_address(session),
    magic = given.magic })
end

function Neighbour:iut_address(session)
  local from = self.name == "NI" and session.querying.response or session.queries[#session.queries]
  return from:values("NLI").interface
end

function Neighbour:_direction()
  return self.name == "NI" and messages.DOWNSTREAM or messages.UPSTREAM
end

-- Querier ----------------------------------------------------------------------------------------

-- When a Query is first sent again, T1, and how often it is sent. Where the path loses, so often within
-- a patience of 8 s that a lost Query blames nobody.
local T1_MS, QUERIES, T1_OF_LOSSY_PATH_MS, QUERIES_OF_LOSSY_PATH = 500, 5, 100, 8

-- Retransmits the Query with binary exponential backoff until a Response came. RFC 5971, 5.3.3.
local function keep_asking(self, session, attempt, delay_ms)
  local exchange = session.querying
  local most = self.case.ixit.path.loses and QUERIES_OF_LOSSY_PATH or QUERIES
  if exchange.response or exchange.stopped or attempt > most then return end
  self:_send_query(session, attempt)
  exchange.timer = self.net.after(delay_ms, function()
    keep_asking(self, session, attempt + 1, delay_ms * 2)
  end)
end

-- Starts a handshake; the result is in session.querying, filled in as messages come.
function Neighbour:_start_handshake(session, options)
  options = options or {}
  session.querying = { cookies = {}, all_sent = {}, responses = {}, change = options.change_query,
    options = options }
  keep_asking(self, session, 1, self.case.ixit.path.loses and T1_OF_LOSSY_PATH_MS or T1_MS)
end

-- The port of Forwards-TCP in a stack that the Response offers.
local function port_of(response, stack)
  local profile = messages.profile_of(response:values("Stack-Proposal"), stack)
  for _, option in ipairs(response:values("Stack-Configuration-Data").options or {}) do
    if profile and (option.profile == profile or option.profile == 0) and option.protocol == 1
      and option.d == 0 and #(option.data or "") >= 2 then
      return string.unpack(">I2", option.data)
    end
  end
  return nil
end

-- The Confirm, on the association given. RFC 5971, 5.1.
function Neighbour:_send_confirm(session, association, first)
  local exchange = session.querying
  local confirm = messages.confirm(self, session, exchange.response:raw("Responder-Cookie"),
    exchange.response:raw("Stack-Proposal"), first)
  if exchange.options.change_confirm then exchange.options.change_confirm(confirm) end
  local bytes = messages.encode_gist(confirm)
  self.case:_trace(self.name .. " sends", messages.read(bytes))
  association:send(bytes)
  exchange.association, exchange.confirmed_at = association, self.net.now()
  self.case:_wake()
end

-- The Confirm in D-mode, where neither side wants an association.
local function confirm_in_d_mode(self, session, response)
  local confirm = messages.confirm(self, session, response:raw("Responder-Cookie"))
  self.case:_trace(self.name .. " sends", nil, "Confirm")
  self:send_datagram(messages.encode_gist(confirm), { destination = self:iut_address(session) })
  session.querying.confirmed_at = self.net.now()
  self.case:_wake()
end

-- Opens the association that the Response announces, and confirms on it.
function Neighbour:_open_association(session, response)
  local exchange = session.querying
  local tls_name = exchange.options.tls_name
  local port = port_of(response, tls_name and "tls" or "tcp")
  local address = response:values("NLI").interface
  if not port or not address then
    exchange.failed = "the Response announces no port for " .. (tls_name and "TLS" or "Forwards-TCP")
    return self.case:_wake()
  end
  exchange.tried = (tls_name and "TLS " or "TCP ") .. address .. ":" .. port
  local association = Association.new(self.case, handlers(self))
  local connection, why = self.wire:connect(self.address, 0, address, port,
    function()
      association.open = true
      self.associations[#self.associations + 1] = association
      association:_keep(self.hold_time_ms / 3)
      self:_send_confirm(session, association, true)
    end,
    function(bytes, at) association:_fed(bytes, at) end,
    function(reason)
      if not association.open then exchange.failed = "no association: " .. reason end
      association:_ended(reason)
      self.case:_wake()
    end, tls_name)
  if not connection then
    exchange.failed = "no association: " .. tostring(why)
    return self.case:_wake()
  end
  association.connection = connection
  self.opened = self.opened or {}
  self.opened[#self.opened + 1] = association
end

-- A refresh need not be confirmed: RFC 5971, 5.1.
local function asks_for_no_confirm(item)
  return item.gist.header.r == 0 and not item:has("Responder-Cookie")
end

local function on_response(self, session, item)
  local exchange = session.querying
  local cookie = item:raw("Query-Cookie")
  local is_answer = exchange and exchange.cookies and cookie and exchange.cookies[cookie]
  if not is_answer then return end
  exchange.responses[#exchange.responses + 1] = item
  if exchange.response then return self.case:_wake() end
  exchange.response = item
  if exchange.timer then exchange.timer:cancel() end
  if exchange.options.only_query then return self.case:_wake() end
  if item.mode == "C" and asks_for_no_confirm(item) then
    exchange.association, exchange.confirmed_at = item.association, self.net.now()
    return self.case:_wake()
  end
  if item.mode == "C" then return self:_send_confirm(session, item.association, false) end
  if exchange.options.d_mode then return confirm_in_d_mode(self, session, item) end
  self:_open_association(session, item)
end

-- Responder --------------------------------------------------------------------------------------

local function listen(self, tls_name)
  local listener, port = self.wire:listen(self.address, 0, function(connection)
    local association = Association.new(self.case, handlers(self))
    association.is_secure = tls_name ~= nil
    association:_attach(connection)
    association:_keep(self.hold_time_ms / 3)
    self.associations[#self.associations + 1] = association
    self.case:_wake()
    connection:receive(function(bytes, at) association:_fed(bytes, at) end,
      function(reason) association:_ended(reason) end)
  end, tls_name)
  if not listener then error({ verdict = "error", reason = "cannot listen: " .. port }) end
  return listener, port
end

-- Listens for associations; called once, before any Query can come.
function Neighbour:_listen() self.listener, self.port = listen(self) end

-- From here on it is this name's, and offers TLS as well.
function Neighbour:offer_tls(name)
  if self.tls_listener then self.tls_listener:close() end
  self.tls_listener, self.tls_port = listen(self, name)
end

-- Waits for an association to it, whatever comes over that: it, or nil. Fields: within_ms.
function Neighbour:await_association(given)
  given = fields.of("await_association", given, "within_ms")
  return self.case:_await(given.within_ms or self.case.ixit.timing.response_ms,
    function() return self.associations[1] end)
end

-- Where it accepts what the Query proposes.
local function offers(self, query)
  local proposed, ports = query:values("Stack-Proposal"), {}
  local has_tls = self.tls_port and not self.bids_down
  if has_tls and messages.profile_of(proposed, "tls") then ports[1] = { "tls", self.tls_port } end
  if not has_tls or messages.profile_of(proposed, "tcp") then
    ports[#ports + 1] = { "tcp", self.port }
  end
  return ports
end

-- Who a message of D-mode is from, as RFC 5971, 4.4.3, compares it.
local function peer_of(item)
  local nli = item:values("NLI")
  return messages.hex(nli.peer_identity) .. " at " .. tostring(nli.interface)
end

-- One that is plain is of no use to who proposes TLS alone.
local function open_association_with(self, peer, query)
  local is_plain_enough = messages.profile_of(query:values("Stack-Proposal"), "tcp")
  for _, association in ipairs(self.associations) do
    if association.open and association.peer == peer
      and (association.is_secure or is_plain_enough or not self.tls_port) then
      return association
    end
  end
  return nil
end

-- Answers a Query: over an association with this peer if there is one, else in D-mode, from
-- `response_source` where a case wants another source than its own.
local function on_query(self, session, item)
  session.queries[#session.queries + 1] = item
  -- One over an association has no packet to answer to; the case sees that it came.
  if self.silent or not item.packet then return self.case:_wake() end
  local responding = session.responding or { cookies = {} }
  session.responding = responding
  local cookie = self.net.random(16)
  responding.cookies[cookie] = true
  local association = open_association_with(self, peer_of(item), item)
  local query_cookie = item:raw("Query-Cookie") or ""
  local response = messages.response(self, session, query_cookie, cookie,
    not association and offers(self, item) or nil)
  if self.change_response then instruction_bound.run(self.change_response, response) end
  local bytes = messages.encode_gist(response)
  local sent = messages.read(bytes)
  self.case:_trace(self.name .. " sends", sent)
  local address = item:values("NLI").interface
  function responding.send()
    if association then return association:send(bytes) end
    -- The Query may name an address that nothing can be sent to: then it gets no Response.
    pcall(self.send_datagram, self, bytes, { source = self.response_source,
      destination = address or item.packet.source,
      destination_port = item.packet.source_port })
  end
  responding.sent, responding.answered_at = sent, self.net.now()
  responding.send()
  self.case:_wake()
end

-- The last Response of this session once more, octet for octet.
function Neighbour:respond_again(session)
  self.case:_trace(self.name .. " sends again", session.responding.sent)
  session.responding.send()
end

local function on_confirm(self, session, item)
  local responding = session.responding
  if not responding then return end
  local cookie = item:raw("Responder-Cookie")
  responding.confirm = item
  responding.confirms = responding.confirms or {}
  table.insert(responding.confirms, item)
  if cookie and responding.cookies[cookie] and item.association then
    item.association.peer = peer_of(session.queries[#session.queries])
    responding.association = item.association
  end
  self.case:_wake()
end

-- Receiving --------------------------------------------------------------------------------------

local NO_ROUTING_STATE, VERSION_AND_HOPS = 5, 2

-- Whether this is the kind of message that the Error quotes the header of.
local function has_sent(session, failure)
  if not failure.original_header then return false end
  local header = failure.original_header:sub(VERSION_AND_HOPS + 1)
  for sent in tables.sorted(session.querying and session.querying.all_sent or {}) do
    if sent:sub(1, #header) == header then return true end
  end
  return false
end

-- An Error that answers a Query which nobody waits for any more: one that was sent again, when its
-- first answer was under way or lost.
local function comes_late(self, item)
  local failure = item:values("Error")
  local late = false
  for sid, session in tables.sorted(self.case.by_sid) do
    if (failure.s == 0 or failure.original_sid == sid) and has_sent(session, failure) then
      local exchange = session.querying
      local over = exchange.stopped and not exchange.response and exchange.attempts > 1
      if not over then return false end
      late = true
    end
  end
  return late
end

-- Where there is no association, the Confirm may have been lost: RFC 5971, 4.4.6.
local function lacks_confirm(self, session, item)
  local exchange = session and session.querying
  return self.name == "NI" and exchange and exchange.options.d_mode and exchange.confirmed_at
    and item.code == NO_ROUTING_STATE
end

local function on_error(self, session, item)
  if lacks_confirm(self, session, item) then
    return self:_start_handshake(session, session.querying.options)
  elseif not comes_late(self, item) then
    item.session = session
    self.inbox[#self.inbox + 1] = item
    self.case:_wake()
  end
end

function Neighbour:_received(item)
  self.case.heard = true
  local session = item.sid and (self.case.by_sid[item.sid] or Initiated.adopt(self.case, item))
  local name = item.gist.name
  self.case:_trace(self.name .. " received", item)
  if name == "Error" and item:has("Error") then return on_error(self, session, item) end
  if not session and name ~= "Error" and name ~= "Data" then return end
  if name == "Query" and self.name == "NR" then return on_query(self, session, item) end
  if name == "Response" and self.name == "NI" then return on_response(self, session, item) end
  if name == "Confirm" and self.name == "NR" then return on_confirm(self, session, item) end
  item.session = session
  self.inbox[#self.inbox + 1] = item
  self.case:_wake()
end

-- A datagram to one of this neighbour's addresses.
-- Whether the path has made two of this datagram, or two of what it answers. The copies of a copy
-- count from the one before.
local function is_copy(self, parts, at)
  local within_ms = self.case.ixit.path.copies_ms
  if within_ms == 0 then return false end
  local key = table.concat({ parts.source, parts.source_port, parts.destination_port,
    parts.payload }, "|")
  local before = self.arrived_at[key]
  self.arrived_at[key] = at
  return before ~= nil and at - before <= within_ms
end

function Neighbour:_received_packet(parts, at)
  if parts.payload:sub(1, 4) ~= gist.magic or is_copy(self, parts, at) then return end
  local item = messages.read(parts.payload:sub(5))
  if item.gist.name == "MA-Hello" then self.stray_hellos = self.stray_hellos + 1 end
  item.at, item.mode, item.packet = at, item.gist.header.c == 1 and "Q" or "D", parts
  self.case:_guard(self._received, self, item)
end

function Neighbour:_close()
  if self.listener then self.listener:close() end
  for _, list in ipairs({ self.associations, self.opened or {} }) do
    for _, association in ipairs(list) do
      association:_close()
    end
  end
end

return Neighbour
