-- RFC 5973 figure 2: two hosts, each behind a firewall of its own that denies by default.
--
--   ni ---inside--- fw1 ---between--- fw2 ---outside--- nr
return {
    hosts = {
        ni = { routes = { default = "192.0.2.1" } },
        fw1 = { forwards = true, routes = { ["203.0.113.0/24"] = "198.51.100.2" } },
        fw2 = { forwards = true, routes = { ["192.0.2.0/24"] = "198.51.100.1" } },
        nr = { routes = { default = "203.0.113.1" } },
    },
    wires = {
        inside = {
            { host = "ni", interface = "eth0", addresses = { "192.0.2.10/24" } },
            { host = "fw1", interface = "inside", addresses = { "192.0.2.1/24" } },
        },
        between = {
            { host = "fw1", interface = "outside", addresses = { "198.51.100.1/24" } },
            { host = "fw2", interface = "outside", addresses = { "198.51.100.2/24" } },
        },
        outside = {
            { host = "fw2", interface = "inside", addresses = { "203.0.113.1/24" } },
            { host = "nr", interface = "eth0", addresses = { "203.0.113.10/24" } },
        },
    },
    nodes = {
        ni = { roles = { "initiator", "responder" }, interfaces = { eth0 = "internal" } },
        fw1 = {
            roles = { "forwarder" },
            interfaces = { inside = "internal", outside = "external" },
        },
        fw2 = {
            roles = { "forwarder" },
            interfaces = { inside = "internal", outside = "external" },
            sections = 'policy { default_external = "allow" }',
        },
        nr = { roles = { "initiator", "responder" }, interfaces = { eth0 = "internal" } },
    },
}
