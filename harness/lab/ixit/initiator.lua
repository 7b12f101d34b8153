-- The reference initiator in the topology "conformance-ni" of the lab.
return {
    name = "natfwd as an NI",
    ics = { roles = { "NI" } },
    outside = {
        netns = "/run/hosts/outside",
        interface = "eth0",
        gateway = "10.20.0.1",
        signalling = "10.21.0.0/24",
        flows = "10.22.0.0/24",
    },
    initiator = { address = "10.20.0.1" },
    trigger = {
        open = "natfwctl --socket /run/natfw/ni.sock open --from {source}:{source_port}"
            .. " --to {destination}:{destination_port} --protocol {protocol}"
            .. " --lifetime {lifetime_s}",
        close = "natfwctl --socket /run/natfw/ni.sock close {sid}",
    },
    lifetime = { usual_s = 60, short_s = 3 },
    -- Where natfw-shim stands for natfwd.
    shim = { configuration = "initiator.conf" },
    limits = { max_concurrent = 8, max_rate = 40 },
}
