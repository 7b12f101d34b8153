-- The runner's end of the shim protocol against children that keep it and children that do not: what
-- is wrong is said, costs its own case only, and never reads as a verdict on the box.

local address = require("codec.address")
local ixit = require("runner.ixit")
local shim_suite = require("runner.shim_suite")
local support = require("tests.support")

local test, expect = support.test, support.expect
local ID = "RFC5973-3.5-4"
local NEVER = string.rep("\xFF", 8)

local function frame(kind, body)
  body = body or ""
  return string.pack(">I4B", #body + 1, kind) .. body
end

local HELLO = frame(0x81, string.pack(">I2s1", 1, "a child"))
local QUIET = frame(0x86, NEVER)

local function quiet_until(time) return frame(0x86, string.pack(">I8", time)) end

local function stream_open(number, own)
  local function end_of(text) return "\4" .. address.parse(text) .. "\1\0" end
  return frame(0x91, string.pack(">I4B", number, 1) .. end_of("10.1.0.1") .. end_of(own or "192.0.2.1")
    .. "\0\0\0")
end

-- A host that starts children in this process. answer(turn, time, is_last) is what a child says to a
-- turn, as octets, and what follows them: "silence" or "end"; the last turn of a box has END in it.
-- hellos: what each child says to HELLO. Each child has `status`, what it ends with.
local function host_with(answer, hellos)
  local host = { time = 5e6, children = {} }
  function host.now() return host.time end
  function host.has_caught_signal() return host.signal or false end
  function host.child()
    local number = #host.children + 1
    local child = { turns = 0, queue = "", taken = 0, ends = 0, status = "exit status 0" }
    host.children[number] = child
    local function say(self, octets)
      self.queue, self.taken = self.queue:sub(self.taken + 1) .. octets, 0
    end
    function child:send(octets)
      local position, time, is_last = 1, nil, false
      while position <= #octets do
        local length, kind = string.unpack(">I4B", octets, position)
        local body = octets:sub(position + 5, position + 3 + length)
        position = position + 4 + length
        if kind == 0x01 then say(self, hellos and hellos[number] or HELLO) end
        if kind == 0x06 then time = string.unpack(">I8", body) end
        if kind == 0x31 then self.ends, is_last = self.ends + 1, true end
        if kind == 0x07 then
          self.turns = self.turns + 1
          local said, after = answer(self.turns, time, is_last)
          say(self, said)
          self.after = after
        end
      end
      return true
    end
    function child:receive(limit_s)
      if limit_s <= 0 then return nil, "silence" end
      if self.taken == #self.queue then return nil, self.after or "silence" end
      if self.slow_ms then host.time = host.time + self.slow_ms end
      local length, kind, start = string.unpack(">I4B", self.queue, self.taken + 1)
      self.taken = start + length - 2
      return kind, self.queue:sub(start, self.taken)
    end
    function child:pending() return self.taken < #self.queue end
    function child:close()
      self.closed = true
      return self.status
    end
    return child
  end
  return host
end

local function case(id, run)
  return { id = id, purpose = "x", requirements = { ID }, roles = { "NF-FW" },
    run = run or function(t)
      t:pause(100)
      t:body()
      t:check({ ids = { ID }, text = "it holds", holds = true })
    end }
end

local function settings()
  local given = { name = "a box", ics = { roles = { "NF-FW" } },
    inside = { gateway = "192.0.2.1", signalling = "10.1.0.0/24", flows = "10.2.0.0/24" },
    outside = { gateway = "192.0.2.254", signalling = "10.3.0.0/24", flows = "10.4.0.0/24" } }
  local checked = assert(ixit.check(given, "test", "", true))
  checked.shim.text = ""
  return checked
end

local function run(host, definitions)
  return shim_suite.run(definitions or { case("first"), case("second") },
    { host = host, command = "child", settings = settings(), seed = 3 })
end

local function says_nothing() return QUIET end

test("a child that keeps the protocol is one child for all cases, each ended", function()
  local host = host_with(says_nothing)
  local results, name = run(host)
  expect(results[1].verdict == "pass" and results[2].verdict == "pass", tostring(results[1].reason))
  expect(name == "a child", tostring(name))
  expect(#host.children == 1 and host.children[1].ends == 2 and host.children[1].closed,
    #host.children .. " children")
end)

-- What the first child says to a turn, what follows that, and what the case says of it.
local FAULTS = {
  { "an unknown kind", frame(0x7F), nil, "kind 0x7F" },
  { "a body that ends too early", frame(0x90, "\1\0"), nil, "packet that cannot be read" },
  { "a text without its length", frame(0xBF), nil,
    "a fault that cannot be read: its body ends too early$" },
  { "octets left over", frame(0x94, "\0\0\0\2x"), nil, "stream_close with octets left over" },
  { "a second hello", HELLO, nil, "a second hello" },
  { "a packet by a port that it has not got", frame(0x90, "\9\0\1x"), nil, "by port 9" },
  { "a stream from an address of another", stream_open(2, "192.0.2.77"), nil, "from 192.0.2.77" },
  { "an answer that nobody asked for", frame(0xA0, string.pack(">I4Bs2", 7, 0, "")), nil, "trigger 7" },
  { "its death", "", "end", "has died %(exit status 0%)" },
  { "what it sends outside a turn", QUIET .. QUIET, nil, "sends something outside a turn" },
  { "a stream that there was none of", frame(0x94, "\0\0\0\2"), nil, "stream 2, which there was none" },
  { "octets before the stream is accepted", stream_open(2) .. frame(0x93, "\0\0\0\2\0\1x"), nil,
    "octets of stream 2 before that is accepted" },
  { "two streams between the same endpoints", stream_open(2) .. stream_open(4), nil,
    "second stream from 192.0.2.1:256 to 10.1.0.1:256" },
  { "silence", "", "silence", "has not answered in 60 seconds" },
  { "a wake before the turn", quiet_until(1), nil, "lies about time" },
  { "a stream of an odd number", stream_open(3), nil, "a stream of number 3: even wanted" },
  { "a stream of number 0", stream_open(0), nil, "a stream of number 0: even wanted, from 2 up$" },
  { "a stream's number used again", stream_open(2) .. stream_open(2), nil, "second stream of number 2" },
  { "100,001 frames in a turn", string.rep(frame(0xB0, "\0\0"), 100001), nil, "100000 frames" },
  { "17 MB in a turn", string.rep(frame(0xB0, string.pack(">s2", string.rep("x", 65535))), 260), nil,
    "16777216 octets" },
}

for _, fault in ipairs(FAULTS) do
  local name, said, after, sentence = table.unpack(fault, 1, 4)
  test(name .. " makes its case inconclusive and not the next, which gets a new child", function()
    local host
    host = host_with(function()
      if #host.children > 1 then return QUIET end
      return said .. (after and "" or QUIET), after
    end)
    local results = run(host)
    expect(results[1].verdict == "inconclusive", results[1].verdict)
    expect(results[1].reason:find(sentence), results[1].reason)
    expect(results[1].finished_at ~= nil, "the case did not end")
    expect(results[2].verdict == "pass", tostring(results[2].reason))
    expect(#host.children == 2 and host.children[1].closed, #host.children .. " children")
  end)
end

test("a box that says more than 128 MB in its case is too much", function()
  local most_of_a_turn = string.rep(frame(0xB0, string.pack(">s2", string.rep("x", 65535))), 250)
  local results = run(host_with(function(_, time)
    return most_of_a_turn .. quiet_until(time + 1000)
  end), { case("first") })
  expect(results[1].reason:find("134217728 octets in a case"), tostring(results[1].reason))
end)

test("what a box says counts for its own case only", function()
  local half_of_it = string.rep(frame(0xB0, string.pack(">s2", string.rep("x", 65535))), 250)
  local results = run(host_with(function(turn, time)
    if turn % 8 == 1 then return half_of_it .. quiet_until(time + 1000) end
    return half_of_it .. (turn % 8 < 6 and quiet_until(time + 1000) or QUIET)
  end), { case("first"), case("second") })
  expect(results[2].verdict == "pass", tostring(results[2].reason))
end)

test("a stream may be opened again between the same endpoints when the first was refused", function()
  local reset
  local results = run(host_with(function(turn, time)
    reset = turn
    if turn == 1 then return stream_open(2) .. quiet_until(time + 1000) end
    return (turn == 3 and stream_open(4) or "") .. (turn < 3 and quiet_until(time + 1000) or QUIET)
  end), { case("first") })
  expect(reset > 3 and results[1].verdict == "pass", tostring(results[1].reason))
end)

test("nonsense after the last case's end is told of, too", function()
  for _, said in ipairs({ frame(0x7F), QUIET }) do
    local _, _, wrong_end = run(host_with(function(_, _, is_last)
      return QUIET .. (is_last and said or "")
    end), { case("first") })
    expect(wrong_end and wrong_end:find("outside a turn.*after the end of first"), tostring(wrong_end))
  end
end)

test("how a child ends is told of one that died, and of none that was ended", function()
  local function reason_after(said, after)
    local host = host_with(function() return said, after end)
    local first = host.child
    function host.child()
      local child = first()
      child.status = "exit status 3"
      return child
    end
    return run(host, { case("first") })[1].reason
  end
  expect(reason_after("", "end"):find("has died (exit status 3)", 1, true), reason_after("", "end"))
  expect(not reason_after(frame(0x7F) .. QUIET):find("exit status"), reason_after(frame(0x7F) .. QUIET))
end)

test("each case has a seed of its own, whatever runs beside it", function()
  local function seeds_of(definitions)
    local host, seeds = host_with(says_nothing), {}
    local first = host.child
    function host.child()
      local child = first()
      local send = child.send
      function child:send(octets)
        local position = 1
        while position <= #octets do
          local length, kind = string.unpack(">I4B", octets, position)
          if kind == 0x05 then seeds[#seeds + 1] = string.unpack(">I8", octets, position + 5) end
          position = position + 4 + length
        end
        return send(self, octets)
      end
      return child
    end
    run(host, definitions)
    return seeds
  end
  local both, one = seeds_of({ case("first"), case("second") }), seeds_of({ case("second") })
  expect(#both == 2 and both[1] ~= both[2] and both[2] == one[1], table.concat(both, " "))
end)

test("a box that dies at its end passes nothing, and the next case has a new child", function()
  local host
  host = host_with(function(_, _, is_last)
    if is_last and #host.children == 1 then return "", "end" end
    return QUIET
  end)
  local results = run(host)
  expect(results[1].verdict == "inconclusive", results[1].verdict)
  expect(results[1].reason:find("has died"), results[1].reason)
  expect(results[2].verdict == "pass" and #host.children == 2, tostring(results[2].reason))
end)

test("that it died at its end is told of a case that failed, too", function()
  local results = run(host_with(function(_, _, is_last)
    if is_last then return "", "end" end
    return QUIET
  end), { case("first", function(t)
    t:body()
    t:check({ ids = { ID }, text = "it holds", holds = false })
  end) })
  expect(results[1].verdict == "fail", results[1].verdict)
  expect(results[1].reason:find("it holds: .*; at its end the shim has died"), results[1].reason)
end)

test("a box that dies between two cases is not blamed on the next, and the run says so", function()
  local host
  host = host_with(function(_, _, is_last)
    if #host.children == 1 and host.children[1].ends > 0 and not is_last then return "", "end" end
    return QUIET
  end)
  local results, _, wrong_end = run(host)
  expect(results[1].verdict == "pass" and results[2].verdict == "pass", tostring(results[2].reason))
  expect(#host.children == 2, #host.children .. " children")
  expect(wrong_end and wrong_end:find("has died .*, after the end of first"), tostring(wrong_end))
end)

test("three cases in which it hangs are enough: the others are not run", function()
  local results = run(host_with(function() return "", "silence" end),
    { case("first"), case("second"), case("third"), case("fourth") })
  expect(results[3].reason:find("has not answered"), results[3].reason)
  expect(results[4].verdict == "inconclusive", results[4].verdict)
  expect(results[4].reason == "not run: the shim has hung 3 times", results[4].reason)
end)

test("a signal ends the run: the case that runs and those after it are interrupted", function()
  local host
  host = host_with(function(turn)
    if turn < 5 then return QUIET end
    host.signal = true
    return "", "signal"
  end)
  local results = run(host, { case("first"), case("second"), case("third") })
  expect(results[1].verdict == "pass", tostring(results[1].reason))
  expect(#results[2].steps > 0, "it was not interrupted while it ran")
  expect(results[2].reason == "interrupted" and results[3].reason == "interrupted",
    tostring(results[2].reason))
end)

test("what a box does at its end reaches nobody, and its streams are not the next one's", function()
  local results = run(host_with(function(_, _, is_last)
    return (is_last and stream_open(2) or "") .. QUIET
  end))
  expect(results[1].verdict == "pass" and results[2].verdict == "pass", tostring(results[2].reason))
end)

test("a stream between the same endpoints may follow one that is closed", function()
  local closed = stream_open(2) .. frame(0x94, "\0\0\0\2")
  local results = run(host_with(function(turn, time)
    if turn == 1 then return closed .. quiet_until(time + 1000) end
    return (turn == 2 and stream_open(4) or "") .. QUIET
  end), { case("first") })
  expect(results[1].verdict == "pass", tostring(results[1].reason))
end)

test("a child that ends otherwise than well is told of", function()
  for status, sentence in pairs({ ["exit status 1"] = "ends with exit status 1",
    ["signal 6, Aborted"] = "ends with signal 6" }) do
    local host = host_with(says_nothing)
    local child = host.child
    function host.child()
      local started = child()
      started.status = status
      return started
    end
    local _, _, wrong_end = run(host)
    expect(wrong_end and wrong_end:find(sentence), tostring(wrong_end))
  end
  local _, _, wrong_end = run(host_with(says_nothing))
  expect(wrong_end == nil, tostring(wrong_end))
end)

test("after FAULT the child is in step: the next case is judged by its own turns", function()
  local host = host_with(function(turn)
    if turn == 1 then return frame(0xBF, string.pack(">s2", "no such port\27[2J\xFF")) .. QUIET end
    return QUIET
  end)
  local results = run(host)
  expect(results[1].verdict == "inconclusive", results[1].verdict)
  expect(results[1].reason == "the shim cannot do this: no such port\\x1B[2J\\xFF", results[1].reason)
  expect(results[2].verdict == "pass", tostring(results[2].reason))
  expect(#host.children == 1 and host.children[1].taken == #host.children[1].queue, "out of step")
end)

test("a child that only logs does not make the wait longer", function()
  local host = host_with(function() return string.rep(frame(0xB0, "\0\1x"), 1000) .. QUIET end)
  local first = host.child
  function host.child()
    local child = first()
    child.slow_ms = 1000
    return child
  end
  local results = run(host, { case("first") })
  expect(results[1].reason:find("has not answered in 60 seconds"), tostring(results[1].reason))
end)

test("a box that wants a turn at once again and again does not come to rest", function()
  local results = run(host_with(function(_, time) return quiet_until(time) end), { case("first") })
  expect(results[1].reason == "the shim does not come to rest: more than 10000 turns of one moment",
    tostring(results[1].reason))
end)

test("a box that wants a turn each microsecond does not come to rest either", function()
  local host = host_with(function(_, time) return quiet_until(time + 1) end)
  local results = run(host, { case("first", function(t) t:pause(60000) end) })
  expect(results[1].reason == "the shim does not come to rest: more than 100000 turns",
    tostring(results[1].reason))
end)

test("a wake of 2^63 and more is far away, not past", function()
  for _, wake in ipairs({ 1 << 63, 0xFFFFFFFFFFFFFFFE, 1 << 60 }) do
    local results = run(host_with(function() return quiet_until(wake) end))
    expect(results[1].verdict == "pass", tostring(results[1].reason))
  end
end)

test("a wake is kept to: the box gets its turn at that very time", function()
  local wanted, at
  run(host_with(function(turn, time)
    if turn == 1 then wanted = time + 50000 end
    if turn == 2 then at = time end
    return turn == 1 and quiet_until(wanted) or QUIET
  end), { case("first") })
  expect(wanted and at == wanted, tostring(at))
end)

test("a successor that does not greet costs cases, not the run", function()
  local results = run(host_with(function() return "", "end" end, { HELLO, "", HELLO }))
  expect(results[1].reason:find("has died"), tostring(results[1].reason))
  expect(results[2].verdict == "inconclusive" and results[2].reason:find("has not answered"),
    tostring(results[2].reason))
end)

test("where the first child does not greet, there is no run", function()
  local ok, problem = pcall(run, host_with(says_nothing, { "" }))
  expect(not ok and problem.reason:find("has not answered"), tostring(problem))
end)

test("what was found wrong before the child fails stays a fail", function()
  local host = host_with(function(turn)
    if turn == 1 then return QUIET end
    return "", "end"
  end)
  local results = run(host, { case("first", function(t)
    t:pause(10)
    t:body()
    t:defer(function()
      t.net.to_box({ kind = "restart", how = 1 })
      t:pause(100)
    end)
    t:check({ ids = { ID }, text = "it holds", holds = false })
  end) })
  expect(results[1].verdict == "fail" and host.children[1].closed, results[1].verdict)
end)

test("a box that dies while a case tidies up does not pass it", function()
  local host = host_with(function(turn)
    if turn == 1 then return QUIET end
    return "", "end"
  end)
  local results = run(host, { case("first", function(t)
    t:pause(10)
    t:body()
    t:check({ ids = { ID }, text = "it holds", holds = true })
    t:defer(function()
      t.net.to_box({ kind = "restart", how = 1 })
      t:pause(100)
    end)
  end) })
  expect(results[1].verdict == "inconclusive", results[1].verdict)
  expect(results[1].reason:find("has died"), tostring(results[1].reason))
end)

support.finish()
