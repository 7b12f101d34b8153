-- RFC 5971, Appendix A: Queries that cannot be parsed, and what is ignored.

local RESPONDER = { "NF-FW", "edge-FW", "NR" } -- in the handshake
local QUERIER = { "NF-FW", "edge-FW", "NI" }
local messages = require("runner.messages")
local spoil = require("runner.spoil")

local MRI, NLI, QUERY_COOKIE = 0, 2, 5
local UNKNOWN = 0x3F0

local function find(message, type_number)
  for place, object in ipairs(message.objects) do
    if object.type == type_number then return object, place end
  end
end

-- Each spoilt Query is answered by this Error and by no Response; a good one works afterwards.
local function refused(ids, ways)
  return function(t)
    t:body()
    for _, way in ipairs(ways) do
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, own_source = true,
        change_query = way.change })
      local item = t:expect(t.ni, "GIST Error", nil, ids, way.text .. " is answered by an Error")
      session:stop_asking()
      t:check(ids, way.text .. ": error and subcode", way.error, item.code .. "/" .. item.subcode)
      t:check(ids, way.text .. ": no Response", "none", session.querying.response and "a Response"
        or "none")
    end
    t:control()
    t:session():connect()
  end
end

-- Each odd Query is answered as if it were not odd.
local function accepted(ids, ways)
  return function(t)
    t:body()
    for _, way in ipairs(ways) do
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true, change_query = way.change })
      local response = t:await(t.ixit.timing.response_ms,
        function() return session.querying.response end)
      t:check(ids, way.text .. " is answered by a Response", "a Response",
        messages.summary(response), response ~= nil)
      session:stop_asking()
      session:expect_iut_between(ids)
    end
  end
end

-- A spoilt Response is answered by this Error and not confirmed; a right one is taken afterwards.
local function response_refused(ids, code, change)
  return function(t)
    local session = t:outbound_session()
    t:body()
    t.nr.change_response = change
    session:begin()
    local item = t:expect(t.nr, "GIST Error", nil, ids, "the Response is answered by an Error")
    t:check(ids, "error and subcode", code, item.code .. "/" .. item.subcode)
    t:control()
    t.nr.change_response = nil
    t:tolerate("GIST Error")
    session:expect_create(nil, "a later Response is good, and the request comes")
  end
end

