-- How the Lua files are checked by harness/layout.
std = "lua54"
max_line_length = 105
self = false
exclude_files = { "build*" }
files["conformance/wireshark"] = {
  std = "lua52",
  read_globals = { "Proto", "ProtoField", "ProtoExpert", "DissectorTable", "base", "expert",
    "dissect_tcp_pdus" },
}
files["conformance/codec"] = { std = "lua52+lua54" }
-- One order in every process: conformance/codec/tables.lua has the loops.
for _, folder in ipairs({ "cases", "codec", "judge", "report", "runner", "wireshark" }) do
  local path = "conformance/" .. folder
  files[path] = files[path] or {}
  files[path].not_globals = { "pairs", "next" }
end
files["conformance/codec/tables.lua"] = { globals = { "pairs", "next" } }
