-- What judge makes of captures as such: copies of one packet, what is no NATFW, files that belong
-- together, what it keeps and for how long.

local copies = require("judge.copies")
local frames = require("judge.frames")
local judge = require("judge.judge")
local made = require("tests.conversation")
local messages = require("runner.messages")
local packet = require("codec.packet")
local recent = require("judge.recent")
local support = require("tests.support")

local test, expect = support.test, support.expect

local IUT = made.iut

local function judged(list, iut)
  return assert(judge.captures({ "made up" }, iut or IUT, made.reader(list)))
end

local function rule_of(result, id)
  for _, rule in ipairs(result.rules) do if rule.id == id then return rule end end
  error("no rule " .. id)
end

-- Copies -----------------------------------------------------------------------------------------

-- How many of these { at, ttl, id, … } are copies.
local function copied(...)
  local seen, count = copies.new(), 0
  for _, one in ipairs({ ... }) do
    local is_copy = seen:is_copy({ source = one.source or "192.0.2.1", source_port = 270,
      destination = "192.0.2.9", destination_port = 270, ttl = one[2], id = one[3],
      payload = one.payload or "Query" }, one[1])
    count = count + (is_copy and 1 or 0)
  end
  return count
end

test("a packet that several interfaces show is one, whatever its identification", function()
  for _, id in ipairs({ 0, 7, false }) do -- false: IPv6, which has none
    id = id or nil
    expect(copied({ 0, 64, id }, { 0.001, 64, id }) == 1, "on a bridge: " .. tostring(id))
    expect(copied({ 0, 64, id }, { 0.001, 63, id }) == 1, "behind a router: " .. tostring(id))
    expect(copied({ 0, 64, id }, { 0.6, 63, id }, { 1.2, 62, id }) == 2, "on a long way: "
      .. tostring(id))
    expect(copied({ 0, 63, id }, { -0.001, 64, id }) == 1, "by a clock that is behind: "
      .. tostring(id))
  end
end)

test("what a node sends again is no copy, whatever its identification", function()
  for _, id in ipairs({ 0, 7, false }) do
    id = id or nil
    expect(copied({ 0, 64, id }, { 0.5, 64, id }, { 1.5, 64, id }) == 0, "on one wire: "
      .. tostring(id))
    expect(copied({ 0, 64, id }, { 0.001, 63, id }, { 0.5, 64, id }, { 0.501, 63, id }) == 2,
      "on two wires: " .. tostring(id))
    expect(copied({ 0, 64, id }, { 0.5, 64, id }, { 0.501, 63, id }) == 1,
      "on two wires, of which one lost the first: " .. tostring(id))
    expect(copied({ 0, 64, id }, { 5, 63, id }) == 0, "long after, with another TTL: " .. tostring(id))
  end
  expect(copied({ 0, 64, 7 }, { 0.001, 64, 8 }) == 0, "at once, with another identification")
  expect(copied({ 0, 64, 7 }, { 0.001, 63, 8 }) == 0, "on another wire, with another identification")
end)

test("other octets or another source make another datagram", function()
  expect(copied({ 0, 64, 0 }, { 0, 64, 0, payload = "Response" }) == 0, "octets")
  expect(copied({ 0, 64, 0 }, { 0, 64, 0, source = "192.0.2.2" }) == 0, "source")
end)

local function query(at, ttl, id, cookie)
  local bytes = packet.build({ source = "203.0.113.1", source_port = 270, ttl = ttl,
    destination = made.session.flow.destination, destination_port = 270,
    options = packet.router_alert(65), payload = "\78\4\189\165" .. messages.encode_gist(
      messages.query(made.outside, made.session, cookie or "cookies!", 1)) })
  return { at = at, bytes = bytes:sub(1, 4) .. string.pack(">I2", id) .. bytes:sub(7) }
end

