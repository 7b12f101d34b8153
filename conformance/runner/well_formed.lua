-- What every message of the NSLP that an IUT sends is held to, whoever it is. RFC 5973, sections 4.1 to
-- 4.3.

local well_formed = {}

local function of_info(bit) return bit:find("^NATFW_INFO%.") ~= nil end

local function not_of_info(bit) return not of_info(bit) end

local AB_RESERVED = 3

local function ab_of(item)
  for _, object in ipairs(item.natfw.objects) do
    if object.ab == AB_RESERVED then return "AB=11 on " .. object.name end
  end
  return "no AB=11"
end

-- `name` says in a report which message it is; `info_ids` are the requirements about the reserved bits
-- of NATFW_INFO.
function well_formed.expect(t, name, item, info_ids)
  t:check{ ids = info_ids, text = name .. ": reserved bits of NATFW_INFO are zero",
    expected = "none set", actual = item:reserved_bits("natfw", of_info) }
  t:check{ ids = { "RFC5973-4.1-2a" }, text = name .. ": all other reserved bits are zero",
    expected = "none set", actual = item:reserved_bits("natfw", not_of_info) }
  t:check{ ids = { "RFC5973-4.2-3a" }, text = name .. ": AB=11 is not used",
    expected = "no AB=11", actual = ab_of(item) }
  t:check{ ids = { "RFC5973-4.1-5" }, text = name .. ": P is not set", expected = 0,
    actual = item.natfw.header.p }
  t:check{ ids = { "RFC5973-4.1-9" }, text = name .. ": E is not set", expected = 0,
    actual = item.natfw.header.e }
  t:check{ ids = { "RFC5973-4.3-1a" }, text = name .. ": no fault", expected = "none",
    actual = item:fault("natfw") }
end

return well_formed
