-- What every message of the NSLP that an IUT sends is held to, whoever it is. RFC 5973, sections 4.1 to
-- 4.3.

local well_formed = {}

-- The requirements of expect(), but for those about NATFW_INFO.
well_formed.requirements = { "RFC5973-4.1-2a", "RFC5973-4.2-3a", "RFC5973-4.1-5", "RFC5973-4.1-9",
  "RFC5973-4.3-1a", "RFC5973-4.3-3", "RFC5973-4.3-4", "RFC5973-4.2-1" }

local AB_RESERVED = 3

local function ab_of(item)
  for _, object in ipairs(item.natfw.objects) do
    if object.ab == AB_RESERVED then return "AB=11 on " .. object.name end
  end
  return "no AB=11"
end

local function of_info(bit) return bit:find("^NATFW_INFO%.") ~= nil end

function well_formed.of_header(bit) return bit:find("^header%.") ~= nil end

-- Only NATFW_INFO has a rule for what is reserved in an object: ruling A95.
local function is_left_open(bit) return not of_info(bit) and not well_formed.of_header(bit) end

-- Section 3.5 has every message carry an MSN, section 4.3.4 has a NOTIFY carry none: ruling A30.
local function is_msn_of_notify(item, fault)
  return item.name == "NOTIFY" and fault.text:find("^NATFW_MSN: not allowed") ~= nil
end

-- The first fault of a kind, as its text tells.
local function fault_of(item, is_of_kind)
  for _, fault in ipairs(item.natfw.faults) do
    if is_of_kind(fault.text) and not is_msn_of_notify(item, fault) then return fault.text end
  end
  return "none"
end

local function ends_in(tail)
  return function(text) return text:sub(-#tail) == tail end
end

local MISSING, TWICE, ILLEGAL = ends_in(": missing"), ends_in(": twice"),
  ends_in(": not allowed in this message")

-- What is left: lengths and values. What an object is for that we do not know, we cannot say.
local function another(text)
  return not (MISSING(text) or TWICE(text) or ILLEGAL(text) or text:find(": unknown$")
    or text:find(": AB is 11$"))
end

local KINDS = { { id = "RFC5973-4.3-1a", is = MISSING, text = "no object is missing" },
  { id = "RFC5973-4.3-4", is = TWICE, text = "none is there twice" },
  { id = "RFC5973-4.3-3", is = ILLEGAL, text = "none is of another message" },
  { id = "RFC5973-4.2-1", is = another, text = "no other fault" } }

-- `name` says in a report which message it is; `info_ids` are the requirements about the reserved bits
-- of NATFW_INFO.
function well_formed.expect(t, name, item, info_ids)
  t:check{ ids = info_ids, text = name .. ": reserved bits of NATFW_INFO are zero",
    expected = "none set", actual = item:reserved_bits("natfw", of_info) }
  t:check{ ids = { "RFC5973-4.1-2a" }, text = name .. ": reserved bits of the header are zero",
    expected = "none set", actual = item:reserved_bits("natfw", well_formed.of_header) }
  local left_open = item:reserved_bits("natfw", is_left_open)
  if left_open ~= "none set" then t:reading{ of = "A95", seen = left_open, ours = "none set" } end
  t:check{ ids = { "RFC5973-4.2-3a" }, text = name .. ": AB=11 is not used",
    expected = "no AB=11", actual = ab_of(item) }
  if item.name == "RESPONSE" or item.name == "NOTIFY" then
    t:check{ ids = { "RFC5973-4.1-5" }, text = name .. ": P is not set", expected = 0,
      actual = item.natfw.header.p }
    t:check{ ids = { "RFC5973-4.1-9" }, text = name .. ": E is not set", expected = 0,
      actual = item.natfw.header.e }
  end
  for _, kind in ipairs(KINDS) do
    t:check{ ids = { kind.id }, text = name .. ": " .. kind.text, expected = "none",
      actual = fault_of(item, kind.is) }
  end
end

return well_formed
