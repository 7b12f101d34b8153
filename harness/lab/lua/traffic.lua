-- Does traffic pass? Real sockets in two hosts.
local traffic = {}

local function text_of(what)
    return ("natfw-lab %s %d"):format(what, math.random(0, 1 << 30))
end

-- One datagram there, and its answer back. Returns "both", "there" or "none".
function traffic.udp(from, source, source_port, to, destination, port, seconds)
    local client = from:udp(source, source_port)
    local server = to:udp(destination, port)
    local there, back = text_of("there"), text_of("back")
    client:send(there, destination, port)
    local passed = server:receive(seconds or 0.5) == there
    local returned = false
    if passed then
        server:send(back, source, source_port)
        returned = client:receive(seconds or 0.5) == back
    end
    client:close()
    server:close()
    return passed and (returned and "both" or "there") or "none"
end

-- A connection, and octets both ways. Returns "both", "connected" or "none".
function traffic.tcp(from, source, source_port, to, destination, port, seconds)
    local client = from:tcp(source, source_port)
    local server = to:listen(destination, port)
    local result = "none"
    if client:connect(destination, port, seconds or 0.5) then
        local accepted = server:accept(seconds or 0.5)
        if accepted then
            result = "connected"
            client:send("there")
            if accepted:receive(1) == "there" then
                accepted:send("back")
                result = client:receive(1) == "back" and "both" or result
            end
            accepted:close()
        end
    end
    client:close()
    server:close()
    return result
end

return traffic
