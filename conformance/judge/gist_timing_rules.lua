-- Rules of GIST, RFC 5971, about when and where to messages go, as in gist_rules.lua. A capture
-- shows a message when it passed by, and may lack any datagram: only what neither delay nor loss on
-- the way explains is a violation.

local view = require("judge.view")

local header, raw, value = view.header, view.raw, view.value

local MRI, SID, NLI, QUERY_COOKIE, RESPONDER_COOKIE = 0, 1, 2, 5, 6

-- A Response is due before the first retransmission of its Query, 500 ms; the other half second is
-- for the way between the capture and the IUT.
local PROMPT_S = 1

-- Three gaps between four Queries, of which none is half as long again as the one before: with a
-- doubling interval that can't be, whatever is lost, for a gap that is not doubled has three lost
-- Queries before it, and the next one is. From T2 on (64 times T1) intervals are equal, so long
-- gaps say nothing; nor do gaps that are lost in jitter.
local GROWTH, LONGEST_GAP_S, SHORTEST_GAP_S = 1.5, 3, 0.02

-- Lists of the IUT's Queries of one handshake each: what ends one is a Response or an Error that
-- came in its session, or a Confirm.
local function handshakes(stream)
  local list, open = {}, {}
  for _, message in ipairs(stream.messages) do
    local key = raw(message, SID)
    if message.from_iut and message.name == "Query" and key then
      if not open[key] then
        open[key] = {}
        list[#list + 1] = open[key]
      end
      table.insert(open[key], message)
    elseif key and (message.name == "Response" or message.name == "Confirm") then
      open[key] = nil
    elseif message.name == "Error" then
      open = {}
    end
  end
  return list
end

local function gap(queries, place) return queries[place].at - queries[place - 1].at end

return {
  { id = "gist-query-backoff", needs_all = true, requirements = { "5.3.3-1b", "5.3.3-i1" },
    text = "The intervals between retransmissions of a Query grow", judge = function(stream, say)
      for _, queries in ipairs(handshakes(stream)) do
        for place = 4, #queries do
          local first, second, third = gap(queries, place - 2), gap(queries, place - 1),
            gap(queries, place)
          if first > SHORTEST_GAP_S and third < LONGEST_GAP_S then
            say(queries[place], "longer and longer", string.format("%.2f s, %.2f s, %.2f s", first,
              second, third), second >= GROWTH * first or third >= GROWTH * second)
          end
        end
      end
    end },
  { id = "gist-response-prompt", requirements = { "5.3.3-7" },
    text = "A Response in D-mode comes within a second of its Query", judge = function(stream, say)
      local confirms_of = view.by_session(stream:received("Confirm"))
      for response, query in view.matched(stream, "Response", "Query", QUERY_COOKIE) do
        local delay_s = response.at - query.at
        -- To a refresh it may have been sent before, and was lost: 6.3 sends it again.
        local first = confirms_of(query)[1]
        local may_be_again = first and first.at <= query.at and delay_s > PROMPT_S
        if response.mode == "D" and delay_s >= 0 and not may_be_again then
          say(response, string.format("at most %g s after frame %s", PROMPT_S, query.frame),
            string.format("%.3f s", delay_s), delay_s <= PROMPT_S)
        end
      end
    end },
  { id = "gist-response-destination", requirements = { "5.3.1-i4", "4.4.1-13" },
    text = "A Response in D-mode goes to the address in the Query's NLI",
    judge = function(stream, say)
      for response, query in view.matched(stream, "Response", "Query", QUERY_COOKIE) do
        local wanted = value(query, NLI, "interface")
        if response.mode == "D" and wanted then say(response, wanted, response.destination) end
      end
    end },
  { id = "gist-confirm-destination", requirements = { "5.3.1-i3", "4.4.1-11" },
    text = "A Confirm goes to the address in the Response's NLI", judge = function(stream, say)
      for confirm, response in view.matched(stream, "Confirm", "Response", RESPONDER_COOKIE) do
        local wanted = value(response, NLI, "interface")
        if wanted then say(confirm, wanted, confirm.destination) end
      end
    end },
  { id = "gist-upstream-query-ttl", requirements = { "5.8.1.3-7" },
    text = "An upstream Query leaves with IP TTL 255", judge = function(stream, say)
      for _, message in ipairs(stream:sent("Query")) do
        local upstream = value(message, MRI, "mrm") == 0 and value(message, MRI, "d") == 1
        local ttl = message.packet and message.packet.ttl
        -- A capture from further away has packets that left with more than they have.
        local left_with_more = ttl and ttl < 255 and value(message, NLI, "ip_ttl") == 255
        if upstream and ttl and not left_with_more then say(message, 255, ttl) end
      end
    end },
  { id = "gist-upstream-query-source", requirements = { "5.8.1.3-5" },
    text = "An upstream Query has S=1", judge = function(stream, say)
      for _, message in ipairs(stream:sent("Query")) do
        if value(message, MRI, "mrm") == 0 and value(message, MRI, "d") == 1 then
          say(message, "S=1", "S=" .. tostring(header(message).s))
        end
      end
    end },
}
