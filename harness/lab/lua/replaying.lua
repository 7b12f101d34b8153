-- Replays captures against one reference node: what the scenarios replay, replay-nr and replay-ni
-- share.
local lab = require("lab")
local options = require("options")

local replaying = {}

local function golden_captures()
    local files = {}
    local listing = io.popen("ls -1 '" .. options.data .. "'/../../pcaps/*.pcap")
    for line in listing:lines() do
        files[#files + 1] = line
    end
    listing:close()
    lab.expect(#files > 0, "golden captures beside the lab's source")
    return files
end

local function replay(ixit, words)
    local command = { "natfw-conform", "replay", "--ixit", options.data .. "/ixit/" .. ixit .. ".lua" }
    return lab.run_in_foreground(table.move(words, 1, #words, #command + 1, command))
end

-- A scenario: the arguments after "--" are those of natfw-conform replay. Without any, every golden
-- capture is replayed from each of `sides`, but those that `skips` gives a reason for.
function replaying.scenario(topology, node, ixit, sides, skips)
    return {
        topology = topology,
        arguments = "[-- OPTION...]",
        run = function(net, dashes, ...)
            lab.start_node(net, node)
            if dashes == "--" then
                local status = replay(ixit, { ... })
                lab.expect(status == 0, "the same as in the capture, not exit status %d", status)
                return
            end
            for _, file in ipairs(golden_captures()) do
                local reason = skips[file:match("([^/]*)%.pcap$")]
                for _, side in ipairs(reason and {} or sides) do
                    local status = replay(ixit, { "--as", side, file })
                    lab.expect(status == 0, "the same as in %s, not exit status %d", file, status)
                end
                if reason then
                    lab.say("%s: left out, for %s", file, reason)
                end
            end
            lab.expect(net.daemons[node]:status() == nil, "the node to serve still:\n%s",
                net.daemons[node]:output())
        end,
    }
end

return replaying
