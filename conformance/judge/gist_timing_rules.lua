-- Rules of GIST, RFC 5971, about when and where to messages go, as in gist_rules.lua. A capture
-- shows a message when it passed by, and may lack any datagram: only what neither delay nor loss on
-- the way explains is a violation.

local view = require("judge.view")

local header, value = view.header, view.value

local MRI, NLI, QUERY_COOKIE, RESPONDER_COOKIE = 0, 2, 5, 6

-- A Response is due before the first retransmission of its Query, 500 ms; the other half second is
-- for the way between the capture and the IUT.
local PROMPT_S = 1

-- Three gaps between four Queries, of which none is half as long again as the one before: with a
-- doubling interval that can't be, whatever is lost, for a gap that is not doubled has three lost
-- Queries before it, and the next one is. From T2 on (64 times T1) intervals are equal, so long
-- gaps say nothing; nor do gaps that are lost in jitter.
local GROWTH, LONGEST_GAP_S, SHORTEST_GAP_S, QUERIES = 1.5, 3, 0.02, 4

-- The gaps between the IUT's last four Queries of one handshake, with this one. What ends a handshake
-- is a Response or a Confirm of its session, or an Error that came, which may be of any.
local function gaps_with(message)
  local session, errors = message.session, message.run.errors
  if not session.asking or session.asking.errors ~= errors then
    session.asking = { errors = errors }
  end
  local times = session.asking
  times[#times + 1] = message.at
  if #times > QUERIES then table.remove(times, 1) end
  if #times < QUERIES then return nil end
  return times[2] - times[1], times[3] - times[2], times[4] - times[3]
end

return {
  { id = "gist-query-backoff", needs_all = true, of_session = true, by_anyone = true,
    of = { "Query", "Response", "Confirm" }, requirements = { "5.3.3-1b", "5.3.3-i1" },
    text = "The intervals between retransmissions of a Query grow", judge = function(message, say)
      if message.name ~= "Query" then
        message.session.asking = nil
      elseif message.from_iut then
        local first, second, third = gaps_with(message)
        if first and first > SHORTEST_GAP_S and third < LONGEST_GAP_S then
          say(message, "longer and longer", string.format("%.2f s, %.2f s, %.2f s", first, second,
            third), second >= GROWTH * first or third >= GROWTH * second)
        end
      end
    end },
  { id = "gist-response-prompt", of_session = true, of = { "Response" }, requirements = { "5.3.3-7" },
    text = "A Response in D-mode comes within a second of its Query",
    judge = view.with_kept("queries", QUERY_COOKIE, function(message, query, say)
      if message.mode ~= "D" then return end
      local delay_s = message.at - query.at
      -- To a refresh it may have been sent before, and was lost: 6.3 sends it again.
      local confirmed_at = message.session.confirmed_at
      local may_be_again = confirmed_at and confirmed_at <= query.at and delay_s > PROMPT_S
      if delay_s >= 0 and not may_be_again then
        say(message, string.format("at most %g s after frame %s", PROMPT_S, query.frame),
          string.format("%.3f s", delay_s), delay_s <= PROMPT_S)
      end
    end) },
  { id = "gist-response-destination", of_session = true, of = { "Response" },
    requirements = { "5.3.1-i4", "4.4.1-13" },
    text = "A Response in D-mode goes to the address in the Query's NLI",
    judge = view.with_kept("queries", QUERY_COOKIE, function(message, query, say)
      if query.interface and message.mode == "D" then
        say(message, query.interface, message.destination)
      end
    end) },
  { id = "gist-confirm-destination", of_session = true, of = { "Confirm" },
    requirements = { "5.3.1-i3", "4.4.1-11" },
    text = "A Confirm goes to the address in the Response's NLI",
    judge = view.with_kept("responses", RESPONDER_COOKIE, function(message, response, say)
      if response.interface then say(message, response.interface, message.destination) end
    end) },
  { id = "gist-upstream-query-ttl", of = { "Query" }, requirements = { "5.8.1.3-7" },
    text = "An upstream Query leaves with IP TTL 255", judge = function(message, say)
      local upstream = value(message, MRI, "mrm") == 0 and value(message, MRI, "d") == 1
      local ttl = message.packet and message.packet.ttl
      -- A capture from further away has packets that left with more than they have.
      local left_with_more = ttl and ttl < 255 and value(message, NLI, "ip_ttl") == 255
      if upstream and ttl and not left_with_more then say(message, 255, ttl) end
    end },
  { id = "gist-upstream-query-source", of = { "Query" }, requirements = { "5.8.1.3-5" },
    text = "An upstream Query has S=1", judge = function(message, say)
      if value(message, MRI, "mrm") == 0 and value(message, MRI, "d") == 1 then
        say(message, "S=1", "S=" .. tostring(header(message).s))
      end
    end },
}
