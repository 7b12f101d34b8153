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
            { host = "nr", interface = "inside", addresses = { "10.10.0.1/24" } },
        },
    },
    nodes = { nr = { configuration = "responder.conf" } },
}
