-- The messages of GIST as data: RFC 5971, section 5.1 and Appendix A, one row per field.
--
-- A row is { name, bits } or { name, kind, ... }; codec/engine.lua says what the kinds mean. This
-- file is data only: Lua 5.2 and 5.4 both load it.

local numbers = require("codec.numbers")

-- A.1: the common header.
local header = {
  { "version", 8, default = 1 },
  { "hops", 8, default = 1 },
  { "length", 16 },
  { "nslpid", 16, default = 33 },
  { "c", 1 },
  { "type", 7 },
  { "s", 1, default = 1 },
  { "r", 1 },
  { "e", 1 },
  { "reserved", 5, reserved = true },
}

-- A.3.1.1: path-coupled.
local path_coupled = {
  { "ip_ver", 4 },
  { "p", 1 }, { "t", 1 }, { "f", 1 }, { "s", 1 }, { "a", 1 }, { "b", 1 }, { "d", 1 },
  { "reserved_flags", 5, reserved = true },
  { "source", "address", version = "ip_ver" },
  { "destination", "address", version = "ip_ver" },
  { "source_prefix", 8 },
  { "dest_prefix", 8 },
  { "protocol", 8 },
  { "ds_field", 6 },
  { "reserved_ds", 2, reserved = true },
  { "reserved_flow", 12, reserved = true, when = { { "f", "==", 1 } } },
  { "flow_label", 20, when = { { "f", "==", 1 } } },
  { "spi", 32, when = { { "s", "==", 1 } } },
  { "source_port", 16, either = { { "a", "==", 1 }, { "b", "==", 1 } } },
  { "dest_port", 16, either = { { "a", "==", 1 }, { "b", "==", 1 } } },
}

-- A.3.1.2: loose-end.
local loose_end = {
  { "ip_ver", 4 },
  { "d", 1 },
  { "reserved_flags", 11, reserved = true },
  { "source", "address", version = "ip_ver" },
  { "destination", "address", version = "ip_ver" },
}

local mri = {
  { "mrm", 8 },
  { "n", 1 },
  { "reserved", 7, reserved = true },
  { "routing", "variant", by = "mrm", of = { [0] = path_coupled, [1] = loose_end } },
}

-- A.4.2: Additional Information by its AI-Type.
local additional_information = {
  [1] = { { "calculated_length", 16 }, { "reserved", 16, reserved = true } },
  [2] = { { "link_mtu", 16 }, { "reserved", 16, reserved = true } },
  [3] = { { "object_type", 16 }, { "reserved", 16, reserved = true } },
  [4] = { { "rsv", 4, reserved = true }, { "real_length", 12 }, { "offset", 16 },
    { "object", "bytes" } },
}

