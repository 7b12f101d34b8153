-- A run as JUnit XML, in the form that CI systems read; conformance/tests/junit.xsd has its rules.

local markup = require("report.markup")

local report_junit = {}

local xml = markup.ascii

-- What the run could not judge is skipped, with its reason: a build server blames somebody for the rest.
local function outcome(case)
  local why, verdict = xml(case.reason or ""), case.verdict
  if verdict == "fail" or verdict == "unexpected pass" then
    return string.format('      <failure type="%s" message="%s"/>', verdict, why)
  elseif verdict == "error" then
    return string.format('      <error type="%s" message="%s"/>', verdict, why)
  elseif verdict ~= "pass" then
    return string.format('      <skipped message="%s: %s"/>', verdict, why)
  end
end

local function case_xml(case, lines_of, out)
  out[#out + 1] = string.format('    <testcase classname="%s.%s" name="%s" time="%.3f">',
    xml(case.document), xml(case.section), xml(case.id), case.duration_ms / 1000)
  out[#out + 1] = outcome(case)
  out[#out + 1] = "      <system-out>"
  for _, line in ipairs(lines_of(case)) do out[#out + 1] = xml(line) end
  out[#out + 1] = "      </system-out>"
  out[#out + 1] = "    </testcase>"
end

local NO_TIME = "1970-01-01T00:00:00" -- of a run in virtual time: one seed, one report

-- `lines_of(case)` gives the steps of a case as text.
function report_junit.render(document, lines_of)
  local counts = document.counts
  local totals = string.format('tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f"',
    #document.cases + (document.dead and 1 or 0), counts.fail + counts["unexpected pass"],
    counts.error + (document.dead and 1 or 0),
    counts["not applicable"] + counts["expected failure"] + counts.inconclusive + counts.unstable,
    document.duration_ms / 1000)
  local out = { '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="natfw-conform" ' .. totals .. ">",
    string.format('  <testsuite name="%s" timestamp="%s" %s>', xml(document.iut),
      document.virtual_time and NO_TIME or document.started:gsub("Z$", ""), totals),
    "    <properties>",
    string.format('      <property name="version" value="%s"/>', xml(document.version)),
    string.format('      <property name="hash" value="%s"/>', xml(document.hash)) }
  if document.seed then
    out[#out + 1] = string.format('      <property name="seed" value="%d"/>', document.seed)
  end
  out[#out + 1] = "    </properties>"
  if document.dead then
    out[#out + 1] = '    <testcase classname="run" name="the IUT is there" time="0.000">'
    out[#out + 1] = string.format('      <error type="dead" message="%s"/>', xml(document.dead))
    out[#out + 1] = "    </testcase>"
  end
  for _, case in ipairs(document.cases) do case_xml(case, lines_of, out) end
  out[#out + 1] = "  </testsuite>"
  out[#out + 1] = "</testsuites>"
  return table.concat(out, "\n") .. "\n"
end

return report_junit
