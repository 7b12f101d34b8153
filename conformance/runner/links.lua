-- The links between the runner and a box in virtual time: how late, and whether at all, a packet
-- arrives. All of it follows from one seed.

local links = {}

-- A generator of numbers below 1; the state is the caller's own.
function links.generator(seed)
  local state = seed
  return function()
    state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    local high = (state >> 11) & 0x1FFFFFFFFFFFFF
    return high / 0x20000000000000
  end
end

local LATENCY_MS, STREAM_REPAIR_MS = 0.2, 250
local REPAIRS_MAX = 400 -- then a link that carries nothing passes a stream on all the same

-- impairment: loss, duplication, reordering, corruption (each a share of the packets), delay_ms; all
-- may be missing.
function links.new(impairment, seed)
  local draw = links.generator(seed)
  local self = {}
  local function chance(name)
    local share = impairment[name]
    return share and share > 0 and draw() < share or false
  end

  local function delay()
    local more = impairment.delay_ms or 0
    return LATENCY_MS + more + (chance("reordering") and more + 1 or 0)
  end

  -- What becomes of a packet: a list of { after ms, octets }, empty where it is lost.
  function self.carry(octets)
    if chance("loss") then return {} end
    local copies = { { delay(), octets } }
    if chance("duplication") then copies[2] = { delay() + LATENCY_MS, octets } end
    if chance("corruption") and #octets > 0 then
      local place = 1 + math.floor(draw() * #octets)
      copies[1][2] = octets:sub(1, place - 1) .. string.char(octets:byte(place) ~ 0x10)
        .. octets:sub(place + 1)
    end
    return copies
  end

  -- How late octets of a stream are: what is lost of them comes again.
  function self.stream_delay()
    local late = LATENCY_MS + (impairment.delay_ms or 0)
    for _ = 1, REPAIRS_MAX do
      if not chance("loss") then break end
      late = late + STREAM_REPAIR_MS
    end
    return late
  end

  return self
end

return links
