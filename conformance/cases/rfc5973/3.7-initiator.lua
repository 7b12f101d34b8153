-- RFC 5973, sections 3.4 to 3.7, and GIST's Query: the initiator, seen from the path. The IXIT's
-- trigger has it open and close sessions.

local gist = require("codec.gist")
local messages = require("runner.messages")
local natfw = require("codec.natfw")
local roles = require("runner.roles")
local spoil = require("runner.spoil")
local well_formed = require("runner.well_formed")

local function expect_path_coupled(t, item, what)
  local mri = item:values("MRI")
  t:check{ ids = { "RFC5973-4.3.1-3" }, text = what .. ": its method is path-coupled",
    expected = 0, actual = mri.mrm }
  t:check{ ids = { "RFC5973-4.3.1-3" }, text = what .. ": its direction is downstream",
    expected = 0, actual = mri.d }
end

-- With E there is no routing state to ask for: GIST delivers what comes over an association.
local function routed(direction, explicitly)
  return spoil.all(spoil.value("MRI", "d", direction), spoil.header("e", explicitly))
end

local cases = {
  {
    id = "ni-gist-5.3.2-query",
    purpose = "An NI's Query goes to the flow's destination in Q-mode, with the router alert option, "
      .. "C and R set; S is as ruling A104 leaves it.",
    roles = roles.initiator, smoke = true,
    requirements = { "RFC5971-5.1-1", "RFC5971-5.2.1-1", "RFC5971-5.3.2.1-2", "RFC5971-5.3.2.3-4",
      "RFC5971-5.8.1.2-2", "RFC5971-A.1-1", "RFC5971-A-1a" },
    run = function(t)
      t:body()
      local session = t:trigger_session()
      local query = session:expect_query{ ids = { "RFC5971-5.8.1.2-2", "RFC5971-5.3.2.3-4" },
        text = "a Query comes to GIST's port" }
      t:check{ ids = { "RFC5971-5.8.1.2-2" }, text = "to the flow's destination",
        expected = session.flow.destination, actual = query.packet.destination }
      t:check{ ids = { "RFC5971-5.3.2.1-2" }, text = "it has the router alert option of NATFW",
        expected = gist.router_alert, actual = query:router_alert() }
      t:check{ ids = { "RFC5971-5.2.1-1" }, text = "C is set", expected = 1,
        actual = query.gist.header.c }
      t:check{ ids = { "RFC5971-A.1-1" }, text = "R is set", expected = 1,
        actual = query.gist.header.r }
      t:check{ ids = { "RFC5971-A-1a" }, text = "reserved bits are zero", expected = "none set",
        actual = query:reserved_bits("gist") }
      t:check{ ids = { "RFC5971-5.1-1" }, text = "it has no fault", expected = "none",
        actual = query:fault("gist") }
      local s_flag = query.gist.header.s
      t:reading{ of = "A104", seen = "S=" .. s_flag }
      t:check{ text = "with S it comes from the address that it signals, else from the flow's source",
        expected = s_flag == 1 and query:values("NLI").interface or session.flow.source,
        actual = query.packet.source }
      session:establish()
    end,
  },
  {
    id = "ni-3.7.1-create",
    purpose = "An NI's CREATE has NATFW_LT, NATFW_EFI and NATFW_MSN, AB=00, neither P nor E, no "
      .. "reserved bit, and goes downstream by the path-coupled method for the flow asked for.",
    roles = roles.initiator, smoke = true,
    requirements = { "RFC5973-3.7.1-i1", "RFC5973-3.4-3", "RFC5973-3.4-i7", "RFC5973-3.5-1a",
      "RFC5973-4.1-1", "RFC5973-4.1-2a", "RFC5973-4.1-8", "RFC5973-4.2-3a", "RFC5973-4.3-i2",
      "RFC5973-4.3.1-1", "RFC5973-4.3.1-2", "RFC5973-4.3.1-3",
      "RFC5973-4.3.1-i3", "RFC5973-4.3.1-i4", "RFC5973-4.3.1-i5" },
    run = function(t)
      t:body()
      local session = t:trigger_session()
      local asked = session:expect_query{ ids = { "RFC5973-3.7.1-i1" },
        text = "the IUT looks for its peer" }
      expect_path_coupled(t, asked, "its Query")
      session:expect_flow_of(asked, { ids = { "RFC5973-4.3.1-1", "RFC5973-4.3.1-2" } })
      local create = session:expect_create{ ids = { "RFC5973-3.7.1-i1", "RFC5973-4.1-1" },
        text = "the IUT sends a CREATE" }
      t:check{ ids = { "RFC5973-4.3.1-i3", "RFC5973-3.4-3", "RFC5973-3.4-i7" },
        text = "its NATFW_LT has a lifetime", expected = "above 0", actual = create.lifetime_s,
        holds = (create.lifetime_s or 0) > 0 }
      t:reading{ of = "3.4-3", seen = create.lifetime_s == t.ixit.lifetime.usual_s
        and "the lifetime that it was told" or "one of its own" }
      t:check{ ids = { "RFC5973-4.3.1-i4" }, text = "it has a NATFW_EFI that allows",
        expected = natfw.rule_action.allow, actual = create:values("NATFW_EFI").rule_action }
      t:check{ ids = { "RFC5973-4.3.1-i5", "RFC5973-3.5-1a" }, text = "it has a NATFW_MSN",
        expected = "one", actual = create:has("NATFW_MSN") and "one" or "none" }
      for _, object in ipairs(create.natfw.objects) do
        t:check{ ids = { "RFC5973-4.2-3a" }, text = "AB of " .. object.name .. " is not 11",
          expected = "00, 01 or 10", actual = object.ab, holds = object.ab ~= 3 }
        t:check{ ids = { "RFC5973-4.3-i2" }, text = "AB of " .. object.name, expected = 0,
          actual = object.ab }
      end
      t:check{ text = "P is not set", expected = 0, actual = create.natfw.header.p }
      t:check{ ids = { "RFC5973-4.1-8" }, text = "E is not set", expected = 0,
        actual = create.natfw.header.e }
      t:check{ ids = { "RFC5973-4.1-2a" }, text = "reserved bits of the header are zero",
        expected = "none set", actual = create:reserved_bits("natfw", well_formed.of_header) }
      t:check{ ids = { "RFC5973-3.7.1-i1" }, text = "it has no fault", expected = "none",
        actual = create:fault("natfw") }
      expect_path_coupled(t, create, "its CREATE")
      session:expect_flow_of(create, { ids = { "RFC5973-4.3.1-1", "RFC5973-4.3.1-2" } })
      session:respond()
      session:expect_reported{ text = "the trigger reports success" }
    end,
  },
  {
    id = "ni-3.7.3-refresh",
    purpose = "An NI refreshes its session before the lifetime ends, with a CREATE of the same "
      .. "flow, the next MSN and a lifetime above zero.",
    roles = roles.initiator, needs = { "refreshes" },
    requirements = { "RFC5973-3.7.3-i8", "RFC5973-3.7.3-i4", "RFC5973-3.7.3-i3", "RFC5973-3.5-2b",
      "RFC5973-3.5-3", "RFC5973-4.3.1-2" },
    run = function(t)
      local session = t:trigger_session{ lifetime_s = t.ixit.lifetime.short_s }:establish()
      t:body()
      for round = 1, 2 do
        local refresh = session:expect_create{ ids = { "RFC5973-3.7.3-i8", "RFC5973-3.7.3-i3" },
          text = "refresh " .. round .. " comes within the lifetime",
          within_ms = session.granted_s * 1000 }
        session:expect_next_msn{ ids = { "RFC5973-3.5-2b", "RFC5973-3.5-3" } }
        t:check{ ids = { "RFC5973-3.7.3-i4" }, text = "its lifetime is above zero",
          expected = "above 0", actual = refresh.lifetime_s, holds = (refresh.lifetime_s or 0) > 0 }
        session:expect_flow_of(refresh, { ids = { "RFC5973-4.3.1-2" } })
        session:respond()
      end
    end,
  },
  {
    id = "ni-3.7.4-deletion",
    purpose = "An NI deletes its session by a CREATE with lifetime zero and the next MSN, and waits "
      .. "for no answer.",
    roles = roles.initiator, smoke = true,
    requirements = { "RFC5973-3.7.4-i2", "RFC5973-3.7.4-i3", "RFC5973-3.5-3", "RFC5973-4.3.1-2" },
    run = function(t)
      local session = t:trigger_session():establish()
      t:body()
      session:close()
      local deletion = session:expect_deletion{ ids = { "RFC5973-3.7.4-i2", "RFC5973-3.7.4-i3" },
        text = "a CREATE comes" }
      session:expect_next_msn{ ids = { "RFC5973-3.5-3" } }
      session:expect_flow_of(deletion, { ids = { "RFC5973-4.3.1-2" } })
      session:expect_close_reported{ text = "the trigger ends without an answer" }
    end,
  },
  {
    id = "ni-3.7.1-own-create-discarded",
    purpose = "An NI discards a CREATE for a session that it opened: it does not answer it, and "
      .. "deletes nothing.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.7.1-1" },
    run = function(t)
      local session = t:trigger_session():establish()
      t:body()
      t:tolerate("GIST Error") -- GIST may have no routing state for D=0
      t:tolerate("CREATE") -- it may refresh its session at any time
      for _, way in ipairs({ { 0, 0 }, { 1, 0 }, { 0, 1 } }) do
        for _, lifetime_s in ipairs({ t.ixit.lifetime.usual_s, 0 }) do
          t.nr:send_nslp(session, messages.create({ lifetime_s = lifetime_s,
            msn = session:msn_plus(1) }), { change = routed(way[1], way[2]) })
          t.nr:expect_nothing{ ids = { "RFC5973-3.7.1-1" },
            text = string.format("a CREATE with lifetime %d, D=%d and E=%d is not answered",
              lifetime_s, way[1], way[2]) }
        end
      end
      t.nr:drain()
      t:tolerate_no_more("CREATE")
      session:close()
      session:expect_deletion{ ids = { "RFC5973-3.7.1-1" },
        text = "the session is still there: its initiator can delete it" }
    end,
  },
  {
    id = "ni-3.7.1-own-session-from-outside",
    purpose = "To an NI that answers for flows to itself, a CREATE from outside that has the session "
      .. "id of one that it opened is none of that session: the text lets it be answered or discarded, "
      .. "and its own session lives.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.7.1-1" },
    run = function(t)
      local ids = { "RFC5973-3.7.1-1" }
      local own = t:trigger_session():establish()
      t:signal_from(t.addresses.destination, "outside")
      local function to_the_iut(sid, msn)
        local flow = t:new_flow{}
        flow.source, flow.destination = flow.destination, flow.source
        return t:session{ sid = sid, msn = msn, flow = flow }
      end
      local other = to_the_iut()
      other:start_handshake()
      local answered = other:await_confirm{ within_ms = t.ixit.timing.quiet_ms }
      other:stop_asking()
      if not answered then t:not_applicable("the IUT answers no Query for a flow to itself") end
      t:body()
      local taken = to_the_iut(own.sid, own:msn_plus(1)):connect()
      taken:send_create()
      local answer = t.ni:take()
      t:reading{ of = "A59", ids = ids, seen = answer and "answered" or "discarded",
        ours = "discarded" }
      other:send_create()
      t:reading{ of = "A59, another session", seen = t.ni:take() and "answered" or "discarded" }
      own:reclaim()
      own:expect_alive{ ids = ids, text = "its own session lives, and can be deleted" }
    end,
  },
  {
    id = "ni-3.5-sessions-differ",
    purpose = "Sessions of an NI have session ids and first MSNs that differ, and no octet of the ids "
      .. "is always the same.",
    roles = roles.initiator,
    requirements = { "RFC5973-3.5-2a", "RFC5973-3.2.8-1a", "RFC5971-4.1.3-1a" },
    run = function(t)
      t:body()
      local sessions = {}
      for place = 1, 4 do
        sessions[place] = t:trigger_session():establish()
        local first, last = sessions[1], sessions[place]
        if place > 1 then
          t:check{ text = "the session ids differ",
            expected = "different", actual = first.sid == last.sid and "the same" or "different" }
          local distance = messages.msn_sum(last.msn, -first.msn)
          t:check{ ids = { "RFC5973-3.5-2a" }, text = "the first MSNs differ, and not by one",
            expected = "neither 0 nor 1", actual = distance, holds = distance > 1 }
        end
      end
      for octet = 1, 16 do
        local varies = false
        for _, session in ipairs(sessions) do
          varies = varies or session.sid:byte(octet) ~= sessions[1].sid:byte(octet)
        end
        t:check{ ids = { "RFC5973-3.2.8-1a", "RFC5971-4.1.3-1a" },
          text = "octet " .. octet .. " of four session ids",
          expected = "varies", actual = varies and "varies" or "is always the same" }
      end
    end,
  },
}

