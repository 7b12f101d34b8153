-- What the commands have in common: complaints, which end in the status of wrong usage, and files
-- written at the end.

local console = { USAGE = 2 }

function console.complain(...)
  io.stderr:write("natfw-conform: ", string.format(...), "\n")
  return console.USAGE
end

-- true, or nil and why not.
function console.write_file(path, content)
  local file, why = io.open(path, "wb")
  if not file then return nil, why end
  file:write(content)
  return file:close()
end

return console
