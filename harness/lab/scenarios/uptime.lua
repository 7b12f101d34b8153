-- What happens to daemons happens to the firewall, while a flow that it lets through runs, and a host
-- outside tries one that it does not. The first loses nothing, the second never passes; where the
-- kernel's table has no owner, it passes for as long as natfwd needs to notice. After each event the
-- session's initiator can still close it, and a new one opens.
-- natfw-lab run uptime. Prints a table.
local lab = require("lab")
local native = require("native")

local NI, NR = "192.0.2.10", "203.0.113.10"
local OPEN_PORT, CLOSED_PORT = 5000, 5001
local SOURCE_PORT = 4000
local EVERY_S = 0.002
local BEFORE_S, AFTER_S = 0.5, 1
local EVENT_WITHIN_S = 15
local GAP_MAX = 100 -- packets of EVERY_S, until a flushed table without an owner is back

local KEEPING = { state_file = "/run/natfw/fw.sessions" }
local UNOWNED = { state_file = "/run/natfw/fw.sessions", table_owner = "anybody" }

-- Numbered datagrams on one flow; counts those that arrive.
local Flow = {}
Flow.__index = Flow

local function flow(from, source, source_port, to, destination, port)
    return setmetatable({ client = from:udp(source, source_port), server = to:udp(destination, port),
        destination = destination, port = port, sent = 0, arrived = 0 }, Flow)
end

function Flow:send()
    self.sent = self.sent + 1
    self.client:send("datagram " .. self.sent, self.destination, self.port)
end

function Flow:receive(seconds)
    while self.server:receive(seconds or 0) do
        self.arrived = self.arrived + 1
        seconds = 0
    end
end

function Flow:close()
    self.client:close()
    self.server:close()
end

-- Sends on all flows until check() is true or the time is over; returns what check gave.
local function run_flows(net, flows, seconds, check)
    local deadline = native.now() + seconds
    local result
    repeat
        for _, one in ipairs(flows) do
            one:send()
            one:receive()
        end
        for _, daemon in pairs(net.daemons) do
            daemon:status() -- takes what it wrote, or it would wait for us
        end
        native.pause(EVERY_S)
        result = check and check()
    until result or native.now() >= deadline
    return result
end

-- Events: each begins something and returns a function that says whether it is over.

local function serves(daemon, times)
    return function()
        return select(2, daemon:output():gsub("ready\n", "")) >= times
    end
end

-- The daemon ends by a signal; then another is started, maybe of another program.
local function restart(number, program)
    return function(net, settings)
        local old, new = net.daemons.fw, nil
        old:signal(number)
        return function()
            if not new then
                new = old:status() and lab.launch_node(net, "fw", settings, program)
                return false
            end
            return serves(new, 1)()
        end
    end
end

-- A program in the host that has run to its end, and a line of natfwd's that has to follow.
local function command(words, line)
    return function(net)
        local daemon = net.daemons.fw
        local earlier = #daemon:output()
        local process = net.fw:start(table.unpack(words))
        return function()
            local status = process:status()
            lab.expect(not status or status == 0, "%s to succeed: %s", words[1], process:output())
            return status and (not line or daemon:output():find(line, earlier, true))
        end
    end
end

local function nothing()
    return function()
        return true
    end
end

local FLUSH = { "nft", "flush", "ruleset" }
local RELOAD = { "natfwctl", "--socket", "/run/natfw/fw.sock", "reload" }
local RESIZE_AND_RELOAD = "sed -i '1i pinholes_max = 2000' /run/natfw/fw.conf && "
    .. table.concat(RELOAD, " ")
local UPGRADED = "/run/natfw/natfwd-next"

local EVENTS = {
    { name = "nothing", begin = nothing },
    { name = "reload", begin = command(RELOAD) },
    { name = "reload, sets of another size", begin = command({ "sh", "-c", RESIZE_AND_RELOAD }) },
    { name = "stop (TERM) and start", begin = restart(15) },
    { name = "kill -9 and start", begin = restart(9) },
    { name = "upgrade: another program starts", begin = restart(15, UPGRADED) },
    { name = "nft flush ruleset, table owned", begin = command(FLUSH) },
    { name = "nft flush ruleset, table not owned", begin = command(FLUSH, "put back"),
        settings = UNOWNED, gap = GAP_MAX },
    { name = "nft delete table, not owned", settings = UNOWNED, gap = GAP_MAX,
        begin = command({ "nft", "delete", "table", "inet", "natfw" }, "put back") },
}

