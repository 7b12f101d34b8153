-- RFC 5971, sections 4.4.1 to 4.4.3, 5.7.1 and 5.7.3: associations over TLS: what is offered and
-- proposed, who may be a peer, and that a plain association does not take the place of a secure one.

local messages = require("runner.messages")
local roles = require("runner.roles")

-- Whether a forwarder asks for security onward is its application's choice: cases about that need the
-- claim that it does (ics.tls_onward).
local SECURE, EITHER = { "tls" }, { "tls", "tcp" }
local AUTHORISED = { "RFC5971-4.4.1-7a", "RFC5971-4.4.1-7b", "RFC5971-4.4.2-3a" }

local function stacks_of(item)
  local proposed, names = item:values("Stack-Proposal"), {}
  for _, stack in ipairs(EITHER) do
    if messages.profile_of(proposed, stack) then names[#names + 1] = stack end
  end
  return table.concat(names, " and ")
end

-- The other neighbour, where there is one, has TLS as well, and this name.
local function offer(t, name)
  if not t:judges_responder() then t.nr:offer_tls(name) end
end

-- A session over TLS, by a peer that is authorised.
local function secure_session(t)
  offer(t, t.ixit.tls.peer)
  return t:session():connect{ stacks = SECURE, tls_name = t.ixit.tls.peer }
end

-- Ended without a word of GIST. `association` may not be there yet.
local function expect_silent_end(t, association)
  local ended = association:await_end()
  t:check{ ids = AUTHORISED, text = "the association is torn down", expected = "closed",
    actual = ended and "closed" or "open" }
  t:check{ ids = { "RFC5971-4.4.2-3a" }, text = "nothing of GIST has come over it", expected = 0,
    actual = association.count + #association.hellos }
end

-- The firewall gives the request up, and may tell so; another one over TLS works.
local function expect_another_works(t)
  t:control()
  t.ni:await_message{ within_ms = t.ixit.timing.no_peer_ms }
  t.ni:drain()
  secure_session(t):send_create():expect_accepted()
end

return {
  {
    id = "gist-5.7.3-offered",
    purpose = "A Query that proposes TLS is answered by a Response that offers it with a port, and "
      .. "over that association a session is opened.",
    roles = roles.answers_queries, needs = { "tls" },
    requirements = { "RFC5971-5.7.3-i3", "RFC5971-5.7.1-i2" },
    run = function(t)
      offer(t, t.ixit.tls.peer)
      t:body()
      local response = t:session():query_only{ stacks = EITHER }:expect_gist_response()
      t:check{ ids = { "RFC5971-5.7.1-i2" }, text = "the Response offers TLS over TCP",
        expected = "tls", actual = stacks_of(response):match("tls") }
      local session = t:session():connect{ stacks = EITHER, tls_name = t.ixit.tls.peer,
        ids = { "RFC5971-5.7.3-i3" } }
      session:send_create():expect_accepted{ ids = { "RFC5971-5.7.3-i3" } }
    end,
  },
  {
    id = "gist-4.4.2-stranger",
    purpose = "An association of a peer that is authenticated, and not authorised, is torn down "
      .. "without a word, if not before its Confirm; one of an authorised peer works.",
    roles = roles.answers_queries, needs = { "tls" },
    requirements = AUTHORISED,
    run = function(t)
      offer(t, t.ixit.tls.peer)
      t:body()
      local session = t:session():start_handshake{ stacks = SECURE, tls_name = t.ixit.tls.stranger }
      if session:await_confirm() then
        session:send_create()
        t:expect_not_processed{ ids = AUTHORISED, text = "its CREATE is not processed" }
        expect_silent_end(t, session:association())
      else
        session:expect_gist_response()
        t:check{ ids = AUTHORISED, text = "it gets no association", expected = "none",
          actual = session:association() and "one" or "none" }
      end
      t:control()
      t.ni:drain()
      secure_session(t):send_create():expect_accepted()
    end,
  },
  {
    id = "gist-5.7.1-secure-goes-on-securely",
    purpose = "A request that came over TLS goes on over TLS: the Query for it proposes nothing less.",
    roles = roles.firewall, needs = { "tls", "tls_onward" },
    requirements = { "RFC5971-5.7.1-8" },
    run = function(t)
      local session = secure_session(t)
      t:body()
      session:send_create()
      local query = session:expect_query{ ids = { "RFC5971-5.7.1-8" } }
      t:check{ ids = { "RFC5971-5.7.1-8" }, text = "it proposes TLS, and nothing that is plain",
        expected = "tls", actual = stacks_of(query) }
      session:expect_accepted{ ids = { "RFC5971-5.7.1-8" } }
      t:check{ ids = { "RFC5971-5.7.1-8" }, text = "the association with the responder is of TLS",
        expected = true, actual = session:responder_association().is_secure }
    end,
  },
  {
    id = "gist-4.4.2-strange-responder",
    purpose = "A responder that is authenticated, and not authorised, gets neither a Confirm nor a "
      .. "request.",
    roles = roles.firewall, needs = { "tls", "tls_onward" },
    requirements = AUTHORISED,
    run = function(t)
      local session = secure_session(t)
      t.nr:offer_tls(t.ixit.tls.stranger)
      t:body()
      session:send_create()
      session:expect_query()
      local opened = t.nr:await_association()
      t:check{ text = "the IUT connects to the responder", expected = "a connection",
        actual = opened and "a connection" or "none" }
      expect_silent_end(t, opened)
      t:check{ ids = AUTHORISED, text = "no Confirm has come", expected = 0,
        actual = session:received_confirm() and 1 or 0 }
      expect_another_works(t)
    end,
  },
  {
    id = "gist-5.7.1-plain-not-reused",
    purpose = "A Query that proposes TLS alone is not answered over a plain association with its "
      .. "sender, but in D-mode.",
    roles = roles.answers_queries, needs = { "tls" },
    requirements = { "RFC5971-5.7.1-12" },
    run = function(t)
      t:session():connect()
      t:body()
      local response = t:session():query_only{ stacks = SECURE }
        :expect_gist_response{ ids = { "RFC5971-5.7.1-12" } }
      t:check{ ids = { "RFC5971-5.7.1-12" }, text = "it comes in D-mode", expected = "D",
        actual = response.mode }
      t:control()
      local again = t:session():query_only{ stacks = EITHER }:expect_gist_response()
      t:check{ text = "one that proposes TCP too is answered at all", expected = "a Response",
        actual = messages.summary(again) and "a Response" }
    end,
  },
  {
    id = "gist-5.7.1-not-bid-down",
    purpose = "A responder that answers a Query for TLS alone by offering TCP gets no plain "
      .. "association.",
    roles = roles.firewall, needs = { "tls", "tls_onward" },
    requirements = { "RFC5971-5.7.1-8" },
    run = function(t)
      local session = secure_session(t)
      t.nr.bids_down = true
      t:body()
      session:send_create()
      session:expect_query()
      t:pause(t.ixit.timing.quiet_ms)
      t:check{ ids = { "RFC5971-5.7.1-8" }, text = "it connects to nobody", expected = 0,
        actual = #t.nr.associations }
      t.nr.bids_down = false
      expect_another_works(t)
    end,
  },
}
