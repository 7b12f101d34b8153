-- A run as one HTML page: no other file, no JavaScript. What failed stands first and open.

local exchange = require("report.exchange")
local markup = require("report.markup")
local response_codes = require("codec.response_codes")
local scripts = require("report.scripts")
local style = require("report.style")
local tables = require("codec.tables")
local verdicts = require("report.verdicts")
local wording = require("codec.wording")

local report_html = {}

local text, class_of, badge = markup.text, markup.class_of, markup.badge

local RANK = { error = 1, fail = 2, ["unexpected pass"] = 3, unstable = 4, inconclusive = 4,
  ["expected failure"] = 5, remark = 6, ["not reached"] = 7, ["no verdict"] = 8, pass = 9,
  ["not applicable"] = 10 }

-- As many cases stand beside a requirement unfolded.
local CASES_IN_SIGHT = 4
local WRONG = verdicts.wrong

local PHASES = {
  preamble = "This step only prepares the test. It did not work, so the case says nothing about "
    .. "the requirement.",
  body = "This step is what the case is about: the implementation under test has failed it.",
  control = "This step only shows that the implementation and the path still work. It did not, so "
    .. "the silence before it proves nothing.",
  postamble = "This step tidies up after the test.",
}

-- The path from the page's folder to `target`, both given from the same place.
local function relative(target, page)
  local absolute = target:sub(1, 1) == "/"
  if not page or absolute ~= (page:sub(1, 1) == "/") then return target end
  local from, to = {}, {}
  for part in page:gmatch("[^/]+") do from[#from + 1] = part end
  for part in target:gmatch("[^/]+") do to[#to + 1] = part end
  local same = 0
  while from[same + 1] and from[same + 1] == to[same + 1] and same < #from - 1 do
    same = same + 1
  end
  return ("../"):rep(#from - 1 - same) .. table.concat(to, "/", same + 1)
end

-- Head -------------------------------------------------------------------------------------------

local function outcome(document)
  local counts, wrong = document.counts, 0
  for verdict in tables.sorted(WRONG) do wrong = wrong + counts[verdict] end
  local apply = #document.cases - counts["not applicable"]
  if wrong > 0 then
    return string.format("%d of %s need%s attention.", wrong, wording.counted(apply, "case"),
      wrong == 1 and "s" or "")
  end
  if counts["expected failure"] == 0 then
    if apply == 1 then return "The one case that applies passed." end
    return string.format("All %d cases that apply passed.", apply)
  end
  return string.format("%d of the %d cases that apply passed; %d failed as expected.",
    counts.pass, apply, counts["expected failure"])
end

local function facts(document, out)
  local rows = { { "Suite", "natfw-conform " .. document.version },
    { "Suite hash", document.hash:sub(1, 16) },
    { "Started", document.virtual_time and "in virtual time, seed " .. document.seed
      or document.started },
    { "Took", string.format("%.1f s", document.duration_ms / 1000) },
    { "Cases at once", document.jobs },
    { "Order", document.seed and not document.virtual_time and "seed " .. document.seed
      or "as listed" },
    { "Readings of the RFC", document.strict_rulings and "this project's only"
      or "each that the text allows" } }
  out[#out + 1] = "<p class=facts>"
  for _, row in ipairs(rows) do
    if row[2] then
      out[#out + 1] = string.format("<span>%s <b>%s</b></span>", row[1], text(row[2]))
    end
  end
  out[#out + 1] = "</p>"
end

local function counts_html(document, out)
  out[#out + 1] = "<div class=counts>"
  for _, verdict in ipairs(verdicts.order) do
    local count = document.counts[verdict]
    out[#out + 1] = string.format('<div class="count %s%s"><b>%d</b>%s</div>', class_of(verdict),
      count == 0 and " none" or "", count, verdict)
  end
  local judged = verdicts.judged(document.requirements)
  local passed = judged.pass + judged.remark
  out[#out + 1] = string.format('<div class="count %s"><b>%d / %d</b>requirements passed</div>',
    judged.fail > 0 and "fail" or judged.other > 0 and "no-verdict" or "pass", passed,
    passed + judged.fail + judged.other)
  if judged.remark > 0 then
    out[#out + 1] = string.format('<div class="count remark"><b>%d</b>remarks</div>', judged.remark)
  end
  local coverage = document.coverage
  out[#out + 1] = string.format('<div class=count><b>%d / %d</b><a href="#unjudged">MUSTs judged'
    .. "</a></div>", coverage.binding - #coverage.unjudged, coverage.binding)
  out[#out + 1] = "</div>"
end

local function head(document, out)
  out[#out + 1] = markup.head("Conformance of " .. document.iut, style)
  out[#out + 1] = '<input type=radio name=filter id=show-all checked>'
    .. "<input type=radio name=filter id=show-bad><input type=radio name=filter id=show-good>"
  out[#out + 1] = "<header><h1>Conformance of " .. text(document.iut) .. "</h1>"
  out[#out + 1] = "<p class=outcome>" .. outcome(document) .. "</p>"
  if document.dead then
    out[#out + 1] = "<div class=inconclusive><p class=why>The run ended early: " .. text(document.dead)
      .. ".</p></div>"
  end
  facts(document, out)
  counts_html(document, out)
  out[#out + 1] = '<nav><a href="#attention">What failed</a><a href="#requirements">Requirements'
    .. '</a><a href="#cases">All cases</a><a href="#reading">How to read this page</a></nav>'
  out[#out + 1] = "<p class=filters><label for=show-all>everything</label>"
    .. "<label for=show-bad>all but passes</label><label for=show-good>passes only</label></p>"
  out[#out + 1] = "</header><main>"
end

-- Cases ------------------------------------------------------------------------------------------

local function requirement_rows(case, document, out)
  local ids = tables.keys(case.requirements)
  table.sort(ids, function(a, b)
    local first, second = RANK[case.requirements[a]], RANK[case.requirements[b]]
    if first ~= second then return first < second end
    return wording.by_number(a) < wording.by_number(b)
  end)
  out[#out + 1] = "<h3>Requirements that it verifies</h3><table class=rows>"
  for _, id in ipairs(ids) do
    local known = document.requirement_texts[id] or {}
    out[#out + 1] = string.format('<tr><td class=id>%s<td class=id><a href="#%s">%s</a>'
      .. "<td class=level>%s<td>%s", badge(case.requirements[id]), text(id), text(id),
      text(known.level or ""), text(known.summary or ""))
  end
  out[#out + 1] = "</table>"
end

-- "RFC5973 section 3.7.2", as a link to that text.
local function reference(known)
  local number, section = (known.document or ""):match("^RFC(%d+)$"), known.section or ""
  local name = text((known.document or "") .. " section " .. section)
  if not number then return name end
  return string.format('<a href="https://www.rfc-editor.org/rfc/rfc%s#%s-%s">%s</a>', number,
    section:find("^%d") and "section" or "appendix", text(section), name)
end

-- Why the verdict is what it is: the failed step, what it stands for, and what the text asks.
local function why_html(case, document, out)
  if case.verdict == "pass" then return end
  local step = verdicts.failed_step(case)
  out[#out + 1] = "<div class=why>"
  if step then
    out[#out + 1] = string.format("<p><b>After %.1f ms: %s</b></p>", step.at_ms, text(step.text))
    out[#out + 1] = exchange.versus(step)
    for _, id in ipairs(step.requirements) do
      local known = document.requirement_texts[id] or {}
      out[#out + 1] = string.format('<p><a href="#%s">%s</a> (%s, %s): %s</p>', text(id), text(id),
        reference(known), text(known.level or ""), text(known.summary or ""))
    end
    out[#out + 1] = exchange.before(case, step)
    out[#out + 1] = string.format('<p>%s <a href="#step-%s">To this step in the exchange</a></p>',
      PHASES[step.phase] or "", text(case.id))
  end
  if not step or case.verdict ~= "fail" then
    out[#out + 1] = "<p class=mono>" .. text(response_codes.explain(case.reason or "")) .. "</p>"
  end
  out[#out + 1] = "</div>"
end

local function remarks_html(case, out)
  for _, remark in ipairs(case.remarks or {}) do
    out[#out + 1] = "<p>" .. badge("remark") .. " " .. text(response_codes.explain(remark)) .. "</p>"
  end
end

local function measured_html(case, out)
  local names = {}
  for name in tables.sorted(case.measured_ms or {}) do names[#names + 1] = name end
  for name in tables.sorted(case.readings or {}) do names[#names + 1] = name end
  if #names == 0 then return end
  table.sort(names)
  out[#out + 1] = "<h3>Measured and seen</h3><table class=rows>"
  for _, name in ipairs(names) do
    local measured = case.measured_ms and case.measured_ms[name]
    out[#out + 1] = string.format("<tr><td>%s<td>%s", text(name), measured
      and string.format("%.1f ms", measured) or text(case.readings[name]))
  end
  out[#out + 1] = "</table>"
end

local function files_html(case, page, out)
  local parts = { string.format("Source: <code>%s</code>", text(case.file or "")) }
  for _, path in ipairs(case.pcaps or {}) do
    parts[#parts + 1] = string.format('<a href="%s">%s</a>', text(relative(path, page)),
      text(path:match("[^/]*$")))
  end
  parts[#parts + 1] = string.format("again: <code>natfw-conform run --ixit FILE --id %s "
    .. "--verbose</code>", text(case.id))
  out[#out + 1] = "<p class=facts><span>" .. table.concat(parts, "</span><span>")
    .. "</span></p>"
end

-- What stands behind the line of a case.
local function inside_html(case, document, page, out)
  why_html(case, document, out)
  if #case.steps > 0 then
    out[#out + 1] = "<h3>Exchange</h3>"
    exchange.html(case, out)
  end
  if case.other_run then
    out[#out + 1] = "<h3>Again, alone: " .. text(case.other_run.verdict) .. "</h3>"
    exchange.html({ id = case.id .. "-again", steps = case.other_run.steps }, out)
  end
  remarks_html(case, out)
  measured_html(case, out)
  requirement_rows(case, document, out)
  files_html(case, page, out)
end

-- A case that is open, or closed: its inside is then, where `packed` is a list, one of that.
local function case_html(case, document, page, out, packed, is_open)
  local inside = {}
  inside_html(case, document, page, inside)
  local is_packed = packed and not is_open
  if is_packed then packed[#packed + 1] = table.concat(inside, "\n") end
  out[#out + 1] = string.format('<details class="case filtered %s" id="case-%s"%s%s><summary>%s'
    .. "<span class=name>%s</span><span class=purpose>%s</span><span class=time>%.0f ms</span>"
    .. "</summary><div class=inside>%s</div></details>", class_of(case.verdict), text(case.id),
    is_open and " open" or "", is_packed and " data-place=" .. #packed - 1 or "",
    badge(case.verdict), text(case.id), text(case.purpose), case.duration_ms,
    is_packed and "" or table.concat(inside, "\n"))
end

local CAUSE_LEAST = 3 -- cases that failed at the same

local function by_reason(case) return case.verdict .. ": " .. (case.reason or ""):gsub("%d+", "#") end

-- The first requirement of the step that failed, or nil.
local function blamed(case)
  local step = verdicts.failed_step(case)
  return step and step.requirements[1]
end

-- The cases that went wrong, in lists of one cause, in the order of the first of each: the reason is
-- the same but for its numbers, or else the requirement that failed is. Each list has a `lead`, where
-- there are several.
local function causes_of(wrong, document)
  local causes, others, place = {}, {}, {}
  for i, case in ipairs(wrong) do place[case] = i end
  for _, group in ipairs(tables.grouped(wrong, by_reason)) do
    if #group >= CAUSE_LEAST then
      group.lead = text(response_codes.explain(group[1].reason or ""))
      causes[#causes + 1] = group
    else
      table.move(group, 1, #group, #others + 1, others)
    end
  end
  for _, group in ipairs(tables.grouped(others, function(case)
    return case.verdict .. (blamed(case) or " " .. case.id)
  end)) do
    local id = blamed(group[1])
    if #group >= CAUSE_LEAST then
      group.lead = text(id .. ": " .. (document.requirement_texts[id] or {}).summary)
    end
    causes[#causes + 1] = group
  end
  table.sort(causes, function(a, b) return place[a[1]] < place[b[1]] end)
  return causes
end

-- Those of one cause stand behind one line, and of them all but the first are closed, or packed.
local function causes_html(wrong, document, page, out, packed)
  for _, group in ipairs(causes_of(wrong, document)) do
    if group.lead then
      out[#out + 1] = string.format('<details class="cause %s"><summary>%s %d cases: %s</summary>',
        class_of(group[1].verdict), badge(group[1].verdict), #group, group.lead)
    end
    for i, case in ipairs(group) do
      case_html(case, document, page, out, packed, not (group.lead and i > 1))
    end
    if group.lead then out[#out + 1] = "</details>" end
  end
end

-- What needs attention, what else ran, and what does not apply; each in the order of its verdicts.
local function split(document)
  local wrong, others, outside, place = {}, {}, {}, {}
  for i, case in ipairs(document.cases) do
    local list = WRONG[case.verdict] and wrong or case.verdict == "not applicable" and outside
      or others
    list[#list + 1], place[case] = case, i
  end
  for _, list in ipairs({ wrong, others }) do
    table.sort(list, function(a, b)
      local first, second = RANK[a.verdict], RANK[b.verdict]
      return first < second or first == second and place[a] < place[b]
    end)
  end
  return wrong, others, outside
end

-- A table behind a line that says how many rows it has.
local function folded(lead, rows, out)
  if #rows == 0 then return end
  out[#out + 1] = string.format("<details class=panel><summary>%s</summary><table class=rows>",
    text(lead))
  table.move(rows, 1, #rows, #out + 1, out)
  out[#out + 1] = "</table></details>"
end

local function not_applicable_html(cases, out)
  local groups = tables.grouped(cases, function(case) return case.reason or "" end)
  table.sort(groups, function(a, b) return (a[1].reason or "") < (b[1].reason or "") end)
  if #cases > 0 then out[#out + 1] = "<h2>Cases that do not apply</h2>" end
  for _, group in ipairs(groups) do
    local rows = {}
    for i, case in ipairs(group) do
      rows[i] = string.format('<tr id="case-%s"><td class="id mono">%s<td>%s', text(case.id),
        text(case.id), text(case.purpose))
    end
    folded(string.format("%d: %s", #group, group[1].reason or ""), rows, out)
  end
end

-- Requirements -----------------------------------------------------------------------------------

-- A row for each requirement that a case which applies verifies.
local function rows_of_requirements(document)
  local rows, by_id = {}, {}
  for _, case in ipairs(document.cases) do
    for id, result in tables.sorted(case.verdict ~= "not applicable" and case.requirements or {}) do
      if not by_id[id] then
        by_id[id] = { id = id, verdict = document.requirements[id] or "no verdict", cases = {},
          text = document.requirement_texts[id] or {} }
        rows[#rows + 1] = by_id[id]
      end
      table.insert(by_id[id].cases, { id = case.id, verdict = result })
    end
  end
  table.sort(rows, function(a, b)
    if RANK[a.verdict] ~= RANK[b.verdict] then return RANK[a.verdict] < RANK[b.verdict] end
    return wording.by_number(a.id) < wording.by_number(b.id)
  end)
  return rows
end

-- Links to the cases of a requirement: those that say something else first, many of them folded.
local function links_to_cases(row)
  local other, same = {}, {}
  for _, case in ipairs(row.cases) do
    local list = case.verdict == row.verdict and same or other
    list[#list + 1] = string.format('<a href="#case-%s">%s</a>%s', text(case.id), text(case.id),
      list == other and " (" .. text(case.verdict) .. ")" or "")
  end
  local shown = table.concat(same, "<br>")
  if #same > CASES_IN_SIGHT then
    shown = string.format("<details><summary>%d cases</summary>%s</details>", #same, shown)
  end
  if #other > 0 and #same > 0 then shown = "<br>" .. shown end
  return table.concat(other, "<br>") .. shown
end

local function requirements_html(document, out)
  out[#out + 1] = "<h2 id=requirements>Requirements</h2><div class=panel><table class=rows>"
    .. "<tr><th>verdict<th>requirement<th>section<th>level<th>what it asks<th>cases"
  for _, row in ipairs(rows_of_requirements(document)) do
    out[#out + 1] = string.format('<tr id="%s" class="filtered %s"><td>%s<td class="id mono">%s'
      .. "<td>%s<td class=level>%s<td>%s<td class=mono>%s", text(row.id), class_of(row.verdict),
      badge(row.verdict), text(row.id), text(row.text.section or ""), text(row.text.level or ""),
      text(row.text.summary or ""), links_to_cases(row))
  end
  out[#out + 1] = "</table></div>"
end

-- A report says what it did not look at, too.
-- What the runner was told of the box: its claims, bounds and times.
local function told_html(document, out)
  local rows = {}
  for _, group in ipairs({ "ics", "lifetime", "timing", "path", "limits" }) do
    for key, value in tables.sorted(document.told and document.told[group] or {}) do
      rows[#rows + 1] = string.format("<tr><td class=mono>%s.%s<td>%s", group, text(key),
        text(type(value) == "table" and table.concat(value, ", ") or tostring(value)))
    end
  end
  folded("What the runner was told of it: " .. #rows .. " keys of the IXIT", rows, out)
end

local function unjudged_html(document, out)
  local coverage, rows = document.coverage, {}
  for i, id in ipairs(coverage.unjudged) do
    local known = document.requirement_texts[id]
    rows[i] = string.format('<tr><td class="id mono">%s<td>%s<td class=level>%s<td>%s', text(id),
      text(known.section), text(known.level), text(known.summary))
  end
  out[#out + 1] = "<h2 id=unjudged>What no case judged</h2>"
  out[#out + 1] = string.format("<p>%d requirements with MUST or MUST NOT bind the roles of this "
    .. "implementation and show from outside; this run judged %d of them.</p>", coverage.binding,
    coverage.binding - #coverage.unjudged)
  folded(#rows .. " without a verdict", rows, out)
end

local READING = [[
<h2 id=reading>How to read this page</h2><div class=panel>
<p>The runner plays the two neighbours of the implementation under test (IUT): the initiator's side
(NI, left) and the responder's (NR, right). Arrows towards the IUT are what the runner sent, arrows
away from it what it received; a click on one shows every field. Between the arrows stand the checks;
those in dark ink carry the requirements that they name.</p>
<dl><dt>pass<dd>Each requirement of the case was proved by a check that names it.
<dt>fail<dd>A check in the body of the case did not hold: the IUT did not do what the text asks.
<dt>inconclusive<dd>The case did not get far enough to judge, or silence was seen without anything
after it that shows that the path still worked; or the runner itself was deaf for a good part of what
it waited for.
<dt>unstable<dd>The case failed, and not again when it ran once more, alone: both runs are here.
<dt>not applicable<dd>The IXIT file says that the IUT does not do this.
<dt>expected failure, unexpected pass<dd>As the file of expected failures has it.
<dt>error<dd>The fault is the runner's, not the IUT's.
<dt>remark<dd>Of a requirement that is a SHOULD: the IUT does otherwise, which the text leaves to it.
<dt>not reached<dd>Of a requirement: an earlier check ended the case.</dl>
<p>Times count from the start of the case. A NATFW answer is written class/code, such as 7/0x11.</p>
</div>]]

-- `page` is where the page will be, for links to captures. pack(text) compresses, in letters: with it
-- the page has the cases packed that are not open.
function report_html.render(document, page, pack)
  local out, packed = {}, pack and {}
  head(document, out)
  local wrong, others, outside = split(document)
  out[#out + 1] = "<h2 id=attention>What failed</h2>"
  if #wrong == 0 then out[#out + 1] = "<p>Nothing.</p>" end
  causes_html(wrong, document, page, out, packed)
  requirements_html(document, out)
  out[#out + 1] = "<h2 id=cases>" .. (#wrong > 0 and "The other cases" or "Cases") .. "</h2>"
  for _, case in ipairs(others) do case_html(case, document, page, out, packed) end
  not_applicable_html(outside, out)
  unjudged_html(document, out)
  told_html(document, out)
  out[#out + 1] = READING
  out[#out + 1] = scripts.search
  if packed then
    out[#out + 1] = string.format(scripts.unpack, pack(table.concat(packed, "\x1e")))
  end
  out[#out + 1] = string.format("</main><footer>natfw-conform %s, suite %s</footer></body></html>",
    text(document.version), text(document.hash))
  return table.concat(out, "\n") .. "\n"
end

return report_html
