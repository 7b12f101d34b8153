-- Reads capture files, all of one recording, as a stream of GIST messages.

local frames = require("judge.frames")
local stream = require("judge.stream")
local tables = require("codec.tables")
local tls = require("judge.tls")

local recording = {}

local function played(packets, options)
  options.ignore = function(bytes, both) packets:ignore(bytes, both) end
  local read = stream.new(options)
  for entry in function() return packets:next() end do
    if entry.record then
      read:clear_text(entry.record, entry.frame)
    else
      read:packet(entry.bytes, entry.frame, entry.at)
    end
  end
  if packets.problem then return nil, packets.problem end
  read:finish()
  read.warnings, read.counts.late = packets.warnings, packets.late
  read.counts.frames = packets.read
  read.counts.no_gist = read.counts.no_gist + packets.kept_back
  return read
end

-- The ports of connections under TLS, which a first reading finds.
local function tls_ports(files, options, reader)
  local packets, why = frames.open(files, reader)
  if not packets then return nil, why end
  local first
  first, why = played(packets, { addresses = options.addresses, message = function() end })
  return first and tables.keys(first:tls_ports()), why
end

local function records_of(files, keylog, ports)
  local list = {}
  for place, path in ipairs(files) do
    local name = #files > 1 and path:match("[^/]*$") .. ":" or ""
    local next_record = tls.records(path, keylog, ports)
    list[place] = function()
      local record = next_record()
      return record and { record = record, at = record.at, frame = name .. record.frame }
    end
  end
  return list
end

-- Reads them: `options` as of stream.new(), `reader` as of frames.open(). Frames are named by the file
-- where there are several. With `keylog`, a file of TLS secrets, also what is under TLS. The stream,
-- with `warnings` of the files, or nil and why.
function recording.read(files, options, reader, keylog)
  local records
  if keylog then
    local ports, why = tls_ports(files, options, reader)
    if not ports then return nil, why end
    records = #ports > 0 and records_of(files, keylog, ports) or nil
    options.keeps_tls = records ~= nil
  end
  local packets, why = frames.open(files, reader, records)
  if not packets then return nil, why end
  local ok, read, problem = pcall(played, packets, options)
  if ok then return read, problem end
  if type(read) == "table" and read.tls then return nil, read.tls end
  error(read, 0)
end

-- The same with all messages in a list, `messages`, for who needs them all.
function recording.messages(files, addresses, reader)
  local list = {}
  local read, why = recording.read(files, { addresses = addresses,
    message = function(message) list[#list + 1] = message end }, reader)
  if not read then return nil, why end
  read.messages = list
  return read
end

return recording
