-- Reports of a run: one document with every step, which the JSON, JUnit, TAP and HTML reports are
-- written from; and lines for people.

local json = require("codec.json")
local show = require("codec.show")
local tables = require("codec.tables")
local verdicts = require("report.verdicts")
local wording = require("codec.wording")

local report = {}

report.kinds = { "json", "junit", "tap", "html" }

-- The document -----------------------------------------------------------------------------------

local function packet_table(parts)
  return parts and { source = parts.source, destination = parts.destination,
    source_port = parts.source_port, destination_port = parts.destination_port, ttl = parts.ttl }
end

-- Who sent it, how, and what it is, field by field or, where it is raw, as octets; `sessions` numbers
-- the session ids in their order.
local function message_table(out, step, sessions, is_raw)
  local item = step.item
  if is_raw then
    out.octets = show.hex(item.gist.bytes)
  else
    out.party, out.direction = step.text:match("^(%S+) (%S+)")
    out.message, out.what = show.plain(item.gist), item:summary()
  end
  out.mode = item.mode or item.gist.name == "Query" and "Q" or nil
  out.packet = packet_table(item.packet)
  if item.sid then
    if not sessions[item.sid] then
      sessions.count = sessions.count + 1
      sessions[item.sid] = sessions.count
    end
    out.session = sessions[item.sid]
  end
end

local function step_table(step, start, sessions, is_raw)
  local out = { kind = step.kind, text = step.text, at_ms = step.at - start }
  if step.kind == "check" then
    out.ok, out.expected, out.actual, out.phase = step.ok, step.expected, step.actual, step.phase
    if is_raw and step.ok and step.actual == step.expected then out.actual = nil end
    out.requirements, out.weight = json.array(step.ids), step.weight
  elseif step.item then
    message_table(out, step, sessions, is_raw)
  end
  return out
end

-- The steps of a run of the case, as far as they are of the document.
local function steps_table(case, is_raw)
  local sessions, out = { count = 0 }, json.array({})
  for i, step in ipairs(case.steps) do
    out[i] = step_table(step, case.started_at, sessions, is_raw)
  end
  return out
end

local function case_table(case, run, is_raw)
  local definition = case.definition
  local out = { id = definition.id, document = definition.document, section = definition.section,
    file = definition.file, purpose = definition.purpose, roles = json.array(definition.roles),
    verdict = case.verdict, reason = case.reason, duration_ms = case.finished_at - case.started_at,
    started_at_ms = case.started_at - run.started_ms,
    measured_ms = not tables.is_empty(case.measured) and case.measured or nil,
    readings = not tables.is_empty(case.seen_readings) and case.seen_readings or nil,
    remarks = #case.remarks > 0 and json.array(case.remarks) or nil,
    addresses = case.addresses, requirements = {}, steps = steps_table(case, is_raw) }
  for _, id in ipairs(definition.requirements) do
    out.requirements[id] = case.results[id] or "not reached"
  end
  local other = case.other_run
  if other then
    out.other_run = { verdict = other.verdict, reason = other.reason, steps = steps_table(other) }
  end
  if run.pcap and #case.steps > 0 then
    local path = run.pcap .. "/" .. case.recorded_as
    out.pcaps = json.array({ path .. ".inside.pcap", path .. ".outside.pcap" })
  end
  return out
end

-- What the ids of these cases, and those that none judged, say.
local function texts_of(document, catalogue)
  local texts = {}
  local function add(id)
    local known = catalogue[id]
    texts[id] = known and { document = known.document, section = known.section,
      level = known.level, summary = known.summary, restates = known.restates }
  end
  for _, case in ipairs(document.cases) do
    for id in tables.sorted(case.requirements) do add(id) end
  end
  for _, id in ipairs(document.coverage.unjudged) do add(id) end
  return texts
end

