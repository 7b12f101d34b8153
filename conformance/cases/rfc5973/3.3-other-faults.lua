-- RFC 5973, sections 3.2.7 and 3.3: every fault that a RESPONSE or a NOTIFY can carry, one a case.
-- They are not passed on and change nothing, nor answered, unless ruling A02 is read so; the valid
-- message is processed afterwards.

local faults = require("runner.faults")

local responses = faults.response_cases(faults.list({ has = { "lt", "msn", "info" },
  may_not_have = { "efi", "nonce", "dtinfo", "icmp_types" } }))

local of_notify = faults.list({ has = { "info" },
  may_not_have = { "lt", "external_ip", "external_binding", "efi", "nonce", "msn", "dtinfo",
    "icmp_types" } })

-- Section 3.5 has every message carry an MSN: ruling A30.
for _, row in ipairs(of_notify) do row.may_be_taken = row.name == "with-msn" end

local notifications = faults.notify_cases(of_notify)

return table.move(notifications, 1, #notifications, #responses + 1, responses)
