-- What natfw-lab does: list, run, up. Called with the options and the words of the command line;
-- returns the exit status.
local options, words = ...
package.loaded.options = options

local FAILED, USAGE = 1, 2

local function files(directory)
    local names = {}
    local listing = io.popen("ls -1 '" .. options.data .. "/" .. directory .. "'")
    for line in listing:lines() do
        names[#names + 1] = line:match("^(.*)%.lua$")
    end
    listing:close()
    return names
end

local function load_from(directory, name)
    if not name:match("^[%w%.-]+$") then
        return nil, "'" .. name .. "' is no name"
    end
    local path = options.data .. "/" .. directory .. "/" .. name .. ".lua"
    local chunk, message = loadfile(path)
    if not chunk then
        return nil, message
    end
    return chunk()
end

local commands = {}

function commands.list()
    print("topologies: " .. table.concat(files("topologies"), " "))
    print("scenarios:  " .. table.concat(files("scenarios"), " "))
    return 0
end

local function complain(message)
    io.stderr:write("natfw-lab: ", message, "\n")
    return USAGE
end

function commands.run(name, ...)
    if not name then
        return complain("run needs the name of a scenario; see natfw-lab list")
    end
    local lab = require("lab")
    local scenario, message = load_from("scenarios", name)
    if not scenario then
        return complain(message)
    end
    local arguments = { ... }
    local right, trouble = xpcall(function()
        local net = lab.build(assert(load_from("topologies", scenario.topology)))
        scenario.run(net, table.unpack(arguments))
    end, function(what)
        -- What carries no place in a file is meant for the user as it is.
        local is_told = lab.is_expectation(what) or not tostring(what):find("%.lua:%d+:")
        return is_told and what or debug.traceback(what, 2)
    end)
    lab.keep_logs()
    if right then
        print("scenario " .. name .. ": as expected")
        return 0
    end
    io.stderr:write("scenario ", name, ": ", tostring(trouble), "\n")
    return FAILED
end

function commands.up(name, dashes, ...)
    if not name or (dashes and dashes ~= "--") then
        return complain("usage: natfw-lab up TOPOLOGY [-- PROGRAM [ARG]...]")
    end
    local lab = require("lab")
    local topology, message = load_from("topologies", name)
    if not topology then
        return complain(message)
    end
    local program = { ... }
    if #program == 0 then
        program = { os.getenv("SHELL") or "/bin/sh" }
    end
    local net = lab.build(topology)
    lab.start_nodes(net)
    if #{ ... } == 0 then
        lab.introduce(net)
    end
    local status = lab.run_in_foreground(program)
    lab.keep_logs()
    return status
end

local command = commands[words[1]]
if not command then
    return complain("there is no command '" .. words[1] .. "'; see natfw-lab --help")
end
return command(table.unpack(words, 2))