-- An error RESPONSE: the CREATE may be sent again, and is refused again; in the end it is reported.
local MOST_TRIES = 5

local codes = { "3/0x04", "3/0x0B", "4/0x01", "5/0x01", "5/0x02", "5/0x04", "5/0x06", "5/0x07",
  "7/0x01", "7/0x02", "7/0x04", "7/0x06", "7/0x09", "7/0x10", "7/0x11", "7/0x12",
  "5/0x7F", "6/0x01", "9/0x01", "15/0xFF" } -- not assigned

for _, code in ipairs(codes) do
  local name = code:lower():gsub("/0x", "-")
  cases[#cases + 1] = { id = "ni-3.7.1-error-reported-" .. name, roles = roles.initiator,
    purpose = "An NI that is refused with " .. code .. " tries again or reports it.",
    requirements = { "RFC5973-3.2.7-i4", "RFC5973-3.7.1-8" },
    run = function(t)
      t:body()
      local session, tries = t:trigger_session(), 0
      repeat
        session:expect_create{ ids = tries > 0 and { "RFC5973-3.7.1-8" } or nil }
        session:respond{ info = code }
        tries = tries + 1
        session:await_report_or_message()
      until session:reported() or tries == MOST_TRIES
      t:reading{ of = "3.7.1-8", seen = tries > 1 and "tries again" or "reports at once" }
      session:expect_no_success{ ids = { "RFC5973-3.2.7-i4" } }
      session:expect_reported{ ids = { "RFC5973-3.7.1-8" },
        text = "the trigger reports the failure", failure = true }
    end }
