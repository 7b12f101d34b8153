-- One firewall between the two ports of the conformance runner. The runner plays everybody else.
--
--   inside ---in--- fw ---out--- outside
return {
    hosts = {
        inside = { routes = { default = "10.10.0.1" } },
        fw = {
            forwards = true,
            routes = {
                ["10.11.0.0/24"] = "10.10.0.2",
                ["10.12.0.0/24"] = "10.10.0.2",
                ["10.21.0.0/24"] = "10.20.0.2",
                ["10.22.0.0/24"] = "10.20.0.2",
            },
        },
        outside = { routes = { default = "10.20.0.1" } },
    },
    wires = {
        ["inside-port"] = {
            { host = "inside", interface = "eth0", addresses = { "10.10.0.2/24" } },
            { host = "fw", interface = "inside", addresses = { "10.10.0.1/24" } },
        },
        ["outside-port"] = {
            { host = "fw", interface = "outside", addresses = { "10.20.0.1/24" } },
            { host = "outside", interface = "eth0", addresses = { "10.20.0.2/24" } },
        },
    },
    nodes = {
        fw = {
            roles = { "forwarder" },
            interfaces = { inside = "internal", outside = "external" },
            -- A line for each code of a refusal; ixit/firewall.lua names the flows.
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
            settings = {
                lifetime_min_s = 2,
                lifetime_max_s = 600,
                query_timer_ms = 200,
                query_attempts = 4,
            },
        },
    },
}
