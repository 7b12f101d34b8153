-- Text for XML and HTML, and what every page begins with.

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

-- "expected-failure".
function markup.class_of(verdict) return (verdict:gsub(" ", "-")) end

function markup.badge(verdict)
  return string.format('<span class="badge %s">%s</span>', markup.class_of(verdict),
    markup.text(verdict))
end

function markup.head(title, style)
  return '<!DOCTYPE html><html lang=en><head><meta charset="utf-8">'
    .. '<meta name=viewport content="width=device-width, initial-scale=1"><title>'
    .. markup.text(title) .. "</title><style>" .. style .. "</style></head><body>"
end

return markup
