-- Whom a case is for: the lists of roles that cases share. RFC 5973, 3.1; the ICS names the same.

return {
  firewall = { "NF-FW", "edge-FW" },
  nat = { "NF-NAT", "NF-NATFW", "edge-NAT" },
  initiator = { "NI" },
  responder = { "NR" },
  -- Who answers a Query, and who sends one.
  answers_queries = { "NF-FW", "edge-FW", "NR" },
  sends_queries = { "NF-FW", "edge-FW", "NI" },
  all = { "NF-FW", "edge-FW", "NR", "NI" },
}
