-- A firewall is attacked by one host, in each of the ways below. Meanwhile a peer that the firewall
-- knows opens sessions: all of them succeed, in at most twice the time that they take when it is
-- quiet. Once the attacker has gone, so has the memory that it took.
-- natfw-lab run attacks NUMBER [OPENS [quick]]; natfw-attack has to be on the search path (--bin).
-- Prints the attack's row of the table of harness/attacks. Quick: what is held ends soon, and how
-- long the opens take does not count, so that a busy machine changes no verdict.
local lab = require("lab")
local native = require("native")

local NI, NR, FIREWALL = "192.0.2.10", "203.0.113.10", "192.0.2.1"
local ATTACKER, OUTSIDER = "192.0.2.66", "203.0.113.66"
local CROWD = "198.18.0.1" -- the first of many
local OPEN_WITHIN_S = 5
local AWAY_S = 1 -- long enough for an attacker to take what becomes free
local GIVE_UP_AFTER = 5 -- opens that fail one after another
local GROWTH_MAX_KIB = 2048 -- of memory, once the attack is over
local MOST_KIB = 65536      -- while it lasts
local REST_WITHIN_S = 150

-- Few enough to be filled soon; what is held ends soon after the attack.
local FEW = { sessions_max = 1000, routing_state_validity_ms = 10000 }
local FEW_STATES = { routing_states_max = 5000 }

local ATTACKS = {
    { name = "1,000 idle connections from one address", kind = "connections", to = FIREWALL,
        words = { "--count", "1000" }, settle_s = 5 },
    { name = "the same, a message on each every 20 s", kind = "connections", to = FIREWALL,
        words = { "--count", "1000", "--every-ms", "20000" }, settle_s = 65 },
    { name = "900 peers that announce 262 KB", kind = "connections", to = FIREWALL, from = CROWD,
        words = { "--count", "900", "--addresses", "900", "--octets", "262136" }, settle_s = 15 },
    { name = "5,000 spoofed Queries a second", kind = "queries", to = NR, from = CROWD,
        words = { "--count", "10000000", "--addresses", "100000", "--per-second", "5000" } },
    { name = "15,000 spoofed Queries a second", kind = "queries", to = NR, from = CROWD,
        words = { "--count", "10000000", "--addresses", "100000", "--per-second", "15000" } },
    { name = "100,000 routing states that policy refuses", kind = "handshakes", to = NI, host = "nr",
        from = OUTSIDER, words = { "--count", "100000", "--create" }, settings = FEW_STATES,
        settle_s = 20 },
    { name = "a peer that fills sessions_max", kind = "handshakes", to = NR, settings = FEW,
        words = { "--count", "2000", "--create" }, ends = true },
    { name = "64 sessions on a victim's flow", kind = "handshakes", to = NR, settings = FEW,
        words = { "--count", "64", "--create", "--flow-from", NI }, ends = true },
    { name = "20,000 Data a second on one session", kind = "data", to = NR,
        words = { "--per-second", "20000" }, settle_s = 5 },
    { name = "the same on sessions of 60 addresses", kind = "data", to = NR, from = CROWD,
        words = { "--per-second", "20000", "--addresses", "60" }, settle_s = 5 },
    { name = "20,000 Queries a second for one routing state", kind = "refreshes", to = NR,
        words = { "--per-second", "20000" }, settle_s = 5 },
    { name = "64 connections, hellos as fast as it goes", kind = "connections", to = FIREWALL,
        words = { "--count", "64", "--pile" }, settle_s = 5 },
    { name = "the same on 300 of 300 addresses", kind = "connections", to = FIREWALL, from = CROWD,
        words = { "--count", "300", "--addresses", "300", "--pile" }, settle_s = 5 },
    { name = "1,000 connections that begin no TLS", kind = "connections", to = FIREWALL, from = CROWD,
        words = { "--count", "1000", "--addresses", "1000", "--port", "30271" }, settle_s = 15,
        is_secure = true },
    { name = "64 hellos of TLS at a time, of 300 addresses", kind = "hellos", to = FIREWALL,
        from = CROWD, words = { "--count", "64", "--addresses", "300", "--port", "30271" }, settle_s = 5,
        is_secure = true },
}
local SHORT = { routing_state_validity_ms = 5000, association_hold_ms = 5000 }
local SHORT_WORDS = { "--lifetime", "10" }

local function stats(net)
    return lab.stats(net, "fw") -- among them memory_kib, which is VmRSS
end

local function take_output(net)
    for _, daemon in pairs(net.daemons) do
        daemon:status()
    end
end

