-- RFC 5971, sections 4.1.2, 4.3, 4.4.6, 5.5 and 5.6: what may come over an association or straight
-- to the IUT, said by whichever neighbour it has: the initiator's side, or the responder's side of
-- an initiator.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local FOREIGN = 40 -- an NSLPID that the IUT does not host
local UNKNOWN = 0x3F0 -- an object that no RFC has registered
local ANOTHER_MAGIC = "\78\4\189\164" -- GIST's but for the last bit

local AGAIN_MS = 1100 -- T1 and twice T1, in which a retransmission would come

-- A session that is established; who of ours talks to the IUT, its association, its direction.
local function established(t, from_responder)
  if not (t:judges_initiator() or from_responder) then
    local session = t:session():establish()
    return session, { peer = t.ni, association = session:association(),
      d = messages.DOWNSTREAM }
  end
  local session = t:outbound_session():establish()
  if t:judges_initiator() then t:tolerate("CREATE") end -- a refresh may come at any time
  return session, { peer = t.nr, association = session:responder_association(),
    d = messages.UPSTREAM }
end

-- The session still works, at the neighbour that has seen nothing.
local function still_works(t, session, side)
  t:control()
  if side.peer == t.ni then return session:send_create():expect_accepted() end
  t:tolerate_no_more("CREATE")
  session:delete():expect_deletion{ text = "the session goes on: its deletion comes" }
end

-- What the runner would say next in a session: a request that is fresh, or a RESPONSE.
local function next_message(session, side)
  if side.d == messages.DOWNSTREAM then return session:create_message() end
  return messages.nslp_response({ msn = session.msn, lifetime_s = session:forwarded_lifetime_s() })
end

-- An Error of ours, about a message that the IUT never sent.
local function error_about_nothing(t, name)
  return messages.error(name, messages.data(t:session(), messages.UPSTREAM, ""))
end

local function not_answered(ids, name)
  return function(t)
    local session, side = established(t)
    t:body()
    side.association:send(error_about_nothing(t, name))
    side.peer:expect_nothing{ ids = ids, text = "over an association it is not answered" }
    local failure = error_about_nothing(t, name)
    table.insert(failure.objects, 1, messages.nli(side.peer))
    side.peer:send_to_iut(session, failure)
    side.peer:expect_nothing{ ids = ids, text = "nor in D-mode" }
    still_works(t, session, side)
  end
end

local function in_direction(side, change)
  return function(data)
    spoil.values(data, "MRI").d = side.d
    change(data)
  end
end

-- Whether the second MSN was sent after the first, in a burst.
local function later(first, second)
  local distance = second and messages.msn_sum(second, -first) or 0
  return distance > 0 and distance < 100
end