local objects = {
  [0] = {
    name = "MRI",
    fields = mri,
    constraints = {
      { { 10, 2 }, "N is set", { "n", "==", 1 } },
      { { 10, 2 }, "F is set, but IP-Ver is not 6", { "mrm", "==", 0 }, { "f", "==", 1 },
        { "ip_ver", "~=", 6 } },
      { { 10, 2 }, "S is set without P", { "mrm", "==", 0 }, { "s", "==", 1 }, { "p", "==", 0 } },
      { { 10, 2 }, "A is set without P", { "mrm", "==", 0 }, { "a", "==", 1 }, { "p", "==", 0 } },
      { { 10, 2 }, "B is set without P", { "mrm", "==", 0 }, { "b", "==", 1 }, { "p", "==", 0 } },
      { { 10, 1 }, "source prefix above 32", { "mrm", "==", 0 }, { "ip_ver", "==", 4 },
        { "source_prefix", ">", 32 } },
      { { 10, 1 }, "destination prefix above 32", { "mrm", "==", 0 }, { "ip_ver", "==", 4 },
        { "dest_prefix", ">", 32 } },
      { { 10, 1 }, "source prefix above 128", { "mrm", "==", 0 }, { "ip_ver", "==", 6 },
        { "source_prefix", ">", 128 } },
      { { 10, 1 }, "destination prefix above 128", { "mrm", "==", 0 }, { "ip_ver", "==", 6 },
        { "dest_prefix", ">", 128 } },
    },
  },
  [1] = { name = "SID", fields = { { "sid", "bytes", size = 16 } } },
  [2] = {
    name = "NLI",
    fields = {
      { "pi_length", 8, length_of = "peer_identity" },
      { "ip_ttl", 8 },
      { "ip_ver", 4, default = 4 },
      { "reserved", 12, reserved = true },
      { "validity_ms", 32 },
      { "peer_identity", "bytes", length = "pi_length", pad = true },
      { "interface", "address", version = "ip_ver" },
    },
    constraints = {
      { { 10, 1 }, "IP-Ver is neither 4 nor 6", { "ip_ver", "~=", 4 }, { "ip_ver", "~=", 6 } },
      { { 10, 1 }, "routing state validity time is zero", { "validity_ms", "==", 0 } },
    },
  },
  [3] = {
    name = "Stack-Proposal",
    fields = {
      { "profile_count", 8, count_of = "profiles" },
      { "reserved", 24, reserved = true },
      { "profiles", "list", count = "profile_count", of = {
        { "layer_count", 8, count_of = "layers" },
        { "layers", "list", count = "layer_count", of = 8, pad = true },
      } },
    },
    constraints = {
      { { 10, 1 }, "no profiles", { "profile_count", "==", 0 } },
    },
    empty_list = { list = "profiles", count = "layer_count", fault = { 10, 3 } },
  },
  [4] = {
    name = "Stack-Configuration-Data",
    fields = {
      { "mpo_count", 8, count_of = "options" },
      { "reserved", 24, reserved = true },
      { "hold_time_ms", 32 },
      { "options", "list", count = "mpo_count", of = {
        { "protocol", 8 },
        { "profile", 8 },
        { "length", 8, length_of = "data" },
        { "d", 1 },
        { "reserved", 7, reserved = true },
        { "data", "bytes", length = "length", pad = true },
      } },
    },
    constraints = {
      { { 10, 1 }, "MA-Hold-Time is zero", { "hold_time_ms", "==", 0 } },
    },
  },
  [5] = { name = "Query-Cookie", fields = { { "cookie", "bytes" } } },
  [6] = { name = "Responder-Cookie", fields = { { "cookie", "bytes" } } },
  [7] = { name = "NAT-Traversal", fields = {
    { "mri_length", 8, length_of = "original_mri", unit = 4 },
    { "type_count", 8, count_of = "types" },
    { "nat_count", 8, count_of = "replaced" },
    { "reserved", 8, reserved = true },
    { "original_mri", "bytes", length = "mri_length", unit = 4, as = mri },
    { "types", "list", count = "type_count", of = 16, pad = true },
    { "replaced", "list", count = "nat_count", of = {
      { "length", 16, length_of = "information" },
      { "information", "bytes", length = "length", pad = true },
    } },
  } },
  [8] = { name = "NSLP-Data", fields = { { "data", "bytes" } } },
  [9] = {
    name = "Error",
    fields = {
      { "class", 8 },
      { "code", 16 },
      { "subcode", 8 },
      { "s", 1 }, { "m", 1 }, { "c", 1 }, { "d", 1 }, { "q", 1 },
      { "reserved", 11, reserved = true },
      { "mri_length", 8, length_of = "original_mri", unit = 4 },
      { "info_count", 8, count_of = "infos" },
      { "original_header", "bytes", size = 8 },
      { "original_sid", "bytes", size = 16, when = { { "s", "==", 1 } } },
      { "original_mri", "bytes", length = "mri_length", unit = 4, as = mri,
        when = { { "m", "==", 1 } } },
      { "infos", "list", count = "info_count", of = {
        { "type", 16 },
        { "length", 16, length_of = "value", unit = 4 },
        { "value", "bytes", length = "length", unit = 4, as_by = "type",
          as = additional_information },
      } },
      { "comment", "bytes", when = { { "c", "==", 1 } } },
    },
    constraints = {
      { { 10, 2 }, "Q is set without D", { "q", "==", 1 }, { "d", "==", 0 } },
    },
  },
  [10] = { name = "Hello-ID", fields = { { "hello_id", 32 } } },
}

-- 5.1: the objects of each message, in their order; "M" are mandatory. `needs` are pairs: where the
-- first is present, the second has to be. `flags` say what a flag has to be.
local messages = {
  [0] = { name = "Query", flags = { c = 1, r = 1, e = 0 },
    objects = { { 7 }, { 0, "M" }, { 1, "M" }, { 2, "M" }, { 5, "M" }, { 3 }, { 4 }, { 8 } },
    needs = { { 3, 4 }, { 4, 3 } } },
  [1] = { name = "Response", flags = { c = 0, e = 0 }, r_with = 6,
    objects = { { 7 }, { 0, "M" }, { 1, "M" }, { 2, "M" }, { 5, "M" }, { 6 }, { 3 }, { 4 }, { 8 } },
    needs = { { 3, 6 }, { 3, 4 }, { 4, 3 } } },
  [2] = { name = "Confirm", flags = { c = 0, r = 0, e = 0 },
    objects = { { 0, "M" }, { 1, "M" }, { 2, "M" }, { 6 }, { 3 }, { 4 }, { 8 } },
    needs = { { 3, 6 }, { 4, 3 } } },
  [3] = { name = "Data", flags = { r = 0 },
    objects = { { 7 }, { 0, "M" }, { 1, "M" }, { 2 }, { 8, "M" } } },
  [4] = { name = "Error", flags = { c = 0, r = 0, e = 0 },
    objects = { { 7 }, { 2 }, { 9, "M" } } },
  [5] = { name = "MA-Hello", flags = { c = 0, e = 0 },
    objects = { { 10, "M" } } },
}

