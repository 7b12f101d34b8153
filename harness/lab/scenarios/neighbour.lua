-- A host inside asks the firewall for flows that do not cross it, and for flows from or to everybody.
-- Each is refused, and nothing is opened.
local lab = require("lab")
local options = require("options")

return {
    topology = "conformance",
    run = function(net)
        net.fw:must("ip", "route", "add", "192.0.2.0/24", "via", "10.10.0.2")
        lab.start_node(net, "fw")
        local status = lab.run_in_foreground({ "natfw-conform", "run", "--ixit",
            options.data .. "/ixit/firewall.lua", "--cases", options.data .. "/attacks/crossing.lua",
            "--id", "attack:*" })
        lab.expect(status == 0, "each attack to be refused")
        local set = net.fw:must("nft", "list", "set", "inet", "natfw", "pinholes")
        lab.expect(not set:find("192.0.2.", 1, true), "no pinhole to a neighbour, not: %s", set)
        lab.say("nothing is open towards a neighbour")
    end,
}
