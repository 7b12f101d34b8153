-- Virtual time: what is to happen, in a heap, earliest first. What happens at the same moment does so
-- by its rank, and then in the order in which it was asked for: what a link delivers (rank 0) comes
-- before timers (rank 1).

local clock = {}

clock.DELIVERY, clock.TIMER = 0, 1

local CANCELLED_MIN = 64

local Timer = {}
Timer.__index = Timer

function Timer:cancel()
  if self.action then self.clock.cancelled = self.clock.cancelled + 1 end
  self.action = nil
end

local function before(a, b)
  if a.at ~= b.at then return a.at < b.at end
  if a.rank ~= b.rank then return a.rank < b.rank end
  return a.order < b.order
end

local function push(heap, entry)
  local place = #heap + 1
  while place > 1 do
    local parent = place // 2
    if not before(entry, heap[parent]) then break end
    heap[place], place = heap[parent], parent
  end
  heap[place] = entry
end

local function pop(heap)
  local first, last = heap[1], table.remove(heap)
  local size = #heap
  if size == 0 then return first end
  local place = 1
  while true do
    local child = 2 * place
    if child > size then break end
    if child < size and before(heap[child + 1], heap[child]) then child = child + 1 end
    if not before(heap[child], last) then break end
    heap[place], place = heap[child], child
  end
  heap[place] = last
  return first
end

-- What was cancelled is taken out once it is most of the heap, for else it would fill it.
local function clear(self)
  if self.cancelled < CANCELLED_MIN or self.cancelled * 2 < #self.heap then return end
  local heap = {}
  for _, entry in ipairs(self.heap) do
    if entry.action then push(heap, entry) end
  end
  self.heap, self.cancelled = heap, 0
end

-- A clock that stands at `start_ms`.
function clock.new(start_ms)
  local self = { time = start_ms, heap = {}, order = 0, cancelled = 0 }

  function self.at(at, rank, action)
    clear(self)
    self.order = self.order + 1
    local entry = setmetatable({ at = math.max(at, self.time), rank = rank, order = self.order,
      action = action, clock = self }, Timer)
    push(self.heap, entry)
    return entry
  end

  function self.after(delay_ms, action) return self.at(self.time + delay_ms, clock.TIMER, action) end

  -- When something happens next; nil where nothing will.
  function self.next_at()
    while self.heap[1] and not self.heap[1].action do
      pop(self.heap)
      self.cancelled = self.cancelled - 1
    end
    return self.heap[1] and self.heap[1].at
  end

  -- The next that happens is done; time moves there.
  function self.step()
    if not self.next_at() then return end
    local entry = pop(self.heap)
    self.time = entry.at
    local action = entry.action
    entry.action = nil
    action()
  end

  return self
end

return clock
