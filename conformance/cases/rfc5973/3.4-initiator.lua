-- RFC 5973, sections 3.2 to 3.7: how an initiator keeps its sessions, and what it does about what
-- comes back. The IXIT's trigger has it open and close sessions.

local INITIATOR = { "NI" }
local messages = require("runner.messages")

local LIMIT = 4294967296
local NO_ANSWER = "RFC5973-3.2.7-1"
local REAUTHENTICATE, GOING_DOWN, EXPIRED, TERMINATED, NOT_ASSIGNED = 2, 3, 4, 5, 0x7F

local function expect_next_msn(t, session, ids)
  t:check(ids, "its MSN is the one before plus one", (session.last_msn + 1) % LIMIT, session.msn)
end

-- A session that is granted so little that it would have to refresh soon.
local function short_session(t)
  return t:trigger_session({ lifetime_s = t.ixit.lifetime.short_s }):establish()
end

local function lives_until(session) return session.established_at + session.granted_s * 1000 end

-- The IUT and the path still work.
local function expect_another_session(t)
  t:control()
  t:tolerate("CREATE", false)
  t:trigger_session():establish()
end

-- After this NOTIFY the session is over: it is refreshed no more.
local function ends_session(code, id)
  return function(t)
    local session = short_session(t)
    t:body()
    t.nr:send_nslp(session, messages.notify(code))
    t:nothing(t.nr, { id, NO_ANSWER }, "it is not answered, and the session not refreshed",
      session.granted_s * 1000 + t.ixit.timing.expiry_late_ms)
    expect_another_session(t)
  end
end

-- After this NOTIFY the session may be asked for anew, and nothing else comes.
local function keeps_session(code)
  return function(t)
    local session = t:trigger_session():establish()
    t:body()
    t.nr:send_nslp(session, messages.notify(code))
    local item = t:await(t.ixit.timing.quiet_ms, function() return t.nr.inbox[1] end)
    t:reading("A86", item and "asks the path anew" or "waits")
    if item then
      session:expect_create({ NO_ANSWER, "RFC5973-3.7.5-12" },
        "what comes is a request, neither RESPONSE nor NOTIFY")
      expect_next_msn(t, session, { "RFC5973-3.5-3" })
      session:respond()
    end
    local deletion = session:delete():expect_create({ NO_ANSWER, "RFC5973-3.7.5-12" },
      "nothing else, until it is deleted")
    t:check(nil, "with lifetime zero", 0, deletion.lifetime_s)
    expect_next_msn(t, session, { "RFC5973-3.5-3" })
  end
end

