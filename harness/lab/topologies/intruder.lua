-- A session between two hosts, and one more host on each side that knows its session id.
--
--   ni --------+                               +-------- nr
--              lan ---inside--- fw ---outside--- wan
--   intruder --+                               +-- stranger
return {
    hosts = {
        ni = { routes = { default = "192.0.2.1" } },
        intruder = { routes = { default = "192.0.2.65" } },
        lan = {
            forwards = true,
            routes = {
                default = "192.0.2.130",
                ["10.11.0.0/24"] = "192.0.2.74",
                ["10.12.0.0/24"] = "192.0.2.74",
            },
        },
        fw = {
            forwards = true,
            routes = {
                ["192.0.2.0/25"] = "192.0.2.129",
                ["10.11.0.0/24"] = "192.0.2.129",
                ["10.12.0.0/24"] = "192.0.2.129",
                ["203.0.113.0/25"] = "203.0.113.129",
                ["10.21.0.0/24"] = "203.0.113.129",
                ["10.22.0.0/24"] = "203.0.113.129",
            },
        },
        wan = {
            forwards = true,
            routes = {
                default = "203.0.113.130",
                ["10.21.0.0/24"] = "203.0.113.74",
                ["10.22.0.0/24"] = "203.0.113.74",
            },
        },
        nr = { routes = { default = "203.0.113.1" } },
        stranger = { routes = { default = "203.0.113.65" } },
    },
    wires = {
        ["ni-port"] = {
            { host = "ni", interface = "eth0", addresses = { "192.0.2.10/26" } },
            { host = "lan", interface = "eth0", addresses = { "192.0.2.1/26" } },
        },
        ["intruder-port"] = {
            { host = "intruder", interface = "eth0", addresses = { "192.0.2.74/26" } },
            { host = "lan", interface = "eth1", addresses = { "192.0.2.65/26" } },
        },
        inside = {
            { host = "lan", interface = "eth2", addresses = { "192.0.2.129/26" } },
            { host = "fw", interface = "inside", addresses = { "192.0.2.130/26" } },
        },
        outside = {
            { host = "fw", interface = "outside", addresses = { "203.0.113.130/26" } },
            { host = "wan", interface = "eth0", addresses = { "203.0.113.129/26" } },
        },
        ["nr-port"] = {
            { host = "wan", interface = "eth1", addresses = { "203.0.113.1/26" } },
            { host = "nr", interface = "eth0", addresses = { "203.0.113.10/26" } },
        },
        ["stranger-port"] = {
            { host = "wan", interface = "eth2", addresses = { "203.0.113.65/26" } },
            { host = "stranger", interface = "eth0", addresses = { "203.0.113.74/26" } },
        },
    },
    nodes = {
        ni = { roles = { "initiator", "responder" }, interfaces = { eth0 = "internal" } },
        fw = {
            roles = { "forwarder" },
            interfaces = { inside = "internal", outside = "external" },
        },
        nr = { roles = { "responder" }, interfaces = { eth0 = "internal" } },
    },
}
