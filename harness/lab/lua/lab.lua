-- The lab for scenarios: networks built from a description, nodes started in them, programs run,
-- traffic sent, expectations checked.
local native = require("native")
local options = require("options")
local node = require("node")
local security = require("security")

local lab = {}

-- Expectations. A scenario ends at the first that does not hold.

local Expectation = {}
Expectation.__index = Expectation
Expectation.__tostring = function(self)
    return self.text
end

function lab.is_expectation(what)
    return getmetatable(what) == Expectation
end

function lab.expect(condition, format, ...)
    if not condition then
        error(setmetatable({ text = "expected " .. format:format(...) }, Expectation))
    end
    return condition
end

-- Ends the scenario too, for words of the command line that say nothing.
local Misuse = {}
Misuse.__index = Misuse
Misuse.__tostring = Expectation.__tostring

function lab.is_misuse(what)
    return getmetatable(what) == Misuse
end

function lab.misuse(format, ...)
    error(setmetatable({ text = format:format(...) }, Misuse))
end

function lab.say(format, ...)
    print(format:format(...))
end

-- Waits until check() gives something true, at most seconds; returns what it gave.
function lab.wait_until(seconds, check)
    local deadline = native.now() + seconds
    repeat
        local result = check()
        if result then
            return result
        end
        native.pause(0.01)
    until native.now() >= deadline
    return check()
end

-- Programs.

local Process = {}
Process.__index = Process

function Process:wait_for(text, seconds)
    return native.wait(self.handle, text, 0, seconds or 10)
end

-- Waits for the end; returns the exit status, or nil when the time is over.
function Process:wait(seconds)
    native.wait(self.handle, nil, 0, seconds or 30)
    return native.status(self.handle)
end

function Process:output()
    return native.output(self.handle)
end

function Process:status()
    return native.status(self.handle)
end

function Process:signal(number)
    native.signal(self.handle, number)
end

function Process:pid()
    return native.pid(self.handle)
end

-- What is judged, who judges, and who asks from a machine of their own: they come before whatever else
-- keeps this one busy.
local PROMPT = { natfwd = true, natfwctl = true, ["natfw-conform"] = true }

local function start(handle, words, pass_through)
    local is_prompt = PROMPT[words[1]] or false
    local process = assert(native.start(handle, words, pass_through or false, is_prompt))
    return setmetatable({ handle = process, name = words[1] }, Process)
end

local function run(handle, words, seconds)
    local process = start(handle, words)
    local status = process:wait(seconds)
    if not status then
        process:signal(9)
        error(table.concat(words, " ") .. " took longer than " .. (seconds or 30) .. " s")
    end
    local output = process:output()
    native.forget(process.handle)
    return output, status
end

local function must(handle, ...)
    local words = { ... }
    local output, status = run(handle, words)
    if status ~= 0 then
        error(table.concat(words, " ") .. ": exit status " .. status .. "\n" .. output, 0)
    end
    return output
end

-- Sockets: {send, receive, close} in a host.

local Socket = {}
Socket.__index = Socket

function Socket:send(data, address, port)
    return native.send(self.handle, data, address, port)
end

function Socket:receive(seconds)
    return native.receive(self.handle, seconds or 1)
end

function Socket:connect(address, port, seconds)
    return native.connect(self.handle, address, port, seconds or 1)
end

function Socket:accept(seconds)
    local handle, message = native.accept(self.handle, seconds or 1)
    return handle and setmetatable({ handle = handle }, Socket), message
end

function Socket:close()
    native.close(self.handle)
end

-- Hosts.

local Host = {}
Host.__index = Host

function Host:run(...)
    return run(self.handle, { ... })
end

function Host:must(...)
    return must(self.handle, ...)
end

function Host:start(...)
    return start(self.handle, { ... })
end

function Host:udp(address, port)
    return setmetatable({ handle = assert(native.socket(self.handle, "udp", address, port)) }, Socket)
end

function Host:tcp(address, port)
    return setmetatable({ handle = assert(native.socket(self.handle, "tcp", address, port)) }, Socket)
end

function Host:listen(address, port)
    local socket = self:tcp(address, port)
    assert(native.listen(socket.handle))
    return socket
end

-- Wires.

local Wire = {}
Wire.__index = Wire

-- loss, duplication, reordering, corruption (0 to 1), delay_ms, jitter_ms, cut; the rest is reset.
function Wire:impair(impairment)
    native.impair(self.handle, impairment)
end

function Wire:counters()
    return native.counters(self.handle)
end

-- Networks.

local nets = {}

local function sorted_keys(set)
    local keys = {}
    for key in pairs(set) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

local function add_wire(net, name, ends)
    local near, far = ends[1], ends[2]
    local recording = options.pcap and options.pcap .. "/" .. name .. ".pcap"
    local handle, message = native.wire(net[near.host].handle, near.interface,
        net[far.host].handle, far.interface, recording)
    if not handle then
        error("wire " .. name .. ": " .. message, 0)
    end
    net.wires[name] = setmetatable({ handle = handle }, Wire)
    for _, side in ipairs(ends) do
        local host = net[side.host]
        for _, address in ipairs(side.addresses) do
            host:must("ip", "address", "add", address, "dev", side.interface, "nodad")
        end
        host:must("ip", "link", "set", side.interface, "up")
    end
end

