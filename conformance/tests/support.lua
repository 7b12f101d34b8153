-- What the tests of the runner share: loading the cases, and running them against the fake firewall
-- in virtual time.

local catalogue = require("runner.catalogue")
local fake = require("tests.fake_firewall")
local fake_initiator = require("tests.fake_initiator")
local ixit = require("runner.ixit")
local suite = require("runner.suite")
local virtual = require("tests.virtual_net")

local support = {}

support.root = package.path:match("^(.-)%?%.lua")

function support.case_files()
  local list = {}
  local pipe = assert(io.popen("find '" .. support.root .. "cases' -name '*.lua' | LC_ALL=C sort"))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

function support.requirements()
  return assert(catalogue.requirements(support.root .. "../core/spec/requirements.def"))
end

-- Cases that ask for more of GIST than the fake firewall has, and what that is.
-- The lab runs them against a node.
local BEYOND_THE_FAKE = {
  ["gist-4.3-data-from-the-responder"] = "errors about Data of the responder's",
  ["gist-4.3.1-other-application-passes"] = "routing of what is not for it",
  ["gist-4.3.4-looks-no-further"] = "routing of what is not for it",
  ["gist-4.3.4-other-application-hop-limit"] = "routing of what is not for it",
  ["gist-4.3.4-other-application-unknown-method"] = "routing of what is not for it",
  ["gist-4.4.4-refresh"] = "routing state that it refreshes",
  ["gist-4.4.6-no-routing-state-starts-again"] = "a second handshake for a session",
  ["gist-5.1-confirm-without-association"] = "a handshake in D-mode as querier",
  ["gist-5.1-hello-from-the-responder"] = "errors about MA-Hellos",
  ["gist-5.3.3-confirm-of-an-earlier-response"] = "cookies but the last",
  ["gist-5.3.3-response-to-an-earlier-query"] = "cookies but the last",
  ["gist-5.7.1-refresh-with-wrong-cookie"] = "routing state that is refreshed",
  ["gist-6.2-response-again"] = "every row of the state machines",
  ["gist-7.1.2-discovery-repeated"] = "routing state that it refreshes",
  ["gist-7.2.1-query-through-a-nat"] = "detection of NATs",
  ["gist-7.2.1-response-through-a-nat"] = "detection of NATs",
  ["gist-7.4-ip-version-of-another-flow"] = "ways by which a Query came",
  ["gist-A.3-what-does-not-count"] = "a Response with the very MRI of its Query",
}

function support.cases()
  local all = assert(catalogue.cases(support.case_files(), { known = support.requirements(),
    tombstones = catalogue.tombstones(support.root .. "cases/tombstones.txt") }))
  local fit = {}
  for _, case in ipairs(all) do
    if not BEYOND_THE_FAKE[case.id] then fit[#fit + 1] = case end
  end
  return fit
end

function support.settings(changes, roles)
  local given = {
    name = "the fake firewall",
    ics = { roles = roles or { "NF-FW" } },
    inside = { netns = "none", interface = "none", gateway = "192.0.2.1",
      signalling = "10.1.0.0/24", flows = "10.2.0.0/24" },
    outside = { netns = "none", interface = "none", gateway = "192.0.2.254",
      signalling = "10.3.0.0/24", flows = "10.4.0.0/24" },
    timing = { no_peer_ms = 12000, probe_interval_ms = 20 },
  }
  for path, value in pairs(changes or {}) do
    assert(ixit.override(given, path .. "=" .. tostring(value)))
  end
  return assert(ixit.check(given, "test", ""))
end

-- Runs definitions; options: box (for the fake), settings (changes), roles, jobs, seed, strict.
function support.run(definitions, options)
  options = options or {}
  local net = virtual.new(options.random)
  fake.new(net, options.box)
  local results
  suite.run(definitions, { net = net, settings = support.settings(options.settings, options.roles),
    jobs = options.jobs or 8, seed = options.seed, strict = options.strict,
    on_end = function(all) results = all end })
  net.run_until(function() return results ~= nil end, 1e7)
  return assert(results, "the run did not end")
end

-- The same against the fake initiator, told so by its trigger; options: box, jobs.
function support.initiator_run(definitions, options)
  options = options or {}
  local net = virtual.new()
  fake_initiator.new(net, options.box)
  local results
  suite.run(definitions, { net = net, jobs = options.jobs or 8,
    settings = assert(ixit.check(fake_initiator.settings(), "test", "")),
    on_end = function(all) results = all end })
  net.run_until(function() return results ~= nil end, 1e7)
  return assert(results, "the run did not end")
end

-- The same with a plain router where the IUT should be: both neighbours reach each other.
function support.router_run(definitions, settings)
  local net = virtual.new()
  net.box = { owns = function() return false end, allows = function() return true end }
  function net.box.packet(side, bytes) net.deliver(side == "inside" and "outside" or "inside",
    bytes) end
  local results
  suite.run(definitions, { net = net, settings = support.settings(settings), jobs = 8,
    on_end = function(all) results = all end })
  net.run_until(function() return results ~= nil end, 1e7)
  return assert(results, "the run did not end")
end

function support.case(id)
  for _, case in ipairs(support.cases()) do
    if case.id == id then return case end
  end
  error("no case " .. id)
end

-- The path of a new file with this content; who asks removes it.
function support.temporary(content)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

-- The last step that failed.
function support.failing_step(case)
  for place = #case.steps, 1, -1 do
    local step = case.steps[place]
    if step.kind == "check" and not step.ok then return step end
  end
  return nil
end

-- A small harness: named tests, a count of assertions, a status.
local count, failures = 0, 0

function support.expect(condition, text)
  count = count + 1
  if not condition then error(text, 2) end
end

function support.test(name, body)
  local before = count
  local ok, why = xpcall(body, debug.traceback)
  if ok and count == before then ok, why = false, "made no assertion" end
  if not ok then
    failures = failures + 1
    io.stderr:write("not ok ", name, "\n  ", tostring(why), "\n")
  end
  print((ok and "ok " or "not ok ") .. name)
end

function support.finish()
  print(string.format("%d assertions, %d failed tests", count, failures))
  os.exit(failures == 0 and 0 or 1)
end

return support
