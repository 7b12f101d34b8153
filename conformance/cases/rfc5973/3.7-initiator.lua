-- RFC 5973, sections 3.4 to 3.7, and GIST's Query: the initiator, seen from the path. The IXIT's
-- trigger has it open and close sessions.

local INITIATOR = { "NI" }
local engine = require("codec.engine")
local gist = require("codec.gist")
local messages = require("runner.messages")
local natfw = require("codec.natfw")
local packet = require("runner.packet")
local spoil = require("runner.spoil")

local LIMIT = 4294967296
local MRI, NLI = 0, 2
local LT, EFI, INFO, MSN = 0x00C, 0x00F, 0x010, 0x012

local function set_bits(spec, decoded)
  local set = engine.reserved_set(spec, decoded)
  return #set > 0 and table.concat(set, " ") or "none set"
end

local function fault(decoded) return decoded.faults[1] and decoded.faults[1].text or "none" end

local function flow_text(source, source_port, destination, destination_port, protocol)
  return string.format("%s:%s to %s:%s, protocol %s", source, source_port, destination,
    destination_port, protocol)
end

local function expect_flow(t, session, item, ids)
  local mri, flow = item.gist.by_type[MRI].values, session.flow
  t:check(ids, "its flow is the one asked for",
    flow_text(flow.source, flow.source_port, flow.destination, flow.destination_port, 17),
    flow_text(mri.source, mri.source_port, mri.destination, mri.dest_port, mri.protocol))
end

local function expect_path_coupled(t, item, what)
  local mri = item.gist.by_type[MRI].values
  t:check({ "RFC5973-4.3.1-3" }, what .. ": its method is path-coupled", 0, mri.mrm)
  t:check({ "RFC5973-4.3.1-3" }, what .. ": its direction is downstream", 0, mri.d)
end

local function expect_next_msn(t, session, ids)
  t:check(ids, "its MSN is the one before plus one", (session.last_msn + 1) % LIMIT, session.msn)
end

-- With E there is no routing state to ask for: GIST delivers what comes over an association.
local function routed(direction, explicitly)
  return function(data)
    data.objects[1].values.d = direction
    data.header.e = explicitly
  end
end

