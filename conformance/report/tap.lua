-- A run as TAP, version 14. An expected failure is a TODO, what does not apply a SKIP. An
-- unexpected pass is "not ok" without a directive: a TODO that passes would go unseen.

local verdicts = require("report.verdicts")

local report_tap = {}

local DIRECTIVE = { ["expected failure"] = "TODO", ["not applicable"] = "SKIP" }

-- A description may hold no line break, and '#' starts a directive.
local function plain(text)
  return (tostring(text):gsub("[%c\128-\255]+", " "):gsub("\\", "\\\\"):gsub("#", "\\#"))
end

local function quoted(text)
  return '"' .. tostring(text):gsub('[\\"]', "\\%0"):gsub("\n", "\\n"):gsub("[%c\127-\255]", "?")
    .. '"'
end

local function diagnostics(case, out)
  out[#out + 1] = "  ---"
  out[#out + 1] = "  verdict: " .. quoted(case.verdict)
  if case.reason then out[#out + 1] = "  message: " .. quoted(case.reason) end
  local step = verdicts.failed_step(case)
  if step then
    out[#out + 1] = "  at: " .. quoted(step.text)
    out[#out + 1] = "  expected: " .. quoted(step.expected)
    out[#out + 1] = "  actual: " .. quoted(step.actual)
  end
  out[#out + 1] = string.format("  duration_ms: %.3f", case.duration_ms)
  out[#out + 1] = "  ..."
end

function report_tap.render(document)
  local out = { "TAP version 14", "1.." .. #document.cases,
    string.format("# natfw-conform %s, suite %s, IUT %s", plain(document.version),
      plain(document.hash), plain(document.iut)) }
  for number, case in ipairs(document.cases) do
    local directive = DIRECTIVE[case.verdict]
    local is_bad = verdicts.wrong[case.verdict] or case.verdict == "expected failure"
    out[#out + 1] = string.format("%s %d - %s%s", is_bad and "not ok" or "ok", number,
      plain(case.id), directive and " # " .. directive .. " " .. plain(case.reason or "") or "")
    for _, remark in ipairs(case.remarks or {}) do out[#out + 1] = "# remark: " .. plain(remark) end
    if case.verdict ~= "pass" and case.verdict ~= "not applicable" then diagnostics(case, out) end
  end
  return table.concat(out, "\n") .. "\n"
end

return report_tap
