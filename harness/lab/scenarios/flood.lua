-- A firewall is flooded with mutated datagrams and broken associations, and still serves; once its
-- timers have run out, its memory is what it was.
-- natfw-lab run flood DATAGRAMS ASSOCIATIONS SEEDS; natfw-flood has to be on the search path
-- (--bin).
local lab = require("lab")
local native = require("native")

local NI, NR, FIREWALL = "192.0.2.10", "203.0.113.10", "192.0.2.1"
local GROWTH_MAX_KIB = 1024
local PER_SECOND = 20000
local ROUNDS_MAX = 10

-- Timers as short as they may be, so that what they hold is gone soon; no rate limits.
local short = {
    datagrams_in_per_second = 0,
    datagrams_out_per_second = 0,
    association_hold_ms = 2000,
    routing_state_validity_ms = 2000,
    cookie_rollover_ms = 1000,
}

local function stats(net)
    local text = lab.control(net, "fw1", "stats")
    local numbers = {}
    for name, value in text:gmatch('"([%w_]+)"%s*:%s*(%d+)') do
        numbers[name] = tonumber(value)
    end
    return numbers -- among them memory_kib, which is VmRSS
end

local function flood(net, ...)
    local process = net.ni:start("natfw-flood", ...)
    local status = lab.wait_until(600, function() return process:status() end)
    lab.expect(status == 0, "natfw-flood to end well, not: %s", process:output())
    lab.say("%s", (process:output():gsub("\n$", "")))
end

-- A session opens, data passes, the session ends.
local function serve(net)
    local output, status = lab.control(net, "ni", "open", "--from", NI .. ":4000", "--to", NR .. ":5000",
        "--protocol", "udp", "--lifetime", "60")
    lab.expect(status == 0, "a session to open, not: %s", output)
    local result = lab.traffic.udp(net.ni, NI, 4000, net.nr, NR, 5000)
    lab.expect(result == "both", "data both ways, not '%s'", result)
    local _, closed = lab.control(net, "ni", "close", output:match('"session"%s*:%s*"(%x+)"'))
    lab.expect(closed == 0, "the session to close")
end

local function wait_for_rest(net)
    for _ = 1, 60 do
        local now = stats(net)
        if now.sessions + now.routing_states + now.connections + now.associations
            + now.elements == 0 then
            return now
        end
        native.pause(1)
    end
    lab.expect(false, "the firewall to keep nothing within 60 s, not: %s",
        (lab.control(net, "fw1", "stats")))
end

-- Wires may lose some; what is missing is sent again, until all have been received.
local function flood_datagrams(net, wanted, seeds)
    local before = stats(net).datagrams_received
    local missing = wanted
    for round = 1, ROUNDS_MAX do
        flood(net, "--to", NR, "--seeds", seeds, "--datagrams", tostring(missing), "--seed",
            tostring(round), "--per-second", tostring(PER_SECOND))
        missing = wanted - (stats(net).datagrams_received - before)
        if missing <= 0 then
            return
        end
    end
    lab.expect(false, "%d datagrams to be received; %d are missing", wanted, missing)
end

return {
    topology = "figure-2",
    arguments = "DATAGRAMS ASSOCIATIONS SEEDS",
    run = function(net, datagrams, associations, seeds)
        for name in pairs(net.topology.nodes) do
            lab.start_node(net, name, short)
        end
        serve(net)
        local before = wait_for_rest(net)
        flood_datagrams(net, tonumber(datagrams), seeds)
        flood(net, "--to", FIREWALL, "--seeds", seeds, "--associations", associations)
        local after = stats(net)
        lab.say("firewall: received %d, accepted %d, rejected %d, dropped by its limit %d",
            after.datagrams_received - before.datagrams_received, after.parsed - before.parsed,
            after.rejected - before.rejected, after.datagrams_dropped - before.datagrams_dropped)
        lab.expect(after.parsed + after.rejected - before.parsed - before.rejected
            >= tonumber(datagrams), "each datagram to be accepted or rejected by the parser")
        serve(net)
        lab.say("a session opens still, and data passes")
        local rest = wait_for_rest(net)
        lab.say("memory: %d KiB before, %d KiB after", before.memory_kib, rest.memory_kib)
        lab.expect(rest.memory_kib - before.memory_kib <= GROWTH_MAX_KIB,
            "memory within %d KiB of what it was", GROWTH_MAX_KIB)
        lab.expect(net.daemons.fw1:status() == nil, "the firewall to run still")
    end,
}
