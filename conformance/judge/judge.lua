-- Offline verdicts on somebody's capture: which rules the IUT's messages conform to, which they
-- violate and in which frame, and which were never exercised.

local json = require("codec.json")
local stream = require("judge.stream")
local tables = require("codec.tables")
local tls = require("judge.tls")

local judge = {}

judge.verdicts = { "violates", "conforms", "never exercised" }

judge.groups = {
  { document = "RFC5971", rules = require("judge.gist_rules") },
  { document = "RFC5971", rules = require("judge.gist_timing_rules") },
  { document = "RFC5973", rules = require("judge.natfw_rules") },
}

local function in_order_of_time(packets)
  for place, one in ipairs(packets) do one.place = place end
  table.sort(packets, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.place < b.place
  end)
end

local function streamed(packets, addresses)
  in_order_of_time(packets)
  local gathered = stream.new(addresses)
  for _, one in ipairs(packets) do
    if one.record then
      gathered:clear_text(one.record, one.frame)
    else
      gathered:packet(one.bytes, one.frame, one.at)
    end
  end
  return gathered:finish()
end

-- Adds what the connections under TLS carry, each piece behind all packets of its time.
local function decrypt(packets, files, keylog, ports, name_of)
  for _, path in ipairs(files) do
    local records, why = tls.decrypt(path, keylog, ports)
    if not records then return nil, why end
    for _, record in ipairs(records) do
      packets[#packets + 1] = { record = record, at = record.at, frame = name_of(path, record.frame) }
    end
  end
  return packets
end

-- The messages of capture files; read(path, function(bytes, at, frame)) reads one. Frames are named
-- by the file where there are several. With `keylog`, a file of TLS secrets, also what is under
-- TLS. `warnings` has what else there is to say of the files.
function judge.gather(files, addresses, read, keylog)
  local packets, warnings = {}, {}
  local function name_of(path, frame)
    return (#files > 1 and path:match("[^/]*$") .. ":" or "") .. frame
  end
  for _, path in ipairs(files) do
    local ok, why = read(path, function(bytes, at, frame)
      packets[#packets + 1] = { bytes = bytes, at = at, frame = name_of(path, frame) }
    end)
    if not ok then return nil, why end
    warnings[#warnings + 1] = why
  end
  local gathered = streamed(packets, addresses)
  local ports = keylog and gathered:tls_ports() or {}
  if #ports > 0 then
    local more, why = decrypt(packets, files, keylog, ports, name_of)
    if not more then return nil, why end
    gathered = streamed(more, addresses)
  end
  gathered.warnings = warnings
  return gathered
end

-- Whether the rule needs more of the message's session than the capture shows.
local function lacks_needed(rule, gathered, message)
  if rule.needs_path then return not gathered:shows_path_of(message.item.sid) end
  return rule.needs_all and not gathered:shows_all_of(message.item.sid)
end

-- The verdict of one rule. Where it needs all of a session, on one wire (needs_all) or on both
-- (needs_path), what seems to violate it is a violation only if the capture shows that.
local function evaluate(rule, document, gathered)
  local result = { id = rule.id, text = rule.text, document = document,
    requirements = json.array({}), observations = 0, violations = json.array({}),
    notes = json.array({}) }
  for i, id in ipairs(rule.requirements) do result.requirements[i] = document .. "-" .. id end
  local function about(message)
    return { frame = message.frame, at = message.at, message = message.item and message.item.name }
  end
  local function note(message, text)
    local noted = about(message)
    noted.text = text
    table.insert(result.notes, noted)
  end
  local function say(message, expected, actual, holds)
    if holds == nil then holds = expected == actual end
    if not holds and lacks_needed(rule, gathered, message) then
      return note(message, string.format("expected %s, got %s; but the capture may lack what "
        .. "explains it", tostring(expected), tostring(actual)))
    end
    result.observations = result.observations + 1
    if holds then return end
    local violation = about(message)
    violation.expected, violation.actual = tostring(expected), tostring(actual)
    table.insert(result.violations, violation)
  end
  rule.judge(gathered, say, note)
  result.verdict = #result.violations > 0 and "violates"
    or result.observations > 0 and "conforms" or "never exercised"
  return result
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

local function describe(gathered)
  local out = { frames = gathered.counts.frames, copies = gathered.counts.copies,
    cut_frames = gathered.counts.cut, unfinished_datagrams = gathered.counts.unfinished,
    tls_unread = gathered.counts.tls, octets_behind_holes = gathered.counts.behind_holes,
    messages = #gathered.messages, senders = {}, sent_by_iut = #gathered:sent(), nslpids = {} }
  for _, message in ipairs(gathered.messages) do
    local id = tostring(message.item.gist.header.nslpid)
    out.nslpids[id] = (out.nslpids[id] or 0) + 1
    out.senders[message.sender] = (out.senders[message.sender] or 0) + 1
  end
  return out
end

-- What of the captures could not be read, and so was not judged.
local function unread(capture)
  local out = json.array({})
  for _, one in ipairs({ { capture.cut_frames, "frames cut short" },
    { capture.unfinished_datagrams, "datagrams that lack fragments" },
    { capture.octets_behind_holes, "octets behind holes in the capture" },
    { capture.tls_unread, "connections under TLS" } }) do
    if one[1] > 0 then out[#out + 1] = one[1] .. " " .. one[2] end
  end
  return out
end

-- { rules, counts, requirements, capture, unread (in words) }
function judge.evaluate(gathered)
  local out = { rules = json.array({}), counts = {}, capture = describe(gathered) }
  for _, verdict in ipairs(judge.verdicts) do out.counts[verdict] = 0 end
  for _, group in ipairs(judge.groups) do
    for _, rule in ipairs(group.rules) do
      local result = evaluate(rule, group.document, gathered)
      table.insert(out.rules, result)
      out.counts[result.verdict] = out.counts[result.verdict] + 1
    end
  end
  out.requirements = by_requirement(out.rules)
  out.unread = unread(out.capture)
  return out
end

-- 0 no violation, 1 a violation, 4 nothing that the IUT sent.
function judge.exit_status(result)
  if result.counts.violates > 0 then return 1 end
  return result.capture.sent_by_iut == 0 and 4 or 0
end

local function lines_of_rule(rule, out)
  local count = rule.verdict == "never exercised" and "" or rule.verdict == "violates"
    and string.format("%d of %d", #rule.violations, rule.observations)
    or tostring(rule.observations)
  out[#out + 1] = string.format("%-16s %-30s %9s  %s", rule.verdict, rule.id, count, rule.text)
  for _, violation in ipairs(rule.violations) do
    out[#out + 1] = string.format("    frame %s, %s: expected %s, got %s", violation.frame,
      violation.message or "a datagram", violation.expected, violation.actual)
  end
  for _, note in ipairs(rule.notes) do
    out[#out + 1] = string.format("    note: frame %s, %s: %s", note.frame, note.message
      or "a datagram", note.text)
  end
end

local function senders_of(capture)
  local list = tables.keys(capture.senders)
  return #list > 0 and table.concat(list, ", ") or "nobody"
end

function judge.lines(result)
  local out, capture = {}, result.capture
  for _, rule in ipairs(result.rules) do lines_of_rule(rule, out) end
  out[#out + 1] = string.format("%d frames, %d GIST messages, %d of them by the IUT%s",
    capture.frames, capture.messages, capture.sent_by_iut,
    #result.unread > 0 and "; not read: " .. table.concat(result.unread, ", ") or "")
  if capture.sent_by_iut == 0 then
    out[#out + 1] = "none of the IUT; messages were sent by: " .. senders_of(capture)
  end
  out[#out + 1] = string.format("%d rules: %d conform, %d violated, %d never exercised",
    #result.rules, result.counts.conforms, result.counts.violates,
    result.counts["never exercised"])
  return out
end

return judge
