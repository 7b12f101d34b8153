-- Whether the IUT is there at all: a case that the runner plays before the first, and again when several
-- in a row have heard nothing. Without an IUT there is nothing to judge.

local roles = require("runner.roles")

return {
  id = "is-it-there", purpose = "The IUT answers a Query, or sends one when it is told to.",
  requirements = {}, roles = roles.all,
  run = function(t)
    t:body()
    if t:judges_initiator() then
      t:trigger_session():expect_query{ text = "the IUT sends a Query when its trigger is pulled",
        within_ms = t.ixit.trigger.timeout_s * 1000 }
    else
      t:session():query_only():expect_gist_response{ text = "the IUT answers a Query" }
    end
  end,
}
