-- A scripted NI for the tests of the runner: it opens and closes sessions at its trigger's word.
-- Right unless told to break one thing; no implementation of the protocol, only as much of one as
-- the cases look at.

local Association = require("runner.association")
local fake_error = require("tests.fake_error")
local gist = require("codec.gist")
local messages = require("runner.messages")
local packet = require("codec.packet")

local fake = {}

fake.address = "192.0.2.254"

-- The settings that the runner is given for it.
function fake.settings()
  return {
    name = "the fake initiator",
    ics = { roles = { "NI" } },
    outside = { netns = "none", interface = "none", gateway = fake.address,
      signalling = "10.3.0.0/24", flows = "10.4.0.0/24" },
    initiator = { address = fake.address },
    trigger = { close = "close {sid}", open = "open {source} {source_port} {destination}"
      .. " {destination_port} {protocol} {lifetime_s}" },
  }
end

local function unhex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- options: breaks (a set of names).
function fake.new(net, options)
  local breaks = options and options.breaks or {}
  local sessions, associations = {}, {}
  local node = { identity = "fake-initiator--",
    address = breaks["multicast-nli"] and "234.0.0.1" or fake.address, validity_ms = 30000,
    hold_time_ms = 30000 }
  local box = {}

  function box.owns(address) return address == fake.address end

  local function forget(session) sessions[session.sid] = nil end

  local function send_create(session, lifetime_s)
    session.msn = breaks["keeps-msn"] and session.msn or (session.msn + 1) % 4294967296
    session.association:send(messages.encode_gist(messages.data(session, 0,
      messages.encode_natfw(messages.create({ lifetime_s = lifetime_s, msn = session.msn })))))
  end

  local function refresh_later(session, granted_s)
    net.after(granted_s * 500, function()
      if not sessions[session.sid] or breaks["no-refresh"] then return end
      send_create(session, session.lifetime_s)
    end)
  end

  -- The trigger ----------------------------------------------------------------------------------

  local function send_query(session, attempt)
    if session.association or not sessions[session.sid] or attempt > 5 then return end
    session.cookie = net.random(8)
    net.deliver("outside", packet.build({ source = fake.address,
      destination = session.flow.destination, source_port = 270, destination_port = 270,
      options = packet.router_alert(gist.router_alert), payload = gist.magic
        .. messages.encode_gist(messages.query(node, session, session.cookie, 1)) }))
    net.after(250 * 2 ^ attempt, function() send_query(session, attempt + 1) end)
  end

  local function open(words, ended)
    local flow = { source = words[2], source_port = tonumber(words[3]), destination = words[4],
      destination_port = tonumber(words[5]), protocol = words[6] }
    if breaks["wrong-flow"] then flow.destination_port = flow.destination_port + 1 end
    local session = { sid = net.random(16), flow = flow, lifetime_s = tonumber(words[7]),
      msn = string.unpack(">I4", net.random(4)), ended = ended }
    sessions[session.sid] = session
    send_query(session, 1)
    net.after(session.lifetime_s * 1000, function()
      if not session.answered and not breaks["waits-for-ever"] then forget(session) end
    end)
  end

  local function close(sid, ended)
    local session = sessions[sid]
    ended(session and 0 or 1, session and "" or "no such session")
    if not session then return end
    if session.association then send_create(session, 0) end
    forget(session)
  end

  function box.run(command, ended)
    local words = {}
    for word in command:gmatch("%S+") do words[#words + 1] = word end
    if words[1] == "close" then return close(unhex(words[2]), ended) end
    if breaks["trigger-fails"] then return ended(3, "no such host") end
    if not breaks["never-comes"] then open(words, ended) end
  end

  -- What comes back ------------------------------------------------------------------------------

  local function on_nslp(session, item)
    if #item.natfw.faults > 0 and not breaks["accepts-faults"] then return end
    if item.name == "RESPONSE" and (item.msn == session.msn or breaks["accepts-faults"]) then
      session.answered = true
      if item.class == 2 then refresh_later(session, item.lifetime_s or 60) end
      session.ended((item.class == 2 or breaks["hides-refusals"]) and 0 or 1, "")
      if item.class ~= 2 then forget(session) end
    elseif item.name == "NOTIFY" and (item.code == 4 or item.code == 5) then
      forget(session)
    end
  end

  local function confirm(session, association, response, first)
    session.association = association
    local by_type = response.gist.by_type
    association:send(messages.encode_gist(messages.confirm(node, session, by_type[6].raw,
      by_type[3] and by_type[3].raw, first)))
    session.msn = session.msn - (breaks["keeps-msn"] and 0 or 1)
    send_create(session, session.lifetime_s)
  end

  local on_message

  local function connect(session, response)
    local configuration, peer = response.gist.by_type[4], response.gist.by_type[2].values
    local protocol = configuration and configuration.values.options[1]
    if not protocol or protocol.d == 1 then return end
    local association = Association.new({ net = net }, { receive = function(item) on_message(item) end })
    association.connection = net.connect_out(peer.interface,
      string.unpack(">I2", protocol.data), function()
        association.open = true
        confirm(session, association, response, true)
      end, function(bytes, at) association:_fed(bytes, at) end)
    associations[#associations + 1] = association
  end

  local function on_response(session, item)
    local cookie = item.gist.by_type[5]
    if session.association or not cookie or cookie.raw ~= session.cookie then return end
    if item.mode == "C" then return confirm(session, item.association, item, false) end
    connect(session, item)
  end

  local function reject(item, fault)
    if item.gist.name == "Error" then return end
    local bytes = fake_error.about(item, fault, node)
    if item.mode == "C" then return item.association:send(bytes) end
    local destination = fake_error.address_for(item)
    if not destination then return end
    net.deliver("outside", packet.build({ source = fake.address, destination = destination,
      source_port = 270, destination_port = 270, payload = gist.magic .. bytes }))
  end

  function on_message(item)
    if item.gist.faults[1] then return reject(item, item.gist.faults[1]) end
    if item.mode == "D" and item.gist.name == "MA-Hello" then
      return reject(item, { class = 3, code = 0 })
    end
    local session = item.sid and sessions[item.sid]
    if not session then return end
    if item.gist.name == "Response" then return on_response(session, item) end
    if item.gist.name == "Data" and item.natfw then on_nslp(session, item) end
  end

  function box.packet(_, bytes)
    local parts = packet.parse(bytes)
    if not parts or parts.payload:sub(1, 4) ~= gist.magic then return end
    local item = messages.read(parts.payload:sub(5))
    item.packet, item.mode = parts, item.gist.header.c == 1 and "Q" or "D"
    on_message(item)
  end

  net.box = box
  return box
end

return fake
