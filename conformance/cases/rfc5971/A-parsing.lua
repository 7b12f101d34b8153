-- RFC 5971, Appendix A: Queries that cannot be parsed, and what is ignored.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

local UNKNOWN = 0x3F0 -- an object that no RFC has registered
local WORD = "\0\0\0\0"

-- Each spoilt Query is answered by this Error and by no Response; a good one works afterwards.
local function refused(ids, ways)
  return function(t)
    t:body()
    for _, way in ipairs(ways) do
      t:session():query_only{ own_source = true, change_query = way.change }
        :expect_query_refused{ ids = ids, error = way.error,
          text = way.text .. " is answered by an Error" }
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
      t:session():query_only{ change_query = way.change }
        :expect_gist_response{ ids = ids, text = way.text .. " is answered by a Response" }
    end
  end
end

-- A spoilt Response is answered by this Error and not confirmed; a valid one is taken afterwards.
local function response_refused(ids, name, change)
  return function(t)
    local session = t:outbound_session()
    t:body()
    t.nr.change_response = change
    session:begin()
    t.nr:expect_error{ ids = ids, text = "the Response is answered by an Error", error = name }
    t:control()
    t.nr.change_response = nil
    t:tolerate("GIST Error")
    session:expect_create{ text = "a later Response is good, and the request comes" }
  end
end

