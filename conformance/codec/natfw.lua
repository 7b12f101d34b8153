-- The messages of the NATFW NSLP as data: RFC 5973, section 4, one row per field.
--
-- A row is { name, bits } or { name, kind, ... }; codec/engine.lua says what the kinds mean. This
-- file is data only: Lua 5.2 and 5.4 both load it.

local numbers = require("codec.numbers")
local session_auth = require("codec.session_auth")

-- Figure 20.
local header = {
  { "type", 8 },
  { "p", 1 },
  { "e", 1 },
  { "reserved_flags", 6, reserved = true },
  { "reserved", 16, reserved = true },
}

local objects = {
  -- Figure 22.
  [0x00C] = { name = "NATFW_LT", fields = { { "lifetime_s", 32 } } },
  -- Figure 23.
  [0x00D] = { name = "NATFW_EXTERNAL_IP",
    fields = {
      { "port", 16 },
      { "ip_ver", 4, default = 4 },
      { "reserved", 12, reserved = true },
      { "address", "address", version = 4 },
    },
    constraints = { { { 3, 8 }, "IP-Ver is not 4", { "ip_ver", "~=", 4 } } } },
  -- Figure 24.
  [0x00E] = { name = "NATFW_EXTERNAL_BINDING",
    fields = {
      { "port", 16 },
      { "ip_ver", 4, default = 4 },
      { "reserved", 12, reserved = true },
      { "addresses", "list", of = { { "address", "address", version = 4 } } },
    },
    constraints = { { { 3, 8 }, "IP-Ver is not 4", { "ip_ver", "~=", 4 } } } },
  -- Figure 25.
  [0x00F] = { name = "NATFW_EFI",
    fields = { { "rule_action", 16 }, { "sub_ports", 16 } },
    constraints = {
      { { 7, 5 }, "rule action is neither allow nor deny", { "rule_action", "~=", 1 },
        { "rule_action", "~=", 2 } },
      { { 7, 8 }, "sub_ports is neither 0 nor 1", { "sub_ports", ">", 1 } },
    } },
  -- Figure 26.
  [0x010] = { name = "NATFW_INFO",
    fields = {
      { "reserved", 4, reserved = true },
      { "class", 4 },
      { "code", 8 },
      { "reserved_r", 4, reserved = true },
      { "object_type", 12 },
    } },
  -- Figure 27.
  [0x011] = { name = "NATFW_NONCE", fields = { { "nonce", 32 } } },
  -- Figure 28.
  [0x012] = { name = "NATFW_MSN", fields = { { "msn", 32 } } },
  -- Figure 29.
  [0x013] = { name = "NATFW_DTINFO",
    fields = {
      { "i", 1 }, { "p", 1 }, { "s", 1 },
      { "reserved", 13, reserved = true },
      { "sender_prefix", 8 },
      { "protocol", 8 },
      { "dr_port", 16, when = { { "p", "==", 1 } } },
      { "ds_port", 16, when = { { "p", "==", 1 } } },
      { "spi", 32, when = { { "s", "==", 1 } } },
      { "address", "address", version = 4 },
    },
    constraints = {
      { { 3, 9 }, "P and S are both set", { "p", "==", 1 }, { "s", "==", 1 } },
      { { 3, 9 }, "P is set without I", { "p", "==", 1 }, { "i", "==", 0 } },
      { { 3, 9 }, "S is set without I", { "s", "==", 1 }, { "i", "==", 0 } },
      { { 3, 8 }, "sender prefix above 32", { "sender_prefix", ">", 32 } },
      { { 3, 9 }, "no address, but a sender prefix", { "address", "==", "0.0.0.0" },
        { "sender_prefix", ">", 0 } },
    } },
  -- Figure 30.
  [0x014] = { name = "NATFW_ICMP_TYPES",
    fields = {
      { "count", 8, count_of = "types" },
      { "types", "list", count = "count", of = 8, pad = true },
    },
    constraints = { { { 3, 8 }, "no types", { "count", "==", 0 } } } },
}

-- 4.3: "M" is mandatory, "O" optional, "P" mandatory where the header's P flag is set.
local messages = {
  [1] = { name = "CREATE",
    objects = { { 0x00C, "M" }, { 0x00F, "M" }, { 0x012, "M" }, { 0x011, "P" }, { 0x014, "O" } } },
  [2] = { name = "EXTERNAL",
    objects = { { 0x00C, "M" }, { 0x012, "M" }, { 0x00F, "M" }, { 0x013, "M" }, { 0x011, "P" },
      { 0x014, "O" }, { 0x00E, "O" } } },
  [3] = { name = "RESPONSE",
    objects = { { 0x00C, "M" }, { 0x012, "M" }, { 0x010, "M" }, { 0x00D, "O" }, { 0x00E, "O" } },
    other_class = { unless = 2, -- 4.3.3: any class but success
      objects = { { 0x012, "M" }, { 0x010, "M" }, { 0x00C, "O" } } } },
  [4] = { name = "NOTIFY", objects = { { 0x010, "M" } } },
}

return {
  layer = "natfw",
  header = header,
  header_bytes = 4,
  objects = objects,
  messages = messages,
  foreign = { [0x016] = session_auth }, -- RFC 5981
  any_order = true, -- 4.3
  -- 4.2.5: { class, response code } for what the engine finds in any layer.
  faults = {
    unknown_message = { 3, 1 }, message_length = { 3, 2 },
    missing = { 3, 4 }, illegal = { 3, 5 }, unknown = { 3, 6 }, length = { 3, 7 },
    overrun = { 3, 7 }, value = { 3, 8 }, extensibility = { 3, 9 }, duplicate = { 3, 10 },
  },
  -- 3.7.2: an EXTERNAL without NATFW_DTINFO has a code of its own, at NATs.
  missing_also = { [0x013] = { 7, 7 } },
  class_names = {
    [1] = "Informational", [2] = "Success", [3] = "Protocol error", [4] = "Transient failure",
    [5] = "Permanent failure", [7] = "Signaling session failure",
  },
  -- 4.2.4
  rule_action = { allow = 1, deny = 2 },
  -- The numbers by their names.
  object_number = numbers.of(objects, "object of NATFW"),
  message_number = numbers.of(messages, "message of NATFW"),
}
