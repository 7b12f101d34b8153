-- A box that dies, and the IXIT's command that brings it back: who is blamed, and who is not.

local fake = require("tests.fake_firewall")
local reach = require("runner.reach")
local suite = require("runner.suite")
local support = require("tests.support")
local virtual = require("tests.virtual_net")

local test, expect = support.test, support.expect

local ASKED, OTHER = "RFC5973-3.5-6", "RFC5973-3.4-1a"

local function case(id, run)
  return { id = id, document = "RFC0", section = "0", purpose = "x", roles = { "NF-FW" },
    requirements = { ASKED, OTHER }, run = run }
end

-- Runs eight cases, of which those with these numbers kill the box in their middle. options: kills
-- (number -> how often it does), jobs, restart (of the IXIT), revives (false: the command does nothing),
-- status (of the command), is_dead (from the start), bare (the step that gets no answer carries
-- nothing), proved (all was proved before it).
local function dying(options)
  local net, definitions = virtual.new(), {}
  local box = fake.new(net)
  local world = { alive = not options.is_dead, restarts = 0, kills = options.kills or {} }
  local listens = box.packet
  function box.packet(...) if world.alive then listens(...) end end
  function net.box.run(command, ended)
    world.restarts, world.command = world.restarts + 1, command
    world.alive = world.alive or options.revives ~= false
    ended(options.status or 0, "said\nso")
  end
  for number = 1, 8 do
    definitions[number] = case("case-" .. number, function(t)
      t:body()
      t:session():connect{ ids = { OTHER } }
      if (world.kills[number] or 0) > 0 then
        world.kills[number], world.alive = world.kills[number] - 1, false
      end
      if options.proved then
        t:check{ ids = { ASKED }, text = "it holds", holds = true }
        t:control()
      end
      t:session():connect(not (options.bare or options.proved) and { ids = { ASKED } } or nil)
      if options.bare then t:check{ ids = { ASKED }, text = "it holds", holds = true } end
    end)
  end
  local settings = support.settings()
  settings.restart = options.restart or { command = "bring it back", timeout_s = 5, each_case = false }
  suite.run(definitions, { net = net, settings = settings, jobs = options.jobs or 1, reach = reach,
    seed = options.seed, on_end = function(all, why) world.results, world.dead = all, why end })
  net.run_until(function() return world.results ~= nil end, 1e8)
  return world
end

-- The verdicts of the eight in a row, by their first letters.
local function row(world)
  local letters = {}
  for place, one in ipairs(world.results) do letters[place] = one.verdict:sub(1, 1) end
  return table.concat(letters)
end

test("a case that kills the box each time fails, and no other does", function()
  for _, jobs in ipairs({ 1, 3, 8 }) do
    local world = dying({ kills = { [4] = 99 }, jobs = jobs })
    expect(row(world) == "pppfpppp", jobs .. " at once: " .. row(world))
    expect(world.dead == nil and world.command == "bring it back", tostring(world.dead))
    local blamed = world.results[4]
    expect(blamed.reason:find("^the IUT died of it, 2 times: "), blamed.reason)
    expect(blamed.results[ASKED] == "fail" and blamed.results[OTHER] == "pass",
      "not the requirement whose answer is missing")
  end
end)

test("where the step without an answer carries nothing, what was not proved fails", function()
  local world = dying({ kills = { [4] = 99 }, bare = true })
  expect(row(world) == "pppfpppp", row(world))
  local blamed = world.results[4]
  expect(blamed.results[ASKED] == "fail" and blamed.results[OTHER] == "pass", "another requirement")
end)

test("a case that had proved all fails nothing, and says that the box died of it", function()
  local world = dying({ kills = { [4] = 99 }, proved = true })
  expect(row(world) == "pppipppp", row(world))
  expect(world.results[4].reason:find("^the IUT died of it"), world.results[4].reason)
end)

test("two of them fail both, in any order, and the last one too", function()
  for seed = 1, 5 do
    local world = dying({ kills = { [2] = 99, [8] = 99 }, jobs = 4, seed = seed })
    expect(row(world) == "pfpppppf", "seed " .. seed .. ": " .. row(world))
  end
end)

test("a box that died once is blamed for nothing: the case passes when it runs again", function()
  local world = dying({ kills = { [4] = 1 } })
  expect(row(world) == "pppppppp", row(world))
  expect(world.restarts == 1, world.restarts .. " restarts")
end)

test("a box that is not there at the start is brought up, and judged", function()
  local world = dying({ is_dead = true })
  expect(row(world) == "pppppppp" and world.restarts == 1, row(world))
end)

test("a command that does not bring it back is tried once, and nobody fails", function()
  local world = dying({ kills = { [4] = 99 }, revives = false })
  expect(row(world) == "pppiiiii" and world.restarts == 1, row(world) .. ", " .. world.restarts)
  expect(world.dead:find("^the IUT is not there: .*last heard from in case case%-4"), world.dead)
end)

test("a command that fails is told of, with what it said", function()
  local world = dying({ kills = { [4] = 99 }, status = 7 })
  expect(not row(world):find("f"), row(world))
  expect(world.dead:find("the restart command ended with exit status 7: said so", 1, true), world.dead)
end)

test("without a command a box that dies fails nothing", function()
  local world = dying({ kills = { [4] = 99 }, restart = { command = "", timeout_s = 1 } })
  expect(not row(world):find("f") and world.restarts == 0, row(world))
  expect(world.dead:find("^the IUT is not there"), tostring(world.dead))
end)

test("a box that dies in the last case is told of", function()
  local world = dying({ kills = { [8] = 99 }, restart = { command = "", timeout_s = 1 } })
  expect(row(world):sub(1, 7) == "ppppppp" and row(world):sub(8) ~= "f", row(world))
  expect(world.dead ~= nil, "nobody noticed")
end)

local EACH = { command = "make a new one", timeout_s = 5, each_case = true }

test("before each case the box is a new one, where the IXIT says so", function()
  local world = dying({ restart = EACH, jobs = 8 })
  expect(row(world) == "pppppppp" and world.restarts == 8, row(world) .. ", " .. world.restarts)
end)

test("and a case that kills each of them fails", function()
  local world = dying({ restart = EACH, kills = { [1] = 99, [5] = 99, [6] = 1 } })
  expect(row(world) == "fpppfppp", row(world))
end)

support.finish()
