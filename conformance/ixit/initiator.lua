-- How to reach an initiator (NI), and what it claims. Every key that is not here is that of
-- firewall.lua, with the same default.
--
--   the IUT              namespace outside
--   [ initiator ]-------[ outside port ]
--                       neighbours 10.21.0.0/24
--                       flows      10.22.0.0/24
--
-- The IUT needs a route to both pools through this port. The runner plays every other node.

return {
  name = "an initiator",
  ics = {
    roles = { "NI" },
    refreshes = true, -- the sessions that it opened, until they are closed
  },
  outside = {
    netns = "/run/netns/conform-outside",
    interface = "eth0",
    gateway = "10.20.0.1", -- the IUT, or the router before it
    signalling = "10.21.0.0/24",
    flows = "10.22.0.0/24", -- where the flows of all cases end
  },
  initiator = { address = "10.20.0.1" }, -- where they begin

  -- Commands for a shell, run where the runner runs. The runner replaces {source}, {source_port},
  -- {destination}, {destination_port}, {protocol} (udp or tcp), {lifetime_s} and {sid} (32 hexadecimal
  -- digits). `open` ends when the session is answered: with exit status 0 if it is granted, with
  -- another if not. `close` ends when the deletion is sent.
  trigger = {
    open = "ssh iut natfwctl open --from {source}:{source_port} --to {destination}:{destination_port}"
      .. " --protocol {protocol} --lifetime {lifetime_s}",
    close = "ssh iut natfwctl close {sid}",
    timeout_s = 20, -- that a command may take
  },
}
