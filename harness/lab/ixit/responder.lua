-- The reference responder in the topology "conformance-nr" of the lab.
return {
    name = "natfwd as an NR",
    ics = { roles = { "NR" }, rejects_small_lifetime = true },
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
    limits = { max_concurrent = 16, max_rate = 40 },
}
