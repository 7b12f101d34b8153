-- Shows the GIST messages of captures, all fields and faults, and at the end how much of a capture
-- was none, or could not be read.

local recording = require("judge.recording")
local show = require("codec.show")
local wording = require("codec.wording")

local decode = {}

local function endpoint(address, port)
  return (address:find(":", 1, true) and "[" .. address .. "]" or address) .. ":" .. port
end

local function head(message)
  local parts = message.packet
  local alert = parts and parts.router_alert
  return string.format("%s  %.6f  %s -> %s  %s%s", message.frame, message.at,
    endpoint(message.source, message.source_port),
    endpoint(message.destination, message.destination_port),
    parts and "TTL " .. parts.ttl or "TCP", alert and "  router alert " .. alert or "")
end

-- What of a capture is not among the messages, in words.
local function left_out(counts)
  local out = {}
  for _, one in ipairs({ { counts.no_gist, "packet", "that is no GIST", "that are no GIST" },
    { counts.copies, "datagram", "that is a copy", "that are copies" },
    { counts.cut, "packet", "cut short" },
    { counts.unfinished, "datagram", "that lacks fragments", "that lack fragments" },
    { counts.not_whole, "stream", "that is not whole", "that are not whole" },
    { counts.tls, "stream", "under TLS" } }) do
    local count, what, single, several = table.unpack(one)
    if count > 0 then
      out[#out + 1] = wording.counted(count, what) .. " " .. (count > 1 and several or single)
    end
  end
  return #out > 0 and table.concat(out, ", ") or "nothing"
end

-- Every node is one whose messages count.
local EVERYBODY = setmetatable({}, { __index = function() return true end })

-- Prints one capture file; `reader` as of frames.open(). Its warnings, or nil and why.
function decode.capture(path, reader)
  local read, why = recording.read({ path }, { addresses = EVERYBODY, message = function(message)
    print(head(message))
    print(table.concat(show.lines(message.item.gist, "    "), "\n"))
  end }, reader)
  if not read then return nil, why end
  print(string.format("%s; left out: %s", wording.counted(read.counts.messages, "message"),
    left_out(read.counts)))
  return read.warnings
end

return decode