-- A.4.3, A.4.4: class, subcodes and the AI-Types that have to be there (all of them, for
-- all subcodes or by subcode); without_flow: neither session identifier nor MRI may be.
local errors = {
  [1] = { class = 2, without_flow = true, infos = { [3] = { 1 } },
    subcodes = { [0] = "Unknown Version", "Unknown Type", "Invalid R-flag",
      "Incorrect Message Length", "Invalid E-flag", "Invalid C-flag" } },
  [2] = { class = 4 },
  [3] = { class = 2 },
  [4] = { class = 2 },
  [5] = { class = 2 },
  [6] = { class = 4 },
  [7] = { class = 4 },
  [8] = { class = 4, infos = { [0] = { 2 } } },
  [9] = { class = 2, infos = { [0] = { 3 }, { 3 }, { 3 }, { 3 }, { 3 }, { 3 } },
    subcodes = { [0] = "Duplicate Object", "Unrecognised Object", "Missing Object",
      "Invalid Object Type", "Untranslated Object", "Invalid Extensibility Flags" } },
  [10] = { class = 2, infos = { [0] = { 4 }, { 4 }, { 4 }, { 4 }, { 4 }, { 4, 4 } },
    subcodes = { [0] = "Incorrect Length", "Value Not Supported",
      "Invalid Flag-Field Combination", "Empty List", "Invalid Cookie",
      "Stack-Proposal - Stack-Configuration-Data Mismatch" } },
  [11] = { class = 4 },
  [12] = { class = 4, infos = { [0] = { 4 }, { 4 }, { 4 } },
    subcodes = { [0] = "MRI Too Wild", "IP Version Mismatch", "Ingress Filter Failure" } },
}

local error_names = {
  [1] = "Common Header Parse Error", [2] = "Hop Limit Exceeded", [3] = "Incorrect Encapsulation",
  [4] = "Incorrectly Delivered Message", [5] = "No Routing State", [6] = "Unknown NSLPID",
  [7] = "Endpoint Found", [8] = "Message Too Large", [9] = "Object Type Error",
  [10] = "Object Value Error", [11] = "Invalid IP-Layer TTL", [12] = "MRI Validation Failure",
}

-- A.4.2: what the Additional Information is called, by its AI-Type.
local info_names = { "Message Length Info", "MTU Info", "Object Type Info", "Object Value Info" }

return {
  layer = "gist",
  magic = "\78\4\189\165", -- 5.3.1: 0x4e04bda5, before the header of D-mode
  port = 270,
  nslpid = 33, -- RFC 5973, 7.5
  router_alert = 65, -- RFC 5973, 7.5, for IPv4
  header = header,
  header_bytes = 8,
  additional_information = additional_information,
  objects = objects,
  messages = messages,
  -- A.4.4: { error code, subcode } for what the engine finds in any layer.
  faults = {
    version = { 1, 0 }, unknown_message = { 1, 1 }, r_flag = { 1, 2 }, message_length = { 1, 3 },
    e_flag = { 1, 4 }, c_flag = { 1, 5 }, hop_limit = { 2, 0 },
    duplicate = { 9, 0 }, unknown = { 9, 1 }, missing = { 9, 2 }, illegal = { 9, 3 },
    order = { 9, 3 }, extensibility = { 9, 5 },
    length = { 10, 0 }, value = { 10, 1 }, combination = { 10, 2 }, mismatch = { 10, 5 },
  },
  -- A.4.3
  class_names = { [0] = "Informational", "Success", "Protocol-Error", "Transient-Failure",
    "Permanent-Failure" },
  errors = errors,
  error_names = error_names,
  -- The same numbers by their names.
  object_number = numbers.of(objects, "object of GIST"),
  message_number = numbers.of(messages, "message of GIST"),
  info_number = numbers.of(info_names, "Additional Information"),
  error_number = numbers.of_errors(error_names, errors),
}