test("a Query that is sent again with its cookie violates, one that two wires show does not", function()
  local function verdict(...) return rule_of(judged({ ... }), "gist-query-cookie-new").verdict end
  for _, id in ipairs({ 0, 7 }) do
    expect(verdict(query(0, 64, id), query(0.001, 63, id)) == "never exercised", "a copy, id " .. id)
    expect(verdict(query(0, 64, id), query(0.5, 64, id)) == "violates", "again, id " .. id)
    expect(verdict(query(0, 64, id), query(0.5, 64, id, "another!")) == "conforms", "new, id " .. id)
  end
end)

-- What is no NATFW -------------------------------------------------------------------------------

local function shown(result) return table.concat(judge.lines(result), "\n") end

test("a capture without GIST is no pass, and says so", function()
  local result = judged({ { at = 0, bytes = packet.build({ source = "192.0.2.1", source_port = 5004,
    destination = "192.0.2.9", destination_port = 5004, payload = "data" }) } })
  expect(judge.exit_status(result) == 4, "exit status")
  expect(shown(result):find("no NATFW, which is NSLPID 33: no GIST either", 1, true), shown(result))
end)

-- The conversation with another NSLPID in its GIST messages.
local function of_nslpid(number)
  local steps = made.conversation()
  for _, step in ipairs(steps) do
    step.bytes = step.bytes:gsub("^(....)\0\33", "%1" .. string.pack(">I2", number))
  end
  return made.packets(steps)
end

test("GIST of another NSLP is judged, but by a status of its own, and its NSLPID is named", function()
  local result = judged(of_nslpid(40))
  expect(judge.exit_status(result) == 5, "exit status " .. judge.exit_status(result))
  expect(shown(result):find("GIST of NSLPID 40 (12 messages) only", 1, true), shown(result))
  expect(judge.exit_status(judged(made.packets(made.conversation()))) == 0, "with NATFW")
  expect(judge.exit_status(judged(of_nslpid(40), { ["192.0.2.250"] = true })) == 4, "of nobody")
end)

-- Order ------------------------------------------------------------------------------------------

local function reader_of(files)
  return { open_capture = function(path)
    if not files[path] then return nil, path .. ": is not there" end
    return made.reader(files[path]).open_capture()
  end }
end

