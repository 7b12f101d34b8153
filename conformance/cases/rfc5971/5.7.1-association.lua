-- RFC 5971, sections 5.7.1, 8.5 and 5.1: what may come over an association, and what a wrong Confirm
-- does.

local RESPONDER = { "NF-FW", "edge-FW", "NR" } -- in the handshake
local messages = require("runner.messages")

-- A first Confirm that is wrong gives no routing state and ends the association; a right one from
-- the same peer works afterwards.
local function wrong_confirm(change)
  return function(t)
    local session = t:session()
    t.ni:start_handshake(session, { change_confirm = change })
    t:await(t.ixit.timing.response_ms, function() return session.querying.confirmed_at end)
    t:check(nil, "the handshake gets as far as the Confirm", "sent",
      session.querying.confirmed_at and "sent" or "not sent")
    session:expect_iut_between()
    t:body()
    local association = session.querying.association
    t:tolerate("GIST Error") -- as long as the association is there
    session:send_create()
    t:not_processed({ "RFC5971-5.7.1-13", "RFC5971-5.7.1-14a" },
      "a CREATE after the wrong Confirm is not processed")
    t:check({ "RFC5971-5.7.1-14a" }, "no Query was sent on for it", 0, #session.queries)
    local ended = t:await(t.ixit.timing.response_ms, function() return association.closed_at end)
    t:check({ "RFC5971-5.7.1-15" }, "the association is torn down", "closed", ended and "closed"
      or "open")
    t:control()
    t.ni.inbox = {}
    t:session():send_create():expect_accepted()
  end
end

local CONFIRM = { "RFC5971-5.7.1-13", "RFC5971-5.7.1-14a", "RFC5971-5.7.1-15" }

return {
  {
    id = "gist-5.7.1-wrong-responder-cookie",
    purpose = "A Confirm with a wrong Responder-Cookie gives no state, and the new association is "
      .. "torn down.",
    roles = RESPONDER, smoke = true,
    requirements = CONFIRM,
    run = wrong_confirm(function(confirm)
      local cookie = confirm.objects[4].values.cookie
      confirm.objects[4].values.cookie = cookie:sub(1, -2) .. string.char(cookie:byte(-1) ~ 1)
    end),
  },
  {
    id = "gist-5.7.1-changed-stack-proposal",
    purpose = "A Confirm that echoes another Stack-Proposal gives no state, and the new "
      .. "association is torn down.",
    roles = RESPONDER,
    requirements = CONFIRM,
    run = wrong_confirm(function(confirm)
      confirm.objects[5].raw = "\2\0\0\0" .. "\1\1\0\0" .. "\2\2\1\0"
    end),
  },
  {
    id = "gist-5.1-hello-request",
    purpose = "An MA-Hello that asks for a reply gets one with its Hello-ID and without the "
      .. "R-flag.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.1-20b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local association = session.querying.association
      association:send(messages.encode_gist(messages.hello(305419896, true)))
      local reply = t:await(t.ixit.timing.response_ms, function()
        for _, hello in ipairs(association.hellos) do
          if hello.gist.by_type[10].values.hello_id ~= 0 then return hello end
        end
        return nil
      end)
      t:check({ "RFC5971-5.1-20b" }, "a reply comes with the same Hello-ID", 305419896,
        reply and reply.gist.by_type[10].values.hello_id)
      t:check({ "RFC5971-5.1-20b" }, "R is clear in it", 0, reply.gist.header.r)
    end,
  },
  {
    id = "gist-5.2.2-hello-id-zero",
    purpose = "An MA-Hello that asks for a reply with Hello-ID zero is answered by 'Object Value "
      .. "Error', 'Value Not Supported'.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.2.2-9b" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      session.querying.association:send(messages.encode_gist(messages.hello(0, true)))
      local item = t:expect(t.ni, "GIST Error", nil, { "RFC5971-5.2.2-9b" }, "an Error comes")
      t:check({ "RFC5971-5.2.2-9b" }, "'Object Value Error', 'Value Not Supported'", "10/1",
        item.code .. "/" .. item.subcode)
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-5.5-query-over-association",
    purpose = "A Query over an association is answered by 'Incorrect Encapsulation'.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.5-1" },
    run = function(t)
      local session = t:session():connect()
      t:body()
      local query = messages.query(t.ni, session, "\1\2\3\4\5\6\7\8", 1)
      session.querying.association:send(messages.encode_gist(query))
      local item = t:expect(t.ni, "GIST Error", nil, { "RFC5971-5.5-1" }, "an Error comes")
      t:check({ "RFC5971-5.5-1" }, "'Incorrect Encapsulation'", 3, item.code)
      t:control()
      session:send_create():expect_accepted()
    end,
  },
  {
    id = "gist-5.5-confirm-in-d-mode",
    purpose = "The Confirm of a handshake for an association, in D-mode, is answered by "
      .. "'Incorrect Encapsulation'.",
    roles = RESPONDER,
    requirements = { "RFC5971-5.5-1" },
    run = function(t)
      local session = t:session()
      t.ni:start_handshake(session, { only_query = true })
      t:await(t.ixit.timing.response_ms, function() return session.querying.response end)
      t:check(nil, "a Response comes", "a Response", messages.summary(session.querying.response),
        session.querying.response ~= nil)
      session:expect_iut_between()
      t:body()
      local response = session.querying.response.gist.by_type
      local confirm = messages.confirm(t.ni, session, response[6].raw, response[3].raw, true)
      local item = t:insist(function()
        t.ni:send_datagram(messages.encode_gist(confirm),
          { destination = response[2].values.interface })
      end, t.ni, "GIST Error", nil, { "RFC5971-5.5-1" }, "an Error answers the Confirm")
      t:check({ "RFC5971-5.5-1" }, "'Incorrect Encapsulation'", 3, item.code)
      t:control()
      t:session():send_create():expect_accepted()
    end,
  },
}
