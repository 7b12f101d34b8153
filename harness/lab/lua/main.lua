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

local function load_from(directory, kind, name)
    local path = options.data .. "/" .. directory .. "/" .. name .. ".lua"
    for _, known in ipairs(files(directory)) do
        if known == name then
            return assert(loadfile(path))()
        end
    end
    return nil, "there is no " .. kind .. " '" .. name .. "'; see natfw-lab list"
end

local function complain(message)
    io.stderr:write("natfw-lab: ", message, "\n")
    return USAGE
end

-- What carries no place in a file is meant for the user as it is.
local function explain(what)
    local lab = require("lab")
    local is_told = lab.is_expectation(what) or lab.is_misuse(what)
    return (is_told or not tostring(what):find("%.lua:%d+:")) and what or debug.traceback(what, 2)
end

local commands = {}

function commands.list(extra)
    if extra then
        return complain("list takes no arguments")
    end
    print("topologies: " .. table.concat(files("topologies"), " "))
    print("scenarios:  " .. table.concat(files("scenarios"), " "))
    return 0
end

function commands.run(name, ...)
    if not name then
        return complain("run needs the name of a scenario; see natfw-lab list")
    end
    local scenario, message = load_from("scenarios", "scenario", name)
    if not scenario then
        return complain(message)
    end
    local arguments = { ... }
    if #arguments > 0 and not scenario.arguments then
        return complain("run " .. name .. " takes no arguments")
    end
    local lab = require("lab")
    local right, trouble = xpcall(function()
        local net = lab.build(assert(load_from("topologies", "topology", scenario.topology)))
        scenario.run(net, table.unpack(arguments))
    end, explain)
    lab.keep_logs()
    if right then
        print("scenario " .. name .. ": as expected")
        return 0
    elseif lab.is_misuse(trouble) then
        return complain(("%s\nusage: natfw-lab run %s %s"):format(trouble, name, scenario.arguments))
    end
    io.stderr:write("scenario ", name, ": ", tostring(trouble), "\n")
    return FAILED
end

function commands.up(name, dashes, ...)
    if not name or (dashes and dashes ~= "--") then
        return complain("usage: natfw-lab up TOPOLOGY [-- PROGRAM [ARG]...]")
    end
    local topology, message = load_from("topologies", "topology", name)
    if not topology then
        return complain(message)
    end
    local program = { ... }
    if #program == 0 then
        program = { os.getenv("SHELL") or "/bin/sh" }
    end
    local lab = require("lab")
    local net = lab.build(topology)
    lab.start_nodes(net)
    if #{ ... } == 0 then
        lab.introduce(net)
    end
    local status = lab.run_in_foreground(program, true)
    lab.keep_logs()
    return status
end

local command = commands[words[1]]
if not command then
    return complain("there is no command '" .. words[1] .. "'; see natfw-lab --help")
end
return command(table.unpack(words, 2))
