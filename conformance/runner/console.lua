-- What the commands have in common: complaints, which end in the status of wrong usage, and files
-- written at the end.

local console = { USAGE = 2 }

function console.complain(...)
  io.stderr:write("natfw-conform: ", string.format(...), "\n")
  return console.USAGE
end

-- true, or nil and why not, with the path.
function console.write_file(path, content)
  local file, why = io.open(path, "wb")
  if not file then return nil, why end
  local written, problem = file:write(content)
  local closed, late = file:close()
  if written and closed then return true end
  return nil, path .. ": " .. (problem or late)
end

return console
