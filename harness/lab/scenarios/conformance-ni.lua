-- The conformance suite against one reference initiator.
-- natfw-lab run conformance-ni [-- OPTION of natfw-conform run]...
local lab = require("lab")
local options = require("options")

return {
    topology = "conformance-ni",
    arguments = "[-- OPTION...]",
    run = function(net, ...)
        local words = { ... }
        if words[1] == "--" then
            table.remove(words, 1)
        end
        lab.start_node(net, "ni")
        local status = lab.run_in_foreground({ "natfw-conform", "run", "--ixit",
            options.data .. "/ixit/initiator.lua", "--set", "process=/proc/" .. net.daemons.ni:pid(),
            table.unpack(words) })
        lab.expect(net.daemons.ni:status() == nil, "the initiator to serve still:\n%s",
            net.daemons.ni:output())
        lab.expect(status == 0, "the suite to pass, not exit status %d", status)
    end,
}
