-- What the golden captures show, one run each: natfw-lab --pcap DIRECTORY run golden NAME.
-- See pcaps/manifest.json and pcaps/make.
local lab = require("lab")

local FLOW = { "--from", "192.0.2.10:4000", "--to", "203.0.113.10:5000", "--protocol", "udp" }

local function passes(net)
    return lab.traffic.udp(net.ni, "192.0.2.10", 4000, net.nr, "203.0.113.10", 5000)
end

local function open(net, lifetime_s)
    local output, status = lab.control(net, "ni", "open", "--lifetime", tostring(lifetime_s),
        table.unpack(FLOW))
    return status == 0, output
end

local function close(net, opened)
    local _, status = lab.control(net, "ni", "close", opened:match('"session"%s*:%s*"(%x+)"'))
    lab.expect(status == 0, "the session to close")
    lab.expect(lab.wait_until(5, function() return passes(net) == "none" end),
        "no data once the session is deleted")
end

local runs = {}

-- Figures 14 and 17: both firewalls open, data passes, both close.
runs["create-success"] = function(net)
    lab.start_nodes(net)
    local opened, output = open(net, 60)
    lab.expect(opened, "a session, not: %s", output)
    lab.expect(passes(net) == "both", "data both ways")
    close(net, output)
end

-- Figure 13: the second firewall allows less than is asked for.
runs["lifetime-lowered"] = function(net)
    for _, name in ipairs({ "ni", "fw1", "nr" }) do
        lab.start_node(net, name)
    end
    lab.start_node(net, "fw2", { lifetime_max_s = 20 })
    local opened, output = open(net, 60)
    lab.expect(opened, "a session, not: %s", output)
    close(net, output)
end

-- Figure 16: the initiator refreshes once before the session would end.
runs["refresh"] = function(net)
    lab.start_nodes(net)
    local opened, output = open(net, 6)
    lab.expect(opened, "a session, not: %s", output)
    local session = output:match('"session"%s*:%s*"(%x+)"')
    local first = tonumber(output:match('"sequence_number"%s*:%s*(%d+)'))
    local refreshed = lab.wait_until(5, function()
        local now = lab.control(net, "nr", "show", session)
        return tonumber(now:match('"sequence_number"%s*:%s*(%d+)')) ~= first
    end)
    lab.expect(refreshed, "a refresh within 5 s")
    lab.expect(passes(net) == "both", "data both ways")
    close(net, output)
end

-- 3.7.1: nobody at the flow's end answers the second firewall's Queries: 5/0x07.
runs["error-response"] = function(net)
    lab.start_node(net, "ni")
    lab.start_node(net, "fw1")
    lab.start_node(net, "fw2", { query_timer_ms = 50, query_attempts = 2 })
    local opened, output = open(net, 60)
    lab.expect(not opened, "no session, but: %s", output)
    lab.expect(output:find('"class": 5,%s*"code": 7'), "the answer 5/0x07, not: %s", output)
end

return {
    topology = "figure-2",
    arguments = "NAME",
    run = function(net, name)
        local run = runs[name] or lab.misuse("there is no golden capture '%s'", name or "")
        run(net)
    end,
}
