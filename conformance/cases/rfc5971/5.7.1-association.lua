-- RFC 5971, sections 5.7.1, 8.5 and 5.1: what may come over an association, and what a wrong Confirm
-- does.

local messages = require("runner.messages")
local roles = require("runner.roles")
local spoil = require("runner.spoil")

-- A first Confirm that is wrong gives no routing state and ends the association; a valid one from
-- the same peer works afterwards.
local function wrong_confirm(change)
  return function(t)
    local session = t:session():start_handshake{ change_confirm = change }
    session:expect_confirm_sent()
    t:body()
    local association = session:association()
    t:tolerate("GIST Error") -- as long as the association is there
    session:send_create()
    t:expect_not_processed{ ids = { "RFC5971-5.7.1-13", "RFC5971-5.7.1-14a" },
      text = "a CREATE after the wrong Confirm is not processed" }
    t:check{ ids = { "RFC5971-5.7.1-14a" }, text = "no Query was sent on for it", expected = 0,
      actual = #session.queries }
    local ended = association:await_end()
    t:check{ ids = { "RFC5971-5.7.1-15" }, text = "the association is torn down",
      expected = "closed", actual = ended and "closed" or "open" }
    t:control()
    t.ni:drain()
    t:session():send_create():expect_accepted()
  end
end

local CONFIRM = { "RFC5971-5.7.1-13", "RFC5971-5.7.1-14a", "RFC5971-5.7.1-15" }

return {
  {
    id = "gist-5.7.1-wrong-responder-cookie",
    purpose = "A Confirm with a wrong Responder-Cookie gives no state, and the new association is "
      .. "torn down.",
    roles = roles.answers_queries, smoke = true,
    requirements = CONFIRM,
    run = wrong_confirm(spoil.cookie("Responder-Cookie")),
  },
  {
    id = "gist-5.7.1-changed-stack-proposal",
    purpose = "A Confirm that echoes another Stack-Proposal gives no state, and the new "
      .. "association is torn down.",
    roles = roles.answers_queries,
    requirements = CONFIRM,
    run = wrong_confirm(
      spoil.raw("Stack-Proposal", "\2\0\0\0" .. "\1\1\0\0" .. "\2\2\1\0")),
  },
  {
    id = "gist-5.1-hello-request",
    purpose = "An MA-Hello that asks for a reply gets one with its Hello-ID and without the "
      .. "R-flag.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.1-20b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:association():expect_hello_answered{ ids = { "RFC5971-5.1-20b" } }
    end,
  },
  {
    id = "gist-5.2.2-hello-id-zero",
    purpose = "An MA-Hello that asks for a reply with Hello-ID zero is answered by 'Object Value "
      .. "Error', 'Value Not Supported'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.2.2-9b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session:association():send(messages.hello(0, true))
      t.ni:expect_error{ ids = { "RFC5971-5.2.2-9b" }, text = "an Error comes",
        error = "Value Not Supported" }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-5.5-query-over-association",
    purpose = "A Query over an association is answered by 'Incorrect Encapsulation'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.5-1" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local query = messages.query(t.ni, session, "\1\2\3\4\5\6\7\8", 1)
      session:association():send(query)
      t.ni:expect_error{ ids = { "RFC5971-5.5-1" }, text = "an Error comes",
        error = "Incorrect Encapsulation" }
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-5.5-confirm-in-d-mode",
    purpose = "The Confirm of a handshake for an association, in D-mode, is answered by "
      .. "'Incorrect Encapsulation'.",
    roles = roles.answers_queries,
    requirements = { "RFC5971-5.5-1" },
    run = function(t)
      local session = t:session():query_only()
      local response = session:expect_gist_response()
      t:body()
      local confirm = messages.confirm(t.ni, session, response:raw("Responder-Cookie"),
        response:raw("Stack-Proposal"), true)
      t.ni:expect_error{ ids = { "RFC5971-5.5-1" },
        send = function() t.ni:send_to_iut(session, confirm) end,
        text = "an Error answers the Confirm", error = "Incorrect Encapsulation" }
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
}
