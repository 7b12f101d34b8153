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
    nodes = { fw = { configuration = "firewall.conf" } },
}
