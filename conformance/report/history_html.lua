-- The history of boxes as one HTML page: for each a plot of its verdicts over the runs, the cases
-- whose verdict changed, and the runs. No other file, no JavaScript; the plot is SVG that scales.

local history = require("report.history")
local markup = require("report.markup")
local style = require("report.style")
local tables = require("codec.tables")
local wording = require("codec.wording")

local history_html = {}

local text, class_of, badge = markup.text, markup.class_of, markup.badge

local STYLE = [[
.plot { display: grid; grid-template-columns: auto 1fr; gap: 4px 8px; margin: 14px 0 4px; }
.plot .scale { display: flex; flex-direction: column; justify-content: space-between;
  text-align: right; color: var(--soft); font-size: 12px; }
.plot svg { display: block; width: 100%; height: 200px; border-bottom: 1px solid var(--line); }
.plot .numbers { grid-column: 2; display: flex; font-size: 12px; text-align: center; }
.plot .numbers span { flex: 1 1 0; min-width: 0; }
.plot line { stroke: var(--soft); stroke-dasharray: 4 3; vector-effect: non-scaling-stroke; }
.plot .not-applicable, .strip .not-applicable, .key .not-applicable { --tone: var(--line); }
rect, .key i { fill: var(--tone, var(--quiet)); background: var(--tone, var(--quiet)); }
rect { stroke: var(--paper); vector-effect: non-scaling-stroke; }
.light { fill-opacity: 0.55; } .key i.light { opacity: 0.55; }
.key { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; margin: 8px 0 4px; }
.key i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
.strip { display: block; height: 16px; margin-bottom: 4px; }
.run { white-space: nowrap; } .small { color: var(--soft); font-size: 13px; }
.history td { overflow-wrap: break-word; } .history th { width: 25%; }
.history th:first-child { width: 30%; }
@media (max-width: 640px) { .history td { flex: 1 0 100%; } }
]]

-- Plot ---------------------------------------------------------------------------------------------

local STEP, BAR = 10, 8 -- of one run, in units of the drawing
local LEAST = 2 -- in hundredths of the height: what one case of hundreds shows as
local LABELS_MAX = 12

-- The order in which verdicts are stacked; every second is lighter, to be told from its neighbour.
local ORDER = history.from_the_worst()
local SHADE = {}
for place, verdict in ipairs(ORDER) do
  SHADE[verdict] = class_of(verdict) .. (place % 2 == 0 and " light" or "")
end

-- The heights of a run's verdicts in hundredths, the highest giving way to those that would not show.
local function heights_of(run, most)
  local heights, total, highest = {}, 0, nil
  for _, verdict in ipairs(ORDER) do
    local count = run.counts[verdict]
    heights[verdict] = count > 0 and math.max(100 * count / most, LEAST) or 0
    total = total + heights[verdict]
    if not highest or heights[verdict] > heights[highest] then highest = verdict end
  end
  heights[highest] = heights[highest] - math.max(total - 100, 0)
  return heights
end

local function bar(run, most, out)
  local heights, top = heights_of(run, most), 100
  for _, verdict in ipairs(ORDER) do
    if heights[verdict] > 0 then
      top = top - heights[verdict]
      out[#out + 1] = string.format('<rect class="%s" x="%d" y="%.2f" width="%d" height="%.2f">'
        .. "<title>%s: %d %s</title></rect>", SHADE[verdict], (run.number - 1) * STEP + 1, top, BAR,
        heights[verdict], text(history.name_of(run)), run.counts[verdict], verdict)
    end
  end
end