local function order_of(paths, files)
  local packets, order = assert(frames.open(paths, reader_of(files))), {}
  for entry in function() return packets:next() end do order[#order + 1] = entry.frame end
  return table.concat(order, " "), packets
end

local function at(...)
  local list = {}
  for place, seconds in ipairs({ ... }) do list[place] = { at = seconds, bytes = "" } end
  return list
end

test("packets of several files come in the order of time", function()
  local order = order_of({ "a", "b", "c" }, { a = at(1, 4, 40), b = at(2, 4, 90), c = at(3) })
  expect(order == "a:1 b:1 c:1 a:2 b:2 a:3 b:3", order)
  expect(order_of({ "a" }, { a = {} }) == "", "an empty file")
end)

test("packets of one file that are late come in order; one that is far too late is counted", function()
  local order, packets = order_of({ "a" }, { a = at(1, 3, 2, 4) })
  expect(order == "1 3 2 4" and packets.late == 0, order .. ": " .. packets.late)
  order, packets = order_of({ "a" }, { a = at(1, 20, 40, 2) })
  expect(order == "1 2 4 3" and packets.late == 1, order .. ": " .. packets.late)
end)

test("a file that is not there is named", function()
  local result, why = judge.captures({ "a", "b" }, IUT, reader_of({ a = at(1) }))
  expect(result == nil and why == "b: is not there", tostring(why))
end)

-- What is kept -----------------------------------------------------------------------------------

test("a table that forgets keeps what is used, a bounded number", function()
  local gone = {}
  local table_of = recent.new({ period_s = 10, most = 3, forgotten = function(value, forced)
    gone[#gone + 1] = value .. (forced and "!" or "")
  end })
  table_of:pass(0)
  table_of:put("a", "a")
  table_of:put("b", "b")
  table_of:pass(10)
  expect(table_of:get("a") == "a", "is forgotten")
  table_of:pass(20)
  expect(table.concat(gone, " ") == "b" and table_of:get("b") == nil, table.concat(gone, " "))
  for number = 1, 100 do table_of:put(number, tostring(number)) end
  expect(#gone > 90 and gone[2] == "a!", #gone .. " are gone")
end)

-- The first four messages of so many sessions one after another, `gap_s` apart.
local function many_sessions(count, gap_s)
  local list = {}
  for number = 1, count do
    local sid = string.format("session-%08d", number)
    for _, one in ipairs(made.packets(made.conversation())) do
      if one.bytes:byte(10) == 17 then
        list[#list + 1] = { at = number * gap_s, bytes = one.bytes:gsub(("s"):rep(16), sid) }
      end
    end
  end
  return list
end

test("sessions end with their time, and what they showed counts all the same", function()
  local most, alive = 0, require("judge.sessions")
  local real = alive.new
  alive.new = function(options)
    local all = real(options)
    function all:note(...)
      local count = self.alive.count
      for _ in pairs(self.alive.old) do count = count + 1 end
      most = math.max(most, count)
      return getmetatable(self).note(self, ...)
    end
    return all
  end
  local result = judged(many_sessions(500, 10))
  alive.new = real
  expect(most > 10 and most < 100, most .. " are alive at once")
  expect(rule_of(result, "gist-response-cookie").observations == 500, "observations")
  expect(result.capture.sessions_given_up == 0, "given up")
end)

-- So many handshakes of one session half a minute apart; the Response of one has another's cookie.
local function refreshes(count, wrong)
  local list = {}
  local function datagram(from, to, seconds, message)
    list[#list + 1] = { at = seconds, bytes = packet.build({ source = from, source_port = 270,
      destination = to, destination_port = 270,
      payload = "\78\4\189\165" .. messages.encode_gist(message) }) }
  end
  for number = 1, count do
    local cookie = string.format("query-%02d", number)
    datagram(made.NI, made.session.flow.destination, number * 30, messages.query(made.ni, made.session,
      cookie, 1))
    datagram(made.INSIDE, made.NI, number * 30 + 0.1, messages.response(made.firewall, made.session,
      number == wrong and "another!" or cookie, string.format("responder-%06d", number), 30000))
  end
  return list
end

test("a wrong message is found wherever in a long session it is", function()
  expect(rule_of(judged(refreshes(40)), "gist-response-cookie").verdict == "conforms", "all are right")
  for _, wrong in ipairs({ 1, 3, 20, 40 }) do
    local rule = rule_of(judged(refreshes(40, wrong)), "gist-response-cookie")
    expect(rule.verdict == "violates" and rule.violation_count == 1, wrong .. ": " .. rule.verdict)
    expect(rule.violations[1].frame == tostring(wrong * 2), "frame " .. rule.violations[1].frame)
  end
end)

test("a connection that carries something else is read no further", function()
  local ignored = {}
  local stream = require("judge.stream").new({ addresses = {}, message = error,
    ignore = function(_, both) ignored[#ignored + 1] = both end })
  local function segment(from, sequence, flags, payload, at_s)
    local ports = from == "\192\0\2\1" and string.pack(">I2I2", 9000, 80)
      or string.pack(">I2I2", 80, 9000)
    local to = from == "\192\0\2\1" and "\192\0\2\2" or "\192\0\2\1"
    local body = ports .. string.pack(">I4I4BBI2I2I2", sequence, 0, 0x50, flags, 0, 0, 0) .. payload
    stream:packet(string.pack(">BBI2I2I2BBI2", 0x45, 0, 20 + #body, 0, 0, 64, 6, 0) .. from .. to
      .. body, 1, at_s)
  end
  segment("\192\0\2\1", 0, 2, "", 0)
  expect(#ignored == 0, "before it said anything")
  segment("\192\0\2\1", 1, 24, "GET / HTTP/1.1", 1)
  expect(#ignored == 1 and ignored[1] == true, "seen from its start: both directions")
  segment("\192\0\2\2", 77, 24, "HTTP/1.1 200 OK", 2)
  stream:finish()
  expect(stream.counts.no_gist == 3 and stream.whole, stream.counts.no_gist .. " packets")
end)

support.finish()
