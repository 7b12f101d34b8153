-- The conformance suite against one reference firewall.
-- natfw-lab run conformance [VARIANT] [loss=PERCENT] [duplication=PERCENT] [reordering=PERCENT]
--     [-- OPTION of natfw-conform run]...
local lab = require("lab")
local options = require("options")

-- Of the variant of this name, from the file beside the IXITs: what the node is configured by, and what
-- the runner is told.
local function variant_of(name)
    if name == "reference" then
        return {}, {}
    end
    local known = { "reference" }
    for line in io.lines(options.data .. "/ixit/variants") do
        known[#known + 1] = line:match("^([%w%-]+):")
        local node, runner = line:match("^" .. name:gsub("%-", "%%-") .. ":([^|]*)|?(.*)$")
        if node then
            local changes, told = {}, {}
            for key, value in node:gmatch("([%w_]+)=(%S+)") do
                changes[key] = tonumber(value) or value == "true"
            end
            for setting in runner:gmatch("%S+") do
                told[#told + 1] = setting
            end
            return changes, told
        end
    end
    lab.misuse("there is no variant '%s'; there are %s", name, table.concat(known, ", "))
end

-- The windows of time that a path which loses packets needs: TCP and GIST send again.
local patience = {
    "timing.response_ms=8000", "timing.pass_ms=8000", "timing.stop_ms=4000",
    "timing.expiry_early_ms=2500", "timing.expiry_late_ms=2500", "timing.no_peer_ms=30000",
    "timing.connect_ms=2500", "limits.failures_needed=3",
}

-- What the words say of the wires, and no more words of that. A reordered frame is late by what the
-- others are late, and a millisecond.
local function take_impairment(words)
    local impairment = {}
    while words[1] do
        local name, percent = words[1]:match("^(%l+)=(%d+)$")
        if not name then
            break
        elseif name ~= "loss" and name ~= "duplication" and name ~= "reordering" then
            lab.misuse("wires have no '%s'", name)
        end
        table.remove(words, 1)
        impairment[name] = percent / 100
        impairment.delay_ms = name == "reordering" and 2 or impairment.delay_ms
    end
    return impairment
end

return {
    topology = "conformance",
    arguments = "[VARIANT] [IMPAIRMENT=PERCENT]... [-- OPTION...]",
    run = function(net, name, ...)
        local words = { name, ... }
        name = "reference"
        if words[1] and words[1] ~= "--" and not words[1]:find("=") then
            name = table.remove(words, 1)
        end
        local impairment = take_impairment(words)
        for _, wire in pairs(net.wires) do
            wire:impair(impairment)
        end
        if words[1] == "--" then
            table.remove(words, 1)
        end
        local changes, told = variant_of(name)
        lab.start_node(net, "fw", changes)
        local command = { "natfw-conform", "run", "--ixit", options.data .. "/ixit/firewall.lua",
            "--set", "process=/proc/" .. net.daemons.fw:pid() }
        local settings = table.move(next(impairment) and patience or {}, 1, #patience, 1, {})
        for _, setting in ipairs(table.move(told, 1, #told, #settings + 1, settings)) do
            table.move({ "--set", setting }, 1, 2, #command + 1, command)
        end
        table.move(words, 1, #words, #command + 1, command)
        local status = lab.run_in_foreground(command)
        lab.expect(net.daemons.fw:status() == nil, "the firewall to serve still:\n%s",
            net.daemons.fw:output())
        lab.expect(status == 0, "the suite to pass, not exit status %d", status)
    end,
}
