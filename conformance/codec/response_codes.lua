-- What the classes and codes of NATFW_INFO are called, in few words. RFC 5973, section 4.2.5.

local gist = require("codec.gist")
local natfw = require("codec.natfw")

local response_codes = {}

local names = {
  [1] = { [1] = "route change", [2] = "re-authentication required", [3] = "node is going down",
    [4] = "session lifetime expired", [5] = "session terminated" },
  [2] = { [1] = "all processed" },
  [3] = { [1] = "illegal message type", [2] = "wrong message length", [3] = "bad flags value",
    [4] = "mandatory object missing", [5] = "illegal object present",
    [6] = "unknown object present", [7] = "wrong object length", [8] = "unknown field value",
    [9] = "invalid flag-field combination", [10] = "duplicate object",
    [11] = "EXTERNAL received on the external side" },
  [4] = { [1] = "resources temporarily not available" },
  [5] = { [1] = "authentication failed", [2] = "authorization failed",
    [4] = "internal or system error", [6] = "no edge-device here", [7] = "did not reach the NR" },
  [7] = { [1] = "session terminated asynchronously", [2] = "requested lifetime too big",
    [3] = "no reservation matches", [4] = "policy conflict", [5] = "unknown rule action",
    [6] = "rule action not applicable", [7] = "NATFW_DTINFO required",
    [8] = "sub_ports value not permitted", [9] = "IP protocol not supported",
    [10] = "plain IP rules not permitted", [11] = "ICMP type not permitted",
    [12] = "source address range too large", [13] = "destination address range too large",
    [14] = "source port range too large", [15] = "destination port range too large",
    [16] = "requested lifetime too small", [17] = "modified lifetime too big",
    [18] = "modified lifetime too small" },
}

-- "Protocol error: wrong object length", or nil where RFC 5973 names no such code.
function response_codes.natfw(class, code)
  local name = names[class] and names[class][code]
  return name and natfw.class_names[class] .. ": " .. name or natfw.class_names[class]
end

-- The same for an Error of GIST. RFC 5971, A.4.4.
function response_codes.gist(code) return gist.error_names[code] end

-- Adds the name to every class/code pair that a text has in it.
function response_codes.explain(text)
  return (text:gsub("(%d)/0x(%x%x)", function(class, code)
    local name = response_codes.natfw(tonumber(class), tonumber(code, 16))
    return string.format("%s/0x%s%s", class, code, name and " (" .. name .. ")" or "")
  end))
end

return response_codes