local cases = {
  {
    id = "ni-gist-5.3.2-query",
    purpose = "An NI's Query goes to the flow's destination in Q-mode, with the router alert option, "
      .. "C and R set; S is as ruling A104 leaves it.",
    roles = INITIATOR, smoke = true,
    requirements = { "RFC5971-5.1-1", "RFC5971-5.2.1-1", "RFC5971-5.3.2.1-2", "RFC5971-5.3.2.3-4",
      "RFC5971-5.8.1.2-2", "RFC5971-A.1-1", "RFC5971-A-1a" },
    run = function(t)
      t:body()
      local session = t:trigger_session()
      local query = session:expect_query({ "RFC5971-5.8.1.2-2" }, "a Query comes")
      t:check({ "RFC5971-5.8.1.2-2" }, "to the flow's destination", session.flow.destination,
        query.packet.destination)
      t:check({ "RFC5971-5.3.2.1-2" }, "it has the router alert option of NATFW", gist.router_alert,
        packet.router_alert_of(query.packet))
      t:check({ "RFC5971-5.3.2.3-4" }, "its destination port is 270", gist.port,
        query.packet.destination_port)
      t:check({ "RFC5971-5.2.1-1" }, "C is set", 1, query.gist.header.c)
      t:check({ "RFC5971-A.1-1" }, "R is set", 1, query.gist.header.r)
      t:check({ "RFC5971-A-1a" }, "reserved bits are zero", "none set", set_bits(gist, query.gist))
      t:check({ "RFC5971-5.1-1" }, "it has no fault", "none", fault(query.gist))
      local s_flag = query.gist.header.s
      t:reading("A104", "S=" .. s_flag)
      t:check(nil, "with S it comes from the address that it signals, else from the flow's source",
        s_flag == 1 and query.gist.by_type[NLI].values.interface or session.flow.source,
        query.packet.source)
      session:establish()
    end,
  },
  {
    id = "ni-3.7.1-create",
    purpose = "An NI's CREATE has NATFW_LT, NATFW_EFI and NATFW_MSN, AB=00, neither P nor E, no "
      .. "reserved bit, and goes downstream by the path-coupled method for the flow asked for.",
    roles = INITIATOR, smoke = true,
    requirements = { "RFC5973-3.7.1-i1", "RFC5973-3.4-3", "RFC5973-3.4-i7", "RFC5973-3.5-1a",
      "RFC5973-4.1-1", "RFC5973-4.1-2a", "RFC5973-4.1-8", "RFC5973-4.2-3a", "RFC5973-4.3.1-1",
      "RFC5973-4.3.1-2", "RFC5973-4.3.1-3", "RFC5973-4.3.1-i3", "RFC5973-4.3.1-i4", "RFC5973-4.3.1-i5" },
    run = function(t)
      t:body()
      local session = t:trigger_session()
      local asked = session:expect_query({ "RFC5973-3.7.1-i1", "RFC5973-4.3.1-1",
        "RFC5973-4.3.1-2", "RFC5973-4.3.1-3" }, "the IUT looks for its peer")
      expect_path_coupled(t, asked, "its Query")
      expect_flow(t, session, asked, { "RFC5973-4.3.1-1", "RFC5973-4.3.1-2" })
      local create = session:expect_request({ "RFC5973-3.7.1-i1", "RFC5973-4.1-1",
        "RFC5973-4.3.1-3" }, "the IUT sends a CREATE")
      t:check({ "RFC5973-4.3.1-i3", "RFC5973-3.4-3", "RFC5973-3.4-i7" },
        "its NATFW_LT is the lifetime asked for", t.ixit.lifetime.usual_s, create.lifetime_s)
      local efi = create.natfw.by_type[EFI]
      t:check({ "RFC5973-4.3.1-i4" }, "it has a NATFW_EFI that allows", 1,
        efi and efi.values.rule_action)
      t:check({ "RFC5973-4.3.1-i5", "RFC5973-3.5-1a" }, "it has a NATFW_MSN", "one",
        create.natfw.by_type[MSN] and "one" or "none")
      for _, object in ipairs(create.natfw.objects) do
        t:check({ "RFC5973-4.2-3a" }, "AB of " .. object.name, 0, object.ab)
      end
      t:check(nil, "P is not set", 0, create.natfw.header.p)
      t:check({ "RFC5973-4.1-8" }, "E is not set", 0, create.natfw.header.e)
      t:check({ "RFC5973-4.1-2a" }, "reserved bits are zero", "none set",
        set_bits(natfw, create.natfw))
      t:check({ "RFC5973-3.7.1-i1" }, "it has no fault", "none", fault(create.natfw))
      expect_path_coupled(t, create, "its CREATE")
      expect_flow(t, session, create, { "RFC5973-4.3.1-1", "RFC5973-4.3.1-2" })
      session:respond()
      session:expect_reported(0, nil, "the trigger reports success")
    end,
  },
  {
    id = "ni-3.7.3-refresh",
    purpose = "An NI refreshes its session before the lifetime ends, with a CREATE of the same "
      .. "flow, the next MSN and a lifetime above zero.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.7.3-i8", "RFC5973-3.7.3-i4", "RFC5973-3.7.3-i3", "RFC5973-3.5-2b",
      "RFC5973-3.5-3" },
    run = function(t)
      local session = t:trigger_session({ lifetime_s = t.ixit.lifetime.short_s }):establish()
      t:body()
      for round = 1, 2 do
        local refresh = session:expect_request({ "RFC5973-3.7.3-i8", "RFC5973-3.7.3-i3" },
          "refresh " .. round .. " comes within the lifetime", session.granted_s * 1000)
        expect_next_msn(t, session, { "RFC5973-3.5-2b", "RFC5973-3.5-3" })
        t:check({ "RFC5973-3.7.3-i4" }, "its lifetime is above zero", "above 0", refresh.lifetime_s,
          (refresh.lifetime_s or 0) > 0)
        expect_flow(t, session, refresh, { "RFC5973-3.7.3-i4" })
        session:respond()
      end
    end,
  },
  {
    id = "ni-3.7.4-deletion",
    purpose = "An NI deletes its session by a CREATE with lifetime zero and the next MSN, and waits "
      .. "for no answer.",
    roles = INITIATOR, smoke = true,
    requirements = { "RFC5973-3.7.4-i2", "RFC5973-3.7.4-i3", "RFC5973-3.5-3" },
    run = function(t)
      local session = t:trigger_session():establish()
      t:body()
      session:close()
      local deletion = session:expect_request({ "RFC5973-3.7.4-i3" }, "a CREATE comes")
      t:check({ "RFC5973-3.7.4-i2" }, "its lifetime is zero", 0, deletion.lifetime_s)
      expect_next_msn(t, session, { "RFC5973-3.5-3" })
      expect_flow(t, session, deletion, { "RFC5973-3.7.4-i3" })
      local status = session.closing:wait()
      t:check(nil, "the trigger ends without an answer", "exit status 0",
        session.closing:summary(), status == 0)
    end,
  },
  {
    id = "ni-3.7.1-own-create-discarded",
    purpose = "An NI discards a CREATE for a session that it opened: it does not answer it, and "
      .. "deletes nothing.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.7.1-1" },
    run = function(t)
      local session = t:trigger_session():establish()
      t:body()
      t:tolerate("GIST Error") -- GIST may have no routing state for D=0
      for _, way in ipairs({ { 0, 0 }, { 1, 0 }, { 0, 1 } }) do
        for _, lifetime_s in ipairs({ t.ixit.lifetime.usual_s, 0 }) do
          t.nr:send_nslp(session, messages.create({ lifetime_s = lifetime_s,
            msn = (session.msn + 1) % LIMIT }), { change = routed(way[1], way[2]) })
          t:nothing(t.nr, { "RFC5973-3.7.1-1" }, string.format(
            "a CREATE with lifetime %d, D=%d and E=%d is not answered", lifetime_s, way[1], way[2]))
        end
      end
      session:close()
      local deletion = session:expect_request({ "RFC5973-3.7.1-1" },
        "the session is still there: its initiator can delete it")
      t:check({ "RFC5973-3.7.1-1" }, "with lifetime zero", 0, deletion.lifetime_s)
    end,
  },
  {
    id = "ni-3.7.1-own-session-from-outside",
    purpose = "An NI that answers for flows to itself discards a CREATE from outside that has the "
      .. "session id of one that it opened.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.7.1-1" },
    run = function(t)
      local ids = { "RFC5973-3.7.1-1" }
      local own = t:trigger_session():establish()
      t:signal_from(t.addresses.destination, "outside")
      local function to_the_iut(sid, msn)
        local flow = t:new_flow({})
        flow.source, flow.destination = flow.destination, flow.source
        return t:session({ sid = sid, msn = msn, flow = flow })
      end
      local other = to_the_iut()
      t.ni:start_handshake(other)
      local answered = t:await(t.ixit.timing.quiet_ms, function()
        return other.querying.confirmed_at
      end)
      other:stop_asking()
      if not answered then t:not_applicable("the IUT answers no Query for a flow to itself") end
      t:body()
      local taken = to_the_iut(own.sid, (own.msn + 1) % LIMIT):connect()
      taken:send_create()
      t:nothing(t.ni, ids, "a CREATE with the session id of its own session is not answered")
      t:control()
      other:send_create():expect_response(nil, "one with another session id is answered")
      t:body()
      t.by_sid[own.sid] = own
      local deletion = own:delete():expect_request(ids, "its own session lives, and can be deleted")
      t:check(ids, "with lifetime zero", 0, deletion.lifetime_s)
    end,
  },
  {
    id = "ni-3.5-sessions-differ",
    purpose = "Sessions of an NI have session ids and first MSNs that differ, and no octet of the ids "
      .. "is always the same.",
    roles = INITIATOR,
    requirements = { "RFC5973-3.5-2a", "RFC5973-3.2.8-1a", "RFC5971-4.1.3-1a" },
    run = function(t)
      t:body()
      local sessions = {}
      for place = 1, 4 do
        sessions[place] = t:trigger_session():establish()
        local first, last = sessions[1], sessions[place]
        if place > 1 then
          t:check({ "RFC5971-4.1.3-1a" }, "the session ids differ", "different",
            first.sid == last.sid and "the same" or "different")
          local distance = (last.msn - first.msn) % LIMIT
          t:check({ "RFC5973-3.5-2a" }, "the first MSNs differ, and not by one", "neither 0 nor 1",
            distance, distance > 1)
        end
      end
      for octet = 1, 16 do
        local varies = false
        for _, session in ipairs(sessions) do
          varies = varies or session.sid:byte(octet) ~= sessions[1].sid:byte(octet)
        end
        t:check({ "RFC5973-3.2.8-1a" }, "octet " .. octet .. " of four session ids", "varies",
          varies and "varies" or "is always the same")
      end
    end,
  },
}

