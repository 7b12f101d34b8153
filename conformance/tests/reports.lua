-- The reports of a run that has every verdict: JUnit by its schema, TAP by its grammar, HTML by its
-- links, JSON by reading it back; and the comparison of two runs.

local support = require("tests.support")
local compare = require("report.compare")
local json = require("codec.json")
local messages = require("runner.messages")
local report = require("report.report")
local verdicts = require("report.verdicts")

local test, expect = support.test, support.expect

local ID = "RFC5973-3.4-1a"
local HOSTILE = "<script>alert('x')</script> & \"quotes\" # \\ ]]> \1\2 caf\233"

local function case(id, body)
  return { id = id, document = "RFC5973", section = "3.4", purpose = "To be " .. HOSTILE,
    file = "cases/none.lua", requirements = { ID }, roles = { "NF-FW" }, run = body }
end

-- It wants a 1.
local function check(t, text, actual)
  t:check{ ids = { ID }, text = text, expected = 1, actual = actual }
end

local wavered = 0

local definitions = {
  case("passes", function(t) t:body() t:session():connect() check(t, "holds", 1) end),
  case("fails", function(t) t:body() t:session():connect() check(t, HOSTILE, HOSTILE) end),
  case("fails-as-expected", function(t) t:body() check(t, "x", 2) end),
  case("passes-unexpectedly", function(t) t:body() check(t, "x", 1) end),
  case("is-inconclusive", function(t) check(t, "x", 2) end),
  case("has-an-error", function() error("a fault of the runner") end),
  case("does-not-apply", function(t) t:not_applicable("no such thing") end),
  case("wavers", function(t)
    wavered = wavered + 1
    t:body()
    check(t, "every second time", wavered % 2 == 0 and 1 or HOSTILE)
  end),
}

local EXPECTED = { ["fails-as-expected"] = "known #1", ["passes-unexpectedly"] = "known #2" }

local RUN = { told = { ics = { roles = { "NF-FW" }, tcp_flows = false } }, version = "0.0.0",
  roles = { "NF-FW" }, hash = ("0"):rep(64),
  iut = "box <1>", jobs = 8, started_ms = 0,
  started = "2026-01-02T03:04:05Z", pcap = "/some/where/pcaps",
  catalogue = support.requirements() }

local function mixed_run()
  local results = support.run(definitions)
  verdicts.apply(results, EXPECTED)
  return results
end

local results = mixed_run()

test("the mixed run has every verdict there is", function()
  local counts = verdicts.count(results)
  for _, verdict in ipairs(verdicts.order) do
    expect(counts[verdict] == 1, verdict .. ": " .. counts[verdict])
  end
end)

