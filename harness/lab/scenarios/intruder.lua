-- Hosts that know the id of a session try to delete it, to move its pinhole and to end it, from inside
-- and from outside. Each attempt is refused and logged, and the flow passes all the time. Then its
-- owner deletes it.
local lab = require("lab")
local options = require("options")

local NI, NR, SOURCE_PORT, PORT = "192.0.2.10", "203.0.113.10", 4000, 5000
local REFUSED = "the sender is not the session's inbound peer"

local function passes(net)
    return lab.traffic.udp(net.ni, NI, SOURCE_PORT, net.nr, NR, PORT)
end

-- The attacks on this session, as cases of natfw-conform.
local function write_attacks(session)
    local words = { SID = session, SOURCE = NI, SOURCE_PORT = SOURCE_PORT, DESTINATION = NR,
        DESTINATION_PORT = PORT }
    local from = assert(io.open(options.data .. "/attacks/ownership.lua"))
    local path = "/run/natfw/attacks.lua"
    local to = assert(io.open(path, "w"))
    to:write((from:read("a"):gsub("@([%u_]+)@", words)))
    to:close()
    from:close()
    return path
end

local function attack(path)
    local command = { "natfw-conform", "run", "--ixit", options.data .. "/ixit/firewall.lua",
        "--cases", path, "--id", "attack:*" }
    for _, setting in ipairs({
        "inside.netns=/run/hosts/intruder", "inside.gateway=192.0.2.65",
        "outside.netns=/run/hosts/stranger", "outside.gateway=203.0.113.65",
        "limits.max_concurrent=1", -- of one session there is one routing state to fight for
    }) do
        table.move({ "--set", setting }, 1, 2, #command + 1, command)
    end
    return lab.run_in_foreground(command)
end

return {
    topology = "intruder",
    run = function(net)
        lab.start_nodes(net)
        lab.expect(passes(net) == "none", "nothing to pass before it is allowed")
        local output, status = lab.control(net, "ni", "open", "--from", NI .. ":" .. SOURCE_PORT,
            "--to", NR .. ":" .. PORT, "--protocol", "udp", "--lifetime", "60")
        lab.expect(status == 0, "a session to open, not: %s", output)
        local session = lab.expect(output:match('"session"%s*:%s*"(%x+)"'), "a session id")
        lab.expect(passes(net) == "both", "the flow to pass")
        lab.expect(attack(write_attacks(session)) == 0, "each attack to be refused")
        lab.expect(passes(net) == "both", "the flow to pass after the attacks")
        lab.say("the flow passes after all attacks")
        local _, refusals = net.daemons.fw:output():gsub(REFUSED, "")
        lab.expect(refusals >= 8, "a line for each request that was refused, not %d", refusals)
        lab.say("%d lines say: %s", refusals, REFUSED)
        local _, closed = lab.control(net, "ni", "close", session)
        lab.expect(closed == 0, "the owner to delete its session")
        local ends = lab.wait_until(30, function()
            return passes(net) == "none"
        end)
        lab.expect(ends, "the flow to stop when its owner deletes the session")
        lab.say("the owner deletes it, and the flow stops")
    end,
}
