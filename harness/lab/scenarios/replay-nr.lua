-- Every golden capture is replayed against a reference responder, as its initiator.
-- natfw-lab run replay-nr [-- OPTION of natfw-conform replay]...
return require("replaying").scenario("conformance-nr", "nr", "responder", { "initiator" }, {
    ["error-response"] = "a firewall's answer is in it, and a responder is there to accept",
})
