-- Offline verdicts on somebody's capture: which rules the IUT's messages conform to, which they
-- violate and in which frame, and which were never exercised. Messages are judged one by one, and
-- what is kept of them is bounded, so that a capture may be of any size.

local gist = require("codec.gist")
local json = require("codec.json")
local observer = require("judge.observer")
local recording = require("judge.recording")
local sessions = require("judge.sessions")
local tables = require("codec.tables")
local wording = require("codec.wording")

local judge = {}

judge.verdicts = { "violates", "conforms", "never exercised" }

judge.groups = {
  { document = "RFC5971", layer = "gist", rules = require("judge.gist_rules") },
  { document = "RFC5971", layer = "gist", rules = require("judge.gist_timing_rules") },
  { document = "RFC5973", layer = "natfw", rules = require("judge.natfw_rules") },
}

local MOST_SENDERS = 10000 -- that are counted one by one

local function new_observers()
  local list = {}
  for _, group in ipairs(judge.groups) do
    for _, rule in ipairs(group.rules) do
      local place = #list + 1
      list[place] = observer.new(rule, group.document, place)
      list[place].layer = group.layer
    end
  end
  return list
end

local function is_about(rule, name)
  if not rule.of then return true end
  for _, wanted in ipairs(rule.of) do
    if wanted == name then return true end
  end
  return false
end