-- An error RESPONSE: the CREATE may be sent again, and is refused again; in the end it is reported.
local MOST_TRIES = 5

local codes = { { 3, 0x04 }, { 3, 0x0B }, { 4, 0x01 }, { 5, 0x01 }, { 5, 0x02 }, { 5, 0x04 },
  { 5, 0x06 }, { 5, 0x07 }, { 7, 0x01 }, { 7, 0x02 }, { 7, 0x04 }, { 7, 0x06 }, { 7, 0x09 },
  { 7, 0x10 }, { 7, 0x11 }, { 7, 0x12 },
  { 5, 0x7F }, { 6, 0x01 }, { 9, 0x01 }, { 15, 0xFF } } -- not assigned

for _, code in ipairs(codes) do
  local name = string.format("%d-%02x", code[1], code[2])
  cases[#cases + 1] = { id = "ni-3.7.1-error-reported-" .. name, roles = INITIATOR,
    purpose = string.format("An NI that is refused with %d/0x%02X tries again or reports it.",
      code[1], code[2]),
    requirements = { "RFC5973-3.7.1-8" },
    run = function(t)
      t:body()
      local session, tries = t:trigger_session(), 0
      repeat
        session:expect_request({ "RFC5973-3.7.1-8" }, "the IUT sends a CREATE")
        session:respond({ class = code[1], code = code[2] })
        tries = tries + 1
        t:await((session.opening.limit_s + 1) * 1000, function()
          return session.opening.status or t.nr.inbox[1]
        end)
      until session.opening.status or tries == MOST_TRIES
      t:reading("3.7.1-8", tries > 1 and "tries again" or "reports at once")
      session:expect_reported(1, { "RFC5973-3.7.1-8" }, "the trigger reports the failure")
    end }
