-- RFC 5971, sections 4.1.2, 4.3, 4.4.6, 5.5 and 5.6: what may come over an association or straight
-- to the IUT, said by whichever neighbour it has: the initiator's side, or the responder's side of
-- an initiator.

local ALL = { "NF-FW", "edge-FW", "NR", "NI" }
local QUERIER = { "NF-FW", "edge-FW", "NI" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local ERROR, HELLO = 9, 10
local FOREIGN = 40 -- an NSLPID that the IUT does not host
local AGAIN_MS = 1100 -- T1 and twice T1, in which a retransmission would come

-- A session that is established; who of ours talks to the IUT, its association, its direction.
local function established(t, from_responder)
  if not (t:judges_initiator() or from_responder) then
    local session = t:session():establish()
    return session, { peer = t.ni, association = session.querying.association, d = 0 }
  end
  local session = t:outbound_session():establish()
  return session, { peer = t.nr, association = session.responding.association, d = 1 }
end

-- The session still works, at the neighbour that has seen nothing.
local function still_works(t, session, side)
  t:control()
  if side.d == 0 then return session:send_create():expect_accepted() end
  session:delete():expect_create(nil, "the session goes on: its deletion comes")
end

-- What the runner would say next in a session: a request that is fresh, or a RESPONSE.
local function next_message(session, side)
  if side.d == 0 then return session:create_message() end
  return messages.nslp_response({ msn = session.msn, lifetime_s = session.forwarded.lifetime_s })
end

local function expect_error(t, side, wanted, ids, text)
  local item = t:expect(side.peer, "GIST Error", nil, ids, text .. " is answered by an Error")
  local is = wanted:find("/") and item.code .. "/" .. item.subcode or tostring(item.code)
  t:check(ids, text .. ": error", wanted, is)
  return item
end

-- An Error message of ours, about a message that the IUT never sent.
local function error_about_nothing(t, code)
  local bytes = messages.encode_gist(messages.data(t:session(), 1, ""))
  local quoted = messages.read(bytes).gist
  local mri = quoted.by_type[0].raw
  return { header = { type = 4, s = 1, hops = 1, nslpid = 0 }, objects = {
    { type = ERROR, values = { class = 2, code = code, subcode = 0, s = 1, m = 1,
      original_header = bytes:sub(1, 8), original_sid = quoted.by_type[1].raw, original_mri = mri,
      mri_length = #mri // 4, infos = {} } } } }
end

local function not_answered(ids, code)
  return function(t)
    local session, side = established(t)
    t:body()
    side.association:send(messages.encode_gist(error_about_nothing(t, code)))
    t:nothing(side.peer, ids, "over an association it is not answered")
    local failure = error_about_nothing(t, code)
    table.insert(failure.objects, 1, messages.nli(side.peer, 64))
    side.peer:send_datagram(messages.encode_gist(failure),
      { destination = side.peer:peer_address(session) })
    t:nothing(side.peer, ids, "nor in D-mode")
    still_works(t, session, side)
  end
end

local function in_direction(side, change)
  return function(data)
    data.objects[1].values.d = side.d
    if change then change(data) end
  end
end

-- Requests that the initiator sends without waiting; the first one's MSN.
local function burst_of_creates(session, count)
  local first = session.msn
  for _ = 1, count do session:send_create() end
  return first
end

return {
  {
    id = "gist-4.4.6-error-about-nothing",
    purpose = "An Error about a message that the IUT did not send is not answered.",
    roles = ALL,
    requirements = { "RFC5971-4.4.6-2a" },
    run = not_answered({ "RFC5971-4.4.6-2a" }, 4),
  },
  {
    id = "gist-4.4.6-no-routing-state-about-nothing",
    purpose = "'No Routing State' about a session that the IUT does not have is not answered.",
    roles = ALL,
    requirements = { "RFC5971-4.4.6-4b" },
    run = not_answered({ "RFC5971-4.4.6-4b" }, 5),
  },
  {
    id = "gist-4.4.6-no-routing-state",
    purpose = "An IUT that answers Data and Confirms without routing state says 'No Routing "
      .. "State'.",
    roles = ALL,
    requirements = { "RFC5971-4.4.6-3" },
    run = function(t)
      local session, side = established(t)
      local destination = side.peer:peer_address(session)
      t:body()
      local stranger = t:session()
      local data = messages.data(stranger, side.d, messages.encode_natfw(
        next_message(session, side)))
      table.insert(data.objects, 3, messages.nli(side.peer, 64))
      local confirm = messages.confirm(side.peer, stranger)
      confirm.objects[1].values.d = side.d
      for _, message in ipairs({ data, confirm }) do
        side.peer:send_datagram(messages.encode_gist(message), { destination = destination })
        local item = t:await(t.ixit.timing.quiet_ms,
          function() return table.remove(side.peer.inbox, 1) end)
        if not item then t:not_applicable("the IUT drops them in silence, as 4.3.2 allows") end
        t:check({ "RFC5971-4.4.6-3" }, "the answer is 'No Routing State'", "GIST Error 5",
          item.name .. " " .. tostring(item.code))
      end
    end,
  },
  {
    id = "gist-5.6-error-over-the-association",
    purpose = "An Error about a message of an association comes back over it, and once.",
    roles = ALL,
    requirements = { "RFC5971-5.6-5", "RFC5971-4.3.1-5" },
    run = function(t)
      local session, side = established(t)
      t:body()
      side.peer:send_nslp(session, next_message(session, side),
        { change = in_direction(side, spoil.header("hops", 0)) })
      local item = expect_error(t, side, "2", { "RFC5971-4.3.1-5", "RFC5971-5.6-5" },
        "a message without hops left")
      t:check({ "RFC5971-5.6-5" }, "over the association that it came by", "that one",
        item.association == side.association and "that one" or item.mode .. "-mode")
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-5.6-error-once",
    purpose = "An Error is not sent again, over an association or in D-mode.",
    roles = ALL,
    requirements = { "RFC5971-5.6-2b" },
    run = function(t)
      local session, side = established(t)
      t:body()
      side.peer:send_nslp(session, next_message(session, side),
        { change = in_direction(side, spoil.header("hops", 0)) })
      expect_error(t, side, "2", { "RFC5971-5.6-2b" }, "a message without hops left")
      t:nothing(side.peer, { "RFC5971-5.6-2b" }, "over the association it is not sent again",
        AGAIN_MS)
      side.peer:send_datagram(messages.encode_gist(messages.hello(7, true)),
        { destination = side.peer:peer_address(session) })
      t:expect(side.peer, "GIST Error", nil, { "RFC5971-5.6-2b" }, "an MA-Hello in D-mode is "
        .. "answered by an Error")
      t:nothing(side.peer, { "RFC5971-5.6-2b" }, "in D-mode it is not sent again", AGAIN_MS)
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-4.1.2-in-order-once",
    purpose = "What is sent without waiting comes once each, in its order, over one association.",
    roles = { "NF-FW", "edge-FW", "NR" },
    requirements = { "RFC5971-4.1.2-1", "RFC5971-4.1.2-2", "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" },
    run = function(t)
      local delivery = { "RFC5971-4.1.2-1", "RFC5971-4.1.2-2" }
      local one = { "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" }
      local session = t:session():connect()
      t.nr.silent = true
      t:body()
      local first = burst_of_creates(session, 4)
      if not t:judges_responder() then
        local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
        t:check(delivery, "a Query comes", "a Query", messages.summary(query), query ~= nil)
        t:pause(1) -- until it has been left unanswered
        t.nr.silent = false
      end
      local association
      for place = 0, 4 do
        local item
        if place == 4 then session:send_create() end -- after the handshake that the others made
        if t:judges_responder() then
          item = session:expect_response(delivery)
        else
          item = session:expect_create(delivery, "CREATE " .. place + 1 .. " comes")
        end
        t:check(delivery, "it is number " .. place + 1, (first + place) % 4294967296, item.msn)
        association = association or item.association
        t:check(one, "over the association of the first", "that one",
          item.association == association and "that one" or "another")
      end
      local last = t:judges_responder() and t.ni or t.nr
      t:nothing(last, { "RFC5971-4.1.2-1" }, "none comes twice")
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-4.1.2-initiator-once",
    purpose = "An initiator's requests come once each, over one association.",
    roles = { "NI" },
    requirements = { "RFC5971-4.1.2-1", "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" },
    run = function(t)
      t:body()
      local session = t:trigger_session()
      local opening = session:expect_request({ "RFC5971-4.1.2-1" }, "the opening request comes")
      t:nothing(t.nr, { "RFC5971-4.1.2-1" }, "once")
      session:respond()
      session:expect_reported(0, nil, "the trigger reports success")
      session:close()
      local closing = session:expect_request({ "RFC5971-4.1.2-1" }, "then the deletion comes")
      t:check({ "RFC5971-4.1.2-1" }, "it is the next", (opening.msn + 1) % 4294967296, closing.msn)
      t:check({ "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" }, "over the same association", "the same",
        closing.association == opening.association and "the same" or "another")
      t:nothing(t.nr, { "RFC5971-4.1.2-1" }, "once as well")
      t:control()
      t:trigger_session():expect_request(nil, "another session's request comes")
    end,
  },
  {
    id = "gist-5.4-no-bundling",
    purpose = "What an NSLP sends because of an event comes by itself, and does not wait for more.",
    roles = { "NF-FW", "edge-FW", "NR" },
    requirements = { "RFC5971-5.4-1" },
    run = function(t)
      local ids, at_once_ms = { "RFC5971-5.4-1" }, t.ixit.timing.response_ms / 6
      local session = t:session()
      t:body()
      for _ = 1, 2 do
        session:send_create()
        local sent_at = t.net.now()
        local item = session:expect_accepted(ids, "the next message of the exchange comes")
        t:check(ids, "at once", string.format("within %.0f ms", at_once_ms),
          string.format("%.0f ms", item.at - sent_at), item.at - sent_at < at_once_ms)
      end
    end,
  },
  {
    id = "gist-5.1-hello-from-the-responder",
    purpose = "A node that opened an association answers an MA-Hello on it, by 'Value Not "
      .. "Supported' if its Hello-ID is zero, and by 'Incorrect Encapsulation' in D-mode.",
    roles = QUERIER,
    requirements = { "RFC5971-5.1-20b", "RFC5971-5.2.2-9b", "RFC5971-5.5-1" },
    run = function(t)
      local session, side = established(t, true)
      local association = side.association
      t:body()
      association:send(messages.encode_gist(messages.hello(305419896, true)))
      local reply = t:await(t.ixit.timing.response_ms, function()
        for _, hello in ipairs(association.hellos) do
          if hello.gist.by_type[HELLO].values.hello_id ~= 0 then return hello end
        end
        return nil
      end)
      t:check({ "RFC5971-5.1-20b" }, "a reply comes with the same Hello-ID", 305419896,
        reply and reply.gist.by_type[HELLO].values.hello_id)
      t:check({ "RFC5971-5.1-20b" }, "R is clear in it", 0, reply.gist.header.r)
      association:send(messages.encode_gist(messages.hello(0, true)))
      expect_error(t, side, "10/1", { "RFC5971-5.2.2-9b" }, "a Hello-ID of zero")
      t.nr:send_datagram(messages.encode_gist(messages.hello(7, true)),
        { destination = t.nr:peer_address(session) })
      expect_error(t, side, "3", { "RFC5971-5.5-1" }, "an MA-Hello in D-mode")
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-4.3-data-from-the-responder",
    purpose = "Data to the node that asked are refused where they are for another application, have "
      .. "a wrong flag or belong to no session.",
    roles = QUERIER,
    requirements = { "RFC5971-4.3.4-2", "RFC5971-A.1-1", "RFC5971-5.2.1-1", "RFC5971-A.1-5",
      "RFC5971-4.3.2-12" },
    run = function(t)
      local session, side = established(t, true)
      t:body()
      t.nr:send_nslp_datagram(session, next_message(session, side),
        spoil.header("nslpid", FOREIGN))
      expect_error(t, side, "6", { "RFC5971-4.3.4-2" }, "one for another application")
      t.nr:send_nslp(session, next_message(session, side), { change = spoil.header("r", 1) })
      expect_error(t, side, "1/2", { "RFC5971-A.1-1", "RFC5971-A.1-5" }, "one with R set")
      t.nr:send_nslp(session, next_message(session, side), { change = spoil.header("c", 1) })
      expect_error(t, side, "1/5", { "RFC5971-5.2.1-1", "RFC5971-A.1-5" }, "one with C set")
      local stranger = t:session()
      side.association:send(messages.encode_gist(messages.data(stranger, 1,
        messages.encode_natfw(next_message(session, side)))))
      local answer = t:await(t.ixit.timing.quiet_ms,
        function() return table.remove(t.nr.inbox, 1) end)
      t:check({ "RFC5971-4.3.2-12" }, "one of no session: an Error, or none",
        "error 4, 5 or nothing", messages.summary(answer), not answer or answer.name == "GIST Error"
          and (answer.code == 4 or answer.code == 5))
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-5.3.1-no-magic-number-from-the-responder",
    purpose = "A datagram to the node that asked without the magic number is dropped silently; an "
      .. "Error with a fault is not answered.",
    roles = QUERIER,
    requirements = { "RFC5971-5.3.1-4", "RFC5971-5.6-1" },
    run = function(t)
      local session, side = established(t, true)
      local destination = t.nr:peer_address(session)
      t:body()
      local hello = messages.encode_gist(messages.hello(7, true))
      t.nr:send_datagram(hello, { magic = "\78\4\189\164", destination = destination })
      t:nothing(t.nr, { "RFC5971-5.3.1-4" }, "what would be an error else is not answered")
      t.nr:send_datagram(hello, { destination = destination })
      t:expect(t.nr, "GIST Error", nil, { "RFC5971-5.3.1-4" }, "with the magic number it is")
      local wrong = error_about_nothing(t, 4)
      table.insert(wrong.objects, { type = 0x3F0, raw = "\1\2\3\4" })
      side.association:send(messages.encode_gist(wrong))
      t:nothing(t.nr, { "RFC5971-5.6-1" }, "an Error with an unknown object is not answered")
      still_works(t, session, side)
    end,
  },
}
