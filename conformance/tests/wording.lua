-- What is said to people: numbers of things, and what a wrong word was meant to be.

local support = require("tests.support")
local wording = require("codec.wording")

local test, expect = support.test, support.expect
local KNOWN = { purpose = true, requirements = true, roles = true, run = true }

test("one thing is one, and more are more", function()
  for number, text in pairs({ [0] = "0 cases", "1 case", "2 cases" }) do
    expect(wording.counted(number, "case") == text, wording.counted(number, "case"))
  end
end)

test("a letter too many, too few, wrong or swapped is found out", function()
  for word, name in pairs({ porpose = "purpose", purposes = "purpose", rols = "roles", rloes = "roles",
    requirement = "requirements", rum = "run" }) do
    local found = wording.nearest(word, KNOWN)
    expect(found == name, word .. " gave " .. tostring(found))
  end
end)

test("a word that resembles none stands for none, however long", function()
  for _, word in ipairs({ "colour", "", "x", "aim", ("purpose"):rep(1000000), 7 }) do
    expect(wording.nearest(word, KNOWN) == nil, tostring(wording.nearest(word, KNOWN)))
  end
  expect(wording.hint("aim", KNOWN) == "" and wording.hint("rin", KNOWN) == "; did you mean 'run'?",
    wording.hint("rin", KNOWN))
end)

support.finish()
