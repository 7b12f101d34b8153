-- The session authorization object as data: RFC 5981, section 3, one row per field. Like
-- codec/natfw.lua this file is data only. The object belongs to another document than the memo, so
-- a node that does not know it goes by its AB flags, and there may be several in a message.

local ADDRESS_V4 = { { "address", "address", version = 4 } }
local ADDRESS_V6 = { { "address", "address", version = 6 } }
local TEXT = { { "name", "bytes", text = true } }
local OCTETS = { { "octets", "bytes" } }
local PORTS = { { "ports", "list", of = 16 } }
local NTP = { { "seconds", 32 }, { "fraction", 32 } }

-- 3.2.3 and 3.2.4 have the same sub-types.
local addresses = { [1] = ADDRESS_V4, [2] = ADDRESS_V6, [3] = PORTS, [4] = PORTS,
  [5] = { { "spi", 32 } } }

-- By X-Type, then by SubType; "any" stands for all, where there are none.
local values = {
  [1] = { [1] = ADDRESS_V4, [2] = ADDRESS_V6, [3] = TEXT, [4] = TEXT, [5] = TEXT, [6] = TEXT,
    [7] = TEXT, [8] = TEXT, [9] = { { "certificate", "bytes" } },
    [10] = { { "reserved", 24, reserved = true }, { "transform_id", 8 } } },
  [2] = { [0] = { { "session_id", "bytes" } } },
  [3] = addresses,
  [4] = addresses,
  [5] = { [1] = NTP },
  [6] = { [1] = NTP },
  [7] = { any = {
    { "object_count", 16, count_of = "object_types" },
    { "object_types", "list", count = "object_count", of = {
      { "rsv", 4, reserved = true }, { "object_type", 12 } } },
    -- Its length leaves padding out (3.2); who counts it all the same is understood.
    { "padding", 16, reserved = true, if_left = true, when = { { "object_count", "even" } } },
  } },
  -- 4.1.1, 4.4: a key identifier comes first where a key is shared; 4.2 and 4.3 have none.
  [8] = { any = {
    { "key_id", 32, when = { { "entity", "in", { 1, 2, 3, 4, 5, 6, 10 } } } },
    { "authentication_data", "bytes" },
  } },
}

return {
  name = "SESSION_AUTH",
  foreign = true,
  ab = 2, -- 3.1: always sent with AB=10
  fields = {
    { "attributes", "list", remember = { { "x_type", "==", 1 }, as = "entity", from = "sub_type" },
      of = {
        { "length", 16, measures = "value", plus = 4 },
        { "x_type", 8 },
        { "sub_type", 8, zero_when = { { "x_type", ">", 6 } } },
        { "value", "part", length = "length", minus = 4, by = { "x_type", "sub_type" }, of = values,
          other = OCTETS },
      } },
  },
  -- 6.3.4 and 6.3.3: the one code for what cannot be used. 3.2: the rules between attributes, by
  -- X-Type or { X-Type, SubType }.
  fault = { 5, 2 },
  items = { list = "attributes", by = { "x_type", "sub_type" }, rules = {
    { "last", { 8 } },
    { "needs", { 7 }, { 8 } },
    { "once", { 3, 3 } }, { "once", { 3, 4 } }, { "once", { 4, 3 } }, { "once", { 4, 4 } },
    { "needs", { 1, 10 }, { 3 } }, { "needs", { 1, 10 }, { 5 } }, { "needs", { 1, 10 }, { 7 } },
    { "needs", { 1, 10 }, { 8 } },
  } },
  names = {
    x_type = { "AUTH_ENT_ID", "SESSION_ID", "SOURCE_ADDR", "DEST_ADDR", "START_TIME", "END_TIME",
      "NSLP_OBJECT_LIST", "AUTHENTICATION_DATA" },
    sub_type = {
      [1] = { "IPV4_ADDRESS", "IPV6_ADDRESS", "FQDN", "ASCII_DN", "UNICODE_DN", "URI",
        "KRB_PRINCIPAL", "X509_V3_CERT", "PGP_CERT", "HMAC_SIGNED" },
      [3] = { "IPV4_ADDRESS", "IPV6_ADDRESS", "UDP_PORT_LIST", "TCP_PORT_LIST", "SPI" },
      [4] = { "IPV4_ADDRESS", "IPV6_ADDRESS", "UDP_PORT_LIST", "TCP_PORT_LIST", "SPI" },
      [5] = { "NTP_TIMESTAMP" }, [6] = { "NTP_TIMESTAMP" },
    },
  },
}
