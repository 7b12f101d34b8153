-- The file that tells the runner about the IUT: what it claims (ICS) and how to reach it (IXIT).
-- Checked whole before anything runs; each error names the file, the line and the key.

local address = require("codec.address")
local tables = require("codec.tables")
local wording = require("codec.wording")

local ixit = {}

-- What an IUT can be, RFC 5973, 3.1, and what a case can be for.
ixit.roles = { ["NF-FW"] = true, ["edge-FW"] = true, ["NF-NAT"] = true, ["NF-NATFW"] = true,
  ["edge-NAT"] = true, NR = true, NI = true }

local function text(value) return type(value) == "string" and #value > 0 end
local function natural(value) return type(value) == "number" and value >= 0
  and value == math.floor(value) end
local function positive(value) return natural(value) and value > 0 end
local function maybe_text(value) return type(value) == "string" end
local function boolean(value) return type(value) == "boolean" end
local function ipv4(value) return text(value) and not value:find(":")
  and address.parse(value) ~= nil end

local function prefix(value)
  local base, bits = (text(value) and value or ""):match("^([%d.]+)/(%d+)$")
  return base ~= nil and ipv4(base) and tonumber(bits) >= 8 and tonumber(bits) <= 24
end

local function roles(value)
  if type(value) ~= "table" or #value == 0 then return false end
  for _, role in ipairs(value) do
    if not ixit.roles[role] or ((role == "NR" or role == "NI") and #value > 1) then return false end
  end
  return true
end

local function port(value) return positive(value) and value < 65536 end

local function ip_protocol(value)
  return value == "udp" or value == "tcp" or (natural(value) and value < 256)
end

local function prefix_length(value) return natural(value) and value <= 32 end

local refusal = { peer = ipv4, protocol = ip_protocol, destination_port = port,
  any_source_port = boolean, any_destination_port = boolean, source_prefix = prefix_length,
  destination_prefix = prefix_length }

-- A table of "class/0xcode" and a flow, each key of which is one of `refusal`.
local function refusals(value)
  if type(value) ~= "table" then return false end
  for code, flow in tables.sorted(value) do
    if type(code) ~= "string" or not code:match("^[457]/0x%x%x$") or type(flow) ~= "table" then
      return false
    end
    for key, given in tables.sorted(flow) do
      if not refusal[key] or not refusal[key](given) then return false end
    end
  end
  return true
end

local function percent(value) return natural(value) and value <= 100 end

local side = {
  netns = { text, "the path of a network namespace" },
  interface = { text, "the name of the port in that namespace" },
  gateway = { ipv4, "an IPv4 address: the IUT's on this side, to which the runner routes" },
  signalling = { prefix, "an IPv4 prefix, /8 to /24: the neighbours' addresses" },
  flows = { prefix, "an IPv4 prefix, /8 to /24: the addresses of data flows" },
}

-- key = { test, what it has to be, default }
local schema = {
  name = { text, "a text", "unnamed IUT" },
  process = { maybe_text, "the folder of a process, /proc/PID", "" },
  ics = {
    roles = { roles, "a list of \"NF-FW\", \"edge-FW\", \"NF-NAT\", \"NF-NATFW\", \"edge-NAT\", or "
      .. "\"NR\" or \"NI\" alone" },
    lowers_lifetime = { boolean, "true or false", false },
    rejects_large_lifetime = { boolean, "true or false", false },
    rejects_small_lifetime = { boolean, "true or false", false },
    blocks_by_default = { boolean, "true or false", true },
    tcp_flows = { boolean, "true or false", true },
    aggregated_deletion = { boolean, "true or false", true },
    d_mode = { boolean, "true or false", false },
    ingress_filter = { boolean, "true or false", false },
    checks_upstream_ttl = { boolean, "true or false", false },
    hides_invalid_cookie = { boolean, "true or false", true },
    replies_pass = { boolean, "true or false", true },
    refreshes = { boolean, "true or false", true },
    tls = { boolean, "true or false", false },
    tls_onward = { boolean, "true or false", false },
  },
  -- Names by which the runner's neighbours are authenticated: one that the IUT's peer database lets be a
  -- peer for each flow, and one for none.
  tls = {
    peer = { text, "a name as host.example.com", "peer.example.com" },
    stranger = { text, "a name as host.example.com", "stranger.example.com" },
  },
  inside = side,
  outside = side,
  lifetime = {
    usual_s = { positive, "seconds", 60 },
    short_s = { positive, "seconds, for what has to expire", 3 },
    min_s = { natural, "seconds, 0 for no bound", 0 },
    max_s = { natural, "seconds, 0 for no bound", 0 },
  },
  timing = {
    response_ms = { positive, "milliseconds", 3000 },
    quiet_ms = { positive, "milliseconds", 400 },
    pass_ms = { positive, "milliseconds", 3000 },
    stop_ms = { positive, "milliseconds from a deletion to the last packet", 500 },
    expiry_early_ms = { natural, "milliseconds", 500 },
    expiry_late_ms = { positive, "milliseconds", 1500 },
    no_peer_ms = { positive, "milliseconds until the IUT gives a Query up", 60000 },
    connect_ms = { positive, "milliseconds", 400 },
    probe_interval_ms = { positive, "milliseconds", 5 },
    validity_ms = { positive, "milliseconds", 120000 },
    hold_time_ms = { positive, "milliseconds", 30000 },
  },
  refusals = { refusals, "a table of codes, as [\"5/0x02\"], and the flow that is refused so", {} },
  -- What the way between the runner and the IUT does to datagrams.
  path = {
    loses = { boolean, "true or false: some do not arrive", false },
    copies_ms = { natural, "milliseconds within which one that comes again is a copy that the path has "
      .. "made, 0 where it makes none", 0 },
  },
  -- How a run with --shim plays the box, docs/shim-protocol.md.
  shim = {
    configuration = { maybe_text, "the path of a file that the shim understands", "" },
    loss_percent = { percent, "a percentage of the packets, 0 to 100", 0 },
    duplication_percent = { percent, "a percentage of the packets, 0 to 100", 0 },
    reordering_percent = { percent, "a percentage of the packets, 0 to 100", 0 },
    corruption_percent = { percent, "a percentage of the packets, 0 to 100", 0 },
    delay_ms = { natural, "milliseconds", 0 },
  },
  -- What brings an IUT back that has died.
  restart = {
    command = { maybe_text, "a command", "" },
    timeout_s = { positive, "seconds that it may take", 60 },
    each_case = { boolean, "true or false: before each case as well", false },
  },
  limits = {
    max_concurrent = { positive, "a number of cases", 8 },
    max_rate = { positive, "cases started per second", 20 },
    failures_needed = { positive, "times that a case fails before it counts", 2 },
  },
}

-- A responder has one port, the inside one, and an address where flows end.
local responder_schema = {
  responder = { address = { ipv4, "an IPv4 address: the IUT's own, where flows end" } },
}
for key, rule in tables.sorted(schema) do
  if key ~= "outside" then responder_schema[key] = rule end
end

-- An initiator has one port, the outside one, an address where flows begin, and commands that have
-- it open and close sessions.
local initiator_schema = {
  initiator = { address = { ipv4, "an IPv4 address: the IUT's own, where flows begin" } },
  trigger = {
    open = { text, "a command, with the names of the flow's parts in braces" },
    close = { text, "a command, with {sid} for the session id" },
    timeout_s = { positive, "seconds that a command may take", 20 },
  },
}
for key, rule in tables.sorted(schema) do
  if key ~= "inside" then initiator_schema[key] = rule end
end

local schema_of_role = { NR = responder_schema, NI = initiator_schema }

local function schema_for(given)
  local roles_given = type(given.ics) == "table" and given.ics.roles
  return type(roles_given) == "table" and #roles_given == 1 and schema_of_role[roles_given[1]]
    or schema
end

-- The line where a path of keys is assigned, as well as a look at the text can tell.
local function line_of(source, path)
  local line, found = 0, 0
  local wanted = 1
  for row in (source .. "\n"):gmatch("(.-)\n") do
    line = line + 1
    while wanted <= #path and row:find("%f[%w_]" .. path[wanted]:gsub("%W", "%%%0")
      .. "%f[^%w_]%s*=") do
      found, wanted = line, wanted + 1
    end
  end
  return wanted > #path and found or math.max(found, 1)
