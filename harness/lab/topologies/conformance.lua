-- One firewall between the two ports of the conformance runner. The runner plays everybody else.
--
--   inside ---in--- fw ---out--- outside
return {
    hosts = {
        inside = { routes = { default = "192.0.2.1" } },
        fw = {
            forwards = true,
            routes = { ["10.1.0.0/16"] = "192.0.2.10", ["10.2.0.0/16"] = "198.51.100.10" },
        },
        outside = { routes = { default = "198.51.100.1" } },
    },
    wires = {
        ["in"] = {
            { host = "inside", interface = "eth0", addresses = { "192.0.2.10/24" } },
            { host = "fw", interface = "inside", addresses = { "192.0.2.1/24" } },
        },
        out = {
            { host = "fw", interface = "outside", addresses = { "198.51.100.1/24" } },
            { host = "outside", interface = "eth0", addresses = { "198.51.100.10/24" } },
        },
    },
    nodes = {
        fw = {
            roles = { "forwarder" },
            interfaces = { inside = "internal", outside = "external" },
        },
    },
}