local function median(times)
    table.sort(times)
    return times[(#times + 1) // 2] or math.huge
end

local function open_once(net)
    local start = native.now()
    local output, status = lab.control(net, "ni", "open", "--from", NI .. ":4000", "--to",
        NR .. ":5000", "--protocol", "udp", "--lifetime", "60", "--timeout", tostring(OPEN_WITHIN_S))
    local took = native.now() - start
    if status == 0 then
        lab.control(net, "ni", "close", output:match('"session"%s*:%s*"(%x+)"'))
    end
    take_output(net)
    return status == 0, took
end

-- How long who is not attacked takes to answer just now: a machine is now faster, now slower.
local function yardstick(net)
    local start = native.now()
    local _, status = lab.control(net, "nr", "status")
    lab.expect(status == 0, "the receiver to say how it is")
    return native.now() - start
end

-- Returns how many of the opens succeeded, their median time in seconds, and in yardsticks.
local function open_many(net, wanted)
    local times, yards, failures = {}, {}, 0
    for _ = 1, wanted do
        local right, took = open_once(net)
        failures = right and 0 or failures + 1
        if right then
            times[#times + 1] = took
            yards[#yards + 1] = took / yardstick(net)
        elseif failures == GIVE_UP_AFTER then
            break
        end
    end
    return #times, median(times), median(yards)
end

local function wait_for_rest(net)
    local deadline = native.now() + REST_WITHIN_S
    local now
    repeat
        now = stats(net)
        if now.sessions + now.routing_states + now.connections + now.elements == 0 then
            return now
        end
        native.pause(5)
        take_output(net)
    until native.now() > deadline
    return now
end

local function settings_of(name, attack, quick)
    if quick then
        return SHORT
    end
    return name == "fw" and attack.settings or nil
end

local function start_node(net, name, attack, quick)
    local settings = settings_of(name, attack, quick)
    if attack.is_secure then
        lab.start_node_securely(net, name, settings)
    else
        lab.start_node(net, name, settings)
    end
end

-- The peer is known, but nothing of it is left at the firewall: neither association nor session.
local function come_back(net, attack)
    net.daemons.ni:signal(15)
    net.daemons.ni:wait(10)
    native.pause(AWAY_S)
    start_node(net, "ni", attack)
end

-- The attacker would be another machine: here it has what of the processor the others leave.
local function start_attack(net, attack, quick)
    local words = table.move(attack.words, 1, #attack.words, 1, {})
    if quick then
        table.move(SHORT_WORDS, 1, #SHORT_WORDS, #words + 1, words)
    end
    return net[attack.host or "ni"]:start("nice", "-n", "19", "natfw-attack", attack.kind, "--from",
        attack.from or ATTACKER, "--to", attack.to, table.unpack(words))
end

local function settle(net, attack, process)
    local deadline = native.now() + (attack.settle_s or 2)
    while native.now() < deadline or (attack.ends and not process:status()) do
        native.pause(0.1)
        take_output(net)
        process:status()
    end
end

local function suffer(net, attack, opens, quick)
    for _, name in ipairs({ "fw", "ni", "nr" }) do
        start_node(net, name, attack, quick)
    end
    open_many(net, 3)
    local _, quiet, quiet_yards = open_many(net, opens)
    local before = stats(net)
    local process = start_attack(net, attack, quick)
    settle(net, attack, process)
    come_back(net, attack)
    local succeeded, loud, loud_yards = open_many(net, opens)
    local at_most = stats(net)
    local status = process:status() -- it goes on, or has done what it had to
    lab.expect(not status or status == 0, "an attack, not: %s", process:output())
    process:signal(9)
    process:wait(10)
    local rest = wait_for_rest(net)
    for _, name in ipairs({ "ni", "nr", "fw" }) do
        net.daemons[name]:signal(15)
        net.daemons[name]:wait(10)
    end
    local right = succeeded == opens and (quick or loud_yards <= 2 * quiet_yards)
        and rest.sessions + rest.routing_states + rest.connections + rest.elements == 0
        and rest.memory_kib - before.memory_kib <= GROWTH_MAX_KIB
        and at_most.memory_kib - before.memory_kib <= MOST_KIB
    local turn_us = rest.longest_turn_us or 0
    lab.say("row\t%s\t%d of %d\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%.1f\t%s", attack.name,
        succeeded, opens, quiet * 1000, loud * 1000, loud_yards / quiet_yards,
        before.memory_kib, at_most.memory_kib, rest.memory_kib,
        turn_us / 1000, right and "right" or "WRONG")
    return right
end

return {
    topology = "attacked",
    arguments = "NUMBER [OPENS [quick]]",
    run = function(net, number, opens, quick)
        local attack = ATTACKS[tonumber(number)] or
            lab.misuse("attacks needs a number from 1 to %d", #ATTACKS)
        local is_borne = suffer(net, attack, tonumber(opens or 20), quick == "quick")
        lab.expect(is_borne, "the attack to be borne")
    end,
}
