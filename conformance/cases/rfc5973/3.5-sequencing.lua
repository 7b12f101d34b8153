-- RFC 5973, section 3.5: message sequence numbers.

local messages = require("runner.messages")
local roles = require("runner.roles")

local LAST_MSN = 4294967295
local NO_RULE_ACTION = 3 -- neither allow nor deny

-- What is forwarded has the MSN, or what answers it.
local function wraps_around(t)
  local ids = { "RFC5973-3.5-4" }
  local session = t:session{ msn = LAST_MSN }:establish()
  t:body()
  session:send_create()
  local answer = session:expect_accepted{ ids = ids, text = "MSN 0 follows 0xFFFFFFFF" }
  t:check{ ids = ids, text = "it goes on with MSN 0", expected = 0,
    actual = (session.forwarded or answer).msn }
  session:send_create{ msn = LAST_MSN }
  t:expect_not_processed{ ids = ids, text = "0xFFFFFFFF is stale after 0" }
  session:send_create():expect_accepted{ ids = ids, text = "MSN 1 follows 0" }
end

return {
  {
    id = "3.5-msn-forwarded-unchanged",
    purpose = "An NF forwards the MSN of the initiator, in the first CREATE and in a refresh.",
    roles = roles.firewall, smoke = true,
    requirements = { "RFC5973-3.5-1b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local create = session:send_create():expect_create()
      t:check{ ids = { "RFC5973-3.5-1b" }, text = "the first MSN is forwarded unchanged",
        expected = session.msn, actual = create.msn }
      session.forwarded = create
      session:respond():expect_response()
      create = session:send_create():expect_create()
      t:check{ ids = { "RFC5973-3.5-1b" }, text = "the next MSN is forwarded unchanged",
        expected = session.msn, actual = create.msn }
    end,
  },
  {
    id = "3.5-stale-msn-discarded",
    purpose = "A CREATE with an equal or lower MSN is discarded: not forwarded, not answered, and "
      .. "it changes nothing.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.5-6", "RFC5973-3.5-7" },
    run = function(t)
      local session = t:session():establish()
      session.data:expect_passing()
      t:body()
      local stored = session.msn
      for _, distance in ipairs({ 0, 1, 1000 }) do
        local stale = messages.msn_sum(stored, -distance)
        local what = distance == 0 and "an equal MSN" or "an MSN lower by " .. distance
        session:send_create{ msn = stale, lifetime_s = 0 }
        t.nr:expect_nothing{ ids = { "RFC5973-3.5-6" },
          text = "a deletion with " .. what .. " is not forwarded" }
        t.ni:expect_nothing{ ids = { "RFC5973-3.5-6" },
          text = "a deletion with " .. what .. " is not answered" }
        session.data:expect_passing{ ids = { "RFC5973-3.5-6" },
          text = "a deletion with " .. what .. " deletes nothing" }
      end
      session:send_create():expect_create{ ids = { "RFC5973-3.5-7" },
        text = "a CREATE with a higher MSN is processed" }
      session:respond():expect_response()
    end,
  },
  {
    id = "3.5-newer-msn-stored",
    purpose = "The MSN of each accepted CREATE is stored: its RESPONSE is passed on, and the same "
      .. "MSN again is stale.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.5-7", "RFC5973-3.7.1-i20" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create():expect_create()
      for round = 1, 2 do
        session:send_create():expect_create{ ids = { "RFC5973-3.5-7" },
          text = "refresh " .. round .. " is forwarded" }
        session:send_create{ msn = session.msn }
        t.nr:expect_nothing{ ids = { "RFC5973-3.5-7" },
          text = "the MSN of refresh " .. round .. " was stored: again it is stale" }
        session:respond():expect_response{ ids = { "RFC5973-3.7.1-i20" },
          text = "the RESPONSE with the MSN of refresh " .. round .. " is passed on" }
      end
      t:control()
      session:send_create():expect_create()
    end,
  },
  {
    id = "3.5-first-msn-stored",
    purpose = "The MSN of the CREATE that begins a session is stored: again it is stale.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.5-i5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create():expect_create()
      session:send_create{ msn = session.msn }
      t.nr:expect_nothing{ ids = { "RFC5973-3.5-i5" }, text = "the same MSN is not forwarded again" }
      t:control()
      session:respond():expect_response()
      session:send_create():expect_create()
    end,
  },
  {
    id = "3.5-msn-wraps-around",
    purpose = "After 0xFFFFFFFF comes 0: it is newer, and what came before it is stale.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.5-4" }, run = wraps_around,
  },
  {
    id = "nr-3.5-msn-wraps-around",
    purpose = "For an NR too 0 follows 0xFFFFFFFF.",
    roles = roles.responder,
    requirements = { "RFC5973-3.5-4" }, run = wraps_around,
  },
  {
    id = "3.5-response-carries-received-msn",
    purpose = "A RESPONSE that the NF makes itself carries the MSN of the request that it answers.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.5-5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create{ rule_action = NO_RULE_ACTION }
      local response = session:expect_response{ text = "the bad rule action is answered" }
      t:check{ ids = { "RFC5973-3.5-5" }, text = "the RESPONSE carries the received MSN",
        expected = session.msn, actual = response.msn }
    end,
  },
  {
    id = "3.5-stale-response-installs-nothing",
    purpose = "What a RESPONSE with another MSN than the latest request's does: the text matches it by "
      .. "the session id, so that it may put the rule in force or not; the right one does.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-i22" },
    run = function(t)
      local session = t:session()
      session:send_create():expect_create()
      session.data:expect_blocked()
      t:body()
      local before = session.data:mark()
      session:respond{ msn = session:msn_plus(-1) }
      t:pause(t.ixit.timing.quiet_ms)
      t:reading{ of = "A33", ids = { "RFC5973-3.7.1-i22" }, ours = "opens nothing",
        seen = session.data:since(before).forward > 0 and "opens the path" or "opens nothing" }
      t.ni:drain()
      session:respond()
      session.data:expect_passing{ ids = { "RFC5973-3.7.1-i22" },
        text = "the RESPONSE to the request opens the path" }
    end,
  },
}
