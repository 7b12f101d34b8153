-- Text for XML and HTML.

local markup = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

-- XML 1.0 has no control characters but these; octets above ASCII are shown as marks.
function markup.ascii(text)
  text = tostring(text):gsub('[&<>"]', entities)
  return (text:gsub("[%z\1-\8\11\12\14-\31\127-\255]", "?"))
end

-- The same, with UTF-8 kept where it is well-formed.
function markup.text(text)
  text = tostring(text)
  if not utf8.len(text) then return markup.ascii(text) end
  return (text:gsub('[&<>"]', entities):gsub("[%z\1-\8\11\12\14-\31\127]", "?"))
end

return markup
