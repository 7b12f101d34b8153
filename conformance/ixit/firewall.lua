-- How to reach a firewall NF, and what it claims: an example with every key.
--
-- The file is Lua, loaded without any library and with bounded memory and time; it returns one table.
-- `natfw-conform check-ixit FILE` says what is wrong with it; `natfw-conform run --set KEY=VALUE`
-- replaces single entries, for instance --set inside.netns=/proc/4711/ns/net.
--
-- What the runner needs: root; two network namespaces, one for each port; a route on the IUT to the
-- inside pools through the inside port, and to the outside pools through the outside port. The
-- runner makes the pools local in its namespaces and adds its own routes through the gateways, and
-- takes both away at the end.
--
--   namespace inside          the IUT              namespace outside
--   [ inside port ]-------[ iut0   iut1 ]-------[ outside port ]
--   neighbours 10.11.0.0/24    firewall       neighbours 10.21.0.0/24
--   flows      10.12.0.0/24                   flows      10.22.0.0/24

return {
  name = "a firewall NF",

  -- Where it runs on this machine: the folder of its process, as "/proc/4711". What it was late for
  -- while it waited for a processor is not held against it.
  process = "",

  -- What the IUT claims to support (ICS).
  ics = {
    roles = { "NF-FW" }, -- or "edge-FW"
    lowers_lifetime = false, -- writes lifetime.max_s into a CREATE that asks for more
    rejects_large_lifetime = false, -- answers such a CREATE with 7/0x02 instead
    rejects_small_lifetime = false, -- answers a lifetime below lifetime.min_s with 7/0x10
    blocks_by_default = true, -- data passes only where a rule allows it
    tcp_flows = true, -- the runner may probe with TCP
    aggregated_deletion = true, -- takes deletions with session id zero
    d_mode = false, -- takes sessions from initiators that want no association
    ingress_filter = false, -- answers a Query of a flow that cannot come in there with an Error
    checks_upstream_ttl = false, -- answers an upstream Query from two hops away or more with one
    hides_invalid_cookie = true, -- false where it was set to answer 'Invalid Cookie', for debugging
    replies_pass = true, -- what answers an allowed flow passes by the same rule
    refreshes = true, -- an initiator the sessions that it opened, until they are closed
    tls = false, -- has associations over TLS; judged in virtual time, by the names under "tls"
    tls_onward = false, -- what came over TLS goes on over TLS, and over nothing else
  },

  -- The names by which the neighbours are authenticated over TLS, where ics.tls says that there is any.
  tls = {
    peer = "peer.example.com", -- whom the IUT lets be a peer for each flow
    stranger = "stranger.example.com", -- whom it lets be a peer for none
  },

  -- How to reach it (IXIT).
  inside = {
    netns = "/run/netns/conform-inside",
    interface = "eth0",
    gateway = "10.10.0.1", -- the IUT's address on this side
    signalling = "10.11.0.0/24", -- the runner's neighbours: one address a case
    flows = "10.12.0.0/24", -- where data flows come from: one address a case
  },
  outside = {
    netns = "/run/netns/conform-outside",
    interface = "eth0",
    gateway = "10.20.0.1",
    signalling = "10.21.0.0/24",
    flows = "10.22.0.0/24", -- where data flows go
  },

  lifetime = {
    usual_s = 60, -- what the IUT takes without changing it
    short_s = 3, -- what it takes as well, for cases that wait for the end
    min_s = 0, -- its policy's bounds; 0: none
    max_s = 0,
  },

  -- Windows of time, in milliseconds.
  timing = {
    response_ms = 3000, -- for an answer to come
    quiet_ms = 400, -- in which nothing may come
    pass_ms = 3000, -- for data to pass once it may
    stop_ms = 500, -- from a deletion to the last packet of a running flow
    expiry_early_ms = 500, -- a flow may stop so much before its lifetime ends
    expiry_late_ms = 1500, -- and so much after
    no_peer_ms = 60000, -- until the IUT gives up a Query that nobody answers
    connect_ms = 400, -- before a blocked TCP connection is tried anew
    probe_interval_ms = 5, -- between packets of a running flow, in each direction
    validity_ms = 120000, -- routing state validity that the runner announces
    hold_time_ms = 30000, -- MA-Hold-Time that it announces
  },

  -- A flow for each refusal that the IUT's policy can be made to give. The runner asks for it from one
  -- of the flows' addresses to another, with these keys, all optional: protocol ("udp", "tcp" or a
  -- number; "udp" by default), destination_port, any_source_port, any_destination_port (true: the
  -- port is left open), source_prefix, destination_prefix (lengths; 32 by default), peer (an address
  -- of the inside port that the initiator signals from, each for one code only). Codes that are not
  -- here are not judged.
  refusals = {
    -- ["5/0x01"] = { peer = "10.10.0.2" }, -- this peer is not authenticated
    -- ["5/0x02"] = { protocol = "udp", destination_port = 7002 }, -- not authorised
    -- ["7/0x0A"] = { protocol = 17, any_source_port = true, any_destination_port = true },
  },

  -- What the way to the IUT and back does to datagrams.
  path = {
    loses = false, -- true where some do not arrive
    copies_ms = 0, -- one that comes again within so long is a copy that the path has made
  },

  -- With --shim only: what the box is configured by, and what the links to it do.
  shim = {
    configuration = "", -- a file beside this one, whose text the shim gets; natfw-shim wants one
    loss_percent = 0, -- of the packets
    duplication_percent = 0,
    reordering_percent = 0,
    corruption_percent = 0,
    delay_ms = 0,
  },

  -- How a box that has died comes back. The command runs in a shell where the suite was started, and
  -- ends when the box is there again.
  restart = {
    command = "", -- as "ssh iut systemctl restart mynatfw"; empty: there is none
    timeout_s = 60, -- for the command
    each_case = false, -- true: each case, alone, with a box that was restarted for it
  },

  limits = {
    max_concurrent = 8, -- cases at once
    max_rate = 20, -- cases started per second
    -- A case that failed runs again, alone, until it has failed so often; if it does not fail at the
    -- same step each time, it is unstable. More for paths that lose packets.
    failures_needed = 2,
  },
}
