-- RFC 5973, section 3.5: message sequence numbers.

local FIREWALL = { "NF-FW", "edge-FW" }
local LIMIT = 4294967296

return {
  {
    id = "3.5-msn-forwarded-unchanged",
    purpose = "An NF forwards the MSN of the initiator, in the first CREATE and in a refresh.",
    roles = FIREWALL, smoke = true,
    requirements = { "RFC5973-3.5-1b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local create = session:send_create():expect_create()
      t:check({ "RFC5973-3.5-1b" }, "the first MSN is forwarded unchanged", session.msn, create.msn)
      session.forwarded = create
      session:respond():expect_response()
      create = session:send_create():expect_create()
      t:check({ "RFC5973-3.5-1b" }, "the next MSN is forwarded unchanged", session.msn, create.msn)
    end,
  },
  {
    id = "3.5-stale-msn-discarded",
    purpose = "A CREATE with an equal or lower MSN is discarded: not forwarded, not answered, and "
      .. "it changes nothing.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.5-6", "RFC5973-3.5-7" },
    run = function(t)
      local session = t:session():establish()
      t:passes(session.data)
      t:body()
      local stored = session.msn
      for _, distance in ipairs({ 0, 1, 1000 }) do
        local stale = (stored - distance) % LIMIT
        local what = distance == 0 and "an equal MSN" or "an MSN lower by " .. distance
        session:send_create({ msn = stale, lifetime_s = 0 })
        t:nothing(t.nr, { "RFC5973-3.5-6" }, "a deletion with " .. what .. " is not forwarded")
        t:nothing(t.ni, { "RFC5973-3.5-6" }, "a deletion with " .. what .. " is not answered")
        t:passes(session.data, { "RFC5973-3.5-6" }, "a deletion with " .. what
          .. " deletes nothing")
      end
      session.forwarded = session:send_create():expect_create({ "RFC5973-3.5-7" },
        "a CREATE with a higher MSN is processed")
      session:respond():expect_response({ "RFC5973-3.5-7" })
    end,
  },
  {
    id = "3.5-newer-msn-stored",
    purpose = "The MSN of each accepted CREATE is stored: its RESPONSE is passed on, and the same "
      .. "MSN again is stale.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.5-7", "RFC5973-3.5-i5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session.forwarded = session:send_create():expect_create({ "RFC5973-3.5-i5" },
        "the first CREATE is forwarded")
      session:respond():expect_response({ "RFC5973-3.5-7", "RFC5973-3.5-i5" },
        "the RESPONSE with the first MSN is passed on")
      for round = 1, 2 do
        session.forwarded = session:send_create():expect_create({ "RFC5973-3.5-7" }, "refresh "
          .. round .. " is forwarded")
        session:send_create({ msn = session.msn })
        t:nothing(t.nr, { "RFC5973-3.5-7" }, "the MSN of refresh " .. round
          .. " was stored: again it is stale")
        session:respond():expect_response({ "RFC5973-3.5-7" },
          "the RESPONSE with the MSN of refresh " .. round .. " is passed on")
      end
      t:control()
      session:send_create():expect_create()
    end,
  },
  {
    id = "3.5-msn-wraps-around",
    purpose = "After 0xFFFFFFFF comes 0: it is newer, and what came before it is stale.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.5-4" },
    run = function(t)
      local session = t:session({ msn = LIMIT - 1 }):establish()
      t:body()
      session.forwarded = session:send_create():expect_create({ "RFC5973-3.5-4" },
        "MSN 0 follows 0xFFFFFFFF")
      t:check({ "RFC5973-3.5-4" }, "the wrapped MSN is forwarded", 0, session.forwarded.msn)
      session:respond():expect_response()
      session:send_create({ msn = LIMIT - 1 })
      t:nothing(t.nr, { "RFC5973-3.5-4" }, "0xFFFFFFFF is stale after 0")
      session.forwarded = session:send_create():expect_create({ "RFC5973-3.5-4" },
        "MSN 1 follows 0")
    end,
  },
  {
    id = "3.5-response-carries-received-msn",
    purpose = "A RESPONSE that the NF makes itself carries the MSN of the request that it answers.",
    roles = FIREWALL,
    requirements = { "RFC5973-3.5-5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:send_create({ rule_action = 3 })
      local response = session:expect_response(nil, "the bad rule action is answered")
      t:check({ "RFC5973-3.5-5" }, "the RESPONSE carries the received MSN", session.msn,
        response.msn)
    end,
  },
  {
    id = "3.5-stale-response-installs-nothing",
    purpose = "A RESPONSE with another MSN than the latest request's does not put the rule in "
      .. "force.",
    roles = FIREWALL, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-7" },
    run = function(t)
      local session = t:session()
      session.forwarded = session:send_create():expect_create()
      t:blocked(session.data)
      t:body()
      session:respond({ msn = (session.msn - 1) % LIMIT })
      t:blocked(session.data, { "RFC5973-3.7.1-7" },
        "a success RESPONSE to no request of this session opens nothing")
      t:control()
      t:await(t.ixit.timing.quiet_ms, function() return table.remove(t.ni.inbox, 1) end)
      session:respond():expect_response()
      t:passes(session.data)
    end,
  },
}
