-- The exchange of a case as HTML: three lanes (NI, IUT, NR), an arrow a message with its decoded
-- fields behind it, and the checks between them.

local fields = require("report.fields")
local markup = require("report.markup")
local response_codes = require("codec.response_codes")

local report_exchange = {}

local text = markup.text

-- How many messages before a failed check stand open.
local OPEN_BEFORE_FAILURE = 2

-- Flow, class and code, action: what a reader looks for first, in words.
local function gloss(object)
  local has = object.fields or {}
  if object.name == "NATFW_INFO" and has.class then
    return response_codes.natfw(has.class, has.code)
  elseif object.name == "Error" and has.code then
    return response_codes.gist(has.code)
  elseif object.name == "MRI" and has.source then
    return string.format("%s%s to %s%s, %s", has.source,
      has.source_port and ":" .. has.source_port or "", has.destination or "?",
      has.dest_port and ":" .. has.dest_port or "", has.d == 1 and "upstream" or "downstream")
  elseif object.name == "NATFW_EFI" then
    return ({ "allow", "deny" })[has.rule_action]
  end
end

local function object_html(layer, object, out)
  local note = gloss(object)
  out[#out + 1] = string.format("<tr><td>%s%s<td>%s%s", text(object.name),
    object.ab ~= 0 and " (AB=" .. object.ab .. ")" or "",
    note and "<b>" .. text(note) .. "</b>" or "", fields.object(layer, object))
end

local function fault_html(fault, out)
  local code = fault.class and string.format("%d/0x%02X", fault.class, fault.code)
    or string.format("error %d, subcode %d", fault.error, fault.subcode)
  out[#out + 1] = string.format("<tr><td class=fault>fault %s<td class=fault>%s", code,
    text(fault.text))
end

function report_exchange.message(message, out)
  if message.nslp then report_exchange.message(message.nslp, out) end
  out[#out + 1] = string.format("<table><tr><th>%s %s<th>%s", message.layer:upper(),
    text(message.name), fields.header(message.layer, message.header))
  for _, fault in ipairs(message.faults) do fault_html(fault, out) end
  for _, object in ipairs(message.objects) do
    if not (message.nslp and object.type == 8) then object_html(message.layer, object, out) end
  end
  out[#out + 1] = "</table>"
end

local modes = { Q = "Q-mode", D = "D-mode", C = "C-mode" }

local function message_html(step, open, out)
  local received = step.direction == "received"
  local outside = step.party == "NR"
  local right = outside == received
  local name, rest = step.what:match("^(.-), (.*)$")
  local more = {}
  if rest then
    more[1] = rest:find("2/0x01", 1, true) and rest:gsub("2/0x01", "success")
      or response_codes.explain(rest)
  end
  if step.mode then more[#more + 1] = modes[step.mode] end
  if step.session then more[#more + 1] = "session\u{a0}" .. step.session end
  out[#out + 1] = string.format('<details class=message%s><summary><span class=at>%.1f ms</span>'
    .. '<div class="arrow %s %s %s"><b>%s</b> <span class=more>%s</span></div></summary>',
    open and " open" or "", step.at_ms, outside and "east" or "west",
    right and "to-right" or "to-left", received and "received" or "sent",
    text(name or step.what), text(table.concat(more, " \u{b7} ")))
  out[#out + 1] = "<div class=decoded>"
  local packet = step.packet
  if packet then
    out[#out + 1] = string.format("<p class=level>UDP %s:%d to %s:%d, IP TTL %d</p>",
      packet.source, packet.source_port, packet.destination, packet.destination_port, packet.ttl)
  end
  report_exchange.message(step.message, out)
  out[#out + 1] = "</div></details>"
end

function report_exchange.versus(step)
  return string.format('<div class=versus><div class=expected><span>expected</span><b>%s</b></div>'
    .. '<div class=actual><span>actual</span><b>%s</b></div></div>',
    text(response_codes.explain(step.expected)), text(response_codes.explain(step.actual)))
end

-- The last message before a failed check that was sent, and that was received, as paragraphs.
function report_exchange.before(case, failed)
  local last, out = {}, {}
  for _, step in ipairs(case.steps) do
    if step == failed then break end
    if step.message then last[step.direction] = step end
  end
  local function add(step, lead)
    if not step then return end
    out[#out + 1] = string.format("<p>%s: <b>%s</b> <span class=level>at the %s, %.1f ms</span></p>",
      lead, text(response_codes.explain(step.what)), step.party, step.at_ms)
  end
  add(last.sends, "The last that the runner had sent")
  add(last.received, "The last that it had received")
  return table.concat(out)
end

local function links(ids)
  local out = {}
  for i, id in ipairs(ids) do
    out[i] = string.format('<a href="#%s">%s</a>', text(id), text(id))
  end
  return table.concat(out, " ")
end

local function check_html(step, case, out)
  local anchor = step.ok and "" or string.format(' id="step-%s"', text(case.id))
  local class = step.ok and (#step.requirements > 0 and " carries" or "")
    or step.weight and " remarked" or " failed"
  out[#out + 1] = string.format('<div class="note%s"%s><span class=at>%.1f ms</span><div>'
    .. '<span class=mark>%s</span> %s', class, anchor, step.at_ms, step.ok and "\u{2713}" or "\u{2717}",
    text(step.text))
  if step.ok and step.actual ~= "" and step.actual ~= step.expected then
    out[#out + 1] = string.format(" <span class=mono>(%s)</span>", text(step.actual))
  end
  out[#out + 1] = " " .. links(step.requirements)
  if not step.ok then out[#out + 1] = report_exchange.versus(step) end
  out[#out + 1] = "</div></div>"
end

-- The places of the messages that stand open: the last before a failed check.
local function opened(steps)
  local open = {}
  for place, step in ipairs(steps) do
    if step.kind == "check" and not step.ok and not step.weight then
      local left = OPEN_BEFORE_FAILURE
      for before = place, 1, -1 do
        if steps[before].message and left > 0 then
          open[before], left = true, left - 1
        end
      end
    end
  end
  return open
end

function report_exchange.html(case, out)
  local open = opened(case.steps)
  local addresses = case.addresses or {}
  out[#out + 1] = string.format("<div class=exchange><div class=lanes><span></span>"
    .. "<div class=left><span>NI <span class=level>%s</span></span><span>IUT</span></div>"
    .. "<div class=right><span>NR <span class=level>%s</span></span></div></div>",
    text(addresses.ni or ""), text(addresses.nr or ""))
  for place, step in ipairs(case.steps) do
    if step.message then
      message_html(step, open[place], out)
    elseif step.kind == "check" then
      check_html(step, case, out)
    else
      out[#out + 1] = string.format('<div class=note><span class=at>%.1f ms</span><div>%s</div>'
        .. "</div>", step.at_ms, text(step.text))
    end
  end
  out[#out + 1] = "</div>"
end

return report_exchange