-- run: { version, hash, iut, roles, seed, jobs, strict, started (text), started_ms, pcap, catalogue,
-- decoded, pack (see report/html.lua), told (of the IXIT) }. is_raw: messages of cases that passed
-- stand there as octets.
function report.document(results, run, is_raw)
  local out = { suite = "natfw-conform", version = run.version, hash = run.hash, iut = run.iut,
    seed = run.seed, jobs = run.jobs, strict_rulings = run.strict, started = run.started or "",
    virtual_time = run.virtual_time, dead = run.dead, told = run.told,
    counts = verdicts.count(results), requirements = verdicts.by_requirement(results),
    duration_ms = 0, cases = json.array({}) }
  for i, case in ipairs(results) do
    out.cases[i] = case_table(case, run, is_raw and case.verdict == "pass")
    out.duration_ms = math.max(out.duration_ms, case.finished_at - run.started_ms)
  end
  out.coverage = verdicts.coverage(out.requirements, run.catalogue, run.roles)
  out.coverage.unjudged = json.array(out.coverage.unjudged)
  out.requirement_texts = texts_of(out, run.catalogue)
  return out
end

-- Of a whole run it would be 19 MB in full: messages of cases that passed are decoded on request only.
function report.json(results, run)
  return json.encode(report.document(results, run, not run.decoded)) .. "\n"
end

function report.junit(results, run)
  return require("report.junit").render(report.document(results, run), report.steps)
end

function report.tap(results, run)
  return require("report.tap").render(report.document(results, run))
end

function report.html(results, run, path)
  return require("report.html").render(report.document(results, run), path, run.pack)
end

-- Lines ------------------------------------------------------------------------------------------

local function add_steps(out, steps)
  for _, step in ipairs(steps) do
    local at = string.format("%9.1f ms  ", step.at_ms)
    if step.kind == "check" then
      out[#out + 1] = string.format("%s%s %s%s", at, verdicts.step_word(step), step.text,
        #step.requirements > 0 and "  [" .. table.concat(step.requirements, " ") .. "]" or "")
      if not step.ok then
        out[#out + 1] = string.rep(" ", 19) .. "expected " .. step.expected .. ", got "
          .. step.actual
      end
    else
      out[#out + 1] = at .. "     " .. step.text
    end
  end
end

-- The steps of a case of the document as lines; of an unstable one those of both runs.
function report.steps(case)
  local out = {}
  add_steps(out, case.steps)
  if case.other_run then
    out[#out + 1] = "  again, alone: " .. case.other_run.verdict
    add_steps(out, case.other_run.steps)
  end
  return out
end

-- The same of a case that has just finished.
function report.steps_of(case)
  return report.steps(case_table(case, { started_ms = case.started_at }))
end

local colours = { pass = 32, fail = 31, error = 35, inconclusive = 33, unstable = 33,
  ["unexpected pass"] = 31 }

local function coloured(verdict, terminal)
  local padded = string.format("%-16s", verdict)
  if not terminal or not colours[verdict] then return padded end
  return string.format("\27[%dm%s\27[0m", colours[verdict], padded)
end

-- One line for a finished case.
function report.line(case, terminal)
  local notes = {}
  for name, value in tables.sorted(case.measured) do
    notes[#notes + 1] = string.format("%s %.1f ms", name, value)
  end
  for ruling, which in tables.sorted(case.seen_readings) do
    notes[#notes + 1] = ruling .. ": " .. which
  end
  table.sort(notes)
  for place, remark in ipairs(case.remarks) do table.insert(notes, place, "remark: " .. remark) end
  if case.reason then table.insert(notes, 1, case.reason:match("[^\n]*")) end
  return coloured(case.verdict, terminal) .. " " .. case.definition.id
    .. (#notes > 0 and "  (" .. table.concat(notes, "; ") .. ")" or "")
end

function report.summary(results)
  local counts = verdicts.count(results)
  local parts = {}
  for _, name in ipairs(verdicts.order) do
    if counts[name] > 0 then parts[#parts + 1] = counts[name] .. " " .. name end
  end
  local judged = verdicts.judged(verdicts.by_requirement(results))
  return string.format("%s: %s\n%s passed%s, %d failed, %d without a verdict",
    wording.counted(#results, "case"), table.concat(parts, ", "),
    wording.counted(judged.pass, "requirement"), judged.remark > 0
    and string.format(", %d with a remark", judged.remark) or "", judged.fail, judged.other)
end

return report
