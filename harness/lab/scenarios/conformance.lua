-- The conformance suite against one reference firewall.
-- natfw-lab run conformance [VARIANT] [-- OPTION of natfw-conform run]...
local lab = require("lab")
local options = require("options")

-- What the node does otherwise, and what the runner is told of it.
local variants = {
    reference = {},
    -- Ruling A38 read literally: a refused refresh ends the session.
    ["refusal-ends-session"] = { node = { error_response_kills_session = true } },
    -- Lifetimes that are too long are refused, not lowered.
    ["refuses-long-lifetimes"] = {
        node = { refuse_long_lifetime = true },
        runner = { "ics.lowers_lifetime=false", "ics.rejects_large_lifetime=true" },
    },
}

return {
    topology = "conformance",
    run = function(net, name, ...)
        local words = { ... }
        if name == "--" or name == nil then
            name = "reference"
        elseif words[1] == "--" then
            table.remove(words, 1)
        end
        local variant = variants[name] or error("there is no variant '" .. name .. "'", 0)
        lab.start_node(net, "fw", variant.node)
        local command = { "natfw-conform", "run", "--ixit", options.data .. "/ixit/firewall.lua" }
        for _, setting in ipairs(variant.runner or {}) do
            table.move({ "--set", setting }, 1, 2, #command + 1, command)
        end
        table.move(words, 1, #words, #command + 1, command)
        local status = lab.run_in_foreground(command)
        lab.expect(net.daemons.fw:status() == nil, "the firewall to serve still:\n%s",
            net.daemons.fw:output())
        lab.expect(status == 0, "the suite to pass, not exit status %d", status)
    end,
}
