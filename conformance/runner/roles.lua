-- Whom a case is for: the lists of roles that cases share. RFC 5973, 3.1; the ICS names the same.

local wording = require("codec.wording")

local roles = {
  firewall = { "NF-FW", "edge-FW" },
  nat = { "NF-NAT", "NF-NATFW", "edge-NAT" },
  initiator = { "NI" },
  responder = { "NR" },
  -- Who answers a Query, and who sends one.
  answers_queries = { "NF-FW", "edge-FW", "NR" },
  sends_queries = { "NF-FW", "edge-FW", "NI" },
  all = { "NF-FW", "edge-FW", "NR", "NI" },
}

-- A name that is none would give a case no roles, and leave out the word that is wrong.
return setmetatable({}, { __index = function(_, name)
  if roles[name] then return roles[name] end
  error(string.format("there are no roles.%s%s", tostring(name), wording.hint(name, roles)), 2)
end })
