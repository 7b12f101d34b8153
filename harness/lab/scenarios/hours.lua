-- A thousand sessions of an hour live through a firewall for some minutes. No session is lost, the
-- flows that are tried pass, and no node needs more memory at the end than after the first minute.
-- natfw-lab run hours [MINUTES [LIFETIME_S]]. Ten minutes and an hour by default; with a lifetime of
-- less than the minutes, the initiator's refreshes are in it too. Prints a line a minute.
local lab = require("lab")
local native = require("native")

local NI, NR = "192.0.2.10", "203.0.113.10"
local NODES = { "ni", "fw", "nr" }
local SESSIONS, FIRST_PORT, PORT = 1000, 10000, 5000
local TRIED = 20 -- flows a minute
local GROWTH_MAX_KIB = 256

local function open_all(net, lifetime_s)
    for i = 0, SESSIONS - 1 do
        local output, status = lab.control(net, "ni", "open", "--from",
            ("%s:%d"):format(NI, FIRST_PORT + i), "--to", ("%s:%d"):format(NR, PORT), "--protocol",
            "udp", "--lifetime", tostring(lifetime_s))
        lab.expect(status == 0, "session %d to open, not: %s", i + 1, output)
    end
end

local function let_pass_a_minute(net)
    local deadline = native.now() + 60
    repeat
        for _, daemon in pairs(net.daemons) do
            lab.expect(not daemon:status(), "no daemon to end:\n%s", daemon:output())
        end
        native.pause(0.5)
    until native.now() >= deadline
end

local function try_flows(net, minute)
    for i = 1, TRIED do
        local source = FIRST_PORT + (minute * TRIED + i) * 37 % SESSIONS
        lab.expect(lab.traffic.udp(net.ni, NI, source, net.nr, NR, PORT) == "both",
            "the flow from port %d to pass in minute %d", source, minute)
    end
    lab.expect(lab.traffic.udp(net.ni, NI, FIRST_PORT + SESSIONS, net.nr, NR, PORT) == "none",
        "a flow without a session not to pass")
end

local function look(net, minute)
    local memory_kib = {}
    for _, name in ipairs(NODES) do
        local now = lab.stats(net, name)
        lab.expect(now.sessions == SESSIONS, "%s to have all its sessions in minute %d, not %d", name,
            minute, now.sessions)
        memory_kib[name] = now.memory_kib
    end
    try_flows(net, minute)
    lab.say("minute %2d: %d sessions; KiB of memory: initiator %d, firewall %d, responder %d", minute,
        SESSIONS, memory_kib.ni, memory_kib.fw, memory_kib.nr)
    return memory_kib
end

return {
    topology = "attacked",
    arguments = "[MINUTES [LIFETIME_S]]",
    run = function(net, minutes, lifetime_s)
        minutes, lifetime_s = tonumber(minutes or 10), tonumber(lifetime_s or 3600)
        if not minutes or minutes < 2 or not lifetime_s then
            lab.misuse("hours takes numbers, and two minutes at least")
        end
        lab.start_nodes(net)
        open_all(net, lifetime_s)
        look(net, 0)
        local first, last
        for minute = 1, minutes do
            let_pass_a_minute(net)
            last = look(net, minute)
            first = first or last
        end
        for _, name in ipairs(NODES) do
            lab.expect(last[name] - first[name] <= GROWTH_MAX_KIB, "the memory of %s to stay flat: "
                .. "%d KiB after a minute, %d at the end", name, first[name], last[name])
        end
    end,
}