end

local response_faults = {
  { "without-info", "no NATFW_INFO", spoil.without(INFO) },
  { "unknown", "an unknown object, AB=00", spoil.with({ type = 0x3F0, raw = "\0\0\0\7" }) },
  { "lt-ab-11", "AB=11 on NATFW_LT", spoil.object(LT, "ab", 3) },
  { "two-msn", "NATFW_MSN twice", spoil.twice(MSN) },
}

for _, row in ipairs(response_faults) do
  cases[#cases + 1] = { id = "ni-3.2.7-response-" .. row[1], roles = INITIATOR,
    purpose = "An NI drops a RESPONSE with " .. row[2] .. " and takes the right one after it.",
    requirements = { "RFC5973-3.2.7-1" },
    run = function(t)
      local session = t:trigger_session()
      session:expect_request(nil, "the IUT sends a CREATE")
      t:body()
      session:respond({ change = row[3] })
      t:nothing(t.nr, { "RFC5973-3.2.7-1" }, "it is not answered")
      t:check({ "RFC5973-3.2.7-1" }, "it is not taken for the answer", "still running",
        session.opening:summary())
      session:respond()
      session:expect_reported(0, { "RFC5973-3.2.7-1" }, "the right RESPONSE is taken")
      session:close()
      session:expect_request(nil, "the session can be deleted")
    end }
end

return cases
