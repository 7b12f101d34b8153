-- A case whose Lua never ends is an error of its own, and costs no other case anything.

local bound = require("runner.instruction_bound")
local catalogue = require("runner.catalogue")
local support = require("tests.support")

local test, expect = support.test, support.expect
local ID = "RFC5973-3.5-4"

bound.most = 100000 -- some milliseconds, not some seconds
local SOME = 15000  -- turns of a loop of about four instructions: more than half of that

local function case(id, run)
  return { id = id, purpose = "x", requirements = { ID }, roles = { "NF-FW" }, run = run }
end

local function passes(t)
  t:pause(1)
  t:body()
  t:check({ ids = { ID }, text = "it holds", holds = true })
end

local function endless() while true do end end

local function compute()
  local sum = 0
  for number = 1, SOME do sum = sum + number % 7 end
  return sum
end

-- Runs it beside a case that is right. Returns its result.
local function result_of(run)
  local results = support.run({ case("first", run), case("second", passes) })
  expect(results[2].verdict == "pass", tostring(results[2].reason))
  expect(debug.gethook() == nil, "a hook is left")
  return results[1]
end

local function expect_too_long(result)
  expect(result.verdict == "error", result.verdict)
  expect(result.reason:find("runs too long without waiting: more than 100000 instructions", 1, true),
    result.reason)
end

test("an endless loop is an error that says where, and the next case runs", function()
  local result = result_of(endless)
  expect_too_long(result)
  expect(result.reason:find("tests/instruction_bound.lua:23", 1, true), result.reason)
end)

test("a loop is found as well after a wait", function()
  expect_too_long(result_of(function(t)
    t:pause(1)
    endless()
  end))
end)

test("no pcall keeps it going", function()
  expect_too_long(result_of(function()
    while true do pcall(endless) end
  end))
  expect_too_long(result_of(function()
    while true do pcall(pcall, endless) end
  end))
end)

test("an endless loop after a failure leaves it a failure", function()
  local result = result_of(function(t)
    t:defer(endless)
    t:body()
    t:check({ ids = { ID }, text = "it holds", holds = false })
  end)
  expect(result.verdict == "fail", result.verdict)
end)

test("what is deferred is done after an endless loop, with a bound of its own", function()
  local done = 0
  expect_too_long(result_of(function(t)
    t:defer(function() done = done + 1 end)
    t:defer(endless)
    t:defer(function() done = done + compute() / compute() end)
    endless()
  end))
  expect(done == 2, done .. " of 2 are done")
end)

test("what computes much, and waits in between, is not too long", function()
  local result = result_of(function(t)
    for _ = 1, 4 do
      compute()
      t:pause(1)
    end
    passes(t)
  end)
  expect(result.verdict == "pass", tostring(result.reason))
end)

test("a pause that takes no time is no wait", function()
  expect_too_long(result_of(function(t)
    while true do t:pause(0) end
  end))
end)

test("a change of a Response that never ends is an error, too", function()
  expect_too_long(result_of(function(t)
    t.nr.change_response = endless
    t:session():establish()
  end))
end)

test("a file of cases that never ends is refused with its name", function()
  local path = support.temporary("local count = 0\nwhile true do count = count + 1 end\n")
  local cases, why = catalogue.cases({ path }, { known = support.requirements(), suite = {} })
  os.remove(path)
  expect(cases == nil and why:find(path .. ": it runs too long", 1, true) and not why:find("\n"),
    tostring(why))
  expect(debug.gethook() == nil, "a hook is left")
end)

support.finish()
