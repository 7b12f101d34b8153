-- How to reach a responder (NR), and what it claims. Every key that is not here is that of
-- firewall.lua, with the same default.
--
--   namespace inside          the IUT
--   [ inside port ]-------[ responder ]
--   neighbours 10.11.0.0/24
--   flows      10.12.0.0/24
--
-- The IUT needs a route to both pools through this port.

return {
  name = "a responder",
  ics = {
    roles = { "NR" },
    rejects_small_lifetime = false, -- answers a lifetime below lifetime.min_s with 7/0x10
    checks_upstream_ttl = false, -- answers an upstream Query from two hops away with an Error
    hides_invalid_cookie = true, -- false where it was set to answer 'Invalid Cookie', for debugging
  },
  inside = {
    netns = "/run/netns/conform-inside",
    interface = "eth0",
    gateway = "10.10.0.1", -- the IUT, or the router before it
    signalling = "10.11.0.0/24",
    flows = "10.12.0.0/24",
  },
  responder = { address = "10.10.0.1" }, -- where the flows of all cases end
}
