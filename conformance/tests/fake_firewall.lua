-- A scripted firewall NF for the tests of the runner: right unless told to break one thing. It is
-- no implementation of the protocol, only as much of one as the cases look at.

local Association = require("runner.association")
local fake_error = require("tests.fake_error")
local fake_nslp = require("tests.fake_nslp")
local gist = require("codec.gist")
local messages = require("runner.messages")
local natfw = require("codec.natfw")
local packet = require("codec.packet")

local fake = {}

local CREATE, DTINFO = 1, 0x013
local INSIDE, OUTSIDE, PORT = "192.0.2.1", "192.0.2.254", 30000

-- options: breaks (a set of names), max_s, min_s, too_large ("lower", "reject"), no_peer_ms, nat (its
-- outside is an external side, where no EXTERNAL may come), forgets_ms (routing state).
function fake.new(net, options)
  options = options or {}
  local breaks = options.breaks or {}

  local function error_about(item, fault, node)
    local told = { class = fault.class, code = fault.code, object = fault.object }
    if breaks["wrong-error"] then told.class, told.code = told.class % 9 + 1, 0 end
    if breaks["wrong-subcode"] then told.code = told.code + 1 end
    return fake_error.about(item, told, node)
  end

  local sessions, by_peer = {}, {}
  local box = {}
  local inside = { identity = "firewall-inside-", address = INSIDE, validity_ms = 30000,
    hold_time_ms = 30000 }
  local outside = { identity = "firewall-outside", address = OUTSIDE, validity_ms = 30000,
    hold_time_ms = 30000 }

  function box.owns(address) return address == INSIDE or address == OUTSIDE end

  local function flow_of(item)
    local mri = item.gist.by_type[0].values
    return { loose_end = mri.mrm == 1, source = mri.source,
      destination = mri.destination, source_port = mri.source_port,
      destination_port = mri.dest_port, protocol = mri.protocol == 6 and "tcp" or "udp" }
  end

  -- Whether a rule that it is to keep has been dropped already.
  local function dropped(session, side)
    local early = breaks["ends-early"] or breaks["reverse-ends-early"] and side == "outside"
    return early and session.installed_at and net.now() > session.installed_at + 1000
  end

  function box.allows(flow)
    for _, session in pairs(sessions) do
      local live = session.installed and not dropped(session, flow.side)
        and (breaks["no-expiry"] or not session.expires_at or net.now() < session.expires_at)
      if live and fake_nslp.matches(session.rule, flow, flow.side == "outside") then return true end
    end
    for _, rule in ipairs(box.leaked or {}) do
      if fake_nslp.matches(rule, flow, flow.side == "outside") then return true end
    end
    return false
  end

  -- Towards the neighbours --------------------------------------------------------------------

  local function send_raw(association, session, direction, bytes)
    association:send(messages.encode_gist(messages.data(session, direction, bytes)))
  end

  local function send_nslp(association, session, direction, message)
    if breaks["reserved"] then message.header.reserved = 1 end
    if breaks["sets-p"] and message.header.type ~= CREATE then message.header.p = 1 end
    local data = messages.data(session, direction, messages.encode_natfw(message))
    if breaks["association-data-nli"] then table.insert(data.objects, 3, messages.nli(outside,
      64)) end
    association:send(messages.encode_gist(data))
  end

  local function answer(session, msn, class, code, options_of)
    options_of = options_of or {}
    if breaks["wrong-code"] then code = code % 16 + 1 end
    send_nslp(session.ni, session, 1, messages.nslp_response({ msn = breaks["response-msn"] and 0
      or msn,
      class = class, code = code, lifetime_s = options_of.lifetime_s,
      object_type = options_of.object_type }))
  end

  local function forget(session)
    session.installed, session.dead = false, true
    sessions[session.sid] = nil
  end

  local function arm(session, seconds)
    session.expires_at = net.now() + seconds * 1000
    local moment = session.expires_at
    net.after(seconds * 1000, function()
      if session.expires_at == moment and not breaks["session-stays"] then
        if breaks["no-expiry"] then
          box.leaked = box.leaked or {}
          table.insert(box.leaked, session.rule)
        end
        forget(session)
      end
    end)
  end

  local function send_query(session, attempt)
    local answered = session.nr and not (breaks["asks-again"] and attempt == 2)
    if answered or session.dead then return end
    if attempt > 3 then
      net.after(options.no_peer_ms or 2000, function()
        if not session.nr and not session.dead then
          if not breaks["no-peer-error"] then answer(session, session.msn, 5, 7) end
          forget(session)
        end
      end)
      return
    end
    session.query_cookie = net.random(8)
    local query = messages.query(outside, session, session.query_cookie, 1)
    if breaks["mri-of-ipv6"] then
      local mri = query.objects[1].values
      mri.ip_ver, mri.source, mri.destination = 6, "2001:db8::1", "2001:db8::2"
    elseif breaks["other-side"] then
      query.objects[3].values.interface = INSIDE
    end
    if breaks["no-alert"] then session.no_alert = true end
    net.deliver("outside", packet.build({ source = OUTSIDE, destination = session.flow.destination,
      source_port = 270, destination_port = 270, payload = gist.magic
        .. messages.encode_gist(query),
      options = not breaks["no-alert"] and packet.router_alert(65) or nil }))
    net.after(500 * 2 ^ (attempt - 1), function() send_query(session, attempt + 1) end)
  end

  local function forward(session, message)
    session.pending = session.pending or {}
    if not session.nr then
      table.insert(session.pending, message)
      if not session.querying then
        session.querying = true
        send_query(session, 1)
      end
      return
    end
    local other = session.other and session.other.open and session.other
    send_nslp(other or session.nr, session, 0, message)
  end

  -- From the responder ------------------------------------------------------------------------

  local function notify(association, session, direction, code)
    send_nslp(association, session, direction, messages.notify(string.format("1/0x%02X", code)))
  end

  local function last_other(session)
    for _, other in pairs(sessions) do
      if other ~= session and other.ni == session.ni then return other end
    end
    return nil
  end

  local function on_response(session, item)
    if breaks["strict"] and not fake_nslp.is_plain(item) then return end
    if breaks["accepts-faults"] then
      session.installed = true
      return send_raw(session.ni, session, 1, item.natfw.bytes)
    end
    if item.gist.header.type ~= 3 or item.msn ~= session.msn and not breaks["any-msn"]
      or #item.natfw.faults > 0 then
      return
    end
    local info = item.natfw.by_type[0x010].values
    if info.reserved ~= 0 and breaks["info-reserved"] then return end
    if item.natfw.header.p == 1 and breaks["p-flag"] then return end
    local message = { header = { type = 3 }, objects = fake_nslp.cleaned(item.natfw.objects) }
    if item.class == 2 then
      if options.min_s and item.lifetime_s < options.min_s then
        answer(session, item.msn, 7, 0x12, { lifetime_s = options.min_s, object_type = 0x00C })
        notify(session.nr, session, 0, 5)
        return forget(session)
      end
      if item.lifetime_s > session.forwarded_s and not breaks["accepts-larger"] then
        answer(session, item.msn, 7, 0x11, { lifetime_s = session.forwarded_s,
          object_type = 0x00C })
        if not breaks["no-notify"] then notify(session.nr, session, 0, 5) end
        return forget(session)
      end
      session.installed, session.established, session.installed_at = true, true, net.now()
      session.rule, session.update = session.update or session.rule, nil
      arm(session, item.lifetime_s)
    elseif session.established then
      if options.literal then forget(session) else arm(session,
        (session.old_expiry - net.now()) / 1000) end
    elseif breaks["error-installs"] then
      session.installed = true
    else
      forget(session)
    end
    send_nslp(session.ni, breaks["swaps-sessions"] and last_other(session) or session, 1, message)
  end

  local function on_outside(association, item)
    local session = sessions[item.sid]
    if not session or item.gist.name ~= "Data" then return end
    if item.gist.faults[1] then
      return association:send(error_about(item, item.gist.faults[1], outside))
    end
    if item.name == "RESPONSE" then return on_response(session, item) end
    if breaks["strict"] and not fake_nslp.is_plain(item) then return end
    if item.name == "NOTIFY" and breaks["accepts-faults"] then
      return send_raw(session.ni, session, 1, item.natfw.bytes)
    elseif item.name == "NOTIFY" and #item.natfw.faults > 0 and breaks["answers-faults"] then
      send_nslp(association, session, 0, messages.nslp_response({ msn = 0, class = 3, code = 4 }))
    elseif item.name == "NOTIFY" and #item.natfw.faults == 0 then
      if item.code == 1 and session.moves and not breaks["tells-again"] then return end
      session.moves = item.code == 1
      send_nslp(session.ni, session, 1, { header = { type = 4 },
        objects = fake_nslp.cleaned(item.natfw.objects) })
      if item.code == 4 or item.code == 5 then forget(session) end
      if breaks["forgets-transitory"] then arm(session, 5) end
    end
  end

  local function open_outside(session, item)
    local nli, configuration = item.gist.by_type[2].values, item.gist.by_type[4]
    if item.gist.by_type[5].raw ~= session.query_cookie then return end
    local protocol = configuration and configuration.values.options[1]
    if item.mode ~= "C" and (not protocol or protocol.d == 1) then return end
    local function confirm(association, first)
      session.nr = association
      association:send(messages.encode_gist(messages.confirm(outside, session,
        item.gist.by_type[6].raw, item.gist.by_type[3] and item.gist.by_type[3].raw, first)))
      for _, message in ipairs(session.pending) do send_nslp(association, session, 0, message) end
      session.pending = {}
    end
    if item.mode == "C" then return confirm(item.association, false) end
    local association = Association.new({ net = net }, { receive = function(one)
      if one.gist.name == "Response" then
        local waiting = sessions[one.sid]
        if waiting and not waiting.nr then box.open_outside(waiting, one) end
        return
      end
      on_outside(one.association, one)
    end })
    local port = string.unpack(">I2", configuration.values.options[1].data)
    association.connection = net.connect_out(nli.interface, port, function()
      association.open = true
      confirm(association, true)
    end, function(bytes, at) association:_fed(bytes, at) end)
    if not breaks["spreads"] then return end
    session.other = Association.new({ net = net }, { receive = function() end })
    session.other.connection = net.connect_out(nli.interface, port,
      function() session.other.open = true end, function() end)
  end
  box.open_outside = open_outside

  -- From the initiator ------------------------------------------------------------------------

  -- Nothing is reserved: this is no edge device.
  local function on_external(association, item, session)
    local from_outside = options.nat and association.side == "outside"
    if from_outside and not breaks["external-anywhere"] then
      return answer(session, item.msn, 3, 0x0B)
    end
    answer(session, item.msn, 5, 6)
  end

  local function on_create(association, item)
    if breaks["strict"] and not fake_nslp.is_plain(item) then return end
    local session = sessions[item.sid]
    local fresh = not session
    local seed = { sid = item.sid, flow = flow_of(item), rule = flow_of(item), ni = association }
    local target = session or seed
    if session and session.flow.source_port ~= seed.flow.source_port then
      session.flow, session.update = seed.flow, seed.rule
    end
    local fault = fake_nslp.first_fault(item.natfw)
    local lacks_dtinfo = fault and fault.code == 4 and fault.object == DTINFO
    if lacks_dtinfo and options.nat and not breaks["missing-is-missing"] then
      return answer(target, item.msn or 0, 7, 7, { object_type = DTINFO })
    elseif fault and not breaks["accepts-faults"] then
      return answer(target, item.msn or 0, fault.class, fault.code, { object_type = fault.object })
    end
    if item.name == "EXTERNAL" then return on_external(association, item, seed) end
    if item.name ~= "CREATE" or fault then return end
    local stale = session and not fake_nslp.newer(item.msn, session.msn)
    if stale and not breaks["stale"] then return end
    session = target
    sessions[item.sid] = session
    session.msn = item.msn
    local efi = item.natfw.by_type[0x00F].values
    if item.lifetime_s == 0 then
      if not breaks["forgets-to-delete"] then session.installed, session.dead = false, true end
      if not fresh and session.nr then
        forward(session, messages.create({ lifetime_s = 0, msn = item.msn }))
      end
      if not breaks["forgets-to-delete"] then sessions[item.sid] = nil end
      return
    end
    if efi.rule_action == 2 then return answer(session, item.msn, 7, 6, { object_type = 0x00F }) end
    local granted = item.lifetime_s
    if options.max_s and granted > options.max_s then
      if options.too_large == "reject" then
        if fresh then sessions[item.sid] = nil end
        return answer(session, item.msn, 7, 2, { object_type = 0x00C })
      end
      granted = breaks["not-lowered"] and granted or options.max_s
    end
    if options.min_s and granted < options.min_s then
      if fresh then sessions[item.sid] = nil end
      return answer(session, item.msn, 7, 0x10, { object_type = 0x00C })
    end
    session.forwarded_s = granted
    session.rule.sub_ports = efi.sub_ports
    local msn = breaks["forward-msn"] and item.msn ~ 1 or item.msn
    local create = messages.create({ lifetime_s = granted, msn = msn, sub_ports = efi.sub_ports })
    for _, object in ipairs(item.natfw.objects) do
      local known = natfw.objects[object.type]
      if object.ab == 2 and not known and not breaks["drops-ab10"] then
        table.insert(create.objects, { type = object.type, ab = 2, raw = object.raw })
      elseif object.ab == 1 and not known and breaks["keeps-ab01"] then
        table.insert(create.objects, { type = object.type, ab = 1, raw = object.raw })
      end
    end
    if breaks["installs-early"] then session.installed = true end
    if fresh then
      net.after(granted * 1000, function()
        if not session.established and sessions[item.sid] == session then forget(session) end
      end)
    elseif session.expires_at then
      session.old_expiry = session.expires_at
      arm(session, math.max(granted, (session.expires_at - net.now()) / 1000))
    end
    forward(session, create)
  end

  local function fail_over(association, item, fault)
    association:send(error_about(item, fault, inside))
  end

  -- The peer that an NLI names: the same identity at another address is another.
  local function peer_of(item)
    local nli = item.gist.by_type[2].values
    return nli.peer_identity .. nli.interface
  end

  -- Whether the Responder-Cookie is what this peer was given for this session and flow.
  local function proves(item)
    local given, cookie, proposal = by_peer[item.sid], item.gist.by_type[6], item.gist.by_type[3]
    return given and cookie and cookie.raw == given.cookie and peer_of(item) == given.peer
      and item.gist.by_type[0].raw == given.mri
      and (not proposal or proposal.raw == "\1\0\0\0\1\1\0\0")
  end

  local function on_confirm(association, item)
    if item.gist.by_type[3] and not item.gist.by_type[4] then
      return fail_over(association, item, { class = 9, code = 2, object = 4 })
    elseif breaks["any-cookie"] or proves(item) then
      association.sids = association.sids or {}
      association.sids[item.sid] = net.now()
      by_peer[peer_of(item)] = association
    elseif not association.sids then
      association:_close()
    end
  end

  local function is_foreign(item)
    return item.gist.name == "Data" and item.gist.header.nslpid ~= gist.nslpid
  end

  -- What GIST has against a message that came over an association; nil when nothing.
  local function fault_over(association, item)
    local name = item.gist.name
    if name == "Query" then return { class = 3, code = 0 } end
    if item.gist.faults[1] then return item.gist.faults[1] end
    if name ~= "Data" then return nil end
    if item.gist.header.c == 1 then return { class = 1, code = 5 } end
    if is_foreign(item) then return { class = 6, code = 0 } end
    local session = sessions[item.sid]
    local foreign = session and session.ni ~= association and item.gist.header.e == 0
    return foreign and not association.sids[item.sid] and { class = 4, code = 0 } or nil
  end

  local function on_inside(association, item)
    if item.gist.name == "Error" then
      local lost = item.gist.by_type[9] and item.gist.by_type[9].values.original_sid
      if lost and item.code == 5 then association.sids[lost] = nil end
      return
    end
    local wrong = fault_over(association, item)
    if wrong then return fail_over(association, item, wrong) end
    if item.gist.name == "Confirm" then
      on_confirm(association, item)
    elseif item.gist.name == "Data" and item.natfw then
      if item.sid == ("\0"):rep(16) then
        if item.lifetime_s ~= 0 then return end
        for _, session in pairs(sessions) do
          if session.ni == association then
            if breaks["propagates"] and session.nr then
              session.nr:send(messages.encode_gist(messages.data(
                { sid = item.sid, flow = session.flow }, 0, item.natfw.bytes)))
            end
            forget(session)
          end
        end
        return
      end
      local known_at = association.sids and association.sids[item.sid]
      if not known_at or net.now() > known_at + (options.forgets_ms or math.huge) then return end
      local session = sessions[item.sid]
      if item.name == "RESPONSE" then
        if breaks["any-side"] then on_response(session, item) end
        return
      end
      if item.name == "NOTIFY" then
        if session and session.nr and item.code ~= 2 and #item.natfw.faults == 0 then
          send_nslp(session.nr, session, 0, { header = { type = 4 }, objects = item.natfw.objects })
          if item.code == 4 or item.code == 5 then forget(session) end
        end
        return
      end
      on_create(association, item)
    end
  end

  function box.accept(side, connection)
    local association
    association = Association.new({ net = net }, {
      receive = function(item) on_inside(item.association, item) end,
      heard = function()
        local hello = association.hellos[#association.hellos]
        if #hello.gist.faults > 0 then fail_over(association, hello, { class = 10, code = 1 }) end
      end,
    })
    association:_attach(connection)
    association.side = side
    connection:receive(function(bytes, at) association:_fed(bytes, at) end,
      function(reason) association:_ended(reason) end)
  end

  local function answer_query(side, item, parts)
    local session = { sid = item.sid, flow = flow_of(item) }
    local node = side == "inside" and inside or outside
    local cookie = net.random(16)
    by_peer[item.sid] = { cookie = cookie, peer = peer_of(item), mri = item.gist.by_type[0].raw }
    local nli = item.gist.by_type[2].values
    local old = by_peer[peer_of(item)]
    local response = messages.response(node, session, item.gist.by_type[5].raw, cookie,
      not (old and old.open) and PORT or nil)
    response.objects[3].values.ip_ttl = breaks["no-distance"] and 0
      or math.max(nli.ip_ttl - parts.ttl, 0)
    if breaks["no-r-flag"] then response.header.r = 0 end
    if breaks["multicast-nli"] then response.objects[3].values.interface = "224.0.0.9" end
    local bytes = messages.encode_gist(response)
    if old and old.open then return old:send(bytes) end
    net.after(breaks["slow-response"] and 600 or 0, function()
      net.deliver(side, packet.build({ source = node.address, destination = nli.interface,
        source_port = 270, destination_port = parts.source_port, payload = gist.magic .. bytes }))
    end)
  end

  local function reject(side, item, parts, fault)
    local destination = fake_error.address_for(item)
    if not destination or item.gist.name == "Error" then return end
    local node = side == "inside" and inside or outside
    net.deliver(side, packet.build({ source = node.address, destination = destination,
      source_port = 270, destination_port = parts.source_port,
      payload = gist.magic .. error_about(item, fault, node) }))
  end

  function box.packet(side, bytes)
    local parts = packet.parse(bytes)
    if not parts or parts.payload:sub(1, 4) ~= gist.magic then return end
    local item = messages.read(parts.payload:sub(5))
    item.packet, item.mode = parts, item.gist.header.c == 1 and "Q" or "D"
    local wrong_mode = side == "inside" and item.gist.name == "Confirm"
      or item.gist.name == "MA-Hello"
    local fault = item.gist.faults[1] or wrong_mode and { class = 3, code = 0 }
      or is_foreign(item) and { class = 6, code = 0 }
    if fault then return reject(side, item, parts, fault) end
    if item.gist.name == "Query" then return answer_query(side, item, parts) end
    local session = sessions[item.sid]
    if side == "outside" and item.gist.name == "Response" and session and not session.nr then
      item.mode = "D"
      open_outside(session, item)
    end
  end

  net.box = box
  return box
end

return fake
