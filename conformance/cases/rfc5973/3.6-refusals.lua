-- RFC 5973, sections 3.6, 3.7.1 and 4.2.5: what policy refuses, one code a case. The IXIT names the
-- flow that the IUT refuses so; where it names none, the case is not applicable. A flow that policy
-- allows is accepted afterwards.

local natfw = require("codec.natfw")
local roles = require("runner.roles")
local spoil = require("runner.spoil")
local tables = require("codec.tables")

local NO_DISCARD = "RFC5973-3.3-i9"
local CHECKED_FIRST, NOT_AUTHORISED, POLICY_CHECKED = "RFC5973-3.6-1", "RFC5973-3.6-2",
  "RFC5973-3.6-i3"
local NR_REFUSES = "RFC5973-3.7.1-6"

local icmp_echo = spoil.with({ type = "NATFW_ICMP_TYPES", values = { types = { 8 } } })

-- { code, why, requirements, how the CREATE is }; at_nr: requirements at an NR, where they differ
local refusals = {
  { "5/0x01", "for want of authentication", { CHECKED_FIRST, NOT_AUTHORISED } },
  { "5/0x02", "as not authorised", { CHECKED_FIRST, POLICY_CHECKED, NOT_AUTHORISED } },
  { "7/0x04", "for a conflict with policy", { "RFC5973-3.7.1-i18" }, at_nr = {} },
  { "7/0x06", "as an action that cannot be applied", { "RFC5973-4.2.5-i44" },
    { rule_action = natfw.rule_action.deny }, at_nr = {} },
  { "7/0x09", "for its protocol", { "RFC5973-4.2.5-i47" } },
  { "7/0x0A", "for want of transport information", { "RFC5973-4.2.5-i48" } },
  { "7/0x0B", "for its ICMP type", { "RFC5973-4.2.5-i49" }, { change = icmp_echo }, at_nr = {} },
  { "7/0x0C", "for too many sources", { "RFC5973-4.2.5-i50" } },
  { "7/0x0D", "for too many destinations", { "RFC5973-4.2.5-i51" } },
  { "7/0x0E", "for too many source ports", { "RFC5973-4.2.5-i52" } },
  { "7/0x0F", "for too many destination ports", { "RFC5973-4.2.5-i53" } },
}

local function run(code, why, ids, options)
  return function(t)
    local refused = t:session{ flow = t:refused_flow(code) }:connect()
    t:body()
    refused:send_create(options)
    local text = "a flow that policy refuses " .. why
    refused:expect_error{ ids = ids, text = text .. " is answered", info = code }
    if not t:judges_responder() then
      t.nr:expect_nothing{ ids = { NO_DISCARD }, text = "it is not forwarded" }
    end
    t.ni:expect_nothing{ ids = { NO_DISCARD }, text = "it is answered by that one RESPONSE" }
    t:control()
    t:signal_from(t.addresses.ni)
    t:session():send_create():expect_accepted{ text = "a flow that policy allows is accepted" }
  end
end

local cases = {}

for _, row in ipairs(refusals) do
  local code, why, ids, options = table.unpack(row, 1, 4)
  local name = code:lower():gsub("/0x", "-")
  cases[#cases + 1] = { id = "3.6-refusal-" .. name, roles = roles.firewall,
    purpose = "A CREATE that a firewall's policy refuses " .. why .. " is answered " .. code
      .. " and not forwarded.",
    requirements = tables.appended(ids, NO_DISCARD), run = run(code, why, ids, options) }
  cases[#cases + 1] = { id = "nr-3.6-refusal-" .. name, roles = roles.responder,
    purpose = "A CREATE that an NR's policy refuses " .. why .. " is answered " .. code .. ".",
    requirements = tables.appended(row.at_nr or ids, NR_REFUSES, NO_DISCARD),
    run = run(code, why, tables.appended(row.at_nr or ids, NR_REFUSES), options) }
end

-- An update to a flow that policy refuses leaves the session what it was granted.
cases[#cases + 1] = { id = "3.6-refusal-of-an-update", roles = roles.firewall,
  needs = { "blocks_by_default" },
  purpose = "An update to a flow that policy refuses is answered 5/0x02 and not forwarded; the flow "
    .. "that was granted passes on.",
  requirements = { CHECKED_FIRST, POLICY_CHECKED, NO_DISCARD },
  run = function(t)
    local flow = t:refused_flow("5/0x02")
    local session = t:session():establish()
    session.data:expect_passing()
    t:body()
    session.flow = flow
    session:connect()
    session:send_create()
    session:expect_error{ ids = { CHECKED_FIRST, POLICY_CHECKED }, text = "the update is answered",
      info = "5/0x02" }
    t.nr:expect_nothing{ ids = { NO_DISCARD }, text = "it is not forwarded" }
    session.data:expect_passing{ ids = { NO_DISCARD },
      text = "the flow that was granted still passes" }
    t:control()
    t:session():send_create():expect_accepted{ text = "a flow that policy allows is accepted" }
  end }

return cases
