-- What a host inside tries to open its neighbours: it asks the firewall for flows that do not cross it,
-- or that leave open who sends them.

local roles = require("runner.roles")

-- Behind the inside, as the scenario "neighbour" routes it.
local NEIGHBOUR = "192.0.2.99"

-- A CREATE for this flow is refused with this code, and one for a flow of its own is not.
local function attack(id, purpose, info, change)
  return {
    id = "attack:" .. id, purpose = purpose, roles = roles.firewall,
    requirements = { "RFC5973-5.1-i1" },
    run = function(t)
      local flow = t:new_flow{}
      change(flow)
      local session = t:session{ flow = flow }:connect()
      t:body()
      session:send_create()
      session:expect_error{ ids = { "RFC5973-5.1-i1" }, text = "it is refused", info = info }
      t.nr:expect_nothing{ text = "and goes no further" }
      t:control()
      t:session():establish().data:expect_passing()
    end,
  }
end

return {
  attack("open-a-neighbour", "No flow is opened from one host inside to another.", "7/0x04",
    function(flow) flow.destination = NEIGHBOUR end),
  attack("open-a-neighbour-to-all", "Nor from everybody to a host inside.", "7/0x0C",
    function(flow) flow.destination, flow.source_prefix = NEIGHBOUR, 0 end),
  attack("open-all-sources", "No flow is opened from everybody to a host outside.", "7/0x0C",
    function(flow) flow.source_prefix = 0 end),
  attack("open-all-destinations", "No flow is opened to everybody outside.", "7/0x0D",
    function(flow) flow.destination_prefix = 24 end),
  attack("open-all-source-ports", "No flow is opened from every port.", "7/0x0E",
    function(flow) flow.source_port = false end),
  attack("open-all-ports", "No flow is opened to every port.", "7/0x0F",
    function(flow) flow.protocol, flow.destination_port = "tcp", false end),
  attack("open-protocol-255", "No flow is opened for a protocol that there is not.", "7/0x09",
    function(flow) flow.protocol, flow.source_port, flow.destination_port = 255, false, false end),
}
