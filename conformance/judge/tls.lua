-- What TLS connections of a capture carry, by tshark and a file of TLS secrets in the format that
-- SSLKEYLOGFILE has made common. No cryptography is done here.

local show = require("codec.show")

local tls = {}

local FIELDS = { "frame.number", "frame.time_epoch", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst",
  "ipv6.dst", "tcp.dstport", "data.data" }

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- Why secrets can't be used, or nil.
function tls.obstacle(keylog)
  local file, why = io.open(keylog, "rb")
  if not file then return why end
  file:close()
  if not os.execute("command -v tshark >/dev/null 2>&1") then
    return "--tls-keylog wants the program tshark (package tshark), which is not there"
  end
end

local function command_of(path, keylog, ports)
  local words = { "tshark", "-n", "-r", quoted(path), "-o", quoted("tls.keylog_file:" .. keylog),
    "-Y", "'tls && data'", "-T", "fields" }
  for _, port in ipairs(ports) do
    words[#words + 1] = string.format("-d tls.port==%d,data", port)
  end
  for _, field in ipairs(FIELDS) do words[#words + 1] = "-e " .. field end
  return table.concat(words, " ") .. " 2>/dev/null"
end

local function record_of(line)
  local values = {}
  for value in (line .. "\t"):gmatch("([^\t]*)\t") do values[#values + 1] = value end
  local octets = values[9] and show.unhex((values[9]:gsub("[:,]", "")))
  if not octets then return nil end
  return { frame = values[1], at = tonumber(values[2]), octets = octets,
    source = values[3] ~= "" and values[3] or values[4], source_port = tonumber(values[5]),
    destination = values[6] ~= "" and values[6] or values[7], destination_port = tonumber(values[8]) }
end

-- A function that gives, one by one, the decrypted octets of a capture's connections to these ports, in
-- order: { frame, at, source, source_port, destination, destination_port, octets }; nil at the end.
-- Raises { tls = why } where tshark fails.
function tls.records(path, keylog, ports)
  local pipe = assert(io.popen(command_of(path, keylog, ports)))
  return function()
    while pipe do
      local line = pipe:read("l")
      if not line then break end
      local record = record_of(line)
      if record then return record end
    end
    local ok, _, status = true, nil, nil
    if pipe then ok, _, status = pipe:close() end
    pipe = nil
    if not ok then error({ tls = path .. ": tshark ends with status " .. status }) end
  end
end

return tls