-- What a run has that the one before it had not: another version of the box, another suite.
local function marks(run, before)
  local found = {}
  if before and before.version ~= run.version then found[#found + 1] = "&#9650;" end
  if run.has_other_suite then found[#found + 1] = "&#9670;" end
  return table.concat(found)
end

local function numbers(box, out)
  local every = math.ceil(#box.runs / LABELS_MAX)
  out[#out + 1] = "<div class=numbers>"
  for number, run in ipairs(box.runs) do
    local mark = marks(run, box.runs[number - 1])
    out[#out + 1] = string.format("<span>%s%s</span>",
      (number - 1) % every == 0 and number or "", mark ~= "" and "<br>" .. mark or "")
  end
  out[#out + 1] = "</div>"
end

local function plot(box, out)
  local most, width = 1, #box.runs * STEP
  for _, run in ipairs(box.runs) do most = math.max(most, run.cases) end
  out[#out + 1] = string.format('<div class=plot style="max-width:%dpx"><div class=scale><span>%d'
    .. "</span><span>0</span></div>", #box.runs * 72 + 60, most)
  out[#out + 1] = string.format('<svg viewBox="0 0 %d 100" preserveAspectRatio="none" role="img" '
    .. 'aria-label="Verdicts of %s">', width, wording.counted(#box.runs, "run"))
  for number, run in ipairs(box.runs) do
    bar(run, most, out)
    if marks(run, box.runs[number - 1]) ~= "" then
      out[#out + 1] = string.format('<line x1="%d" x2="%d" y1="0" y2="100"/>', (number - 1) * STEP,
        (number - 1) * STEP)
    end
  end
  out[#out + 1] = "</svg>"
  numbers(box, out)
  out[#out + 1] = "</div>"
end

local function key(box, out)
  out[#out + 1] = "<div class=key>"
  for _, verdict in ipairs(ORDER) do
    local is_there = false
    for _, run in ipairs(box.runs) do is_there = is_there or run.counts[verdict] > 0 end
    if is_there then
      out[#out + 1] = string.format('<span><i class="%s"></i>%s</span>', SHADE[verdict], verdict)
    end
  end
  out[#out + 1] = "<span>&#9650; another version of the box</span><span>&#9670; another suite</span>"
    .. "</div>"
  out[#out + 1] = "<p class=small>A bar is a run; a verdict that few cases have is drawn high enough to "
    .. "be seen. The table of runs has the numbers.</p>"
end

-- Tables -------------------------------------------------------------------------------------------

local function run_html(run) return "<span class=run>" .. text(history.name_of(run)) .. "</span>" end

-- The verdicts of a case as one row of boxes, a gap where it was not asked.
local function strip(case, box, out)
  out[#out + 1] = string.format('<svg class=strip viewBox="0 0 %d 10" preserveAspectRatio="none" '
    .. 'style="width:min(100%%,%dpx)" role="img" aria-label="verdicts of the case">', #box.runs * STEP,
    #box.runs * 16)
  for number, run in ipairs(box.runs) do
    local verdict = run.verdicts[case.id]
    if verdict then
      out[#out + 1] = string.format('<rect class="%s" x="%d" y="0" width="%d" height="10"><title>%s: '
        .. "%s</title></rect>", SHADE[verdict], (number - 1) * STEP, STEP, text(history.name_of(run)),
        verdict)
    end
  end
  out[#out + 1] = "</svg>"
end

local function change_text(change, box)
  return string.format("%s to %s in %s%s", change.from, change.to,
    run_html(box.runs[change.run]),
    change.has_other_suite and ", by another suite" or "")
end

local function name_html(case)
  return string.format("<b>%s</b><div class=small>%s</div>", text(case.id), text(case.purpose or ""))
end

local GROUP_LEAST = 3 -- cases that changed in the same way

local function names_html(cases)
  local names = {}
  for i, case in ipairs(cases) do names[i] = name_html(case) end
  local shown = table.concat(names)
  if #cases < GROUP_LEAST then return shown end
  return string.format("<details><summary>%d cases, from %s on</summary>%s</details>", #cases,
    text(cases[1].id), shown)
end

-- Names what changed in the same runs to the same.
local function way_of(case)
  local way = { case.changes[1].from }
  for _, change in ipairs(case.changes) do way[#way + 1] = change.run .. change.to end
  return table.concat(way, "/")
end

local function changed_row(cases, box, out)
  local case = cases[1]
  out[#out + 1] = string.format("<tr><td>%s<td>%s since %s", names_html(cases), badge(case.now),
    run_html(box.runs[case.since]))
  if case.last < #box.runs then
    out[#out + 1] = string.format("<div class=small>last asked in run %d</div>", case.last)
  end
  out[#out + 1] = "<td>"
  strip(case, box, out)
  out[#out + 1] = "<div class=small>"
  for place = #case.changes, 1, -1 do
    out[#out + 1] = change_text(case.changes[place], box) .. "<br>"
  end
  out[#out + 1] = "</div>"
  if case.first_wrong then
    out[#out + 1] = "<div>First went wrong in " .. run_html(box.runs[case.first_wrong]) .. ".</div>"
  end
end

local function changed(box, out)
  out[#out + 1] = "<h3>Verdicts that changed: " .. #box.changed .. "</h3>"
  if #box.changed == 0 then
    out[#out + 1] = "<p>None.</p>"
    return
  end
  out[#out + 1] = "<div class=panel><table class='rows history'><tr><th>case<th>now"
    .. "<th>run by run"
  for _, cases in ipairs(tables.grouped(box.changed, way_of)) do changed_row(cases, box, out) end
  out[#out + 1] = "</table></div>"
end

local function always_wrong(box, out)
  if #box.always_wrong == 0 then return end
  out[#out + 1] = string.format("<details class=panel><summary>%s went wrong whenever asked</summary>"
    .. "<table class='rows history'><tr><th>case<th>verdict", wording.counted(#box.always_wrong, "case"))
  for _, case in ipairs(box.always_wrong) do
    out[#out + 1] = string.format("<tr><td>%s<td>%s since %s", name_html(case), badge(case.now),
      run_html(box.runs[case.first_wrong]))
  end
  out[#out + 1] = "</table></details>"
end

local function suite_html(run)
  local note = history.suite_note(run)
  if not note then return "" end
  local names = {}
  for _, list in ipairs({ { run.added, "new" }, { run.withdrawn, "withdrawn" } }) do
    for _, id in ipairs(list[1]) do names[#names + 1] = text(id) .. " (" .. list[2] .. ")" end
  end
  if #names == 0 then return "<div class=small>" .. note .. "</div>" end
  return string.format("<details><summary class=small>%s</summary>%s</details>", note,
    table.concat(names, "<br>"))
end

local function runs(box, out)
  out[#out + 1] = "<h3>Runs</h3><div class=panel><table class='rows history'>"
    .. "<tr><th>run<th>verdicts<th>suite<th>report"
  for _, run in ipairs(box.runs) do
    out[#out + 1] = string.format("<tr><td><b>Run %d</b>%s<div class=small>%s</div><td>%s%s<td>%s, "
      .. "<span class=mono>%s</span>%s<td class=mono>%s", run.number,
      run.version and " of " .. text(run.version) or "",
      run.started ~= "" and run.started:gsub("[TZ]", " ") or "in virtual time",
      text(history.counts_of(run)), run.dead and "<div>" .. text(run.dead) .. "</div>" or "",
      text(run.suite), text(run.hash:sub(1, 8)), suite_html(run), text(run.file))
  end
  out[#out + 1] = "</table></div>"
end

local function box_html(box, out)
  out[#out + 1] = "<h2>" .. text(box.name) .. "</h2>"
  local last = box.runs[#box.runs]
  out[#out + 1] = string.format("<p>%s; the last one: %s.</p>", wording.counted(#box.runs, "run"),
    text(history.counts_of(last)))
  out[#out + 1] = "<div class=panel>"
  plot(box, out)
  key(box, out)
  out[#out + 1] = "</div>"
  changed(box, out)
  always_wrong(box, out)
  runs(box, out)
end

-- Left out: reports that could not be read, { file, why }.
function history_html.render(result)
  local out = { markup.head("Conformance over time", style .. STYLE) }
  out[#out + 1] = string.format("<header><h1>Conformance over time</h1><p class=outcome>%s.</p>"
    .. "</header><main>", #result.boxes == 1 and "One implementation under test"
      or #result.boxes .. " implementations under test")
  for _, one in ipairs(result.unread) do
    out[#out + 1] = string.format("<p class=why>Left out: %s %s</p>", text(one.file), text(one.why))
  end
  for _, box in ipairs(result.boxes) do box_html(box, out) end
  out[#out + 1] = "</main></body></html>"
  return table.concat(out, "\n") .. "\n"
end

return history_html