end

local response_faults = {
  { "without-info", "no NATFW_INFO", spoil.without("NATFW_INFO") },
  { "unknown", "an unknown object, AB=00", spoil.with({ type = 0x3F0, raw = "\0\0\0\7" }) },
  { "lt-ab-11", "AB=11 on NATFW_LT", spoil.object("NATFW_LT", "ab", 3) },
  { "two-msn", "NATFW_MSN twice", spoil.twice("NATFW_MSN") },
}

for _, row in ipairs(response_faults) do
  cases[#cases + 1] = { id = "ni-3.2.7-response-" .. row[1], roles = roles.initiator,
    purpose = "An NI does not answer a RESPONSE with " .. row[2] .. ", unless ruling A02 is read so, "
      .. "and takes it for no success: it takes the right one after it, or reports a failure.",
    requirements = { "RFC5973-3.2.7-1", "RFC5973-3.3-i2" },
    run = function(t)
      local session = t:trigger_session()
      session:expect_create()
      t:body()
      session:respond{ change = row[3] }
      t.nr:expect_no_response{ ids = { "RFC5973-3.2.7-1" }, faulty = true,
        text = "it is not answered" }
      session:expect_no_success{ ids = { "RFC5973-3.3-i2" } }
      if session:reported() then
        t:reading{ of = "3.2.7-1", seen = "gives the session up" }
        t:control()
        return t:trigger_session():establish()
      end
      t:control()
      session:respond()
      session:expect_reported{ text = "the valid RESPONSE is taken" }
      session:close()
      session:expect_deletion{ text = "the session can be deleted" }
    end }
end

return cases
