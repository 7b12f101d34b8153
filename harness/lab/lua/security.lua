-- TLS for the nodes of a network: a certificate authority of its own, and what configurations have
-- of it.
local options = require("options")

local security = {}

local DIRECTORY = "/run/natfw/authority"

-- The name by which a host's certificate knows it.
function security.name_of(host)
    return host .. ".example.com"
end

-- Makes a certificate for each of these hosts.
function security.issue(host, names)
    local words = { "sh", options.data .. "/authority", DIRECTORY }
    for _, name in ipairs(names) do
        words[#words + 1] = security.name_of(name)
    end
    host:must(table.unpack(words))
end

-- Where a host's natfwd writes its secrets down.
function security.key_log(name)
    return "/run/natfw/" .. name .. ".keys"
end

-- The section tls of a host whose peers may be these.
function security.section(name, peers)
    local own = DIRECTORY .. "/" .. security.name_of(name)
    local lines = { "tls {", "required = true", ('certificate = "%s.pem"'):format(own),
        ('key = "%s.key"'):format(own), ('authorities = "%s/ca.pem"'):format(DIRECTORY),
        ('revocations = "%s/revocations.pem"'):format(DIRECTORY),
        ('key_log = "%s"'):format(security.key_log(name)) }
    for _, peer in ipairs(peers) do
        lines[#lines + 1] = ('peer "%s" { answer = "allow" }'):format(security.name_of(peer))
    end
    lines[#lines + 1] = "}"
    return table.concat(lines, "\n")
end

return security
