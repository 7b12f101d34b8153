-- What an Error of GIST has to tell about the message that it answers, for the cases that send each
-- fault. RFC 5971, sections 5.1 and A.4.

local Item = require("codec.item")
local fields = require("runner.fields")
local gist = require("codec.gist")

local error_object = {
  header = "RFC5971-A.4.1-1a", quotes = "RFC5971-A.4.1-1b", quotes_nothing = "RFC5971-A.4.4.1-1",
  info = "RFC5971-A.4.1-2a", nli = "RFC5971-5.1-18",
}

local WORD = 4

local function check_quotes(t, given, item)
  if given.quotes then
    t:check{ ids = { error_object.quotes }, text = "it quotes session id and MRI",
      expected = given.sent:hex("SID") .. " " .. given.sent:hex("MRI"), actual = item:quotes() }
  elseif given.quotes == false then
    t:check{ ids = { error_object.quotes_nothing }, text = "without session id and MRI",
      expected = "none none", actual = item:quotes() }
  end
end

local function check_infos(t, given, item)
  local found = item:infos(given.info)
  local wanted = given.infos or given.objects and #given.objects or 1
  t:check{ ids = { error_object.info }, text = "it has its Additional Information: " .. given.info,
    expected = wanted, actual = #found, holds = #found >= wanted }
  if given.info == "Message Length Info" then
    t:check{ ids = { error_object.info }, text = "with the length that the objects add up to",
      expected = (#given.sent.gist.bytes - gist.header_bytes) // WORD, actual = found[1] }
  end
  for place, object in ipairs(given.objects or {}) do
    t:check{ ids = { error_object.info, given.order },
      text = "info " .. place .. " is about the object at fault",
      expected = Item.object_number(object), actual = found[place] }
  end
end

-- Fields: ids, error ("9/2"; nil: any), sent (the message at fault, as an Item), quotes (whether session
-- id and MRI have to be quoted, or must not be; nil: either), info (the Additional Information that
-- there has to be), infos (how many), objects (which it is about), order (the requirement about their
-- order).
function error_object.expect(t, item, given)
  given = fields.of("error_object.expect", given, "ids error sent quotes info infos objects order")
  local failure = item:values("Error")
  if given.error then
    t:check{ ids = given.ids, text = "error and subcode", expected = given.error,
      actual = tostring(item.code) .. "/" .. tostring(item.subcode) }
  end
  t:check{ ids = given.ids, text = "its class is Protocol-Error", expected = 2,
    actual = failure.class }
  t:check{ ids = { error_object.nli }, text = "in D-mode it has the sender's NLI",
    expected = "there", actual = item:has("NLI") and "there" or "missing" }
  local function after_version_and_hops(octets)
    return Item.to_hex(octets:sub(3, gist.header_bytes))
  end
  t:check{ ids = { error_object.header }, text = "it quotes the common header",
    expected = after_version_and_hops(given.sent.gist.bytes),
    actual = after_version_and_hops(failure.original_header or "") }
  check_quotes(t, given, item)
  if given.info then check_infos(t, given, item) end
end

return error_object
