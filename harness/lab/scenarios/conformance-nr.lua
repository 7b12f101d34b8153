-- The conformance suite against one reference responder.
-- natfw-lab run conformance-nr [-- OPTION of natfw-conform run]...
local lab = require("lab")
local options = require("options")

return {
    topology = "conformance-nr",
    arguments = "[-- OPTION...]",
    run = function(net, ...)
        local words = { ... }
        if words[1] == "--" then
            table.remove(words, 1)
        end
        lab.start_node(net, "nr")
        local status = lab.run_in_foreground({ "natfw-conform", "run", "--ixit",
            options.data .. "/ixit/responder.lua", "--set", "process=/proc/" .. net.daemons.nr:pid(),
            table.unpack(words) })
        lab.expect(net.daemons.nr:status() == nil, "the responder to serve still:\n%s",
            net.daemons.nr:output())
        lab.expect(status == 0, "the suite to pass, not exit status %d", status)
    end,
}
