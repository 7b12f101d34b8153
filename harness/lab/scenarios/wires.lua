-- The lab itself: wires carry, lose, delay, duplicate and are cut, without any NATFW node.
local lab = require("lab")

local function pings(net, count)
    local output = net.ni:run("ping", "-n", "-q", "-c", tostring(count), "-i", "0.01", "-W", "1",
        "192.0.2.1")
    return tonumber(output:match("(%d+) received")), tonumber(output:match("= [%d.]+/([%d.]+)/")),
        tonumber(output:match("%+(%d+) duplicates")) or 0
end

return {
    topology = "figure-2",
    run = function(net)
        local wire = net.wires.inside
        lab.expect(pings(net, 20) == 20, "20 of 20 answers over a good wire")
        wire:impair({ delay_ms = 30 })
        local _, delayed_ms = pings(net, 5)
        lab.expect(delayed_ms >= 60, "a round trip of 60 ms or more, not %g", delayed_ms)
        wire:impair({ duplication = 1 })
        local _, _, duplicates = pings(net, 5)
        lab.expect(duplicates > 0, "duplicates over a wire that duplicates")
        wire:impair({ loss = 0.5 })
        local received = pings(net, 100)
        lab.expect(received > 2 and received < 60, "about 25 of 100 answers, not %d", received)
        wire:impair({ cut = true })
        lab.expect(pings(net, 2) == 0, "no answer over a cut wire")
        wire:impair({})
        lab.expect(pings(net, 20) == 20, "20 of 20 answers once it is mended")
    end,
}