return {
  {
    id = "gist-A.1-header-faults",
    purpose = "A Query with a wrong common header is answered by 'Common Header Parse Error' with "
      .. "its subcode.",
    roles = RESPONDER,
    requirements = { "RFC5971-A.1-1", "RFC5971-A.1-4", "RFC5971-A.1-5" },
    run = function(t)
      refused({ "RFC5971-A.1-5" }, {
        { text = "an unknown version", error = "1/0",
          change = function(query) query.header.version = 2 end },
        { text = "an unknown type", error = "1/1",
          change = function(query) query.header.type = 99 end },
      })(t)
      refused({ "RFC5971-A.1-1", "RFC5971-A.1-5" }, {
        { text = "a Query without R", error = "1/2",
          change = function(query) query.header.r = 0 end },
      })(t)
      refused({ "RFC5971-A.1-4", "RFC5971-A.1-5" }, {
        { text = "a Query with E", error = "1/4", change = function(query) query.header.e = 1 end },
      })(t)
    end,
  },
  {
    id = "gist-A.1-header-faults-over-association",
    purpose = "Data with a wrong flag over an association is answered by 'Common Header Parse "
      .. "Error', and the association goes on.",
    roles = RESPONDER,
    requirements = { "RFC5971-A.1-1", "RFC5971-5.2.1-1" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local ways = {
        { "R", "1/2", { "RFC5971-A.1-1" }, function(data) data.header.r = 1 end },
        { "C", "1/5", { "RFC5971-5.2.1-1" }, function(data) data.header.c = 1 end },
      }
      for _, way in ipairs(ways) do
        t.ni:send_nslp(session, session:create_message(), { change = way[4] })
        local text = "Data with " .. way[1] .. " set over an association"
        local item = t:expect(t.ni, "GIST Error", nil, way[3], text .. " is answered by an Error")
        t:check(way[3], text .. ": error and subcode", way[2], item.code .. "/" .. item.subcode)
      end
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-A.1-response-without-r-flag",
    purpose = "A Response with a Responder-Cookie but without R is answered by an Error, not by a "
      .. "Confirm.",
    roles = QUERIER,
    requirements = { "RFC5971-5.1-11a", "RFC5971-A.1-5" },
    run = response_refused({ "RFC5971-5.1-11a", "RFC5971-A.1-5" }, "1/2", spoil.header("r", 0)),
  },
  {
    id = "gist-A.1-response-of-version-2",
    purpose = "A Response of another version of GIST is answered by an Error, not by a Confirm.",
    roles = QUERIER,
    requirements = { "RFC5971-A.1-5" },
    run = response_refused({ "RFC5971-A.1-5" }, "1/0", spoil.header("version", 2)),
  },
  {
    id = "gist-5.1-response-out-of-order",
    purpose = "A Response whose objects are out of order is answered by an Error, not by a "
      .. "Confirm.",
    roles = QUERIER,
    requirements = { "RFC5971-5.1-1" },
    run = response_refused({ "RFC5971-5.1-1" }, "9/3", function(response)
      local objects = response.objects
      objects[1], objects[2] = objects[2], objects[1]
    end),
  },
  {
    id = "gist-A.1-data-with-r-flag",
    purpose = "Data with R set is answered by an Error over its association, and not delivered.",
    roles = { "NF-FW", "edge-FW", "NI" },
    requirements = { "RFC5971-A.1-1" },
    run = function(t)
      local ids = { "RFC5971-A.1-1" }
      local session = t:outbound_session():begin()
      session.forwarded = session:expect_create()
      t:body()
      t.nr:send_nslp(session, messages.nslp_response({ msn = session.msn,
        lifetime_s = session.forwarded.lifetime_s }), { change = spoil.header("r", 1) })
      local item = t:expect(t.nr, "GIST Error", nil, ids, "a RESPONSE with R set is answered")
      t:check(ids, "error and subcode", "1/2", item.code .. "/" .. item.subcode)
      if not t:judges_initiator() then t:nothing(t.ni, ids, "and not passed on") end
      t:control()
      session:expect_granted(nil, "the right RESPONSE is taken")
    end,
  },
  {
    id = "gist-5.1-objects-missing-or-twice",
    purpose = "A Query with a missing, duplicate or invalid object is answered by 'Object Type "
      .. "Error' with its subcode.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.1-2" },
    run = refused({ "RFC5971-5.1-2" }, {
      { text = "a Query without Query-Cookie", error = "9/2", change = function(query)
        local _, place = find(query, QUERY_COOKIE)
        table.remove(query.objects, place)
      end },
      { text = "a Query with two Query-Cookies", error = "9/0", change = function(query)
        local cookie, place = find(query, QUERY_COOKIE)
        table.insert(query.objects, place, cookie)
      end },
      { text = "a Query with a Hello-ID", error = "9/3", change = function(query)
        table.insert(query.objects, { type = 10, values = { hello_id = 1 } })
      end },
    }),
  },
  {
    id = "gist-A.2.1-extensibility",
    purpose = "A Query with an unknown mandatory object, or with AB=11, is answered by 'Object "
      .. "Type Error'.",
    roles = RESPONDER,
    requirements = { "RFC5971-A.2.1-1", "RFC5971-A.2.1-4" },
    run = function(t)
      refused({ "RFC5971-A.2.1-1" }, {
        { text = "an unknown object with AB=00", error = "9/1", change = function(query)
          table.insert(query.objects, { type = UNKNOWN, ab = 0, raw = "\0\0\0\0" })
        end } })(t)
      refused({ "RFC5971-A.2.1-4" }, {
        { text = "an unknown object with AB=11", error = "9/5", change = function(query)
          table.insert(query.objects, { type = UNKNOWN, ab = 3, raw = "\0\0\0\0" })
        end } })(t)
    end,
  },
  {
    id = "gist-A.2-object-values",
    purpose = "A Query with an object of a wrong length, or an impossible MRI, is answered by "
      .. "'Object Value Error'.",
    roles = RESPONDER,
    requirements = { "RFC5971-A.2-1", "RFC5971-5.8.1.1-3" },
    run = function(t)
      refused({ "RFC5971-A.2-1" }, {
        { text = "a session id of three words", error = "10/0", change = function(query)
          query.objects[2].raw = ("\1"):rep(12)
        end } })(t)
      refused({ "RFC5971-5.8.1.1-3" }, {
        { text = "ports in an MRI without a protocol", error = "10/2", change = function(query)
          find(query, MRI).values.p = 0
        end } })(t)
    end,
  },
  {
    id = "gist-A-ignored",
    purpose = "Reserved bits and unknown objects that say 'ignore' do not keep a Query from being "
      .. "answered.",
    roles = RESPONDER,
    requirements = { "RFC5971-A-1b", "RFC5971-A.2.1-2" },
    run = function(t)
      accepted({ "RFC5971-A-1b" }, {
        { text = "a Query with reserved bits in header and objects", change = function(query)
          query.header.reserved = 31
          query.objects[1].reserved, query.objects[1].reserved_length = 3, 15
          find(query, NLI).values.reserved = 4095
          find(query, MRI).values.reserved_flags = 31
        end } })(t)
      accepted({ "RFC5971-A.2.1-2" }, {
        { text = "a Query with an unknown object, AB=01", change = function(query)
          table.insert(query.objects, { type = UNKNOWN, ab = 1, raw = "\0\0\0\0" })
        end } })(t)
    end,
  },
}
