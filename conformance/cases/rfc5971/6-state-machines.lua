-- RFC 5971, sections 4.4, 5.3.3 and 6: messages that come again, late, out of place or not at
-- all, on both sides of the handshake, and what the machines do about them.

local gist = require("codec.gist")
local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local SOON_MS = 1000 -- for what has to be done at once

-- The association of a session, as the runner's side of it sees it.
local function association_of(t, session)
  return t:judges_initiator() and session:responder_association() or session:association()
end

local wrong_cookie = spoil.cookie("Responder-Cookie")

-- Sends the Response once more, and again, for it may be lost: another Confirm than `before`, or nil.
local function confirmed_again(t, session, before)
  for _ = 1, session:was_queried() and t:attempts() or 0 do
    t.nr:respond_again(session)
    local confirm = session:await_received_confirm(before)
    if confirm then return confirm end
  end
end

return {
  {
    id = "gist-6.3-confirm-again",
    purpose = "A Confirm of a session that is established is ignored in silence.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-6.3-2" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      session:send_confirm(session:response())
      t.ni:expect_nothing{ ids = { "RFC5971-6.3-2" }, text = "the same Confirm is not answered" }
      t:check{ ids = { "RFC5971-6.3-2" }, text = "the association is kept", expected = "open",
        actual = session:association().open and "open" or "closed" }
      session:send_create():expect_accepted{ ids = { "RFC5971-6.3-2" },
        text = "the session goes on" }
    end,
  },
  {
    id = "gist-5.7.1-refresh-with-wrong-cookie",
    purpose = "A refresh whose Confirm has a wrong Responder-Cookie ends the routing state, as 5.7.1 "
      .. "has it: Data after it are not processed. As 6.3 has it, it may be ignored as well.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.7.1-14b" },
    run = function(t)
      local ids = { "RFC5971-5.7.1-14b" }
      local session, other = t:session():establish(), t:session():establish()
      local association = session:association()
      t:body()
      local response = session:query_only()
        :expect_gist_response{ ids = ids, text = "the refreshing Query is answered" }
      if response.gist.header.r == 0 then t:not_applicable("its Response asks for no Confirm") end
      session:use_association(association)
      session:send_confirm(response, wrong_cookie)
      t:tolerate("GIST Error")
      t:tolerate("NOTIFY")
      session:send_create()
      local processed = t:await_message{ within_ms = t.ixit.timing.quiet_ms }
      t:reading{ of = "5.7.1-14b", seen = processed and "ignored" or "ends the state" }
      if processed and not t.strict then
        t:not_applicable("the IUT ignores such a Confirm, as 6.3 has it")
      end
      t:expect_not_processed{ ids = ids,
        text = "a CREATE after the wrong Confirm is not processed" }
      t:control()
      other:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-5.3.3-response-backoff",
    purpose = "A Response that is not confirmed and sent again comes at intervals that double.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.3.3-10b" },
    needs = { "lossless" },
    run = function(t)
      local session = t:session():establish()
      t:body()
      session:query_only()
      local first = session:await_response()
      session:stop_asking()
      local third = session:await_response{ number = 3, within_ms = t.ixit.timing.no_peer_ms }
      if not third then t:not_applicable("the IUT sends fewer than three Responses") end
      local second = session:await_response{ number = 2 }
      session:expect_iut_between{ ids = { "RFC5971-5.3.3-10b" } }
      t:expect_backoff{ ids = { "RFC5971-5.3.3-10b" }, times = { first.at, second.at, third.at } }
    end,
  },
  {
    id = "gist-5.3.3-confirm-of-an-earlier-response",
    purpose = "Of two Responses to two Queries of one session, the first can be confirmed.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.3.3-8" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      t:body()
      local first = session:query_only():expect_gist_response()
      session:query_only():expect_gist_response{ text = "another comes" }
      if first.mode ~= "C" then t:not_applicable("the IUT wants an association a session") end
      session:use_association(other:association())
      session:send_confirm(first)
      session:send_create():expect_accepted{ ids = { "RFC5971-5.3.3-8" },
        text = "the session is there, and a CREATE is accepted" }
    end,
  },
  {
    id = "gist-5.3.3-response-to-an-earlier-query",
    purpose = "A Response with the cookie of a Query that was sent again since is taken.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.3.3-8" },
    run = function(t)
      local session = t:outbound_session()
      t.nr.silent = true
      t:body()
      session:begin()
      local first = session:expect_query()
      if not session:await_query{ number = 2, within_ms = t.ixit.timing.no_peer_ms } then
        t:not_applicable("the IUT sends its Query once")
      end
      t.nr.silent = false
      t.nr.change_response = spoil.raw("Query-Cookie", first:raw("Query-Cookie"))
      session:expect_create{ ids = { "RFC5971-5.3.3-8" },
        text = "a later one is answered with the cookie of the first, and the request comes",
        within_ms = t.ixit.timing.no_peer_ms }
    end,
  },
  {
    id = "gist-6.2-response-again",
    purpose = "A Response that comes again is treated like the first: it is confirmed again, over "
      .. "the same association.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-6.2-3", "RFC5971-5.3.3-9b" },
    run = function(t)
      local ids = { "RFC5971-6.2-3", "RFC5971-5.3.3-9b" }
      local session = t:outbound_session():establish()
      local before = session:received_confirm()
      t:body()
      local again = confirmed_again(t, session, before)
      t:check{ ids = ids, text = "a Confirm comes again", expected = "a Confirm",
        actual = messages.summary(again), holds = again ~= nil }
      t:check{ ids = ids, text = "with the same cookie", expected = "the same",
        actual = again:raw("Responder-Cookie") == before:raw("Responder-Cookie")
          and "the same" or "another" }
      t:check{ ids = ids, text = "and no other association is opened", expected = 1,
        actual = #t.nr.associations }
    end,
  },
  {
    id = "gist-6.2-confirm-to-the-querier",
    purpose = "A Confirm to the node that asked is an event that its machine does not have: it is "
      .. "ignored.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-6.2-7" },
    run = function(t)
      local session = t:outbound_session():establish()
      t:body()
      local message = messages.confirm(t.nr, session, t.net.random(16))
      spoil.values(message, "MRI").d = messages.UPSTREAM
      session:responder_association():send(message)
      t.nr:expect_nothing{ ids = { "RFC5971-6.2-7" }, text = "it is not answered" }
      t:control()
      session:delete():expect_deletion{ text = "the session goes on: its deletion comes" }
    end,
  },
  {
    id = "gist-4.4.1-association-at-once",
    purpose = "Right after the Response the association is set up; what the NSLP sends waits for "
      .. "it and comes after the Confirm.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-4.4.1-6", "RFC5971-6.2-1b", "RFC5971-4.3.2-9" },
    run = function(t)
      t:body()
      local session = t:outbound_session():begin()
      local association = session:await_responder_association()
      t:check{ ids = { "RFC5971-4.4.1-6" }, text = "an association is set up and confirmed",
        expected = "set up", actual = association and "set up" or "none" }
      local confirm = session:received_confirm()
      local after = confirm.at - session:answered_at()
      t:check{ ids = { "RFC5971-4.4.1-6" }, text = "right after the Response",
        expected = "within " .. SOON_MS .. " ms", actual = string.format("%.0f ms", after),
        holds = after <= SOON_MS }
      local create = session:expect_create{ ids = { "RFC5971-6.2-1b", "RFC5971-4.3.2-9" },
        text = "the request that waited comes, for the NSLP" }
      t:check{ ids = { "RFC5971-6.2-1b" }, text = "over that association, after the Confirm",
        expected = "after it",
        actual = create.association == association and create.place > confirm.place and "after it"
          or "elsewhere" }
    end,
  },
  {
    id = "gist-5.1-confirm-without-association",
    purpose = "A Response that offers no association, to a Query that proposes none, is confirmed in "
      .. "D-mode.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.1-13", "RFC5971-5.3.1-1", "RFC5971-5.3.1-5" },
    run = function(t)
      t.nr.silent = true
      local query = t:outbound_session():begin():expect_query()
      if query:has("Stack-Proposal") then
        t:not_applicable("the IUT proposes associations, and 5.7.1 has them answered so")
      end
      t.nr.silent = false
      t:body()
      t.nr.change_response = spoil.all(spoil.without("Stack-Proposal"),
        spoil.without("Stack-Configuration-Data"))
      local item
      for _ = 1, t:attempts() do -- of sessions: who waits for an association may forget this one
        item = t:outbound_session():begin():await_received_confirm()
        if item then break end
      end
      t:check{ ids = { "RFC5971-5.1-13" }, text = "a Confirm comes", expected = "a Confirm",
        actual = messages.summary(item), holds = item ~= nil }
      t:check{ ids = { "RFC5971-5.1-13", "RFC5971-5.3.1-1" },
        text = "in D-mode, normally encapsulated", expected = "D", actual = item.mode }
      t:check{ ids = { "RFC5971-5.3.1-1" }, text = "to the responder itself",
        expected = t.nr.address, actual = item.packet.destination }
      t:check{ ids = { "RFC5971-5.3.1-5" }, text = "to the port that the Response came from",
        expected = gist.port, actual = item.packet.destination_port }
    end,
  },
  {
    id = "gist-4.4.5-hellos",
    purpose = "Unasked MA-Hellos come over the association, with Hello-ID zero, in time for the "
      .. "peer's hold time and at random moments.",
    roles = roles.all,
    requirements = { "RFC5971-5.1-19", "RFC5971-5.2.2-9a", "RFC5971-4.4.5-12" },
    run = function(t)
      t.ni.hold_time_ms, t.nr.hold_time_ms = 1200, 1200
      local session = (t:judges_initiator() and t:outbound_session() or t:session()):establish()
      local association = association_of(t, session)
      t:body()
      local last = association:await_hello{ number = 6, within_ms = 6 * t.ni.hold_time_ms }
      t:check{ ids = { "RFC5971-5.1-19" }, text = "no MA-Hello comes in D-mode", expected = 0,
        actual = t.ni.stray_hellos + t.nr.stray_hellos }
      if not last then t:not_applicable("the IUT lets idle associations go") end
      local least, most = math.huge, 0
      for place, hello in ipairs(association.hellos) do
        if hello.gist.header.r == 0 then
          t:check{ ids = { "RFC5971-5.2.2-9a" }, text = "Hello-ID of one without R", expected = 0,
            actual = hello:values("Hello-ID").hello_id }
        end
        local before = association.hellos[place - 1]
        local after = before and hello.at - before.at
        least, most = math.min(least, after or least), math.max(most, after or most)
      end
      t:check{ ids = { "RFC5971-4.4.5-12" }, text = "not all after the same time",
        expected = "15 ms apart or more", actual = string.format("%.0f ms", most - least),
        holds = most - least >= 15 }
    end,
  },
}