end

local function check_table(rules, given, path, problems)
  for key in tables.sorted(given) do
    if rules[key] == nil then
      problems[#problems + 1] = { path = path .. tostring(key),
        text = "is no key that I know" .. wording.hint(key, rules) }
    end
  end
  local out = {}
  for key, rule in tables.sorted(rules) do
    local value = given[key]
    if type(rule[1]) ~= "function" then
      if value ~= nil and type(value) ~= "table" then
        problems[#problems + 1] = { path = path .. key, text = "has to be a table" }
        value = {}
      end
      out[key] = check_table(rule, value or {}, path .. key .. ".", problems)
    elseif value == nil and rule[3] ~= nil then
      out[key] = rule[3]
    elseif value == nil then
      problems[#problems + 1] = { path = path .. key, text = "is missing: " .. rule[2] }
    elseif not rule[1](value) then
      problems[#problems + 1] = { path = path .. key, text = "has to be " .. rule[2] }
    else
      out[key] = value
    end
  end
  return out
end

-- Whether two prefixes, as "10.1.0.0/24", have an address in common.
local function overlap(first, second)
  local function range_of(given)
    local base, bits = given:match("^([%d.]+)/(%d+)$")
    local number = string.unpack(">I4", address.parse(base))
    local size = 1 << (32 - tonumber(bits))
    local start = number & ~(size - 1)
    return start, start + size - 1
  end
  local from, to = range_of(first)
  local other_from, other_to = range_of(second)
  return from <= other_to and other_from <= to
end

local function pool_of(given)
  local base, bits = given:match("^([%d.]+)/(%d+)$")
  return { prefix = given, base = base, size = math.min(2 ^ (32 - tonumber(bits)), 65536) // 1 }
end

-- What a box behind a shim needs no IXIT to say: it has no namespaces, and its triggers are those of
-- the protocol.
local function complete_for_shim(given)
  for _, name in ipairs({ "inside", "outside" }) do
    if type(given[name]) == "table" then
      given[name].netns = given[name].netns or "none"
      given[name].interface = given[name].interface or name
    end
  end
  if given.initiator then
    given.trigger = { open = "open source={source} source_port={source_port}"
      .. " destination={destination} destination_port={destination_port} protocol={protocol}"
      .. " lifetime_s={lifetime_s}", close = "close sid={sid}" }
  end
end

-- What the links of a virtual network do to datagrams is known, and need not be said.
local LINK_MS = 10 -- of a link itself, and of what duplication and reordering add

local function path_of_links(settings)
  local links, path = settings.shim, settings.path
  path.loses = path.loses or links.loss_percent > 0 or links.corruption_percent > 0
  if links.duplication_percent > 0 then
    path.copies_ms = math.max(path.copies_ms, 2 * links.delay_ms + LINK_MS)
  end
end

-- What a case can need: a claim of the ICS, a bound as "lifetime.max_s", or "lossless": a path that
-- loses nothing, for what only the number or the time of datagrams can show.
ixit.needs = { lossless = true }
for key in tables.sorted(schema.ics) do ixit.needs[key] = key ~= "roles" or nil end
for key in tables.sorted(schema.lifetime) do ixit.needs["lifetime." .. key] = true end

-- What only shows when all keys are known: bounds that contradict each other, and addresses that would
-- be the runner's twice, or the IUT's as well.
local function contradictions(settings, problems)
  local lifetime, pools = settings.lifetime, {}
  if lifetime.max_s > 0 and lifetime.usual_s > lifetime.max_s then
    problems[#problems + 1] = { path = "lifetime.usual_s", text = "is above lifetime.max_s" }
  end
  if lifetime.short_s < lifetime.min_s then
    problems[#problems + 1] = { path = "lifetime.short_s", text = "is below lifetime.min_s" }
  end
  if settings.restart.each_case and settings.restart.command == "" then
    problems[#problems + 1] = { path = "restart.each_case", text = "needs a restart.command" }
  end
  for _, which in ipairs({ "inside", "outside" }) do
    for _, name in ipairs(settings[which] and { "signalling", "flows" } or {}) do
      local pool = { path = which .. "." .. name, prefix = settings[which][name] }
      for _, other in ipairs(pools) do
        if overlap(pool.prefix, other.prefix) then
          problems[#problems + 1] = { path = pool.path, text = "overlaps with " .. other.path }
        end
      end
      for _, own in ipairs({ "inside", "outside" }) do
        local gateway = settings[own] and settings[own].gateway
        if gateway and overlap(pool.prefix, gateway .. "/32") then
          problems[#problems + 1] = { path = pool.path, text = "has " .. own .. ".gateway in it" }
        end
      end
      pools[#pools + 1] = pool
    end
  end
end

-- Where a problem is: on the command line, or in this line of the file.
local function place_of(problem, file, source, overrides)
  for _, assignment in ipairs(overrides or {}) do
    if assignment:match("^[^=]*") == problem.path then return "--set " .. assignment .. ": " end
  end
  local path = {}
  for key in problem.path:gmatch("[^.]+") do path[#path + 1] = key end
  return string.format("%s:%d: ", file, line_of(source, path))
end

-- The checked settings, or nil and a list of errors. `source` is the file's text, for lines; by_shim
-- is set where the box is behind a shim; overrides is what --set gave besides.
function ixit.check(given, file, source, by_shim, overrides)
  if by_shim then complete_for_shim(given) end
  local problems = {}
  local settings = check_table(schema_for(given), given, "", problems)
  if #problems == 0 then contradictions(settings, problems) end
  if #problems == 0 and settings.ics.tls and not by_shim then
    problems[1] = { path = "ics.tls", text = "can be judged with --shim only" }
  end
  if #problems > 0 then
    local lines = {}
    for _, problem in ipairs(problems) do
      lines[#lines + 1] = place_of(problem, file, source, overrides) .. problem.path .. " "
        .. problem.text
    end
    table.sort(lines)
    return nil, lines
  end
  if by_shim then path_of_links(settings) end
  for _, name in ipairs({ "inside", "outside" }) do
    local port_side = settings[name]
    if port_side then
      port_side.pools = { signalling = pool_of(port_side.signalling),
        flows = pool_of(port_side.flows) }
    end
  end
  return settings
end

-- Puts "key.key=value" of --set into the table read from the file.
function ixit.override(given, assignment)
  local path, value = assignment:match("^([%w_.]+)=(.*)$")
  if not path then return nil, "--set wants KEY=VALUE, not '" .. assignment .. "'" end
  local place, last = given, nil
  for key in path:gmatch("[^.]+") do
    if last then
      if type(place[last]) ~= "table" then place[last] = {} end
      place = place[last]
    end
    last = key
  end
  if value == "true" or value == "false" then
    place[last] = value == "true"
  else
    place[last] = math.tointeger(tonumber(value)) or tonumber(value) or value
  end
  return true
end

-- How many cases at once can have addresses of their own: the second initiators take one half of
-- the inside neighbours' pool.
function ixit.most_at_once(settings)
  local most = settings.inside and settings.inside.pools.signalling.size // 2 - 2 or math.huge
  for _, name in ipairs({ "inside", "outside" }) do
    for _, pool in tables.sorted(settings[name] and settings[name].pools or {}) do
      most = math.min(most, pool.size - 2)
    end
  end
  return most
end

local FIRST_PORT, PORTS_OF_CASE, PORTS_AT_ONCE = 10000, 200, 220

-- The addresses and the first port of a case with this number, one of a row that never ends: 220 times
-- most_at_once() cases follow each other before an address comes with the same port again. The second
-- initiator's address comes from the other half of the pool.
function ixit.addresses(settings, number)
  local most = math.floor(ixit.most_at_once(settings))
  local use = number // most % PORTS_AT_ONCE
  number = number % most + 1
  local function pick(pool) return address.add(pool.base, number % (pool.size - 2) + 1) end
  local first_port = FIRST_PORT + use * PORTS_OF_CASE
  if settings.initiator then
    local own = settings.initiator.address
    return { ni = own, other_ni = own, source = own, first_port = first_port,
      nr = pick(settings.outside.pools.signalling),
      destination = pick(settings.outside.pools.flows) }
  end
  local half = settings.inside.pools.signalling
  local other = address.add(half.base, (number + half.size // 2) % (half.size - 2) + 1)
  local own = settings.responder and settings.responder.address
  return { ni = pick(settings.inside.pools.signalling), other_ni = other,
    nr = own or pick(settings.outside.pools.signalling),
    source = pick(settings.inside.pools.flows),
    destination = own or pick(settings.outside.pools.flows),
    first_port = first_port }
end

return ixit
