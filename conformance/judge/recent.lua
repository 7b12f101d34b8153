-- A table that forgets what nobody has asked for through a period of the captures' time, and, where
-- it has too much, what nobody has asked for longest. What is in use is young; at each turn what is
-- old is forgotten, and what is young gets old.

local tables = require("codec.tables")

local recent = {}

local Recent = {}
Recent.__index = Recent

-- options: period_s, most (the values that may be young), forgotten(value, forced), which may return
-- true to keep a value, unless it is forced to go.
function recent.new(options)
  return setmetatable({ period_s = options.period_s, most = options.most or math.huge,
    forgotten = options.forgotten or function() end, young = {}, old = {}, count = 0 }, Recent)
end

local function turn(self, forced)
  local old = self.old
  self.old, self.young, self.count = self.young, {}, 0
  for key, value in tables.sorted(old) do
    if self.forgotten(value, forced) and not forced then self:put(key, value) end
  end
end

-- Time has come to this.
function Recent:pass(at)
  self.turned_at = self.turned_at or at
  if at - self.turned_at < self.period_s then return end
  self.turned_at = at
  turn(self, false)
end

function Recent:put(key, value)
  if self.young[key] == nil then self.count = self.count + 1 end
  self.young[key], self.old[key] = value, nil
  if self.count > self.most then turn(self, true) end
end

function Recent:get(key)
  local value = self.young[key]
  if value ~= nil then return value end
  value = self.old[key]
  if value ~= nil then self:put(key, value) end
  return value
end

function Recent:remove(key)
  if self.young[key] ~= nil then self.count = self.count - 1 end
  self.young[key], self.old[key] = nil, nil
end

-- Forgets all, at the end.
function Recent:finish()
  turn(self, true)
  turn(self, true)
end

return recent