return {
  {
    id = "gist-A.1-header-faults",
    purpose = "A Query with a wrong common header is answered by 'Common Header Parse Error' with "
      .. "its subcode.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-A.1-5" },
    run = refused({ "RFC5971-A.1-5" }, {
      { text = "an unknown version", error = "Unknown Version",
        change = spoil.header("version", 2) },
      { text = "an unknown type", error = "Unknown Type", change = spoil.header("type", 99) },
      { text = "a Query without R", error = "Invalid R-flag", change = spoil.header("r", 0) },
      { text = "a Query with E", error = "Invalid E-flag", change = spoil.header("e", 1) },
    }),
  },
  {
    id = "gist-A.1-header-faults-over-association",
    purpose = "Data with a wrong flag over an association is answered by 'Common Header Parse "
      .. "Error', and the association goes on.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-A.1-5" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local ways = {
        { flag = "r", error = "Invalid R-flag" }, { flag = "c", error = "Invalid C-flag" },
      }
      for _, way in ipairs(ways) do
        t.ni:send_nslp(session, session:create_message(), { change = spoil.header(way.flag, 1) })
        t.ni:expect_error{ ids = { "RFC5971-A.1-5" }, error = way.error, text = "Data with "
          .. way.flag:upper() .. " set over an association is answered by an Error" }
      end
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-A.1-response-without-r-flag",
    purpose = "A Response with a Responder-Cookie but without R is answered by an Error, not by a "
      .. "Confirm.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-A.1-5" },
    run = response_refused({ "RFC5971-A.1-5" }, "Invalid R-flag", spoil.header("r", 0)),
  },
  {
    id = "gist-A.1-response-of-version-2",
    purpose = "A Response of another version of GIST is answered by an Error, not by a Confirm.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-A.1-5" },
    run = response_refused({ "RFC5971-A.1-5" }, "Unknown Version", spoil.header("version", 2)),
  },
  {
    id = "gist-5.1-response-out-of-order",
    purpose = "What is done about a Response whose objects are out of order, which the text forbids to "
      .. "send: whatever that is, the Confirm to one in order is in order itself.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-5.1-1" },
    run = function(t)
      local ids = { "RFC5971-5.1-1" }
      local session = t:outbound_session()
      t:body()
      t.nr.change_response = spoil.order({ 2, 1 })
      session:begin()
      local item = t.nr:await_message()
      local is_refused = item and item:is_error("Invalid Object Type")
      t:reading{ of = "5.1-1", ids = ids, ours = "refused",
        seen = is_refused and "refused" or messages.summary(item) }
      t.nr.change_response = nil
      t:tolerate("GIST Error")
      session:expect_create()
      local confirm = session:await_received_confirm()
      t:check{ ids = ids, text = "its Confirm has no fault", expected = "none",
        actual = confirm and confirm:fault("gist") }
    end,
  },
  {
    id = "gist-A.1-data-with-r-flag",
    purpose = "Data with R set is answered by an Error over its association, and not delivered.",
    roles = roles.sends_queries,
    requirements = { "RFC5971-A.1-5" },
    run = function(t)
      local ids = { "RFC5971-A.1-5" }
      local session = t:outbound_session():begin()
      session:expect_create()
      t:body()
      t.nr:send_nslp(session, messages.nslp_response({ msn = session.msn,
        lifetime_s = session:forwarded_lifetime_s() }), { change = spoil.header("r", 1) })
      t.nr:expect_error{ ids = ids, text = "a RESPONSE with R set is answered",
        error = "Invalid R-flag" }
      if not t:judges_initiator() then
        t.ni:expect_nothing{ ids = ids, text = "and not passed on" }
      end
      t:control()
      session:expect_granted{ text = "the valid RESPONSE is taken" }
    end,
  },
  {
    id = "gist-5.1-objects-missing-or-twice",
    purpose = "A Query with a missing, duplicate or invalid object is answered by 'Object Type "
      .. "Error' with its subcode.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.1-2" },
    run = refused({ "RFC5971-5.1-2" }, {
      { text = "a Query without Query-Cookie", error = "Missing Object",
        change = spoil.without("Query-Cookie") },
      { text = "a Query with two Query-Cookies", error = "Duplicate Object",
        change = spoil.twice("Query-Cookie") },
      { text = "a Query with a Hello-ID", error = "Invalid Object Type",
        change = spoil.with({ type = "Hello-ID", values = { hello_id = 1 } }) },
    }),
  },
  {
    id = "gist-A.2.1-extensibility",
    purpose = "A Query with an unknown mandatory object, or with AB=11, is answered by 'Object "
      .. "Type Error'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-A.2.1-1", "RFC5971-A.2.1-4" },
    run = function(t)
      refused({ "RFC5971-A.2.1-1" }, {
        { text = "an unknown object with AB=00", error = "Unrecognised Object",
          change = spoil.with({ type = UNKNOWN, ab = 0, raw = WORD }) },
      })(t)
      refused({ "RFC5971-A.2.1-4" }, {
        { text = "an unknown object with AB=11", error = "Invalid Extensibility Flags",
          change = spoil.with({ type = UNKNOWN, ab = 3, raw = WORD }) },
      })(t)
    end,
  },
  {
    id = "gist-A.2-object-values",
    purpose = "A Query with an object of a wrong length, or an impossible MRI, is answered by "
      .. "'Object Value Error'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-A.2-1", "RFC5971-5.8.1.1-3" },
    run = function(t)
      refused({ "RFC5971-A.2-1" }, {
        { text = "a session id of three words", error = "Incorrect Length",
          change = spoil.raw("SID", ("\1"):rep(12)) },
      })(t)
      refused({ "RFC5971-5.8.1.1-3" }, {
        { text = "ports in an MRI without a protocol", error = "Invalid Flag-Field Combination",
          change = spoil.value("MRI", "p", 0) },
      })(t)
    end,
  },
  {
    id = "gist-A-ignored",
    purpose = "Reserved bits and unknown objects that say 'ignore' do not keep a Query from being "
      .. "answered.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-A-1b", "RFC5971-A.2.1-2" },
    run = function(t)
      accepted({ "RFC5971-A-1b" }, {
        { text = "a Query with reserved bits in header and objects",
          change = spoil.all(spoil.header("reserved", 31), spoil.object("MRI", "reserved", 3),
            spoil.object("MRI", "reserved_length", 15), spoil.value("NLI", "reserved", 4095),
            spoil.value("MRI", "reserved_flags", 31)) },
      })(t)
      accepted({ "RFC5971-A.2.1-2" }, {
        { text = "a Query with an unknown object, AB=01",
          change = spoil.with({ type = UNKNOWN, ab = 1, raw = WORD }) },
      })(t)
    end,
  },
}
