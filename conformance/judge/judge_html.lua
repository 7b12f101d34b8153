-- The verdicts of `judge` as one HTML page.

local markup = require("report.markup")
local style = require("report.style")

local judge_html = {}

local text, class_of, badge = markup.text, markup.class_of, markup.badge

local RANK = { violates = 1, conforms = 2, ["never exercised"] = 3 }

local function requirement_rows(rule, texts, out)
  out[#out + 1] = "<h3>Requirements</h3><table class=rows>"
  for _, id in ipairs(rule.requirements) do
    local known = texts[id] or {}
    out[#out + 1] = string.format("<tr><td class=id>%s<td>%s<td class=level>%s<td>%s", text(id),
      text(known.section or ""), text(known.level or ""), text(known.summary or ""))
  end
  out[#out + 1] = "</table>"
end

local function rule_html(rule, texts, out)
  out[#out + 1] = string.format('<details class="case filtered %s" id="%s"%s><summary>%s'
    .. "<span class=name>%s</span><span class=purpose>%s</span><span class=time>%d observations"
    .. "</span></summary><div class=inside>", class_of(rule.verdict), text(rule.id),
    rule.verdict == "violates" and " open" or "", badge(rule.verdict), text(rule.id),
    text(rule.text), rule.observations)
  for _, violation in ipairs(rule.violations) do
    out[#out + 1] = string.format("<div class=why><p><b>Frame %s, %s</b></p><div class=versus>"
      .. "<div class=expected><span>expected</span><b>%s</b></div><div class=actual>"
      .. "<span>actual</span><b>%s</b></div></div></div>", text(violation.frame),
      text(violation.message or "a datagram"), text(violation.expected), text(violation.actual))
  end
  for _, note in ipairs(rule.notes) do
    out[#out + 1] = string.format("<p>Frame %s, %s: %s</p>", text(note.frame),
      text(note.message or "a datagram"), text(note.text))
  end
  requirement_rows(rule, texts, out)
  out[#out + 1] = "</div></details>"
end

local function head(result, out)
  local title, names = "Judgement of " .. result.iut, {}
  for i, path in ipairs(result.files) do names[i] = path:match("[^/]*$") end
  out[#out + 1] = markup.head(title, style)
    .. "<input type=radio name=filter id=show-all checked>"
    .. "<input type=radio name=filter id=show-bad><input type=radio name=filter id=show-good>"
  out[#out + 1] = "<header><h1>" .. text(title) .. "</h1><p class=outcome>From captures alone: "
    .. text(table.concat(names, ", ")) .. "</p>"
  out[#out + 1] = string.format("<p class=facts><span>Suite <b>natfw-conform %s</b></span>"
    .. "<span>Suite hash <b>%s</b></span><span>GIST messages <b>%d</b></span>"
    .. "<span>of the IUT <b>%d</b></span></p>", text(result.version), text(result.hash:sub(1, 16)),
    result.capture.messages, result.capture.sent_by_iut)
  if #result.unread > 0 then
    out[#out + 1] = "<p class=facts>Not read: " .. text(table.concat(result.unread, ", ")) .. "</p>"
  end
  out[#out + 1] = "<div class=counts>"
  for _, verdict in ipairs({ "violates", "conforms", "never exercised" }) do
    out[#out + 1] = string.format('<div class="count %s%s"><b>%d</b>%s</div>', class_of(verdict),
      result.counts[verdict] == 0 and " none" or "", result.counts[verdict], verdict)
  end
  out[#out + 1] = "</div><p class=filters><label for=show-all>everything</label>"
    .. "<label for=show-bad>all but what conforms</label>"
    .. "<label for=show-good>what conforms</label></p></header><main>"
end

-- `texts` is the catalogue of requirements by id.
function judge_html.render(result, texts)
  local out, rules = {}, {}
  head(result, out)
  for i, rule in ipairs(result.rules) do rules[i] = rule end
  local place = {}
  for i, rule in ipairs(rules) do place[rule] = i end
  table.sort(rules, function(a, b)
    if RANK[a.verdict] ~= RANK[b.verdict] then return RANK[a.verdict] < RANK[b.verdict] end
    return place[a] < place[b]
  end)
  for _, rule in ipairs(rules) do rule_html(rule, texts, out) end
  out[#out + 1] = "</main></body></html>"
  return table.concat(out, "\n") .. "\n"
end

return judge_html