-- A result with this verdict, whose requirements came out like this.
local function ended(verdict, found)
  local ids = {}
  for id in pairs(found) do ids[#ids + 1] = id end
  return { verdict = verdict, results = found, definition = { requirements = ids } }
end

test("of a requirement one failure outweighs every pass, and a pass what stayed open", function()
  local found = verdicts.by_requirement({ ended("pass", { A = "pass", B = "pass" }),
    ended("fail", { A = "fail" }), ended("pass", { A = "pass" }),
    ended("inconclusive", { B = "not reached" }) })
  expect(found.A == "fail", "A: " .. found.A)
  expect(found.B == "pass", "B: " .. found.B)
end)

test("a pass in a case that was not carried to its end counts for no requirement", function()
  for _, verdict in ipairs({ "inconclusive", "unstable", "error" }) do
    local found = verdicts.by_requirement({ ended(verdict, { A = "pass" }) })
    expect(found.A == "inconclusive", verdict .. ": " .. found.A)
  end
  expect(verdicts.by_requirement({ ended("not applicable", { A = "pass" }) }).A == nil,
    "not applicable")
end)

test("in JSON the messages of a case that passed are octets, unless they are to be decoded", function()
  local function message_of(id, decoded)
    local run = setmetatable({ decoded = decoded }, { __index = RUN })
    for _, one in ipairs(json.decode(report.json(results, run)).cases) do
      for _, step in ipairs(one.id == id and one.steps or {}) do
        if step.kind == "message" then return step.message, step.octets end
      end
    end
  end
  local message, octets = message_of("passes")
  expect(message == nil and octets:find("^%x+$"), "not raw")
  local read = messages.read(octets:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
  expect(read.gist.name == "Query", "it is a " .. tostring(read.gist.name))
  message, octets = message_of("fails")
  expect(message.objects and octets == nil, "a failure's is not decoded")
  message, octets = message_of("passes", true)
  expect(message.objects and octets == nil, "not decoded")
end)

test("the report of an unstable case has both runs", function()
  for _, one in ipairs(json.decode(report.json(results, RUN)).cases) do
    if one.id == "wavers" then
      expect(one.other_run.verdict == "pass" and one.other_run.steps[1].ok == true, "no other run")
      expect(one.steps[#one.steps].ok == false, "the failure is not there")
    else
      expect(one.other_run == nil, one.id .. " has another run")
    end
  end
  expect(report.html(results, RUN, "x.html"):find("Again, alone: pass", 1, true), "not on the page")
  expect(report.junit(results, RUN):find("again, alone: pass", 1, true), "not in JUnit")
end)

test("the JUnit report follows its schema", function()
  local path = support.temporary(report.junit(results, RUN))
  local pipe = assert(io.popen("xmllint --noout --schema '" .. support.root
    .. "tests/junit.xsd' " .. path .. " 2>&1"))
  local said = pipe:read("a")
  local ok = pipe:close()
  os.remove(path)
  expect(ok, said)
end)

test("the JUnit report counts what its cases say", function()
  local xml = report.junit(results, RUN)
  for element, wanted in pairs({ failure = 2, error = 1, skipped = 4 }) do
    local _, count = xml:gsub("<" .. element .. " ", "")
    expect(count == wanted, element .. ": " .. count)
  end
  expect(xml:find('tests="8" failures="2" errors="1" skipped="4"', 1, true), "totals are wrong")
end)

test("the TAP report has its plan, one line a case, and directives only where they belong", function()
  local lines, points = {}, {}
  for line in report.tap(results, RUN):gmatch("[^\n]*") do lines[#lines + 1] = line end
  expect(lines[1] == "TAP version 14" and lines[2] == "1..8", "no version or plan")
  for _, line in ipairs(lines) do
    local ok, number, name, rest = line:match("^(n?o?t? ?ok) (%d+) %- (%S+)(.*)$")
    if ok then
      expect(tonumber(number) == #points + 1, "out of order: " .. line)
      points[#points + 1] = { ok = ok == "ok", name = name, rest = rest }
    end
  end
  expect(#points == 8, #points .. " test points")
  local by_name = {}
  for _, point in ipairs(points) do by_name[point.name] = point end
  expect(by_name.passes.ok and by_name.passes.rest == "", "a pass")
  expect(not by_name.fails.ok and by_name.fails.rest == "", "a failure")
  expect(not by_name["fails-as-expected"].ok
    and by_name["fails-as-expected"].rest:find("^ # TODO .*known \\#1"), "an expected failure")
  expect(not by_name["passes-unexpectedly"].ok and by_name["passes-unexpectedly"].rest == "",
    "an unexpected pass")
  expect(not by_name["is-inconclusive"].ok and by_name["is-inconclusive"].rest == "",
    "an inconclusive case")
  expect(not by_name["has-an-error"].ok, "an error of the runner")
  expect(by_name["does-not-apply"].ok and by_name["does-not-apply"].rest:find("^ # SKIP "),
    "not applicable")
end)

local page = report.html(results, RUN, "/some/where/else/report.html")

test("a box that is not there is one error of JUnit, and stands on the page", function()
  local run = setmetatable({ dead = "the IUT is not there" }, { __index = RUN })
  local xml = report.junit(results, run)
  expect(xml:find('tests="9" failures="2" errors="2"', 1, true), "totals are wrong")
  expect(xml:find('<error type="dead" message="the IUT is not there"/>', 1, true), "no error")
  expect(report.html(results, run, "x.html"):find("the IUT is not there", 1, true), "not on the page")
end)

test("the HTML report says what was told of the box, and links to the text of what failed", function()
  expect(page:find("ics.tcp_flows<td>false", 1, true), "no ICS")
  expect(page:find('href="https://www.rfc-editor.org/rfc/rfc5973#section-3.4"', 1, true), "no link")
end)

test("the HTML report needs no other file", function()
  for _, mark in ipairs({ "<link", " src=", "@import", "url(", "fetch(" }) do
    expect(not page:find(mark, 1, true), "has " .. mark)
  end
  expect(utf8.len(page), "is not UTF-8")
  expect(page:find("&lt;script&gt;alert", 1, true), "does not show what was to be escaped")
end)

test("cases that went wrong at the same stand behind one line, whatever its numbers", function()
  local same = {}
  for number = 1, 4 do
    same[number] = case("same-" .. number, function(t)
      t:body()
      check(t, "port " .. 1000 + number, number)
    end)
  end
  local html = report.html(support.run(same), RUN, "x.html")
  local _, causes = html:gsub('<details class="cause', "")
  expect(causes == 1 and html:find("3 cases: port %d+: expected 1, got %d"), causes .. " causes")
  expect(not page:find('<details class="cause', 1, true), "a group of fewer")
end)

local function at_one_requirement(number)
  local same = {}
  for i, word in ipairs({ "one", "two", "three", "four" }) do
    same[i] = i <= number and case(word, function(t) t:body() check(t, word, 2) end) or nil
  end
  return support.run(same)
end

test("cases that failed at one requirement stand behind one line, whatever their steps", function()
  local html = report.html(at_one_requirement(3), RUN, "x.html")
  expect(html:find("3 cases: " .. ID .. ": ", 1, true), "no line")
  expect(not report.html(at_one_requirement(2), RUN, "x.html"):find('class="cause', 1, true), "of two")
end)

test("of the cases of one cause the first is there at once, and the others are packed", function()
  local packed
  local run = setmetatable({ pack = function(text) packed = text return "PACKED" end },
    { __index = RUN })
  local html = report.html(at_one_requirement(4), run, "x.html")
  expect(html:find("After %d[^:]*: one") and not html:find("After %d[^:]*: two"), "what is open")
  for place, word in ipairs({ "two", "three", "four" }) do
    expect(html:find('id="case-' .. word .. '" data-place=' .. place - 1, 1, true), word)
    expect(packed:find("After %d[^:]*: " .. word), word .. " is not packed")
  end
end)

test("every link of the HTML report leads somewhere in it, or to a capture beside it", function()
  local count = 0
  for target in page:gmatch('href="([^"]*)"') do
    count = count + 1
    if target:sub(1, 1) == "#" then
      local id = target:sub(2)
      expect(page:find('id="' .. id .. '"', 1, true) or page:find("id=" .. id .. "[ >]"),
        "nowhere: " .. target)
    elseif not target:find("^https://www%.rfc%-editor%.org/rfc/rfc%d+#%l+%-[%w.]+$") then
      expect(target:find("^%.%./pcaps/[%w.-]+%.pcap$"), "no capture: " .. target)
    end
  end
  expect(count > 20, count .. " links")
end)

test("the HTML report shows failures first, with expected beside actual and the exchange", function()
  local fails = page:find('id="case-fails"', 1, true)
  local passes = page:find('id="case-passes"', 1, true)
  expect(fails and passes and fails < passes, "the failure is not first")
  local shown = page:sub(fails, page:find("</details>\n<details class=\"case", fails, true))
  for _, wanted in ipairs({ "<span>expected</span><b>1</b>", "<b>GIST Query</b>",
    "<b>GIST Response</b>", "Responder-Cookie", "RFC5973-3.4-1a", "fails.2.inside.pcap" }) do
    expect(shown:find(wanted, 1, true), "does not show " .. wanted)
  end
end)

test("the fields of a decoded object stand in the order of the RFC's figure", function()
  local shown = page:match("<td>NLI<td>(.-)</div>"):gsub("<[^>]*>", "")
  local names = { "pi_length", "ip_ttl", "ip_ver", "validity_ms", "peer_identity", "interface" }
  local last = 0
  for _, name in ipairs(names) do
    local place = shown:find(name .. " ", 1, true)
    expect(place and place > last, name .. " is not in its place: " .. shown)
    last = place
  end
end)

test("a report counts the MUSTs that bind the roles, and names those without a verdict", function()
  local requirements = {
    A = { level = "MUST", observable = "wire", roles = "NF-FW" },
    B = { level = "MUST NOT", observable = "dataplane", roles = "NR,GIST-any" },
    C = { level = "MUST", observable = "wire", roles = "NI+" },
    D = { level = "SHOULD", observable = "wire", roles = "NF-FW" },
    E = { level = "MUST", observable = "internal", roles = "NF-FW" },
    F = { level = "MUST", observable = "wire", roles = "NF-FW", restates = "A" },
    G = { level = "REQUIRED", observable = "wire", roles = "NF-FW,NR" },
  }
  local judged = { A = "pass", G = "not reached", D = "pass" }
  local firewall = verdicts.coverage(judged, requirements, { "NF-FW" })
  expect(firewall.binding == 3, firewall.binding .. " bind a firewall")
  expect(table.concat(firewall.unjudged, " ") == "B G", table.concat(firewall.unjudged, " "))
  expect(verdicts.coverage(judged, requirements, { "NI" }).binding == 2, "an NI")
  local open_still = verdicts.coverage({ A = "inconclusive", B = "pass", G = "fail" }, requirements,
    { "NF-FW" })
  expect(table.concat(open_still.unjudged, " ") == "A", "what stayed open is not judged")
end)

test("JSON reads back as it was written, and faults say where", function()
  local document = report.document(results, RUN)
  local again = assert(json.decode(json.encode(document, "")))
  expect(json.encode(again) == json.encode(document), "differs")
  for text, wanted in pairs({ ["[1,"] = "octet 4", ['{"a" 1}'] = "octet 6", ["[1] x"] = "octet 5",
    ['"abc'] = "octet 1", [("["):rep(100)] = "nested" }) do
    local value, why = json.decode(text)
    expect(value == nil and why:find(wanted, 1, true), text .. ": " .. tostring(why))
  end
end)

-- A report with these verdicts by id.
local function small(cases, requirements)
  local list = {}
  for id, verdict in pairs(cases) do list[#list + 1] = { id = id, verdict = verdict } end
  table.sort(list, function(a, b) return a.id < b.id end)
  return { suite = "natfw-conform", cases = list, requirements = requirements or {} }
end

local function ids(list)
  local out = {}
  for i, item in ipairs(list) do out[i] = item.id end
  return table.concat(out, " ")
end

test("a comparison tells new failures, fixed, still failing, missing and added apart", function()
  local result = compare.reports(
    small({ a = "pass", b = "fail", c = "fail", d = "pass", e = "pass", f = "not applicable" }),
    small({ a = "fail", b = "pass", c = "error", d = "not applicable", f = "pass", g = "pass",
      h = "fail" }))
  expect(ids(result.new_failures) == "a h", ids(result.new_failures))
  expect(ids(result.fixed) == "b", ids(result.fixed))
  expect(ids(result.still_failing) == "c", ids(result.still_failing))
  expect(ids(result.worse) == "d", ids(result.worse))
  expect(ids(result.missing) == "e", ids(result.missing))
  expect(ids(result.changed) == "f", ids(result.changed))
  expect(ids(result.added) == "g", ids(result.added))
  expect(result.got_worse, "nothing got worse?")
end)

test("a comparison is content when nothing got worse", function()
  local old = small({ a = "pass", b = "fail" }, { X = "pass", Y = "fail" })
  local same = compare.reports(old, old)
  expect(not same.got_worse and same.unchanged == 1 and ids(same.still_failing) == "b", "the same")
  local better = compare.reports(old, small({ a = "pass", b = "pass" }, { X = "pass", Y = "pass" }))
  expect(not better.got_worse and ids(better.requirements.better) == "Y", "better")
  local lost = compare.reports(old, small({ a = "pass", b = "fail" }, { Y = "fail" }))
  expect(lost.got_worse and ids(lost.requirements.worse) == "X", "a requirement lost its verdict")
end)

test("what vanished got worse, and so did what stays open now", function()
  local old = small({ a = "pass" })
  expect(compare.reports(old, small({})).got_worse, "a case vanished")
  local open_now = compare.reports(old, small({ a = "inconclusive" }))
  expect(open_now.got_worse and ids(open_now.new_failures) == "a", "inconclusive now")
end)

test("the JUnit report keeps quotes out of its attributes", function()
  local xml = report.junit(results, RUN)
  expect(xml:find("&quot;quotes&quot;", 1, true), "no quote is written as an entity")
end)

test("a comparison refuses what is no report", function()
  for text, wanted in pairs({ ["{}"] = "no report", ["nonsense"] = "no JSON",
    ['{"suite":"natfw-conform","cases":[{"id":"a","verdict":"good"}]}'] = "case 1" }) do
    local read, why = compare.read(text)
    expect(read == nil and why:find(wanted, 1, true), tostring(why))
  end
end)

test("a flow that never stops is still passing, and has no time", function()
  local stays = support.run({ support.case("3.4-expiry-udp") },
    { box = { breaks = { ["no-expiry"] = true } } })[1]
  expect(stays.reason:find("got still passing"), stays.reason)
  expect(next(stays.measured) == nil, "a time was measured")
end)

test("measured times are in the report", function()
  local timed = support.run({ support.case("3.7.4-deletion-udp") })
  expect(timed[1].measured["running flow stops at deletion"] ~= nil, "no time measured")
  local text = report.json(timed, { started_ms = 0, version = "0", hash = "0", iut = "x",
    roles = {}, catalogue = {}, decoded = true })
  expect(text:find("running flow stops at deletion", 1, true), "not in the JSON")
  expect(text:find('"decoded"', 1, true) == nil and text:find("NATFW_MSN", 1, true),
    "no decoded messages")
end)

support.finish()
