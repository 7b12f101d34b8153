-- What an author of cases is promised: steps and nothing beneath them in the suite's own cases, a guide
-- that lists just the steps there are, and a vendor's own folder beside the suite.

local catalogue = require("runner.catalogue")
local ixit = require("runner.ixit")
local report = require("report.report")
local suite = require("runner.suite")
local support = require("tests.support")
local tables = require("codec.tables")

local test, expect = support.test, support.expect

local function read(path)
  local file = assert(io.open(path))
  local content = file:read("a")
  file:close()
  return content
end

local GUIDE = read(support.root .. "../docs/guide-cases.md")



-- The cases -----------------------------------------------------------------------------------------

test("no case reaches beneath its steps", function()
  local hidden = { "%.querying", "%.responding", "%.inbox", "%.by_type", "%.unproved", "%.opening",
    "[:.]_%l" }
  local files = support.case_files()
  expect(#files >= 30, #files .. " files of cases")
  for _, path in ipairs(files) do
    local number = 0
    for line in read(path):gmatch("([^\n]*)\n") do
      number = number + 1
      for _, pattern in ipairs(hidden) do
        expect(not line:find(pattern), string.format("%s:%d: %s", path, number, line))
      end
    end
  end
end)

test("no step takes a positional nil", function()
  for _, path in ipairs(support.case_files()) do
    for name, first in read(path):gmatch(":(expect[%l_]*)%(([^)]*)") do
      expect(not first:find("^nil") and not first:find(", nil"), path .. ": " .. name .. "(" .. first)
    end
  end
end)

-- Which cases are meant -----------------------------------------------------------------------------

local function chosen_by(section)
  local filters = { ids = {}, sections = { section }, requirements = {} }
  local chosen = {}
  for _, case in ipairs(catalogue.select(support.cases(), filters)) do chosen[case.id] = case end
  return chosen
end

test("a section chooses the cases that verify a requirement of it, whatever their file", function()
  local case = chosen_by("5.3.3")["gist-5.3.3-response-backoff"]
  expect(case and case.section ~= "5.3.3", "the case stands in another section's file")
end)

test("a section chooses what is beneath it, and none that only begins alike", function()
  expect(chosen_by("5.3")["gist-5.3.3-response-backoff"], "5.3.3 is beneath 5.3")
  expect(next(chosen_by("5.3.")) == nil and next(chosen_by("5.3.33")) == nil, "no such sections")
  expect(next(chosen_by("A.4.4.1")), "no case of A.4.4.1")
  for id, case in pairs(chosen_by("A.4.4.1")) do
    local claims = " " .. table.concat(case.requirements, " ")
    expect(claims:find("-A.4.4.1-", 1, true), id .. " claims only" .. claims)
  end
end)

test("a section still chooses each case of its file", function()
  local chosen, count = chosen_by("6"), 0
  for _, case in ipairs(support.cases()) do
    if case.section == "6" then
      count = count + 1
      expect(chosen[case.id], case.id)
    end
  end
  expect(count > 0, "no case of section 6")
end)

-- The guide -----------------------------------------------------------------------------------------

-- Which files have the steps of what the guide calls so. A name with an underscore is no step.
local SOURCES = { t = { "runner/case" },
  session = { "runner/session", "runner/handshake", "runner/initiated" },
  neighbour = { "runner/neighbour", "runner/inbox" }, flow = { "runner/flow" },
  association = { "runner/association" },
  message = { "codec/item" }, spoil = { "runner/spoil" } }

local function steps_there_are()
  local there = {}
  for subject, files in pairs(SOURCES) do
    for _, file in ipairs(files) do
      local pattern = "function " .. (subject == "spoil" and "spoil%." or "%u%w+:") .. "(%l[%w_]*)%("
      for name in read(support.root .. file .. ".lua"):gmatch(pattern) do
        there[subject .. " " .. name] = true
      end
    end
  end
  return there
end

test("the guide lists exactly the steps that there are", function()
  local there, listed, count = steps_there_are(), {}, 0
  for subject, name in GUIDE:gmatch("\n%- `(%l+)[:.](%l[%w_]*)") do
    local step = subject .. " " .. name
    expect(there[step], "the guide has " .. step .. ", and the runner has not")
    expect(not listed[step], "the guide has " .. step .. " twice")
    listed[step], count = true, count + 1
  end
  for step in pairs(there) do expect(listed[step], "the guide lacks " .. step) end
  expect(count > 100, count .. " steps")
end)

test("the guide gives a step the fields that it takes", function()
  local source, count = "", 0
  for _, files in pairs(SOURCES) do
    for _, file in ipairs(files) do
      source = source .. read(support.root .. file .. ".lua")
    end
  end
  for name, given in GUIDE:gmatch("\n%- `%l+:(expect[%l_]*){ ([%l_, ]+) }") do
    local takes = {}
    for names in source:gmatch('fields%.of%("' .. name .. '", given, "([%l_ ]+)"%)') do
      for field in names:gmatch("%S+") do takes[field] = true end
    end
    for field in given:gmatch("[%l_]+") do
      expect(takes[field], name .. " has no field " .. field)
      count = count + 1
    end
  end
  expect(count > 50, count .. " fields")
end)

-- A vendor's folder ---------------------------------------------------------------------------------

local EXAMPLE = GUIDE:match("\n```lua\n(.-)```\n")

-- The suite's cases with those of this text after them, or nil and what is wrong.
local function with_vendors(content)
  local path = support.temporary(content)
  local cases, why = catalogue.cases({ path }, { known = support.requirements(),
    suite = support.cases() })
  os.remove(path)
  return cases, why and why:gsub("^[^:]*", "FILE"), path
end

local function last_of(content)
  local cases, why = with_vendors(content)
  expect(cases, why)
  return cases[#cases]
end

test("the guide's case is added to the suite, and a right firewall passes it", function()
  local cases, _, path = with_vendors(EXAMPLE)
  expect(#cases == #support.cases() + 1, #cases .. " cases")
  local case = cases[#cases]
  expect(case.id == "acme:3.5-late-deletion" and case.file == path and case.section == "3.5",
    case.id .. " of " .. case.file .. ", " .. case.section)
  local results = support.run({ case })
  expect(results[1].verdict == "pass", tostring(results[1].reason))
end)

test("it stands in the reports as the suite's do", function()
  local results = support.run({ last_of(EXAMPLE), support.case("3.5-msn-wraps-around") })
  local run = { version = "0.0.0", roles = { "NF-FW" }, hash = ("0"):rep(64), iut = "a box", jobs = 1,
    started_ms = 0, started = "2026-01-02T03:04:05Z", catalogue = support.requirements() }
  for _, kind in ipairs(report.kinds) do
    local text = report[kind](results, run, "/some/where/report")
    for _, id in ipairs({ "acme:3.5-late-deletion", "3.5-msn-wraps-around" }) do
      expect(text:find(id, 1, true), id .. " is not in the " .. kind .. " report")
    end
  end
end)

test("it fails a firewall that takes stale sequence numbers, by its own requirement", function()
  local results = support.run({ last_of(EXAMPLE) }, { box = { breaks = { stale = true } } })
  expect(results[1].verdict == "fail", results[1].verdict)
  expect(support.failing_step(results[1]).ids[1] == "RFC5973-3.5-6", tostring(results[1].reason))
end)

-- What is changed in the guide's case, and what is said about it, where.
local REFUSED = {
  { '"acme:3.5%-late%-deletion"', '"3.5-late-deletion"', "FILE:7: 3.5%-late%-deletion has no prefix" },
  { '"acme:3.5%-late%-deletion"', '"3.5-msn-wraps-around"',
    "FILE:7: 3.5%-msn%-wraps%-around is an id of the suite" },
  { "RFC5973%-3.5%-6", "RFC5973-3.5-6000",
    "FILE:10: acme:3.5%-late%-deletion claims RFC5973%-3.5%-6000" },
  { "roles = roles.firewall", 'roles = { "NF" }', "FILE:9: acme:3.5%-late%-deletion is for NF" },
  { "purpose = ", "aim = ", "FILE:7: acme:3.5%-late%-deletion has a field 'aim', which no case has" },
  { "    purpose = [^\n]*\n", "", "FILE:7: acme:3.5%-late%-deletion has no purpose" },
  { "purpose = ", "porpose = ", "has a field 'porpose', which no case has; did you mean 'purpose'?" },
  { "roles%.firewall", "roles.firewal", "FILE:9: there are no roles.firewal; did you mean 'firewall'?" },
  { "blocks_by_default", "block_by_default", "says; did you mean 'blocks_by_default'?" },
  { "return {", "return 1 + {", "FILE:5: attempt to perform arithmetic" },
  { "id = ", "id = = ", "FILE:7: unexpected symbol" },
}

test("what is wrong with a vendor's case is refused, with its file and line", function()
  for _, row in ipairs(REFUSED) do
    local changed = EXAMPLE:gsub(row[1], row[2])
    expect(changed ~= EXAMPLE, row[1] .. " is not in the guide's case")
    local cases, why = with_vendors(changed)
    expect(cases == nil and why:find(row[3]), row[3] .. ": " .. tostring(why))
  end
end)

test("a case of a folder that is given twice is refused", function()
  local path = support.temporary(EXAMPLE)
  local cases, why = catalogue.cases({ path, path }, { known = support.requirements(),
    suite = support.cases() })
  os.remove(path)
  expect(cases == nil and why:find("acme:3.5-late-deletion is there twice", 1, true), tostring(why))
end)

test("a field that a step does not have is an error, and no pass", function()
  local changed = EXAMPLE:gsub("text = \"the flow still passes\"", "txt = \"the flow still passes\"")
  local results = support.run({ last_of(changed) })
  expect(results[1].verdict == "error", results[1].verdict)
  expect(results[1].reason:find("expect_passing has no field 'txt'", 1, true), results[1].reason)
end)

test("an object that the tables do not have is an error, and no pass", function()
  local changed = EXAMPLE:gsub("lifetime_s = 0 }",
    "lifetime_s = 0, change = require('runner.spoil').without('NATFW_LTT') }")
  local results = support.run({ last_of(changed) })
  expect(results[1].verdict == "error", results[1].verdict)
  expect(results[1].reason:find("no object of NATFW is called 'NATFW_LTT'", 1, true),
    results[1].reason)
end)

test("a case does not apply for the role, the claim, the bound or the path that it needs", function()
  local function reason(needs, change, role)
    local settings = support.settings(change)
    return suite.reason_not_to({ roles = { role or "NF-FW" }, needs = needs }, settings)
  end
  expect(reason({ "tcp_flows", "lossless", "lifetime.usual_s" }) == nil, "what it has")
  expect(reason({}, nil, "NR") == "the IUT does not claim this role", "the role")
  expect(reason({ "tcp_flows" }, { ["ics.tcp_flows"] = false }) == "the ICS says no to tcp_flows",
    "the claim")
  expect(reason({ "lossless" }, { ["path.loses"] = true }) == "the path loses datagrams", "the path")
  expect(reason({ "lifetime.max_s" }) == "the IXIT gives no lifetime.max_s", "the bound")
end)

test("the example of an IXIT has every key, and says what holds where one is left out", function()
  local function load_example() return assert(loadfile(support.root .. "ixit/firewall.lua"))() end
  local example, least = load_example(), load_example()
  for _, group in ipairs({ "lifetime", "timing", "refusals", "path", "shim", "restart", "limits",
    "tls" }) do
    least[group] = nil
  end
  least.ics = { roles = example.ics.roles }
  local by_default = assert(ixit.check(least, "example", ""))
  for group, values in tables.sorted(by_default) do
    for key, value in tables.sorted(type(values) == "table" and group ~= "inside"
      and group ~= "outside" and group ~= "refusals" and values or {}) do
      expect(key == "roles" or example[group][key] == value, group .. "." .. key .. ": "
        .. tostring(example[group][key]) .. ", by default " .. tostring(value))
    end
  end
end)

support.finish()
