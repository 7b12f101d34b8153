-- natfwd and natfwctl in hosts of the lab. The configuration is written from the topology.
local options = require("options")

local node = {}

local function sorted_keys(values)
    local keys = {}
    for key in pairs(values) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

local function control_socket(host)
    return "/run/natfw/" .. host.name .. ".sock"
end

local function quoted(values)
    local list = {}
    for i, value in ipairs(values) do
        list[i] = '"' .. value .. '"'
    end
    return "{" .. table.concat(list, ", ") .. "}"
end

local function setting(value)
    if type(value) == "table" then
        return quoted(value)
    elseif type(value) == "string" then
        return '"' .. value .. '"'
    end
    return tostring(value)
end

-- The text of a file beside the IXITs, which a shim reads too.
local function base_text(name)
    local file = assert(io.open(options.data .. "/ixit/" .. name))
    local text = file:read("a")
    file:close()
    return text
end

-- `configuration` names a file that everything else comes after; sections is text that is taken over
-- as it is.
local function configuration(host, description, changes)
    -- An ordinary user's lab has no other user than its root.
    local settings = { control_socket = control_socket(host), state_file = "", user = "root" }
    local lines = {}
    if description.configuration then
        lines[1] = base_text(description.configuration)
    else
        settings.peer_identity = host.name
    end
    for _, source in ipairs({ description.settings or {}, changes or {} }) do
        for key, value in pairs(source) do
            settings[key] = value
        end
    end
    settings.roles = description.roles
    local sections = settings.sections or description.sections or ""
    settings.sections = nil
    for _, key in ipairs(sorted_keys(settings)) do
        lines[#lines + 1] = key .. " = " .. setting(settings[key])
    end
    for name, side in pairs(description.interfaces or {}) do
        lines[#lines + 1] = ('interface "%s" { side = "%s" }'):format(name, side)
    end
    lines[#lines + 1] = sections
    return table.concat(lines, "\n") .. "\n"
end

-- Starts natfwd, or a program in its place.
function node.launch(host, description, changes, program)
    local path = "/run/natfw/" .. host.name .. ".conf"
    local file = assert(io.open(path, "w"))
    file:write(configuration(host, description, changes))
    file:close()
    return host:start(program or "natfwd", "-c", path)
end

-- Starts natfwd and waits until it serves.
function node.start(host, description, changes)
    local daemon = node.launch(host, description, changes)
    if not daemon:wait_for("ready\n", 10) then
        error("natfwd in " .. host.name .. " does not serve:\n" .. daemon:output(), 0)
    end
    return daemon
end

-- Runs natfwctl --json; returns the text that it printed and its exit status.
function node.control(host, command, ...)
    return host:run("natfwctl", "--socket", control_socket(host), command, "--json", ...)
end

return node
