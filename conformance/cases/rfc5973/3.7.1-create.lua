-- RFC 5973, section 3.7.1: creating a session.

local messages = require("runner.messages")
local natfw = require("codec.natfw")
local roles = require("runner.roles")
local tables = require("codec.tables")

-- No data before the success RESPONSE, data in both directions after it.
local function opens(protocol)
  return function(t)
    local session = t:session{ protocol = protocol }:connect()
    t:body()
    session.data:expect_blocked{ text = "no data passes before the CREATE" }
    session:send_create():expect_create{ ids = { "RFC5973-3.7.1-i17", "RFC5973-4.2.4-1" } }
    local efi = session.forwarded:values("NATFW_EFI")
    t:check{ ids = { "RFC5973-3.7.1-i17" }, text = "its rule action and sub_ports are those that came",
      expected = natfw.rule_action.allow .. ", 0",
      actual = string.format("%s, %s", efi.rule_action, efi.sub_ports) }
    session.data:expect_blocked{ ids = { "RFC5973-3.7.1-7", "RFC5973-3.7.1-i16" },
      text = "no data passes before the RESPONSE: the rule is only remembered" }
    local response = session:respond():expect_response{ ids = { "RFC5973-3.7.1-i20" } }
    t:check{ ids = { "RFC5973-3.7.1-i20" }, text = "the success is passed on as it is",
      expected = "2/0x01", actual = response:info() }
    t:check{ ids = { "RFC5973-3.7.1-i20" }, text = "with the lifetime granted",
      expected = session.forwarded.lifetime_s, actual = response.lifetime_s }
    session.data:expect_passing{ ids = { "RFC5973-3.7.1-i22", "RFC5973-4.2.4-1" },
      text = "data passes after the success RESPONSE" }
  end
end

