-- What comes out of a capture file, and what the filter keeps back as no GIST for certain.

local packet = require("codec.packet")
local support = require("tests.support")

local test, expect = support.test, support.expect

local RAW_IP, MAGIC = 101, "\78\4\189\165"
local A, B = "192.0.2.1", "192.0.2.2"
local SYN, ACK, FIN = 2, 16, 1

local function udp(source_port, destination_port, payload)
  return packet.build({ source = A, destination = B, source_port = source_port,
    destination_port = destination_port, payload = payload })
end

local function tcp(from, to, flags, payload, port)
  local ports = from == A and { port or 4000, 443 } or { 443, port or 4000 }
  return packet.ip({ source = from, destination = to }, 6, string.pack(">I2I2I4I4BBI2I2I2", ports[1],
    ports[2], 1, 1, 0x50, flags, 0, 0, 0) .. (payload or ""))
end

local function ip6(next_header, body)
  local ends = ("\32\1\13\184" .. ("\0"):rep(11) .. "\1") .. ("\32\1\13\184" .. ("\0"):rep(11) .. "\2")
  return string.pack(">I4I2BB", 0x60000000, #body, next_header, 64) .. ends .. body
end

-- A file of these packets; one may be { octets, the octets that were recorded of it }.
local function file_of(list)
  local out = { string.pack("<I4I2I2I4I4I4I4", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP) }
  for place, one in ipairs(list) do
    local octets = type(one) == "table" and one[1]:sub(1, one[2]) or one
    out[#out + 1] = string.pack("<I4I4I4I4", place, 0, #octets, #(one[1] or one)) .. octets
  end
  return support.temporary(table.concat(out))
end

return function(host)
  -- The numbers of the frames that come out; see(octets, frame, filter) is called for each.
  local function passed(list, see)
    local path, filter, frames = file_of(list), host.packet_filter(), {}
    local file = assert(host.open_capture(path))
    for octets, _, frame in function() return file:next(filter) end do
      frames[#frames + 1] = frame
      if see then see(octets, frame, filter) end
    end
    local read, given = file:counts()
    expect(read == #list and given == #frames, read .. " read, " .. given .. " given out")
    file:close()
    os.remove(path)
    return table.concat(frames, " ")
  end

  test("datagrams come out that begin with the magic number or go from GIST's port to it", function()
    local frames = passed({ udp(5004, 5004, "a datagram of data"), udp(5004, 5004, MAGIC .. "etc."),
      udp(270, 270, "a stranger"), udp(270, 271, "none"), udp(9, 9, "x"),
      packet.ip({ source = A, destination = B }, 1, "an echo of ICMP") })
    expect(frames == "2 3", frames)
  end)

  test("what is cut before it shows comes out, what is cut behind that does not", function()
    local data = udp(5004, 5004, "a datagram of data")
    local frames = passed({ { data, 28 }, { data, 31 }, { data, 32 }, { data, 21 }, { data, 10 } })
    expect(frames == "1 2 4 5", frames)
  end)

  test("fragments come out, for they have to be put together first", function()
    local first = packet.ip({ source = A, destination = B }, 17, ("data"):rep(10))
    local frames = passed({ first:sub(1, 6) .. "\32\0" .. first:sub(9),
      first:sub(1, 6) .. "\0\5" .. first:sub(9), ip6(44, "\17\0\0\1\0\0\0\9" .. ("data"):rep(4)) })
    expect(frames == "1 2 3", frames)
  end)

  test("IPv6 is looked through to its transport", function()
    local head = string.pack(">I2I2I2I2", 270, 5004, 16, 1)
    local hop_by_hop = "\17\0\5\2\0\0\1\0"
    local frames = passed({ ip6(17, head .. "datadata"), ip6(17, head .. MAGIC .. "data"),
      ip6(0, hop_by_hop .. head .. "datadata"), ip6(0, hop_by_hop .. head .. MAGIC .. "data"),
      ip6(58, "neighbours") })
    expect(frames == "2 4", frames)
  end)

  local function connection(ignored, both)
    return passed({ tcp(A, B, SYN), tcp(B, A, SYN | ACK), tcp(A, B, ACK, "GET"), -- 3
      tcp(A, B, ACK, "more"), tcp(B, A, ACK), tcp(B, A, ACK, "answer"), tcp(B, A, ACK | FIN), -- 7
      tcp(A, B, ACK), tcp(A, B, ACK, "another connection", 4001), -- 9
      tcp(A, B, SYN), tcp(A, B, ACK, "anew"), tcp(B, A, ACK) }, function(octets, frame, filter)
        if frame == ignored then filter:ignore(octets, both) end
      end)
  end

  test("a connection comes out until it is ignored, and again from its next SYN on", function()
    expect(connection(nil) == "1 2 3 4 5 6 7 8 9 10 11 12", connection(nil))
    expect(connection(3, true) == "1 2 3 9 10 11 12", connection(3, true))
  end)

  test("of a direction that is ignored, the other comes out, but for bare acknowledgements", function()
    expect(connection(3, false) == "1 2 3 6 7 9 10 11 12", connection(3, false))
  end)

  test("what many connections push out of the filter is only asked about again", function()
    local list = {}
    for port = 1, 60000 do list[port] = tcp(A, B, ACK, "data", port) end
    for port = 1, 60000 do list[60000 + port] = tcp(A, B, ACK, "data", port) end
    local again = 0
    passed(list, function(octets, frame, filter)
      if frame > 60000 then again = again + 1 end
      filter:ignore(octets, true)
    end)
    expect(again < 6000, again .. " are asked about again")
  end)

  test("a file that is torn, or none, is told from one that ends", function()
    local path = file_of({ udp(1, 2, MAGIC) })
    local content = assert(io.open(path, "rb")):read("a")
    assert(io.open(path, "wb")):write(content:sub(1, -2)):close()
    local file = assert(host.open_capture(path))
    local octets, why, breaks_off = file:next()
    expect(octets == nil and why:find("truncated", 1, true) and breaks_off == true, tostring(why))
    file:close()
    expect(not pcall(file.next, file), "a closed file is read")
    os.remove(path)
    file, why = host.open_capture(path)
    expect(file == nil and why:find(path, 1, true) == 1, tostring(why))
  end)
end