local cases = {
  {
    id = "ni-3.4-lowered-lifetime",
    purpose = "An NI whose lifetime was lowered refreshes before what was granted ends.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.7.3-i8", "RFC5973-3.5-3" },
    run = function(t)
      local session = t:trigger_session()
        :establish({ response = { lifetime_s = t.ixit.lifetime.short_s } })
      t:body()
      session:expect_create({ "RFC5973-3.7.3-i8" }, "a refresh comes within the granted lifetime",
        session.granted_s * 1000)
      expect_next_msn(t, session, { "RFC5973-3.5-3" })
      t:check({ "RFC5973-3.7.3-i8" }, "before it ends", "in time",
        t.net.now() < lives_until(session) and "in time" or "late")
      session:respond()
    end,
  },
  {
    id = "ni-3.2.8-session-without-answer-ends",
    purpose = "A session of an NI whose CREATE is never answered ends with the lifetime asked for; the "
      .. "NI reports that.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.2.8-2" },
    run = function(t)
      t:body()
      local session = t:trigger_session({ lifetime_s = t.ixit.lifetime.short_s })
      session:expect_create(nil, "the IUT sends a CREATE")
      t:tolerate("CREATE") -- it may ask again meanwhile
      session:expect_reported(1, { "RFC5973-3.2.8-2" }, "the trigger reports the failure")
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.4-unanswered-refresh",
    purpose = "A session of an NI whose refreshes are not answered ends with its lifetime: nothing more "
      .. "is signalled for it.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.2.8-3", "RFC5973-3.4-1a" },
    run = function(t)
      local session = short_session(t)
      t:body()
      session:expect_create(nil, "a refresh comes", session.granted_s * 1000)
      local sent = 1
      t:await(lives_until(session) + t.ixit.timing.expiry_late_ms - t.net.now(), function()
        local item = table.remove(t.nr.inbox, 1)
        if item then sent = sent + 1 end
      end)
      t:reading("refreshes without an answer", tostring(sent))
      t:nothing(t.nr, { "RFC5973-3.2.8-3", "RFC5973-3.4-1a" },
        "no request comes after the lifetime", session.granted_s * 1000)
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.7.3-refused-refresh",
    purpose = "An NI whose refresh is refused uses no MSN again, and ends the session or asks again.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.5-2b", "RFC5973-3.5-3" },
    run = function(t)
      local session = short_session(t)
      t:body()
      local ids = { "RFC5973-3.5-2b", "RFC5973-3.5-3" }
      session:expect_create(ids, "a refresh comes", session.granted_s * 1000)
      expect_next_msn(t, session, ids)
      session:respond({ class = 4, code = 1 })
      local item = t:await(lives_until(session) - t.net.now(), function() return t.nr.inbox[1] end)
      t:reading("A38", item and "asks again" or "asks no more")
      if item then
        session:expect_create(ids, "what comes is a request")
        expect_next_msn(t, session, ids)
      end
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.7.4-deleted-is-not-refreshed",
    purpose = "After its deletion a session of an NI is refreshed no more.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.7.4-i2" },
    run = function(t)
      local session = short_session(t)
      t:body()
      local deletion = session:delete():expect_create({ "RFC5973-3.7.4-i2" }, "a CREATE comes")
      t:check({ "RFC5973-3.7.4-i2" }, "its lifetime is zero", 0, deletion.lifetime_s)
      t:nothing(t.nr, { "RFC5973-3.7.4-i2" }, "no request comes after it", session.granted_s * 1000)
      expect_another_session(t)
    end,
  },
  {
    id = "ni-4.3.1-tcp-flow",
    purpose = "An NI asks for a TCP flow by an MRI of protocol 6 with its ports.",
    roles = INITIATOR, needs = { "tcp_flows" },
    requirements = { "RFC5973-4.3.1-2" },
    run = function(t)
      t:body()
      local session = t:trigger_session({ protocol = "tcp" })
      local create = session:expect_create({ "RFC5973-4.3.1-2" })
      local mri, flow = create.gist.by_type[0].values, session.flow
      t:check({ "RFC5973-4.3.1-2" }, "its protocol and ports",
        string.format("6, %d to %d", flow.source_port, flow.destination_port),
        string.format("%s, %s to %s", mri.protocol, mri.source_port, mri.dest_port))
      session:expect_granted()
    end,
  },
  {
    id = "ni-3.7.1-response-of-another-session",
    purpose = "A RESPONSE of a session that the NI does not have is not taken for that of one it has.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.2.8-i2" },
    run = function(t)
      local ids = { "RFC5973-3.2.8-i2" }
      local session = t:trigger_session()
      local create = session:expect_create(nil, "the IUT sends a CREATE")
      t:body()
      t:tolerate("GIST Error") -- for want of routing state
      t.nr:send_nslp(session, messages.nslp_response({ msn = session.msn,
        lifetime_s = create.lifetime_s }),
        { change = function(data) data.objects[2].values = { sid = t.net.random(16) } end })
      t:nothing(t.nr, ids, "it is not answered")
      t:check(ids, "it is not taken for the answer", "still running", session.opening:summary())
      t:control()
      session:expect_granted(nil, "the right RESPONSE is taken")
      session:expect_alive()
    end,
  },
  {
    id = "ni-3.7.1-response-with-another-msn",
    purpose = "What an NI does about a RESPONSE whose MSN is that of no request: it does not answer it, "
      .. "and takes the right one after it.",
    roles = INITIATOR,
    requirements = { NO_ANSWER },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create(nil, "the IUT sends a CREATE")
      t:body()
      session:respond({ msn = (session.msn - 1) % LIMIT })
      t:nothing(t.nr, { NO_ANSWER }, "it is not answered")
      local taken = session.opening.status ~= nil
      t:reading("A33", taken and "taken" or "dropped")
      if t.strict then
        t:check(nil, "as this project reads it, it is dropped", "still running",
          session.opening:summary())
      end
      session:expect_granted({ NO_ANSWER }, "the right RESPONSE is taken")
      t:control()
      session:expect_alive()
    end,
  },
  {
    id = "ni-3.2.7-class-1-is-no-success",
    purpose = "A RESPONSE of class 1, which is NOTIFY's, is no success for an NI.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.2.7-i2", NO_ANSWER },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create(nil, "the IUT sends a CREATE")
      t:body()
      session:respond({ class = 1, code = 5, lifetime_s = session.forwarded.lifetime_s })
      local asked = t:await(t.ixit.timing.quiet_ms,
        function() return session.opening.status or t.nr.inbox[1] end)
      t:reading("A14", asked and "an error" or "dropped")
      t:check({ "RFC5973-3.2.7-i2" }, "success is not reported", "no exit status 0",
        session.opening:summary(), session.opening.status ~= 0)
      t:tolerate("CREATE") -- another try
      t:nothing(t.nr, { NO_ANSWER }, "it is not answered")
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.2.7-success-of-any-code",
    purpose = "A RESPONSE of class 2 is a success for an NI, whatever its code.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.2.7-i2" },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create(nil, "the IUT sends a CREATE")
      t:body()
      session:respond({ class = 2, code = 0x7F })
      session:expect_reported(0, { "RFC5973-3.2.7-i2" }, "the trigger reports success")
    end,
  },
  {
    id = "ni-3.7.1-no-node-answers",
    purpose = "An NI whose Queries nobody answers sends them again, gives up, and reports the failure.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.7.1-8", "RFC5971-5.3.3-1b" },
    run = function(t)
      t.nr.silent = true
      local session = t:trigger_session()
      local query = t:await(t.ixit.timing.response_ms, function() return session.queries[1] end)
      t:check(nil, "a Query comes", "a Query", messages.summary(query), query ~= nil)
      t:body()
      session:expect_reported(1, { "RFC5973-3.7.1-8" }, "the trigger reports the failure")
      t:check({ "RFC5971-5.3.3-1b" }, "the Query was sent again", "2 or more", #session.queries,
        #session.queries >= 2)
      t.nr.silent = false
      expect_another_session(t)
    end,
  },
}

for _, row in ipairs({ { "terminated", TERMINATED, "RFC5973-3.7.5-i6" },
  { "expired", EXPIRED, "RFC5973-3.7.5-i5" } }) do
  cases[#cases + 1] = { id = "ni-3.7.5-notify-" .. row[1], roles = INITIATOR,
    purpose = string.format("NOTIFY 1/0x%02X ends the session of an NI: it is not answered, and the "
      .. "session not refreshed.", row[2]),
    requirements = { row[3], NO_ANSWER }, run = ends_session(row[2], row[3]) }
end

for _, row in ipairs({ { "re-authentication", REAUTHENTICATE }, { "going-down", GOING_DOWN },
  { "not-assigned", NOT_ASSIGNED } }) do
  cases[#cases + 1] = { id = "ni-3.7.5-notify-" .. row[1], roles = INITIATOR,
    purpose = string.format("NOTIFY 1/0x%02X is not answered by an NI; the session goes on.", row[2]),
    requirements = { NO_ANSWER, "RFC5973-3.7.5-12", "RFC5973-3.5-3" }, run = keeps_session(row[2]) }
end

return cases