-- The request does not come again; one with another MSN is another.
local function expect_once(t, request, what)
  local again = 0
  for _, item in ipairs(t.nr:drain{ within_ms = t.ixit.timing.quiet_ms }) do
    again = again + (item.msn == request.msn and 1 or 0)
  end
  t:check{ ids = { "RFC5971-4.1.2-1" }, text = what .. " comes once", expected = 0, actual = again }
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
    roles = roles.all,
    requirements = { "RFC5971-4.4.6-2a" },
    run = not_answered({ "RFC5971-4.4.6-2a" }, "Incorrectly Delivered Message"),
  },
  {
    id = "gist-4.4.6-no-routing-state-about-nothing",
    purpose = "'No Routing State' about a session that the IUT does not have is not answered.",
    roles = roles.all,
    requirements = { "RFC5971-4.4.6-4b" },
    run = not_answered({ "RFC5971-4.4.6-4b" }, "No Routing State"),
  },
  {
    id = "gist-4.4.6-no-routing-state",
    purpose = "An IUT that answers Data and Confirms without routing state says 'No Routing "
      .. "State'.",
    roles = roles.all,
    requirements = { "RFC5971-4.4.6-3" },
    run = function(t)
      local session, side = established(t)
      t:body()
      local stranger = t:session()
      local data = messages.data(stranger, side.d, next_message(session, side))
      table.insert(data.objects, 3, messages.nli(side.peer))
      local confirm = messages.confirm(side.peer, stranger)
      spoil.values(confirm, "MRI").d = side.d
      for _, message in ipairs({ data, confirm }) do
        side.peer:send_to_iut(session, message)
        local item = side.peer:take()
        if not item then t:not_applicable("the IUT drops them in silence, as 4.3.2 allows") end
        t:check{ ids = { "RFC5971-4.4.6-3" }, text = "the answer is 'No Routing State'",
          expected = "GIST Error 5", actual = item.name .. " " .. tostring(item.code) }
      end
    end,
  },
  {
    id = "gist-5.6-error-over-the-association",
    purpose = "An Error about a message of an association comes back over it, and once.",
    roles = roles.all,
    requirements = { "RFC5971-5.6-5", "RFC5971-4.3.1-5" },
    run = function(t)
      local session, side = established(t)
      t:body()
      side.peer:send_nslp(session, next_message(session, side),
        { change = in_direction(side, spoil.header("hops", 0)) })
      local item = side.peer:expect_error{ ids = { "RFC5971-4.3.1-5", "RFC5971-5.6-5" },
        text = "a message without hops left is answered by an Error", error = "Hop Limit Exceeded" }
      t:check{ ids = { "RFC5971-5.6-5" }, text = "over the association that it came by",
        expected = "that one",
        actual = item.association == side.association and "that one" or item.mode .. "-mode" }
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-5.6-error-once",
    purpose = "An Error is not sent again, over an association or in D-mode.",
    roles = roles.all,
    requirements = { "RFC5971-5.6-2b" },
    run = function(t)
      local session, side = established(t)
      t:body()
      side.peer:send_nslp(session, next_message(session, side),
        { change = in_direction(side, spoil.header("hops", 0)) })
      side.peer:expect{ message = "GIST Error",
        text = "a message without hops left is answered by an Error" }
      side.peer:expect_nothing{ ids = { "RFC5971-5.6-2b" }, message = "GIST Error",
        text = "over the association it is not sent again", for_ms = AGAIN_MS }
      side.peer:insist(function() side.peer:send_to_iut(session, messages.hello(7, true)) end,
        { message = "GIST Error", text = "an MA-Hello in D-mode is answered by an Error" })
      side.peer:expect_nothing{ ids = { "RFC5971-5.6-2b" }, message = "GIST Error",
        text = "in D-mode it is not sent again", for_ms = AGAIN_MS }
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-4.1.2-in-order-once",
    purpose = "What is sent without waiting comes once each, in its order, over one association.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-4.1.2-1", "RFC5971-4.1.2-2", "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" },
    run = function(t)
      local delivery = { "RFC5971-4.1.2-1", "RFC5971-4.1.2-2" }
      local one = { "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" }
      local session = t:session():connect()
      t.nr.silent = true
      t:body()
      local before = messages.msn_sum(burst_of_creates(session, 4), -1)
      if not t:judges_responder() then
        session:expect_query()
        t.nr.silent = false
      end
      local observer, association = t:judges_responder() and t.ni or t.nr, nil
      local function look_at(item)
        t:check{ ids = delivery, text = "each comes after those that were sent before it",
          expected = "later than the one before", actual = item.msn,
          holds = later(before, item.msn) }
        before, association = item.msn, association or item.association
        t:check{ ids = one, text = "over the association of the first", expected = "that one",
          actual = item.association == association and "that one" or "another" }
      end
      -- None has to be sent on that a newer one has overtaken.
      for _ = 1, 4 do
        local item = observer:await_message()
        if not item then break end
        look_at(observer:take())
      end
      session:send_create() -- after the handshake that the others made
      for _, item in ipairs(observer:drain{ within_ms = t.ixit.timing.quiet_ms }) do look_at(item) end
      t:check{ text = "the last is delivered", expected = session.msn, actual = before }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-4.1.2-initiator-once",
    purpose = "An initiator's requests come once each, over one association.",
    roles = roles.initiator,
    requirements = { "RFC5971-4.1.2-1", "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" },
    run = function(t)
      t:body()
      local session = t:trigger_session()
      local opening = session:expect_create{ text = "the opening request comes" }
      expect_once(t, opening, "the opening request")
      session:respond()
      session:expect_reported{ text = "the trigger reports success" }
      session:close()
      local closing = session:expect_create{ text = "then the deletion comes" }
      t:check{ ids = { "RFC5971-4.3.3-8a", "RFC5971-4.3.3-8b" },
        text = "over the same association, if that is still there", expected = "the same",
        actual = closing.association == opening.association and "the same" or "another",
        holds = closing.association == opening.association or opening.association.closed_at ~= nil }
      expect_once(t, closing, "the deletion")
      t:control()
      t:trigger_session():expect_create{ text = "another session's request comes" }
    end,
  },
  {
    id = "gist-5.4-no-bundling",
    purpose = "What an NSLP sends because of an event comes by itself, and does not wait for more.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.4-1" },
    run = function(t)
      -- What a path loses, TCP sends again later.
      local ids = { "RFC5971-5.4-1" }
      local at_once_ms = t.ixit.timing.response_ms / (t.ixit.path.loses and 2 or 6)
      local session = t:session()
      t:body()
      for _ = 1, 2 do
        session:send_create()
        local sent_at = t:now()
        local item = session:expect_accepted{ ids = ids,
          text = "the next message of the exchange comes" }
        t:check{ ids = ids, text = "at once",
          expected = string.format("within %.0f ms", at_once_ms),
          actual = string.format("%.0f ms", item.at - sent_at),
          holds = item.at - sent_at < at_once_ms }
      end
    end,
  },
  {
    id = "gist-5.1-hello-from-the-responder",
    purpose = "A node that opened an association answers an MA-Hello on it, by 'Value Not "
      .. "Supported' if its Hello-ID is zero, and by 'Incorrect Encapsulation' in D-mode.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.1-20b", "RFC5971-5.2.2-9b", "RFC5971-5.5-1" },
    run = function(t)
      local session, side = established(t, true)
      local association = side.association
      t:body()
      association:expect_hello_answered{ ids = { "RFC5971-5.1-20b" } }
      association:send(messages.hello(0, true))
      side.peer:expect_error{ ids = { "RFC5971-5.2.2-9b" },
        text = "a Hello-ID of zero is answered by an Error", error = "Value Not Supported" }
      side.peer:expect_error{ ids = { "RFC5971-5.5-1" },
        text = "an MA-Hello in D-mode is answered by an Error", error = "Incorrect Encapsulation",
        send = function() t.nr:send_to_iut(session, messages.hello(7, true)) end }
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-4.3-data-from-the-responder",
    purpose = "Data to the node that asked are refused where they are for another application, have "
      .. "a wrong flag or belong to no session.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-4.3.4-2", "RFC5971-A.1-5", "RFC5971-4.3.2-12" },
    run = function(t)
      local session, side = established(t, true)
      t:body()
      side.peer:expect_error{ ids = { "RFC5971-4.3.4-2" },
        text = "one for another application is answered by an Error", error = "Unknown NSLPID",
        send = function()
          t.nr:send_nslp_datagram(session, next_message(session, side),
            { change = spoil.header("nslpid", FOREIGN) })
        end }
      t.nr:send_nslp(session, next_message(session, side), { change = spoil.header("r", 1) })
      side.peer:expect_error{ ids = { "RFC5971-A.1-5" },
        text = "one with R set is answered by an Error", error = "Invalid R-flag" }
      t.nr:send_nslp(session, next_message(session, side), { change = spoil.header("c", 1) })
      side.peer:expect_error{ ids = { "RFC5971-A.1-5" },
        text = "one with C set is answered by an Error", error = "Invalid C-flag" }
      local stranger = t:session()
      side.association:send(messages.data(stranger, messages.UPSTREAM,
        next_message(session, side)))
      local answer = t.nr:take()
      t:check{ ids = { "RFC5971-4.3.2-12" }, text = "one of no session: an Error, or none",
        expected = "error 4, 5 or nothing", actual = messages.summary(answer),
        holds = not answer or answer:is_error("Incorrectly Delivered Message", "No Routing State") }
      still_works(t, session, side)
    end,
  },
  {
    id = "gist-5.3.1-no-magic-number-from-the-responder",
    purpose = "A datagram to the node that asked without the magic number is dropped silently; an "
      .. "Error with a fault is not answered.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.3.1-4", "RFC5971-5.6-1" },
    run = function(t)
      local session, side = established(t, true)
      t:body()
      t.nr:send_to_iut(session, messages.hello(7, true), { magic = ANOTHER_MAGIC })
      t.nr:expect_nothing{ ids = { "RFC5971-5.3.1-4" },
        text = "what would be an error else is not answered" }
      t.nr:insist(function() t.nr:send_to_iut(session, messages.hello(7, true)) end,
        { message = "GIST Error", ids = { "RFC5971-5.3.1-4" }, text = "with the magic number it is" })
      local wrong = error_about_nothing(t, "Incorrectly Delivered Message")
      spoil.with({ type = UNKNOWN, raw = "\1\2\3\4" })(wrong)
      side.association:send(wrong)
      t.nr:expect_nothing{ ids = { "RFC5971-5.6-1" },
        text = "an Error with an unknown object is not answered" }
      still_works(t, session, side)
    end,
  },
}