-- Those whose rules are about messages of this layer and name, of the IUT or of others.
local function chosen(self, layer, name, from_iut)
  local key = layer .. name .. tostring(from_iut)
  if self.chosen[key] then return self.chosen[key] end
  local list = {}
  for _, each in ipairs(self.observers) do
    local rule = each.rule
    if each.layer == layer and (from_iut or rule.by_anyone) and is_about(rule, name) then
      list[#list + 1] = each
    end
  end
  self.chosen[key] = list
  return list
end

local function ask(list, message)
  for _, each in ipairs(list) do
    if message.session or not each.rule.of_session then
      each.rule.judge(message, each.say, each.note)
    end
  end
end

local function count(self, message)
  local capture = self.capture
  local id = tostring(message.item.gist.header.nslpid)
  capture.nslpids[id] = (capture.nslpids[id] or 0) + 1
  if message.from_iut then capture.sent_by_iut = capture.sent_by_iut + 1 end
  local known = capture.senders[message.sender]
  if not known then self.senders = self.senders + 1 end
  if known or self.senders <= MOST_SENDERS then
    capture.senders[message.sender] = (known or 0) + 1
  end
end

local function receive(self, message)
  count(self, message)
  message.run = self.run
  message.session = self.sessions:of(message)
  if message.name == "Error" then self.run.errors = self.run.errors + 1 end
  ask(chosen(self, "gist", message.name, message.from_iut), message)
  local inner = message.item.natfw
  if inner then ask(chosen(self, "natfw", inner.name, message.from_iut), message) end
  if message.session then self.sessions:note(message.session, message) end
end

local function receive_stranger(self, stranger)
  if not stranger.from_iut then return end
  for _, each in ipairs(self.observers) do
    if each.rule.of_strangers then each.rule.judge(stranger, each.say, each.note) end
  end
end

-- Requirement id -> verdict: one violation outweighs everything.
local function by_requirement(rules)
  local rank = { violates = 3, conforms = 2, ["never exercised"] = 1 }
  local found = {}
  for _, rule in ipairs(rules) do
    for _, id in ipairs(rule.requirements) do
      if not found[id] or rank[rule.verdict] > rank[found[id]] then found[id] = rule.verdict end
    end
  end
  return found
end

local function describe(self, read)
  local counts, capture = read.counts, self.capture
  capture.frames, capture.copies, capture.cut_frames = counts.frames, counts.copies, counts.cut
  capture.unfinished_datagrams, capture.tls_unread = counts.unfinished, counts.tls
  capture.octets_behind_holes, capture.late_frames = counts.behind_holes, counts.late
  capture.messages, capture.sessions_given_up = counts.messages, self.sessions.given_up
  return capture
end

-- What of the captures could not be read, and so was not judged.
local function unread(capture)
  local out = json.array({})
  for _, one in ipairs({ { capture.cut_frames, "frames cut short" },
    { capture.unfinished_datagrams, "datagrams that lack fragments" },
    { capture.octets_behind_holes, "octets behind holes in the capture" },
    { capture.tls_unread, "connections under TLS" },
    { capture.late_frames, "frames far behind their time" },
    { capture.sessions_given_up, "sessions to their end, as too many were alive at once" } }) do
    if one[1] > 0 then out[#out + 1] = one[1] .. " " .. one[2] end
  end
  return out
end

local function conclude(self, read)
  self.sessions:finish()
  local whole = read.whole and self.sessions.given_up == 0
  local holds = { whole = whole, ["whole, of two wires"] = whole and self.sessions.shows_two_wires }
  local out = { rules = json.array({}), counts = {}, capture = describe(self, read),
    warnings = read.warnings }
  for _, verdict in ipairs(judge.verdicts) do out.counts[verdict] = 0 end
  for place, each in ipairs(self.observers) do
    local result = each:result(holds)
    out.rules[place] = result
    out.counts[result.verdict] = out.counts[result.verdict] + 1
  end
  out.requirements = by_requirement(out.rules)
  out.unread = unread(out.capture)
  return out
end

-- Judges capture files, all of one recording, by the messages of these addresses; `reader` and `keylog`
-- as of recording.read(). { rules, counts, requirements, capture, unread (in words), warnings }, or
-- nil and why.
function judge.captures(files, addresses, reader, keylog)
  -- Most of what is made for a message goes with it; what stays may grow by half before it is looked at.
  collectgarbage("generational", 20, 50)
  local self = { observers = new_observers(), chosen = {}, senders = 0,
    run = { addresses = addresses, errors = 0 },
    capture = { senders = {}, nslpids = {}, sent_by_iut = 0 } }
  self.sessions = sessions.new({ addresses = addresses, ended = function(session)
    if not session.told then return end
    for _, each in ipairs(self.observers) do each:session_ended(session) end
  end })
  local read, why = recording.read(files, { addresses = addresses,
    message = function(message) receive(self, message) end,
    stranger = function(stranger) receive_stranger(self, stranger) end }, reader, keylog)
  if not read then return nil, why end
  return conclude(self, read)
end

local VIOLATION, NOTHING_OF_THE_IUT, NO_NATFW = 1, 4, 5

local function has_natfw(capture) return capture.nslpids[tostring(gist.nslpid)] ~= nil end

-- 0 no violation, 1 a violation, 4 nothing that the IUT sent, 5 no NATFW.
function judge.exit_status(result)
  if result.counts.violates > 0 then return VIOLATION end
  if result.capture.sent_by_iut == 0 then return NOTHING_OF_THE_IUT end
  return has_natfw(result.capture) and 0 or NO_NATFW
end

local function lines_of_rule(rule, out)
  local count_text = rule.verdict == "never exercised" and "" or rule.verdict == "violates"
    and string.format("%d of %d", rule.violation_count, rule.observations)
    or tostring(rule.observations)
  out[#out + 1] = string.format("%-16s %-30s %9s  %s", rule.verdict, rule.id, count_text, rule.text)
  for _, violation in ipairs(rule.violations) do
    out[#out + 1] = string.format("    frame %s, %s: expected %s, got %s", violation.frame,
      violation.message or "a datagram", violation.expected, violation.actual)
  end
  for _, note in ipairs(rule.notes) do
    out[#out + 1] = string.format("    note: frame %s, %s: %s", note.frame, note.message
      or "a datagram", note.text)
  end
  local more = rule.violation_count + rule.note_count - #rule.violations - #rule.notes
  if more > 0 then out[#out + 1] = string.format("    and %d more", more) end
end

local function senders_of(capture)
  local list = tables.keys(capture.senders)
  return #list > 0 and table.concat(list, ", ") or "nobody"
end

-- What the captures hold in place of NATFW, in words. NSLPID 0 is of GIST's own messages.
local function other_than_natfw(capture)
  local names = {}
  for id, messages in tables.sorted(capture.nslpids) do
    if id ~= "0" then
      names[#names + 1] = string.format("NSLPID %s (%s)", id, wording.counted(messages, "message"))
    end
  end
  if #names > 0 then return "GIST of " .. table.concat(names, ", ") .. " only" end
  return capture.messages > 0 and "GIST of no NSLP" or "no GIST either"
end

function judge.lines(result)
  local out, capture = {}, result.capture
  for _, rule in ipairs(result.rules) do lines_of_rule(rule, out) end
  out[#out + 1] = string.format("%d frames, %d GIST messages, %d of them by the IUT%s",
    capture.frames, capture.messages, capture.sent_by_iut,
    #result.unread > 0 and "; not read: " .. table.concat(result.unread, ", ") or "")
  if not has_natfw(capture) then
    out[#out + 1] = string.format("no NATFW, which is NSLPID %d: %s", gist.nslpid,
      other_than_natfw(capture))
  end
  if capture.sent_by_iut == 0 then
    out[#out + 1] = "none of the IUT; messages were sent by: " .. senders_of(capture)
  end
  out[#out + 1] = string.format("%d rules: %d conform, %d violated, %d never exercised",
    #result.rules, result.counts.conforms, result.counts.violates,
    result.counts["never exercised"])
  return out
end

return judge
