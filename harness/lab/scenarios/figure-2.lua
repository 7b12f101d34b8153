-- A UDP and a TCP pinhole through two firewalls: closed, opened, open, deleted, closed. With tls, the
-- nodes signal over TLS alone.
local lab = require("lab")

local NI, NR = "192.0.2.10", "203.0.113.10"

local flows = {
    udp = { source_port = 4000, port = 5000 },
    tcp = { source_port = 4001, port = 5001 },
}

local function passes(net, protocol)
    local flow = flows[protocol]
    return lab.traffic[protocol](net.ni, NI, flow.source_port, net.nr, NR, flow.port)
end

local function open(net, protocol)
    local flow = flows[protocol]
    local output, status = lab.control(net, "ni", "open", "--from", NI .. ":" .. flow.source_port,
        "--to", NR .. ":" .. flow.port, "--protocol", protocol, "--lifetime", "60")
    lab.expect(status == 0, "a %s session to open, not: %s", protocol, output)
    flow.session = lab.expect(output:match('"session"%s*:%s*"(%x+)"'), "a session id")
    lab.say("opened %s: session %s", protocol, flow.session)
end

local function elements(net, host)
    local set = net[host]:must("nft", "list", "set", "inet", "natfw", "pinholes")
    return set:match("elements = {([^}]*)}")
end

return {
    topology = "figure-2",
    arguments = "[tls]",
    run = function(net, how)
        if how == "tls" then
            lab.start_nodes_securely(net)
        elseif not how then
            lab.start_nodes(net)
        else
            lab.misuse("figure-2 knows tls, and not %s", how)
        end
        for _, protocol in ipairs({ "udp", "tcp" }) do
            local result = passes(net, protocol)
            lab.expect(result == "none", "no %s before it is allowed, not '%s'", protocol, result)
            lab.say("%s does not pass", protocol)
        end
        for _, protocol in ipairs({ "udp", "tcp" }) do
            open(net, protocol)
            local result = passes(net, protocol)
            lab.expect(result == "both", "%s both ways once allowed, not '%s'", protocol, result)
            lab.say("%s passes, both ways", protocol)
        end
        for _, host in ipairs({ "fw1", "fw2" }) do
            local inside = lab.expect(elements(net, host), "elements in %s", host)
            lab.say("%s lets pass: %s", host, inside:gsub("%s+", " "))
        end
        for _, protocol in ipairs({ "udp", "tcp" }) do
            local _, status = lab.control(net, "ni", "close", flows[protocol].session)
            lab.expect(status == 0, "the %s session to close", protocol)
            local result = lab.wait_until(5, function()
                local now = passes(net, protocol)
                return now == "none" and now
            end)
            lab.expect(result, "no %s after its session is deleted", protocol)
            lab.say("%s does not pass any more", protocol)
        end
    end,
}