-- What differs from the flow of a session in one thing, with a port or an address that no rule names.
local function besides(t, flow)
  local is_udp = flow.protocol == "udp"
  local list = {
    { what = "another destination port", destination_port = flow.destination_port + 1 },
    { what = "another destination", destination = t.addresses.nr },
  }
  if is_udp then -- two of TCP cannot end at one port
    list[3] = { what = "another source port", source_port = flow.source_port + 1 }
    list[4] = { what = "another source", source = t.addresses.other_ni }
  end
  if t.ixit.ics.tcp_flows then
    list[#list + 1] = { what = "the other protocol", protocol = is_udp and "tcp" or "udp" }
  end
  for _, changes in ipairs(list) do
    local changed = tables.copy(flow)
    for key, value in tables.sorted(changes) do changed[key] = value end
    changes.flow = changed
  end
  return list
end

-- The rule of the CREATE, and no wider one.
local function opens_no_more(protocol)
  return function(t)
    local ids = { "RFC5973-3.7.1-i22" }
    local other = t:session():establish()
    local session = t:session{ protocol = protocol }:establish()
    session.data:expect_passing()
    t:body()
    for _, beside in ipairs(besides(t, session.data.flow)) do
      t:data_flow(beside.flow):expect_blocked{ ids = ids, text = beside.what .. " stays closed" }
    end
    t:control()
    other.data:expect_passing()
  end
end

local OPENS = { "RFC5973-3.7.1-7", "RFC5973-3.7.1-i16", "RFC5973-3.7.1-i17", "RFC5973-3.7.1-i20",
  "RFC5973-3.7.1-i22", "RFC5973-4.2.4-1" }

return {
  {
    id = "3.7.1-create-opens-udp",
    purpose = "A CREATE is forwarded, its success RESPONSE passed back; UDP passes after that and "
      .. "not before.",
    roles = roles.firewall, needs = { "blocks_by_default" }, smoke = true,
    requirements = OPENS, run = opens("udp"),
  },
  {
    id = "3.7.1-create-opens-tcp",
    purpose = "A CREATE is forwarded, its success RESPONSE passed back; TCP passes after that and "
      .. "not before.",
    roles = roles.firewall, needs = { "blocks_by_default", "tcp_flows" },
    requirements = OPENS, run = opens("tcp"),
  },
  {
    id = "3.7.1-opens-no-more-udp",
    purpose = "What differs from the flow of a session in one port, one address or the protocol stays "
      .. "closed.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-i22" }, run = opens_no_more("udp"),
  },
  {
    id = "3.7.1-opens-no-more-tcp",
    purpose = "The same of a flow of TCP.",
    roles = roles.firewall, needs = { "blocks_by_default", "tcp_flows" },
    requirements = { "RFC5973-3.7.1-i22" }, run = opens_no_more("tcp"),
  },
  {
    id = "3.7.1-error-response-discards-rule",
    purpose = "An error RESPONSE is passed to the initiator and discards the remembered rule: a "
      .. "later success does not bring it back.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-i23", "RFC5973-3.7.1-i20", "RFC5973-3.7.1-7" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session:send_create():expect_create()
      other.data:expect_passing()
      t:body()
      session:respond{ info = "5/0x02" }
      local response = session:expect_response{ ids = { "RFC5973-3.7.1-i20" },
        text = "the error RESPONSE reaches the initiator" }
      t:check{ ids = { "RFC5973-3.7.1-i20" }, text = "unchanged", expected = "5/0x02",
        actual = response:info() }
      session.data:expect_blocked{ ids = { "RFC5973-3.7.1-i23", "RFC5973-3.7.1-7" },
        text = "no data passes after the error RESPONSE" }
      session:respond{ info = "2/0x01" }
      session.data:expect_blocked{ ids = { "RFC5973-3.7.1-i23", "RFC5973-3.7.1-7" },
        text = "a success after the error opens nothing" }
      t:control()
      other.data:expect_passing()
    end,
  },
  {
    id = "3.7.1-no-responder",
    purpose = "When no next peer answers, the NF tells the initiator 5/0x07.",
    roles = roles.firewall,
    requirements = { "RFC5973-3.7.1-2" },
    run = function(t)
      local no_peer_ms, lifetime = t.ixit.timing.no_peer_ms, t.ixit.lifetime
      local session = t:session():connect()
      t.nr.silent = true
      t:body()
      -- The session has to outlive the wait.
      local lifetime_s = math.max(lifetime.usual_s, math.ceil(no_peer_ms / 1000))
      session:send_create{ lifetime_s = lifetime.max_s > 0 and math.min(lifetime_s, lifetime.max_s)
        or lifetime_s }
      session:await_message_refreshing{ within_ms = no_peer_ms }
      local item = session:expect_response{ ids = { "RFC5973-3.7.1-2" },
        text = "the initiator is told that the CREATE did not reach the NR", within_ms = 1 }
      t:check{ ids = { "RFC5973-3.7.1-2" }, text = "with 'Did not reach the NR'",
        expected = "5/0x07", actual = item:info() }
    end,
  },
  {
    id = "3.7.1-pending-session-ends",
    purpose = "A session without RESPONSE is dead after the lifetime of its CREATE: a success "
      .. "that comes later opens nothing.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.2.8-2" },
    run = function(t)
      local other = t:session():establish()
      local session = t:session()
      session:send_create{ lifetime_s = t.ixit.lifetime.short_s }:expect_create()
      other.data:expect_passing()
      t:pause(session:forwarded_lifetime_s() * 1000 + t.ixit.timing.expiry_late_ms)
      t:body()
      session:respond()
      session.data:expect_blocked{ ids = { "RFC5973-3.2.8-2" },
        text = "a RESPONSE after the lifetime opens nothing" }
      t:control()
      other.data:expect_passing()
    end,
  },
  {
    id = "3.7.1-response-from-the-wrong-side",
    purpose = "What a success RESPONSE does that the initiator sends itself: the text does not say who "
      .. "may speak for a session, so that it may open the path or not; the responder's does.",
    roles = roles.firewall, needs = { "blocks_by_default" },
    requirements = { "RFC5973-3.7.1-i22" },
    run = function(t)
      local session = t:session()
      session:send_create():expect_create()
      session.data:expect_blocked()
      t:body()
      local before = session.data:mark()
      t.ni:send_nslp(session, messages.nslp_response({ msn = session.msn,
        lifetime_s = session:forwarded_lifetime_s() }))
      t:pause(t.ixit.timing.quiet_ms)
      t:reading{ of = "A107", ids = { "RFC5973-3.7.1-i22" }, ours = "opens nothing",
        seen = session.data:since(before).forward > 0 and "opens the path" or "opens nothing" }
      t.ni:drain()
      t.nr:drain()
      session:respond()
      session.data:expect_passing{ ids = { "RFC5973-3.7.1-i22" },
        text = "the responder's RESPONSE opens the path" }
    end,
  },
}