local function set_routes(host, description)
    if description.forwards then
        host:must("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    end
    for _, prefix in ipairs(sorted_keys(description.routes or {})) do
        host:must("ip", "route", "add", prefix, "via", description.routes[prefix])
    end
    for _, prefix in ipairs(description.pools or {}) do
        host:must("ip", "route", "add", "local", prefix, "dev", "lo")
    end
end

-- Tells who has come up with "natfw-lab up" what there is.
function lab.introduce(net)
    local names = sorted_keys(net.topology.hosts)
    lab.say("%s: hosts %s", "natfw-lab", table.concat(names, ", "))
    lab.say("run a program in one: on %s ip address", names[1])
    lab.say("ask its node:         on %s natfwctl --socket /run/natfw/%s.sock list", names[1], names[1])
    lab.say("leave with exit; then nothing of it remains")
end

local function install_commands()
    must(nil, "mkdir", "-p", "/run/bin", "/run/natfw")
    local file = assert(io.open("/run/bin/on", "w"))
    file:write("#!/bin/sh\n",
        "# on HOST PROGRAM [ARG]...: runs a program in a host of the lab\n",
        '[ $# -ge 2 ] && [ -e "/run/hosts/$1" ] || {\n',
        '    echo "usage: on HOST PROGRAM [ARG]...; hosts:" $(ls /run/hosts) >&2; exit 2; }\n',
        'host=$1; shift; exec nsenter --net="/run/hosts/$host" "$@"\n')
    file:close()
    must(nil, "chmod", "+x", "/run/bin/on")
end

-- Builds the network of a topology: hosts, wires, addresses, routes; no node yet.
function lab.build(topology)
    install_commands()
    local net = { wires = {}, topology = topology, daemons = {} }
    for _, name in ipairs(sorted_keys(topology.hosts)) do
        local handle, message = native.host(name)
        if not handle then
            error("host " .. name .. ": " .. message, 0)
        end
        net[name] = setmetatable({ handle = handle, name = name }, Host)
    end
    for _, name in ipairs(sorted_keys(topology.wires)) do
        add_wire(net, name, topology.wires[name])
    end
    for _, name in ipairs(sorted_keys(topology.hosts)) do
        set_routes(net[name], topology.hosts[name])
    end
    nets[#nets + 1] = net
    return net
end

-- Writes what each natfwd logged beside the captures, and what it takes to read them.
function lab.keep_logs()
    for _, net in ipairs(nets) do
        for name, daemon in pairs(options.pcap and net.daemons or {}) do
            local file = assert(io.open(options.pcap .. "/" .. name .. ".log", "w"))
            file:write(daemon:output())
            file:close()
        end
        if options.pcap and net.secrets then
            local secrets = {}
            for _, path in pairs(net.secrets) do
                secrets[#secrets + 1] = path
            end
            must(nil, "sh", "-c", 'cat "$@" >"$0"/secrets.log', options.pcap, table.unpack(secrets))
        end
    end
end

-- Starts natfwd in one host, with its description in the topology, or a changed one.
function lab.start_node(net, name, changes)
    local daemon = node.start(net[name], net.topology.nodes[name], changes)
    net.daemons[name] = daemon
    return daemon
end

-- The same, but does not wait until it serves; program is what runs in natfwd's place.
function lab.launch_node(net, name, changes, program)
    local daemon = node.launch(net[name], net.topology.nodes[name], changes, program)
    net.daemons[name] = daemon
    return daemon
end

function lab.start_nodes(net)
    for _, name in ipairs(sorted_keys(net.topology.nodes)) do
        lab.start_node(net, name)
    end
end

-- One node with TLS and nothing else; each other node of the network may be its peer.
function lab.start_node_securely(net, name, changes)
    local names = sorted_keys(net.topology.nodes)
    local settings = { sections = (net.topology.nodes[name].sections or "") .. "\n"
        .. security.section(name, names) }
    for key, value in pairs(changes or {}) do
        settings[key] = value
    end
    if not net.secrets then
        security.issue(net[name], names)
        net.secrets = {}
    end
    net.secrets[name] = security.key_log(name)
    lab.start_node(net, name, settings)
end

function lab.start_nodes_securely(net)
    for _, name in ipairs(sorted_keys(net.topology.nodes)) do
        lab.start_node_securely(net, name)
    end
end

-- natfwctl in a host: returns what it printed with --json as a table, and its exit status.
function lab.control(net, name, ...)
    return node.control(net[name], ...)
end

-- The counters of a node's natfwd, by name.
function lab.stats(net, name)
    local numbers = {}
    for key, value in lab.control(net, name, "stats"):gmatch('"([%w_]+)"%s*:%s*(%d+)') do
        numbers[key] = tonumber(value)
    end
    return numbers
end

-- Runs a program with the terminal as it is. In one that is given the terminal, Ctrl-C is the program's;
-- otherwise it ends the lab.
function lab.run_in_foreground(words, is_given)
    native.give_terminal(is_given or false)
    local process = start(nil, words, true)
    local status
    repeat
        for _, net in ipairs(nets) do
            for _, daemon in pairs(net.daemons) do
                daemon:status() -- takes what it wrote meanwhile, or it would wait for us
            end
        end
        status = process:wait(0.1)
    until status
    native.give_terminal(false)
    return status
end

lab.traffic = require("traffic")
lab.traffic.lab = lab

return lab
