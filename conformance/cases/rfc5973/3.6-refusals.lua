-- RFC 5973, sections 3.6, 3.7.1 and 4.2.5: what policy refuses, one code a case. The IXIT names the
-- flow that the IUT refuses so; where it names none, the case is not applicable. A flow that policy
-- allows is accepted afterwards.

local spoil = require("runner.spoil")

local NO_DISCARD = "RFC5973-3.3-i9"
local CHECKED_FIRST, NOT_AUTHORISED, POLICY_CHECKED = "RFC5973-3.6-1", "RFC5973-3.6-2",
  "RFC5973-3.6-i3"
local NR_REFUSES = "RFC5973-3.7.1-6"
local DENY = 2

local icmp_echo = spoil.with({ type = 0x014, values = { types = { 8 } } })

-- { code, why, requirements, how the CREATE is }; at_nr: requirements at an NR, where they differ
local refusals = {
  { "5/0x01", "for want of authentication", { CHECKED_FIRST, NOT_AUTHORISED } },
  { "5/0x02", "as not authorised", { CHECKED_FIRST, POLICY_CHECKED, NOT_AUTHORISED } },
  { "7/0x04", "for a conflict with policy", { "RFC5973-3.7.1-i18" }, at_nr = {} },
  { "7/0x06", "as an action that cannot be applied", { "RFC5973-4.2.5-i44" },
    { rule_action = DENY }, at_nr = {} },
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
    local refused = t:session({ flow = t:refused_flow(code) }):connect()
    t:body()
    refused:send_create(options)
    local text = "a flow that policy refuses " .. why
    local response = refused:expect_response(ids, text .. " is answered")
    t:check(ids, text .. ": class and code", code, spoil.code_of(response))
    if not t:judges_responder() then t:nothing(t.nr, { NO_DISCARD }, "it is not forwarded") end
    t:nothing(t.ni, { NO_DISCARD }, "it is answered by that one RESPONSE")
    t:control()
    t:signal_from(t.addresses.ni)
    t:session():send_create():expect_accepted(nil, "a flow that policy allows is accepted")
  end
end

local function with(ids, ...)
  return table.move({ ... }, 1, select("#", ...), #ids + 1, table.move(ids, 1, #ids, 1, {}))
end

local cases = {}

for _, row in ipairs(refusals) do
  local code, why, ids, options = table.unpack(row, 1, 4)
  local name = code:lower():gsub("/0x", "-")
  cases[#cases + 1] = { id = "3.6-refusal-" .. name, roles = { "NF-FW", "edge-FW" },
    purpose = "A CREATE that a firewall's policy refuses " .. why .. " is answered " .. code
      .. " and not forwarded.",
    requirements = with(ids, NO_DISCARD), run = run(code, why, ids, options) }
  cases[#cases + 1] = { id = "nr-3.6-refusal-" .. name, roles = { "NR" },
    purpose = "A CREATE that an NR's policy refuses " .. why .. " is answered " .. code .. ".",
    requirements = with(row.at_nr or ids, NR_REFUSES, NO_DISCARD),
    run = run(code, why, with(row.at_nr or ids, NR_REFUSES), options) }
end

-- An update to a flow that policy refuses leaves the session what it was granted.
cases[#cases + 1] = { id = "3.6-refusal-of-an-update", roles = { "NF-FW", "edge-FW" },
  needs = { "blocks_by_default" },
  purpose = "An update to a flow that policy refuses is answered 5/0x02 and not forwarded; the flow "
    .. "that was granted passes on.",
  requirements = { CHECKED_FIRST, POLICY_CHECKED, NO_DISCARD },
  run = function(t)
    local flow = t:refused_flow("5/0x02")
    local session = t:session():establish()
    t:passes(session.data)
    t:body()
    session.flow = flow
    session:connect()
    session:send_create()
    local response = session:expect_response({ CHECKED_FIRST, POLICY_CHECKED },
      "the update is answered")
    t:check({ CHECKED_FIRST, POLICY_CHECKED }, "class and code", "5/0x02", spoil.code_of(response))
    t:nothing(t.nr, { NO_DISCARD }, "it is not forwarded")
    t:passes(session.data, { NO_DISCARD }, "the flow that was granted still passes")
    t:control()
    t:session():send_create():expect_accepted(nil, "a flow that policy allows is accepted")
  end }

return cases
