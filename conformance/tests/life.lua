-- Whether the IUT is there, asked by the runner before the first case and where none hears of it.

local fake = require("tests.fake_firewall")
local reach = require("runner.reach")
local suite = require("runner.suite")
local support = require("tests.support")
local verdicts = require("report.verdicts")
local virtual = require("tests.virtual_net")

local test, expect = support.test, support.expect

local function holds(t)
  t:session():connect()
  t:body()
  t:check{ ids = { "RFC5973-3.5-6" }, text = "it holds", holds = true }
end

-- Cases one after the other, or so many at once, of a firewall that is silent from the case of this
-- number on, counted with the question whether it is there.
local function dying(silent_from, jobs, body)
  local definitions, begun = {}, 0
  local net = virtual.new()
  local box = fake.new(net)
  local listens = box.packet
  function box.packet(...) if begun < silent_from then listens(...) end end
  local function counted(definition)
    return setmetatable({ run = function(t)
      begun = begun + 1
      definition.run(t)
    end }, { __index = definition })
  end
  for number = 1, 8 do
    definitions[number] = counted({ id = "case-" .. number, document = "RFC0", section = "0",
      purpose = "x", roles = { "NF-FW" }, requirements = { "RFC5973-3.5-6" }, run = body or holds })
  end
  local results, dead
  suite.run(definitions, { net = net, settings = support.settings(), jobs = jobs or 1,
    reach = counted(reach),
    on_end = function(all, why) results, dead = all, why end })
  net.run_until(function() return results ~= nil end, 1e7)
  return verdicts.count(results), dead, results
end

test("a box that is not there is told of at once, and no case runs", function()
  local counts, dead, results = dying(1)
  expect(counts.inconclusive == 8 and #results[1].steps == 0, counts.inconclusive .. " inconclusive")
  expect(dead:find("^the IUT is not there: the IUT answers a Query: expected a Response"), dead)
end)

test("a box that dies in the middle is told of, with the case that last heard it", function()
  local counts, dead, results = dying(4)
  expect(counts.pass == 2 and counts.inconclusive == 6, counts.pass .. " pass")
  expect(dead:find("last heard from in case case-2", 1, true), dead)
  expect(#results[5].steps > 0 and #results[6].steps == 0, "it was not asked after three cases")
end)

-- Fails, and does not stay open, where nothing answers.
local function is_answered(t)
  t:body()
  t:session():query_only():expect_gist_response{ ids = { "RFC5973-3.5-6" }, text = "it answers" }
end

test("no case runs beside the question whether the box is there", function()
  local counts, dead, results = dying(1, 4, is_answered)
  expect(counts.inconclusive == 8 and dead, counts.inconclusive .. " inconclusive")
  for _, case in ipairs(results) do
    expect(#case.steps == 0, case.definition.id .. " ran beside it")
  end
end)

test("what failed with a box that died blames nobody, however many ran at once", function()
  for _, jobs in ipairs({ 1, 4 }) do
    local counts, dead, results = dying(4, jobs, is_answered)
    expect(counts.pass == 2 and counts.inconclusive == 6, counts.inconclusive .. " inconclusive")
    expect(dead, "it is not told of")
    local failed = results[3]
    expect(failed.reason:find("; then the IUT was found dead$"), failed.reason)
    expect(failed.results["RFC5973-3.5-6"] == "inconclusive", "the requirement failed")
  end
end)

test("a box that lives is asked once, and runs as it would", function()
  local counts, dead = dying(math.huge)
  expect(counts.pass == 8 and dead == nil, tostring(dead))
end)

test("what the runner was deaf for is no sign of death: it asks again", function()
  local net, asked = virtual.new(), 0
  local box = fake.new(net)
  local listens = box.packet
  function box.packet(...)
    if asked > 1 then listens(...) end
  end
  function net.stalled() return asked == 1 and 1000 or 0 end
  local counted = setmetatable({ run = function(t)
    asked = asked + 1
    reach.run(t)
  end }, { __index = reach })
  local results, dead
  suite.run({ { id = "one", document = "RFC0", section = "0", purpose = "x", roles = { "NF-FW" },
    requirements = { "RFC5973-3.5-6" }, run = function(t)
      t:body()
      t:check{ ids = { "RFC5973-3.5-6" }, text = "it holds", holds = true }
    end } }, { net = net, settings = support.settings(), jobs = 1, reach = counted,
    on_end = function(all, why) results, dead = all, why end })
  net.run_until(function() return results ~= nil end, 1e7)
  expect(asked == 2 and dead == nil, asked .. " times: " .. tostring(dead))
  expect(results[1].verdict == "pass", results[1].verdict)
end)

test("a failure that an interrupted run could not repeat is none", function()
  local net, handle = virtual.new()
  fake.new(net)
  local function case(id, run)
    return { id = id, document = "RFC0", section = "0", purpose = "x", roles = { "NF-FW" },
      requirements = { "RFC5973-3.5-6" }, run = run }
  end
  local function check(t, is_right)
    t:body()
    t:check{ ids = { "RFC5973-3.5-6" }, text = "it holds", holds = is_right }
  end
  for _, needed in ipairs({ 2, 1 }) do
    local results
    handle = suite.run({ case("fails", function(t) check(t, false) end),
      case("interrupts", function(t)
        check(t, true)
        handle.interrupt()
      end), case("comes-too-late", function(t) check(t, false) end) },
      { net = net, settings = support.settings({ ["limits.failures_needed"] = needed }), jobs = 1,
        on_end = function(all) results = all end })
    net.run_until(function() return results ~= nil end, 1e7)
    local first = results[1]
    expect(first.verdict == (needed > 1 and "inconclusive" or "fail"), needed .. ": " .. first.verdict)
    expect(first.results["RFC5973-3.5-6"] == first.verdict and #first.steps > 0, "its requirement")
    expect(results[3].verdict == "inconclusive" and #results[3].steps == 0, "it ran")
  end
end)

test("of a box that says without end a case keeps what a report can hold", function()
  local results = support.run({ { id = "one", document = "RFC0", section = "0", purpose = "x",
    roles = { "NF-FW" }, requirements = { "RFC5973-3.5-6" }, run = function(t)
      for _ = 1, 120 do t:session():connect() end
      t:body()
      t:check{ ids = { "RFC5973-3.5-6" }, text = "it holds", holds = true }
    end } })
  local octets, names = 0, 0
  for _, step in ipairs(results[1].steps) do
    octets = octets + (step.item and #step.item.gist.bytes or 0)
    names = names + (step.text:find("not kept", 1, true) and 1 or 0)
  end
  expect(results[1].verdict == "pass", tostring(results[1].reason))
  expect(octets <= 1 << 15 and names > 0, octets .. " octets, " .. names .. " names")
end)

support.finish()
