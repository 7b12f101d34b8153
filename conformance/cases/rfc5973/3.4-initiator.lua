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
    t.nr:expect_nothing{ ids = { id, NO_ANSWER },
      text = "it is not answered, and the session not refreshed",
      for_ms = session.granted_s * 1000 + t.ixit.timing.expiry_late_ms }
    expect_another_session(t)
  end
end

-- After this NOTIFY the session may be asked for anew, and nothing else comes.
local function keeps_session(info)
  return function(t)
    local session = t:trigger_session():establish()
    t:body()
    t.nr:send_nslp(session, messages.notify(info))
    local item = t.nr:await_message{ within_ms = t.ixit.timing.quiet_ms }
    t:reading{ of = "A86", seen = item and "asks the path anew" or "waits" }
    if item then
      session:expect_create{ ids = { NO_ANSWER, "RFC5973-3.7.5-12" },
        text = "what comes is a request, neither RESPONSE nor NOTIFY" }
      session:expect_next_msn{ ids = { "RFC5973-3.5-3" } }
      session:respond()
    end
    session:delete():expect_deletion{ ids = { NO_ANSWER, "RFC5973-3.7.5-12" },
      text = "nothing else, until it is deleted" }
    session:expect_next_msn{ ids = { "RFC5973-3.5-3" } }
  end
end

local cases = {
  {
    id = "ni-3.4-lowered-lifetime",
    purpose = "An NI whose lifetime was lowered refreshes before what was granted ends.",
    roles = roles.initiator,
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
    purpose = "A session of an NI whose CREATE is never answered ends with the lifetime asked for; the "
      .. "NI reports that.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.2.8-2" },
    run = function(t)
      t:body()
      local session = t:trigger_session{ lifetime_s = t.ixit.lifetime.short_s }
      session:expect_create()
      t:tolerate("CREATE") -- it may ask again meanwhile
      session:expect_reported{ ids = { "RFC5973-3.2.8-2" },
        text = "the trigger reports the failure", failure = true }
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.4-unanswered-refresh",
    purpose = "A session of an NI whose refreshes are not answered ends with its lifetime: nothing more "
      .. "is signalled for it.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.2.8-3", "RFC5973-3.4-1a" },
    run = function(t)
      local session = short_session(t)
      t:body()
      session:expect_create{ text = "a refresh comes", within_ms = session.granted_s * 1000 }
      local more = t.nr:drain{
        within_ms = session:ends_at() + t.ixit.timing.expiry_late_ms - t:now() }
      t:reading{ of = "refreshes without an answer", seen = tostring(1 + #more) }
      t.nr:expect_nothing{ ids = { "RFC5973-3.2.8-3", "RFC5973-3.4-1a" },
        text = "no request comes after the lifetime", for_ms = session.granted_s * 1000 }
      expect_another_session(t)
    end,
  },
  {
    id = "ni-3.7.3-refused-refresh",
    purpose = "An NI whose refresh is refused uses no MSN again, and ends the session or asks again.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.5-2b", "RFC5973-3.5-3" },
    run = function(t)
      local session = short_session(t)
      t:body()
      local ids = { "RFC5973-3.5-2b", "RFC5973-3.5-3" }
      session:expect_create{ ids = ids, text = "a refresh comes",
        within_ms = session.granted_s * 1000 }
      session:expect_next_msn{ ids = ids }
      session:respond{ info = "4/0x01" }
      local item = t.nr:await_message{ within_ms = session:ends_at() - t:now() }
      t:reading{ of = "A38", seen = item and "asks again" or "asks no more" }
      if item then
        session:expect_create{ ids = ids, text = "what comes is a request" }
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
      t.nr:expect_nothing{ ids = { "RFC5973-3.7.4-i2" }, text = "no request comes after it",
        for_ms = session.granted_s * 1000 }
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
      local create = session:expect_create{ ids = { "RFC5973-4.3.1-2" } }
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
      t.nr:send_nslp(session, messages.nslp_response({ msn = session.msn,
        lifetime_s = create.lifetime_s }),
        { change = spoil.value("SID", "sid", "another session ") })
      t.nr:expect_nothing{ ids = ids, text = "it is not answered" }
      session:expect_unanswered{ ids = ids }
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
      t.nr:expect_nothing{ ids = { NO_ANSWER }, text = "it is not answered" }
      t:reading{ of = "A33", seen = session:reported() and "taken" or "dropped", ours = "dropped" }
      session:expect_granted{ ids = { NO_ANSWER }, text = "the valid RESPONSE is taken" }
      t:control()
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
      t.nr:expect_nothing{ ids = { NO_ANSWER }, text = "it is not answered" }
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
      local item = t.nr:await_message{ within_ms = t.ixit.timing.quiet_ms }
      t:check{ ids = { NO_ANSWER }, text = "a NOTIFY is not answered, but the path may be asked anew",
        expected = "CREATE or nothing", actual = messages.summary(item),
        holds = item == nil or item.natfw ~= nil and item.natfw.name == "CREATE" }
      if item then session:expect_create() end
      t:control()
      session:respond()
      session:expect_reported{ text = "the RESPONSE is taken: the trigger reports success" }
    end,
  },
  {
    id = "ni-3.7.1-no-node-answers",
    purpose = "An NI whose Queries nobody answers sends them again, gives up, and reports the failure.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.7.1-8", "RFC5971-5.3.3-1b" },
    run = function(t)
      t.nr.silent = true
      local session = t:trigger_session()
      session:expect_query()
      t:body()
      session:expect_reported{ ids = { "RFC5973-3.7.1-8" },
        text = "the trigger reports the failure", failure = true }
      t:check{ ids = { "RFC5971-5.3.3-1b" }, text = "the Query was sent again",
        expected = "2 or more", actual = #session.queries, holds = #session.queries >= 2 }
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
    purpose = "NOTIFY " .. row[2] .. " is not answered by an NI; the session goes on.",
    requirements = { NO_ANSWER, "RFC5973-3.7.5-12", "RFC5973-3.5-3" }, run = keeps_session(row[2]) }
end

return cases
