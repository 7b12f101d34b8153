-- The reference responder in the topology "conformance-nr" of the lab.
return {
    name = "natfwd as an NR",
    ics = { roles = { "NR" }, rejects_small_lifetime = true, checks_upstream_ttl = true },
    inside = {
        netns = "/run/hosts/inside",
        interface = "eth0",
        gateway = "10.10.0.1",
        signalling = "10.11.0.0/24",
        flows = "10.12.0.0/24",
    },
    responder = { address = "10.10.0.1" },
    lifetime = { usual_s = 60, short_s = 3, min_s = 2, max_s = 600 },
    timing = { no_peer_ms = 8000 },
    -- What the policy of the topology refuses.
    refusals = {
        ["5/0x01"] = { peer = "10.10.0.2" },
        ["5/0x02"] = { destination_port = 7002 },
        ["7/0x04"] = { destination_port = 7004 },
        ["7/0x06"] = { destination_port = 7006 },
        ["7/0x09"] = { protocol = 47, any_source_port = true, any_destination_port = true },
        ["7/0x0A"] = { protocol = 132, any_source_port = true, any_destination_port = true },
        ["7/0x0B"] = { protocol = 1, any_source_port = true, any_destination_port = true },
        ["7/0x0C"] = { destination_port = 7012, source_prefix = 24 },
        ["7/0x0D"] = { protocol = 136, destination_prefix = 24 },
        ["7/0x0E"] = { destination_port = 7014, any_source_port = true },
        ["7/0x0F"] = { protocol = 33, any_destination_port = true },
    },
    -- Where natfw-shim stands for natfwd.
    shim = { configuration = "responder.conf" },
    limits = { max_concurrent = 16, max_rate = 40 },
}
