-- RFC 5973, sections 3.2 to 3.7: how an initiator keeps its sessions, and what it does about what
-- comes back. The IXIT's trigger has it open and close sessions.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local NO_ANSWER = "RFC5973-3.2.7-1"

-- A session that is granted so little that it would have to refresh soon.
local function short_session(t)
  return t:trigger_session{ lifetime_s = t.ixit.lifetime.short_s }:establish()
end

-- The IUT and the path still work; `session` may still be asked for.
local function expect_another_session(t, session)
  t:control()
  t:tolerate_no_more("CREATE")
  if session then t:tolerate("CREATE", session) end
  t:trigger_session():establish()
end

-- After this NOTIFY the session is over: it is refreshed no more.
local function ends_session(info, id)
  return function(t)
    local session = short_session(t)
    t:body()
    t.nr:send_nslp(session, messages.notify(info))
    if t.nr:expect_no_response{ ids = { NO_ANSWER }, text = "it is not answered" } > 0 then
      t:not_applicable("the IUT asks for the session anew at once")
    end
    t.nr:expect_nothing{ ids = { id }, message = "CREATE", text = "the session is not refreshed",
      for_ms = session.granted_s * 1000 + t.ixit.timing.expiry_late_ms }
    expect_another_session(t)
  end
end

-- After this NOTIFY the session may be asked for anew, or be given up, and nothing else comes.
local function keeps_session(info)
  return function(t)
    local session = t:trigger_session():establish()
    t:body()
    local function expect_request(within_ms)
      local item = t.nr:await_message{ within_ms = within_ms }
      t:check{ ids = { NO_ANSWER, "RFC5973-3.7.5-12" }, expected = "a request, or nothing",
        text = "what comes is neither RESPONSE nor NOTIFY", actual = messages.summary(item),
        holds = not item or item.name ~= "RESPONSE" and item.name ~= "NOTIFY" }
      if not item then return nil end
      session:expect_create()
      session:expect_next_msn{ ids = { "RFC5973-3.5-3" } }
      return true
    end
    t.nr:send_nslp(session, messages.notify(info))
    local anew = expect_request(t.ixit.timing.quiet_ms)
    t:reading{ of = "A86", seen = anew and "asks the path anew" or "waits" }
    if anew then session:respond() end
    session:close()
    if not expect_request() then t:not_applicable("the IUT has given the session up") end
  end
end

