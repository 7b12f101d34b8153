-- Reports of a run: JSON with every step, JUnit XML for a CI, and lines for people.

local json = require("codec.json")
local show = require("codec.show")
local verdicts = require("runner.verdicts")

local report = {}

local function step_table(step, start)
  local out = { kind = step.kind, text = step.text, at_ms = step.at - start }
  if step.kind == "check" then
    out.ok, out.expected, out.actual, out.phase = step.ok, step.expected, step.actual, step.phase
    out.requirements = json.array(step.ids)
  elseif step.decoded then
    out.message = show.plain(step.decoded)
  end
  return out
end

local function case_table(case, run)
  local definition = case.definition
  local out = { id = definition.id, document = definition.document, section = definition.section,
    file = definition.file, purpose = definition.purpose, roles = json.array(definition.roles),
    verdict = case.verdict, reason = case.reason, duration_ms = case.finished_at - case.started_at,
    started_at_ms = case.started_at - run.started_ms,
    measured_ms = next(case.measured) and case.measured or nil,
    readings = next(case.seen_readings) and case.seen_readings or nil,
    requirements = {}, steps = json.array({}) }
  for _, id in ipairs(definition.requirements) do
    out.requirements[id] = case.results[id] or "not reached"
  end
  for i, step in ipairs(case.steps) do out.steps[i] = step_table(step, case.started_at) end
  if run.pcap and #case.steps > 0 then
    out.pcaps = json.array({ run.pcap .. "/" .. definition.id .. ".inside.pcap",
      run.pcap .. "/" .. definition.id .. ".outside.pcap" })
  end
  return out
end

-- run: { version, hash, iut, seed, jobs, strict, started (text), started_ms, pcap }.
function report.json(results, run)
  local out = { suite = "natfw-conform", version = run.version, hash = run.hash, iut = run.iut,
    seed = run.seed, jobs = run.jobs, strict_rulings = run.strict, started = run.started,
    counts = verdicts.count(results), requirements = verdicts.by_requirement(results),
    cases = json.array({}) }
  for i, case in ipairs(results) do out.cases[i] = case_table(case, run) end
  return json.encode(out, "") .. "\n"
end

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

-- XML 1.0 has no control characters but these; octets above ASCII are shown as marks.
local function xml(text)
  text = tostring(text):gsub('[&<>"]', entities)
  return (text:gsub("[%z\1-\8\11\12\14-\31\127-\255]", "?"))
end

local function case_xml(case, out)
  local definition = case.definition
  out[#out + 1] = string.format('    <testcase classname="%s.%s" name="%s" time="%.3f">',
    xml(definition.document), xml(definition.section), xml(definition.id),
    (case.finished_at - case.started_at) / 1000)
  local why = xml(case.reason or "")
  local verdict = case.verdict
  if verdict == "fail" or verdict == "unexpected pass" then
    out[#out + 1] = string.format('      <failure type="%s" message="%s"/>', verdict, why)
  elseif verdict == "error" or verdict == "inconclusive" then
    out[#out + 1] = string.format('      <error type="%s" message="%s"/>', verdict, why)
  elseif verdict ~= "pass" then
    out[#out + 1] = string.format('      <skipped message="%s: %s"/>', verdict, why)
  end
  out[#out + 1] = "      <system-out>"
  for _, line in ipairs(report.steps(case)) do out[#out + 1] = xml(line) end
  out[#out + 1] = "      </system-out>"
  out[#out + 1] = "    </testcase>"
end

function report.junit(results, run)
  local counts = verdicts.count(results)
  local duration = 0
  for _, case in ipairs(results) do
    duration = math.max(duration, case.finished_at - run.started_ms)
  end
  local totals = string.format('tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f"',
    #results, counts.fail + counts["unexpected pass"], counts.error + counts.inconclusive,
    counts["not applicable"] + counts["expected failure"], duration / 1000)
  local out = { '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="natfw-conform" ' .. totals .. ">",
    string.format('  <testsuite name="%s" timestamp="%s" %s>', xml(run.iut), run.started, totals),
    "    <properties>",
    string.format('      <property name="version" value="%s"/>', xml(run.version)),
    string.format('      <property name="hash" value="%s"/>', xml(run.hash)),
    "    </properties>" }
  for _, case in ipairs(results) do case_xml(case, out) end
  out[#out + 1] = "  </testsuite>"
  out[#out + 1] = "</testsuites>"
  return table.concat(out, "\n") .. "\n"
end

-- The steps of a case as lines.
function report.steps(case)
  local out = {}
  for _, step in ipairs(case.steps) do
    local at = string.format("%9.1f ms  ", step.at - case.started_at)
    if step.kind == "check" then
      out[#out + 1] = string.format("%s%s %s%s", at, step.ok and "ok  " or "FAIL", step.text,
        #step.ids > 0 and "  [" .. table.concat(step.ids, " ") .. "]" or "")
      if not step.ok then
        out[#out + 1] = string.rep(" ", 19) .. "expected " .. step.expected .. ", got "
          .. step.actual
      end
    else
      out[#out + 1] = at .. "     " .. step.text
    end
  end
  return out
end

local colours = { pass = 32, fail = 31, error = 35, inconclusive = 33, ["unexpected pass"] = 31 }

local function coloured(verdict, terminal)
  local padded = string.format("%-16s", verdict)
  if not terminal or not colours[verdict] then return padded end
  return string.format("\27[%dm%s\27[0m", colours[verdict], padded)
end

-- One line for a finished case.
function report.line(case, terminal)
  local notes = {}
  for name, value in pairs(case.measured) do notes[#notes + 1] = string.format("%s %.1f ms", name,
    value) end
  for ruling, which in pairs(case.seen_readings) do notes[#notes + 1] = ruling .. ": " .. which end
  table.sort(notes)
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
  local judged = { pass = 0, fail = 0, other = 0 }
  for _, result in pairs(verdicts.by_requirement(results)) do
    local key = judged[result] and result or "other"
    judged[key] = judged[key] + 1
  end
  return string.format("%d cases: %s\n%d requirements passed, %d failed, %d without a verdict",
    #results,
    table.concat(parts, ", "), judged.pass, judged.fail, judged.other)
end

return report
