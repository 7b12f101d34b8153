-- One responder before the one port of the conformance runner, which plays the path and the
-- initiator.
--
--   inside ---port--- nr
return {
    hosts = {
        inside = {},
        nr = {
            routes = { ["10.11.0.0/24"] = "10.10.0.2", ["10.12.0.0/24"] = "10.10.0.2" },
        },
    },
    wires = {
        ["inside-port"] = {
            { host = "inside", interface = "eth0", addresses = { "10.10.0.2/24" } },
            { host = "nr", interface = "eth0", addresses = { "10.10.0.1/24" } },
        },
    },
    nodes = {
        nr = {
            roles = { "responder" },
            interfaces = { eth0 = "internal" },
            -- A line for each code of a refusal; ixit/responder.lua names the flows.
            sections = [[
policy {
    peer "10.10.0.2/32" { answer = "5/0x01" }
    rule "unauthorised" { protocol = "udp" ports = "7002" answer = "5/0x02" }
    rule "conflict" { protocol = "udp" ports = "7004" answer = "7/0x04" }
    rule "action" { protocol = "udp" ports = "7006" answer = "7/0x06" }
    rule "gre" { protocol = "47" answer = "7/0x09" }
    rule "sctp-as-a-whole" { protocol = "132" answer = "7/0x0A" }
    rule "ping" { protocol = "1" answer = "7/0x0B" }
    rule "many-sources" { protocol = "udp" ports = "7012" answer = "7/0x0C" }
    rule "udplite" { protocol = "136" answer = "7/0x0D" }
    rule "many-source-ports" { protocol = "udp" ports = "7014" answer = "7/0x0E" }
    rule "dccp" { protocol = "33" answer = "7/0x0F" }
}
]],
            settings = { lifetime_min_s = 2, lifetime_max_s = 600 },
        },
    },
}
