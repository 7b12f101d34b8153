-- One initiator before the one port of the conformance runner, which plays the path and the
-- responder.
--
--   ni ---port--- outside
return {
    hosts = {
        ni = {
            routes = { ["10.21.0.0/24"] = "10.20.0.2", ["10.22.0.0/24"] = "10.20.0.2" },
        },
        outside = {},
    },
    wires = {
        ["outside-port"] = {
            { host = "ni", interface = "outside", addresses = { "10.20.0.1/24" } },
            { host = "outside", interface = "eth0", addresses = { "10.20.0.2/24" } },
        },
    },
    nodes = { ni = { configuration = "initiator.conf" } },
}