local cases = {
  {
    id = "ni-3.4-lowered-lifetime",
    purpose = "An NI whose lifetime was lowered refreshes before what was granted ends.",
    roles = roles.initiator, needs = { "refreshes" },
    requirements = { "RFC5973-3.7.3-i8", "RFC5973-3.5-3" },
    run = function(t)
      local session = t:trigger_session()
        :establish{ response = { lifetime_s = t.ixit.lifetime.short_s } }
      t:body()
      session:expect_create{ ids = { "RFC5973-3.7.3-i8" },
        text = "a refresh comes within the granted lifetime", within_ms = session.granted_s * 1000 }
      session:expect_next_msn{ ids = { "RFC5973-3.5-3" } }
      t:check{ ids = { "RFC5973-3.7.3-i8" }, text = "before it ends", expected = "in time",
        actual = t:now() < session:ends_at() and "in time" or "late" }
      session:respond()
    end,
  },
  {
    id = "ni-3.2.8-session-without-answer-ends",
    purpose = "A session of an NI whose CREATE is not answered ends with the lifetime asked for: a "
      .. "success that comes later is taken for none.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.2.8-2" },
    run = function(t)
      local ids = { "RFC5973-3.2.8-2" }
      local session = t:trigger_session{ lifetime_s = t.ixit.lifetime.short_s }
      local create = session:expect_create()
      t:body()
      t:pause(create.lifetime_s * 1000 + t.ixit.timing.expiry_late_ms)
      local said = session:reported()
      t:reading{ of = "3.2.8-2", seen = said and "reported at its end" or "not reported by its end" }
      if not said then
        if t.nr:waiting() > 0 then t:not_applicable("the IUT has asked again meanwhile") end
        session:respond()
        t:pause(t.ixit.timing.quiet_ms)
      end
      session:expect_no_success{ ids = ids }
      expect_another_session(t, session)
    end,
  },
  {
    id = "ni-3.4-unanswered-refresh",
    purpose = "A session of an NI whose refreshes are not answered ends with its lifetime: nothing more "
      .. "is signalled for it.",
    roles = roles.initiator, needs = { "refreshes" },
    requirements = { "RFC5973-3.2.8-3", "RFC5973-3.4-1a" },
    run = function(t)
      local session = short_session(t)
      t:body()
      session:expect_create{ text = "a refresh comes", within_ms = session.granted_s * 1000 }
      local more = t.nr:drain{
        within_ms = session:ends_at() + t.ixit.timing.expiry_late_ms - t:now() }
      t:reading{ of = "refreshes without an answer", seen = tostring(1 + #more) }
      t.nr:expect_nothing{ ids = { "RFC5973-3.2.8-3", "RFC5973-3.4-1a" },
        message = "CREATE", text = "no request comes after the lifetime",
        for_ms = session.granted_s * 1000 }
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.7.3-refused-refresh",
    purpose = "An NI whose refresh is refused uses no MSN again, and ends the session or asks again.",
    roles = roles.initiator, needs = { "refreshes" },
    requirements = { "RFC5973-3.5-2b", "RFC5973-3.5-3" },
    run = function(t)
      local session = short_session(t)
      t:body()
      local ids = { "RFC5973-3.5-2b", "RFC5973-3.5-3" }
      session:expect_create{ text = "a refresh comes", within_ms = session.granted_s * 1000 }
      session:expect_next_msn{ ids = ids }
      session:respond{ info = "4/0x01" }
      local item = t.nr:await_message{ within_ms = session:ends_at() - t:now() }
      t:reading{ of = "A38", seen = item and "asks again" or "asks no more" }
      if item then
        session:expect_create{ text = "what comes is a request" }
        session:expect_next_msn{ ids = ids }
      end
      expect_another_session(t, session)
    end,
  },
  {
    id = "ni-3.7.4-deleted-is-not-refreshed",
    purpose = "After its deletion a session of an NI is refreshed no more.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.7.4-i2" },
    run = function(t)
      local session = short_session(t)
      t:body()
      session:delete():expect_deletion{ ids = { "RFC5973-3.7.4-i2" }, text = "a CREATE comes" }
      t.nr:expect_nothing{ ids = { "RFC5973-3.7.4-i2" }, message = "CREATE",
        text = "no request comes after it", for_ms = session.granted_s * 1000 }
      expect_another_session(t)
    end,
  },
  {
    id = "ni-4.3.1-tcp-flow",
    purpose = "An NI asks for a TCP flow by an MRI of protocol 6 with its ports.",
    roles = roles.initiator, needs = { "tcp_flows" },
    requirements = { "RFC5973-4.3.1-2" },
    run = function(t)
      t:body()
      local session = t:trigger_session{ protocol = "tcp" }
      local create = session:expect_create()
      local mri, flow = create:values("MRI"), session.flow
      t:check{ ids = { "RFC5973-4.3.1-2" }, text = "its protocol and ports",
        expected = string.format("6, %d to %d", flow.source_port, flow.destination_port),
        actual = string.format("%s, %s to %s", mri.protocol, mri.source_port, mri.dest_port) }
      session:expect_granted()
    end,
  },
  {
    id = "ni-3.7.1-response-of-another-session",
    purpose = "A RESPONSE of a session that the NI does not have is not taken for that of one it has.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.2.8-i2" },
    run = function(t)
      local ids = { "RFC5973-3.2.8-i2" }
      local session = t:trigger_session()
      local create = session:expect_create()
      t:body()
      t:tolerate("GIST Error") -- for want of routing state
      t:tolerate("CREATE", session) -- another try
      t.nr:send_nslp(session, messages.nslp_response({ msn = session.msn,
        lifetime_s = create.lifetime_s }),
        { change = spoil.value("SID", "sid", "another session ") })
      t.nr:expect_nothing{ ids = ids, text = "it is not answered" }
      session:expect_unanswered{ ids = ids }
      t:tolerate_no_more("CREATE")
      t:control()
      session:expect_granted{ text = "the valid RESPONSE is taken" }
      session:expect_alive()
    end,
  },
  {
    id = "ni-3.7.1-response-with-another-msn",
    purpose = "What an NI does about a RESPONSE whose MSN is that of no request: it does not answer it, "
      .. "and takes the right one after it.",
    roles = roles.initiator,
    requirements = { NO_ANSWER },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create()
      t:body()
      session:respond{ msn = session:msn_plus(-1) }
      t.nr:expect_no_response{ ids = { NO_ANSWER }, text = "it is not answered" }
      t:reading{ of = "A33", seen = session:reported() and "taken" or "dropped", ours = "dropped",
        ids = { NO_ANSWER } }
      t:control()
      session:expect_granted{ text = "the valid RESPONSE is taken" }
      session:expect_alive()
    end,
  },
  {
    id = "ni-3.2.7-class-1-is-no-success",
    purpose = "A RESPONSE of class 1, which is NOTIFY's, is no success for an NI.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.2.7-i2", NO_ANSWER },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create()
      t:body()
      session:respond{ info = "1/0x05", lifetime_s = session:forwarded_lifetime_s() }
      local asked = session:await_report_or_message{ within_ms = t.ixit.timing.quiet_ms }
      t:reading{ of = "A14", seen = asked and "an error" or "dropped" }
      session:expect_no_success{ ids = { "RFC5973-3.2.7-i2" } }
      t:tolerate("CREATE") -- another try
      t.nr:expect_no_response{ ids = { NO_ANSWER }, text = "it is not answered" }
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.2.7-success-of-any-code",
    purpose = "A RESPONSE of class 2 is a success for an NI, whatever its code.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.2.7-i2" },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create()
      t:body()
      session:respond{ info = "2/0x7F" }
      session:expect_reported{ ids = { "RFC5973-3.2.7-i2" }, text = "the trigger reports success" }
    end,
  },
  {
    id = "ni-3.7.5-notify-before-the-response",
    purpose = "A NOTIFY that comes before any RESPONSE is not answered, and does not keep an NI from "
      .. "taking the RESPONSE.",
    roles = roles.initiator,
    requirements = { NO_ANSWER },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create()
      t:body()
      t.nr:send_nslp(session, messages.notify("1/0x03"))
      t.nr:expect_no_response{ ids = { NO_ANSWER },
        text = "it is not answered, but the path may be asked anew" }
      t:control()
      session:respond()
      session:expect_reported{ text = "the RESPONSE is taken: the trigger reports success" }
      session:expect_alive()
    end,
  },
  {
    id = "ni-3.7.1-no-node-answers",
    purpose = "An NI whose Queries nobody answers does not report success; it may send them again.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.7.1-i21" },
    run = function(t)
      t.nr.silent = true
      local session = t:trigger_session()
      session:expect_query()
      t:body()
      session:expect_reported{ ids = { "RFC5973-3.7.1-i21" },
        text = "the trigger reports the failure", failure = true }
      t:reading{ of = "5.3.3-1a", seen = #session.queries > 1 and "the Query is sent again"
        or "the Query is sent once" }
      t.nr.silent = false
      expect_another_session(t)
    end,
  },
}

for _, row in ipairs({ { "terminated", "1/0x05", "RFC5973-3.7.5-i6" },
  { "expired", "1/0x04", "RFC5973-3.7.5-i5" } }) do
  cases[#cases + 1] = { id = "ni-3.7.5-notify-" .. row[1], roles = roles.initiator,
    purpose = "NOTIFY " .. row[2] .. " ends the session of an NI: it is not answered, and the "
      .. "session not refreshed.",
    requirements = { row[3], NO_ANSWER }, run = ends_session(row[2], row[3]) }
end

for _, row in ipairs({ { "re-authentication", "1/0x02" }, { "going-down", "1/0x03" },
  { "not-assigned", "1/0x7F" } }) do
  cases[#cases + 1] = { id = "ni-3.7.5-notify-" .. row[1], roles = roles.initiator,
    purpose = "NOTIFY " .. row[2] .. " is not answered by an NI, nor is a NOTIFY sent.",
    requirements = { NO_ANSWER, "RFC5973-3.7.5-12", "RFC5973-3.5-3" }, run = keeps_session(row[2]) }
end

return cases
