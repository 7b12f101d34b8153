-- One firewall that hosts attack, from either side of it. The hosts inside and outside hold ranges
-- of addresses beside those of their nodes: the attackers'.
--
--   ni and attackers ---inside--- fw ---outside--- nr
return {
    hosts = {
        ni = { routes = { default = "192.0.2.1" }, pools = { "198.18.0.0/15" } },
        fw = { forwards = true, routes = { ["198.18.0.0/15"] = "192.0.2.10" } },
        nr = { routes = { default = "203.0.113.1" } },
    },
    wires = {
        inside = {
            { host = "ni", interface = "eth0", addresses = { "192.0.2.10/24", "192.0.2.66/24" } },
            { host = "fw", interface = "inside", addresses = { "192.0.2.1/24" } },
        },
        outside = {
            { host = "fw", interface = "outside", addresses = { "203.0.113.1/24" } },
            { host = "nr", interface = "eth0",
                addresses = { "203.0.113.10/24", "203.0.113.66/24" } },
        },
    },
    nodes = {
        ni = { roles = { "initiator", "responder" }, interfaces = { eth0 = "internal" } },
        fw = {
            roles = { "forwarder" },
            interfaces = { inside = "internal", outside = "external" },
        },
        nr = { roles = { "initiator", "responder" }, interfaces = { eth0 = "internal" } },
    },
}