local function control(net, name, ...)
    local output, status = lab.control(net, name, ...)
    lab.expect(status == 0, "natfwctl %s to succeed, not: %s", ..., output)
    return output
end

local function open(net, port)
    local output = control(net, "ni", "open", "--from", ("%s:%d"):format(NI, SOURCE_PORT), "--to",
        ("%s:%d"):format(NR, port), "--protocol", "udp", "--lifetime", "3600")
    return output:match('"session"%s*:%s*"(%x+)"')
end

local function check_session(net, session, opened)
    lab.expect(control(net, "fw", "list"):find(session, 1, true), "the firewall to know its session")
    control(net, "ni", "close", session)
    opened:send()
    lab.expect(lab.wait_until(5, function()
        opened:receive()
        local before = opened.arrived
        opened:send()
        opened:receive(0.1)
        return opened.arrived == before
    end), "the flow to stop when its initiator closes the session")
    control(net, "ni", "close", open(net, OPEN_PORT))
end

-- Returns the row of the table: sent, lost, passed though closed, seconds until it was over.
local function suffer(net, event)
    local settings = event.settings or KEEPING
    lab.start_node(net, "fw", settings)
    local session = open(net, OPEN_PORT)
    local opened = flow(net.ni, NI, SOURCE_PORT, net.nr, NR, OPEN_PORT)
    local closed = flow(net.ni, NI, SOURCE_PORT + 1, net.nr, NR, CLOSED_PORT)
    local flows = { opened, closed }
    run_flows(net, flows, BEFORE_S)
    local began = native.now()
    lab.expect(run_flows(net, flows, EVENT_WITHIN_S, event.begin(net, settings)),
        "'%s' to be over within %d s:\n%s", event.name, EVENT_WITHIN_S, net.daemons.fw:output())
    local took = native.now() - began
    run_flows(net, flows, AFTER_S)
    opened:receive(0.2)
    closed:receive(0.2)
    local row = { sent = opened.sent, lost = opened.sent - opened.arrived, passed = closed.arrived,
        took = took }
    check_session(net, session, opened)
    opened:close()
    closed:close()
    net.daemons.fw:signal(15)
    net.daemons.fw:wait(10)
    net.fw:must("natfwd", "-c", "/run/natfw/fw.conf", "--uninstall")
    return row
end

-- The control: without the firewall both flows pass.
local function run_without(net, say_row)
    local flows = { flow(net.ni, NI, SOURCE_PORT, net.nr, NR, OPEN_PORT),
        flow(net.ni, NI, SOURCE_PORT + 1, net.nr, NR, CLOSED_PORT) }
    run_flows(net, flows, AFTER_S)
    for _, one in ipairs(flows) do
        one:receive(0.2)
        lab.expect(one.arrived == one.sent, "all to pass without a firewall")
        one:close()
    end
    say_row("natfwd --uninstall", flows[1].sent, 0, flows[2].arrived, "")
end

return {
    topology = "attacked",
    run = function(net)
        net.fw:must("sh", "-c", "cp $(command -v natfwd) " .. UPGRADED)
        lab.start_node(net, "ni")
        lab.start_node(net, "nr")
        local function say_row(...)
            lab.say("%-36s %8s %8s %14s %8s", ...)
        end
        say_row("event", "sent", "lost", "passed closed", "over ms")
        local wrong = {}
        for _, event in ipairs(EVENTS) do
            local was = suffer(net, event)
            say_row(event.name, was.sent, was.lost, was.passed, ("%.0f"):format(was.took * 1000))
            if was.lost > 0 or was.passed > (event.gap or 0) then
                wrong[#wrong + 1] = event.name
            end
        end
        run_without(net, say_row)
        lab.expect(#wrong == 0, "no datagram to be lost and none to pass that may not: %s",
            table.concat(wrong, "; "))
    end,
}
