-- What a rule of judge has observed: how often, what violates it, and what is a note only. Some of it
-- counts only if the capture shows all of a session, on one wire (needs_all) or on both (needs_path),
-- which is known when the session has ended, and the capture.

local json = require("codec.json")

local observer = {}

-- Of each rule's violations and notes a report shows the first; all are counted.
local MOST_SHOWN, MOST_OF_A_SESSION = 1000, 16

local function new_list(most) return { shown = {}, count = 0, most = most or MOST_SHOWN } end

local function add(list, entry)
  list.count = list.count + 1
  if #list.shown < list.most then table.insert(list.shown, entry) end
end

local function add_all(list, other)
  for _, entry in ipairs(other.shown) do add(list, entry) end
  list.count = list.count + other.count - #other.shown
end

local function new_told(most) return { holds = 0, violations = new_list(most) } end

local function about(message, fields)
  fields.frame, fields.at = message.frame, message.at
  fields.message = message.item and message.item.name
  return fields
end

local Observer = {}
Observer.__index = Observer

-- `place` is that of the rule among all.
function observer.new(rule, document, place)
  local self = setmetatable({ rule = rule, document = document, place = place, told = new_told(),
    notes = new_list(), waiting = {} }, Observer)
  -- What rules are given; see gist_rules.lua.
  local told, at_once = self.told, not rule.only_shown
  function self.say(message, expected, actual, holds)
    if holds == nil then holds = expected == actual end
    if holds and at_once then
      told.holds = told.holds + 1
      return
    end
    self:_observe(message, not holds and about(message, { expected = tostring(expected),
      actual = tostring(actual) }))
  end
  function self.note(message, text) add(self.notes, about(message, { text = text })) end
  return self
end

local function needs(rule) return rule.needs_path or rule.needs_all end

-- Where an observation is told.
local function place_of(self, message)
  local rule, session = self.rule, message.session
  if not needs(rule) then return self.told end
  if not session then return new_told() end
  session.told = session.told or {}
  session.told[self.place] = session.told[self.place] or new_told(MOST_OF_A_SESSION)
  return session.told[self.place]
end

function Observer:_observe(message, violation)
  local told = place_of(self, message)
  if violation then add(told.violations, violation) else told.holds = told.holds + 1 end
  if needs(self.rule) and violation and not message.session then self:_excuse(told) end
end

-- What seems to violate the rule is a note.
function Observer:_excuse(told)
  if self.rule.only_shown or self.rule.silent then return end
  for _, entry in ipairs(told.violations.shown) do
    entry.text = string.format("expected %s, got %s; but the capture may lack what explains it",
      entry.expected, entry.actual)
    entry.expected, entry.actual = nil, nil
  end
  add_all(self.notes, told.violations)
end

local function merge(into, told)
  into.holds = into.holds + told.holds
  add_all(into.violations, told.violations)
end

-- A session has ended; what was told of it waits for the capture to be what it has to be for that.
function Observer:session_ended(session)
  local told = session.told and session.told[self.place]
  if not told then return end
  local condition
  if self.rule.needs_path then
    condition = session:shown_on_its_path()
  else
    condition = session:shown_on_one_wire()
  end
  if not condition then return self:_excuse(told) end
  self.waiting[condition] = self.waiting[condition] or new_told()
  merge(self.waiting[condition], told)
end

local function in_order_of_time(list)
  local shown = json.array({})
  for place, entry in ipairs(list.shown) do
    shown[place], entry.place = entry, place
  end
  table.sort(shown, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.place < b.place
  end)
  for _, entry in ipairs(shown) do entry.place = nil end
  return shown
end

-- The verdict, when all is over. `holds`: which of the conditions do.
function Observer:result(holds)
  for _, condition in ipairs({ "whole", "whole, of two wires" }) do
    local told = self.waiting[condition]
    if told and holds[condition] then merge(self.told, told) elseif told then self:_excuse(told) end
  end
  local violations = self.told.violations
  local result = { id = self.rule.id, text = self.rule.text, document = self.document,
    requirements = json.array({}), observations = self.told.holds + violations.count,
    violations = in_order_of_time(violations), violation_count = violations.count,
    notes = in_order_of_time(self.notes), note_count = self.notes.count }
  for i, id in ipairs(self.rule.requirements) do
    result.requirements[i] = self.document .. "-" .. id
  end
  result.verdict = violations.count > 0 and "violates" or result.observations > 0 and "conforms"
    or "never exercised"
  return result
end

return observer
