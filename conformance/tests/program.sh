#!/bin/sh
# The program from outside: its commands, its errors and its exit statuses. No network is needed.
set -u

program=$1 suite=$2 skeleton=$3 failed=0 count=0
export NATFW_CONFORM_DATA="$suite"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# expect STATUS PATTERN COMMAND…: this exit status, and a line that matches in either output
expect() {
    status=$1 pattern=$2
    shift 2
    count=$((count + 1))
    "$@" >"$folder/out" 2>&1
    actual=$?
    if [ $actual -ne "$status" ] || ! grep -Eq -- "$pattern" "$folder/out"; then
        echo "not ok: $* gave status $actual, wanted $status and /$pattern/"
        sed 's/^/    /' "$folder/out"
        failed=$((failed + 1))
    fi
}

expect 0 'Usage: natfw-conform' "$program" --help
expect 0 '^natfw-conform [0-9.]+, suite [0-9a-f]{16}$' "$program" --version
expect 2 'wants a command' "$program"
expect 2 "no command 'dance'" "$program" dance
expect 2 'no option --frobnicate' "$program" list --frobnicate
expect 2 'wants a value' "$program" run --ixit
expect 2 "run takes no '3.4-expiry-udp'; --id chooses cases" "$program" run 3.4-expiry-udp
expect 2 'verbose takes no value' "$program" run --verbose=no
expect 2 'html is no option of compare' "$program" compare --html x a b
expect 2 'profile is no option of check-ixit' "$program" check-ixit --profile smoke x
expect 2 "decode --lines reads its standard input, and no 'x'" "$program" decode --lines x
expect 2 'whole number' "$program" run --jobs many
expect 2 'no suite in' "$program" --data-dir /nonexistent list

# Without being told, a program of the build tree takes its own suite, and a copy elsewhere the one
# that is beside it, or installed; --data-dir is stronger than all.
expect 0 '^[1-9][0-9]* cases$' env -u NATFW_CONFORM_DATA "$program" list
expect 2 "no suite in '/nonexistent'" env -u NATFW_CONFORM_DATA "$program" --data-dir=/nonexistent list
installed=$(strings "$program" | grep -m 1 '/natfw/conformance$')
mkdir -p "$folder/elsewhere" && cp "$program" "$folder/elsewhere/"
if [ ! -e "$installed/runner/main.lua" ]; then
    expect 2 "no suite in '$installed'" env -u NATFW_CONFORM_DATA "$folder/elsewhere/natfw-conform" list
fi
mkdir -p "$folder/share/natfw" && ln -s "$suite" "$folder/share/natfw/conformance"
expect 0 '^[1-9][0-9]* cases$' env -u NATFW_CONFORM_DATA "$folder/elsewhere/natfw-conform" list
rm -r "$folder/share" "$folder/elsewhere"

expect 0 '^[1-9][0-9]* cases$' "$program" list
expect 0 '^3\.5-msn-wraps-around ' "$program" list --requirement RFC5973-3.5-4
expect 0 '^2 cases$' "$program" list --id '3.4-expiry-*'
expect 0 '^0 cases$' "$program" list --section 9.9
"$program" list --json | python3 -c 'import json,sys; assert len(json.load(sys.stdin)) >= 15' || failed=$((failed + 1))

# A vendor's folder beside the suite: the case of the guide.
mkdir "$folder/acme"
# shellcheck disable=SC2016  # no command: the marks of a block
sed -n '/^```lua$/,/^```$/p' "$suite/../docs/guide-cases.md" | grep -v '^```' >"$folder/acme/late.lua"
expect 0 '^acme:3\.5-late-deletion ' "$program" list --cases "$folder/acme"
expect 0 '^1 case$' "$program" list --cases "$folder/acme" --id 'acme:*'
expect 0 '^3 cases$' "$program" list --cases "$folder/acme" --requirement RFC5973-3.5-6
expect 2 'late.lua:7: acme:3.5-late-deletion is there twice' \
    "$program" list --cases "$folder/acme" --cases "$folder/acme"
sed -i 's/RFC5973-3.5-6"/RFC5973-3.5-66"/' "$folder/acme/late.lua"
expect 2 'late.lua:10: acme:3.5-late-deletion claims RFC5973-3.5-66' \
    "$program" run --ixit "$suite/ixit/firewall.lua" --cases "$folder/acme"
sed -i 's/RFC5973-3.5-66"/RFC5973-3.5-6"/; s/blocks_by_default/blocks_by_defalt/' "$folder/acme/late.lua"
expect 2 'late.lua:[0-9]+: acme:3.5-late-deletion needs blocks_by_defalt' "$program" list --cases "$folder/acme"
sed -i 's/blocks_by_defalt/blocks_by_default/; s/needs =/neeeds =/' "$folder/acme/late.lua"
expect 2 "late.lua:[0-9]+: acme:3.5-late-deletion has a field 'neeeds'" "$program" list --cases "$folder/acme"
expect 2 'nowhere: has no file of cases' "$program" list --cases "$folder/nowhere"
expect 2 'nowhere.lua: No such file' "$program" list --cases "$folder/nowhere.lua"
sed -i 's/neeeds =/needs =/' "$folder/acme/late.lua"
expect 0 '^1 case$' "$program" list --cases "$folder/acme/late.lua" --id 'acme:*'
sed -i 's/purpose =/porpose =/' "$folder/acme/late.lua"
expect 2 "late.lua:7: acme:3.5-late-deletion has a field 'porpose', .*did you mean 'purpose'" \
    "$program" list --cases "$folder/acme/late.lua"
sed -i 's/porpose =/purpose =/; s/roles.firewall/roles.firewal/' "$folder/acme/late.lua"
expect 2 "late.lua:9: there are no roles.firewal; did you mean 'firewall'" "$program" list --cases "$folder/acme/late.lua"

cp "$suite/ixit/firewall.lua" "$folder/good.lua"
expect 2 'good.lua: outside.netns: .*: No such file' "$program" check-ixit "$folder/good.lua"
sed '/netns = /d; /interface = /d' "$folder/good.lua" >"$folder/virtual.lua"
expect 0 'as NF-FW' "$program" check-ixit --shim "$skeleton" "$folder/virtual.lua"
expect 2 'inside.netns is missing' "$program" check-ixit "$folder/virtual.lua"
expect 2 'inside.flows=10.11.0.0/24: inside.flows overlaps with inside.signalling' \
    "$program" check-ixit --shim "$skeleton" --set inside.flows=10.11.0.0/24 "$folder/virtual.lua"
expect 2 'outside.flows=10.10.0.0/24: outside.flows has inside.gateway in it' \
    "$program" check-ixit --shim "$skeleton" --set outside.flows=10.10.0.0/24 "$folder/virtual.lua"
expect 2 'outside.flows overlaps with inside.flows' \
    "$program" check-ixit --shim "$skeleton" --set outside.flows=10.12.0.0/16 "$folder/virtual.lua"
sed 's/usual_s = 60/usual_s = "soon"/' "$folder/good.lua" >"$folder/bad.lua"
line=$(grep -n 'usual_s = ' "$folder/bad.lua" | cut -d: -f1)
expect 2 "bad.lua:$line: lifetime.usual_s has to be seconds" "$program" check-ixit "$folder/bad.lua"
echo 'return { inside = { netns = 3, colour = "red" } }' >"$folder/bad.lua"
expect 2 'bad.lua:1: inside.colour is no key that I know' "$program" check-ixit "$folder/bad.lua"
echo 'return { timing = { respnse_ms = 3 } }' >"$folder/bad2.lua"
expect 2 "bad2.lua:1: timing.respnse_ms is no key that I know; did you mean 'response_ms'" \
    "$program" check-ixit "$folder/bad2.lua"
expect 2 'bad.lua:1: inside.netns has to be the path' "$program" check-ixit "$folder/bad.lua"
expect 2 'outside.gateway is missing' "$program" check-ixit "$folder/bad.lua"
echo 'return {' >"$folder/bad.lua"
expect 2 'bad.lua:[12]:' "$program" check-ixit "$folder/bad.lua"
echo 'while true do end' >"$folder/bad.lua"
expect 2 'too many instructions' "$program" check-ixit "$folder/bad.lua"
echo 'local s = "x" while true do s = s .. s end' >"$folder/bad.lua"
expect 2 'memory' "$program" check-ixit "$folder/bad.lua"
echo 'return { name = os.getenv("HOME") }' >"$folder/bad.lua"
expect 2 "bad.lua:1: .*'os'" "$program" check-ixit "$folder/bad.lua"
echo 'local t = {} t.t = t return t' >"$folder/bad.lua"
expect 2 'no table of plain values' "$program" check-ixit "$folder/bad.lua"
echo 'local t = {} for _ = 1, 12 do t = { t, t, t, t, t, t, t, t } end return t' >"$folder/bad.lua"
expect 2 'more values than any settings have' "$program" check-ixit "$folder/bad.lua"
expect 2 'No such file' "$program" check-ixit "$folder/none.lua"

expect 2 'run wants --ixit' "$program" run
expect 2 'no case matches' "$program" run --ixit "$folder/good.lua" --id nothing
expect 2 'netns' "$program" run --ixit "$folder/good.lua" --set inside.netns=/nonexistent/netns
expect 2 'KEY=VALUE' "$program" run --ixit "$folder/good.lua" --set nonsense
expect 2 'nowhere' "$program" run --ixit "$folder/good.lua" --json "$folder/nowhere/report.json"
expect 2 'nowhere' "$program" run --ixit "$folder/good.lua" --pcap "$folder/nowhere/pcaps"
echo 'lonely-id' >"$folder/expected"
expect 2 'expected:1: wants a case id and a reason' \
    "$program" run --ixit "$folder/good.lua" --expected-failures "$folder/expected"
echo '3.5-no-such-case one day' >"$folder/expected"
expect 2 'expected: no case is called 3.5-no-such-case' \
    "$program" run --ixit "$folder/good.lua" --expected-failures "$folder/expected"
printf '3.5-stale-msn-discarded a\n3.5-stale-msn-discarded b\n' >"$folder/expected"
expect 2 'expected:2: 3.5-stale-msn-discarded stands twice' \
    "$program" run --ixit "$folder/good.lua" --expected-failures "$folder/expected"
expect 2 'Is a directory' \
    "$program" run --ixit "$folder/good.lua" --expected-failures "$folder"
expect 2 'expected: is no folder' \
    "$program" run --ixit "$folder/good.lua" --pcap "$folder/expected"

expect 0 'SID: sid=1111' "$program" decode 0101000c002103800000000400004000000000000000000000000000000100041111111111111111111111111111111100080001 04000000
expect 2 'neither hex nor' "$program" decode xyz
expect 0 '^6 messages; left out: 9 packets that are no GIST$' "$program" decode "$suite/../pcaps/create-success.pcap"
expect 2 'none.pcap: No such file' "$program" decode "$folder/none.pcap"
echo 'natfw 01000000000c00010000003c' | "$program" decode --lines >"$folder/out" &&
    python3 -c 'import json,sys; d=json.loads(sys.stdin.readline()); assert d["name"]=="CREATE" and [f["code"] for f in d["faults"]]==[4,4], d' <"$folder/out" ||
    failed=$((failed + 1))

report() { printf '{"suite":"natfw-conform","cases":[{"id":"a","verdict":"%s"}]}' "$1"; }
report pass >"$folder/old.json"
report fail >"$folder/new.json"
expect 1 '^  a +pass -> fail' "$program" compare "$folder/old.json" "$folder/new.json"
expect 0 '^1 case unchanged; nothing got worse' "$program" compare "$folder/old.json" "$folder/old.json"
expect 1 '"got_worse": true' "$program" compare --json "$folder/old.json" "$folder/new.json"
expect 2 'wants OLD.json NEW.json' "$program" compare "$folder/old.json"
expect 2 'none.json: No such file' "$program" compare "$folder/old.json" "$folder/none.json"
expect 2 'good.lua is no JSON: octet 1' "$program" compare "$folder/old.json" "$folder/good.lua"

# The history of a folder: what is no report is left out and named, and the others are used.
expect 2 'wants one DIR' "$program" history
expect 2 'nowhere: is no folder' "$program" history "$folder/nowhere"
mkdir "$folder/runs"
expect 4 'runs: has no report' "$program" history "$folder/runs" --html "$folder/history.html"
[ ! -e "$folder/history.html" ] || failed=$((failed + 1))
dated() { printf '{"suite":"natfw-conform","iut":"Wall 7.%s","version":"0","hash":"0","started":"2026-01-0%sT00:00:00Z","cases":[{"id":"a","verdict":"%s"}]}' "$1" "$1" "$2"; }
dated 2 fail >"$folder/runs/a.json"
dated 1 pass >"$folder/runs/b.json"
expect 0 '^    a +fail since run 2 of 7.2, 2026-01-02; before: pass' "$program" history "$folder/runs"
expect 0 '"first_wrong": 2' "$program" history --json "$folder/runs"
echo '{' >"$folder/runs/c.json"
expect 1 'runs/c.json: left out: is no JSON: octet' "$program" history "$folder/runs" --html "$folder/history.html"
expect 0 'Left out: c.json' cat "$folder/history.html"
expect 1 '^    a +fail since run 2' "$program" history "$folder/runs"
expect 2 'nowhere/history.html: No such file' "$program" history "$folder/runs" --html "$folder/nowhere/history.html"

expect 2 'judge wants --iut' "$program" judge "$folder/x.pcap"
expect 2 'is no IP address' "$program" judge --iut nonsense "$folder/x.pcap"
expect 2 'none.pcap: No such file' "$program" judge --iut 192.0.2.1 "$folder/none.pcap"
expect 2 'old.json: unknown file format' "$program" judge --iut 192.0.2.1 "$folder/old.json"
# One frame of raw IPv4 with a Query to UDP port 270, whose NLI names 192.0.2.1.
python3 - "$folder/query.pcap" <<'PYTHON'
import struct, sys
word = lambda *parts: b"".join(struct.pack(">I", part) for part in parts)
objects = (word(0x00000005, 0x000048c0, 0xc000020a, 0xcb00710a, 0x20201100, 0x0fa01388)
    + word(0x00010004, 1, 2, 3, 4)
    + word(0x00020005, 0x08404000, 30000, 0x61616161, 0x61616161, 0xc0000201)
    + word(0x00050001, 0x12345678))
gist = struct.pack(">BBHHBB", 1, 10, len(objects) // 4, 33, 0x80, 0xc0) + objects
udp = b"\x4e\x04\xbd\xa5" + gist
udp = struct.pack(">HHHH", 270, 270, 8 + len(udp), 1) + udp
packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
packet += bytes([192, 0, 2, 1, 203, 0, 113, 10]) + udp
header = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
open(sys.argv[1], "wb").write(header + struct.pack("<IIII", 1, 0, len(packet), len(packet)) + packet)
PYTHON
expect 1 'frame 1, GIST Query: expected DF set, got DF clear' \
    "$program" judge --iut 192.0.2.1 "$folder/query.pcap" --json "$folder/judge.json" --html "$folder/judge.html"
expect 0 judged python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["requirements"]["RFC5971-5.3.2.1-5"] == "violates"; print("judged")' "$folder/judge.json"
expect 0 'gist-query-dont-fragment' grep -o 'id="gist-query-dont-fragment" open' "$folder/judge.html"
expect 4 'none of the IUT; messages were sent by: 192\.0\.2\.1$' \
    "$program" judge --iut 192.0.2.2 "$folder/query.pcap"

# The same of another NSLP, with DF; and a capture of no GIST at all.
python3 - "$folder" <<'PYTHON'
import sys
octets = bytearray(open(sys.argv[1] + "/query.pcap", "rb").read())
octets[46], octets[77] = 0x40, 40
open(sys.argv[1] + "/other-nslp.pcap", "wb").write(octets)
octets[40 + 23], octets[40 + 28] = 9, 0
open(sys.argv[1] + "/data.pcap", "wb").write(octets)
PYTHON
expect 5 'no NATFW, which is NSLPID 33: GIST of NSLPID 40 \(1 message\) only' \
    "$program" judge --iut 192.0.2.1 "$folder/other-nslp.pcap"
expect 4 'no NATFW, which is NSLPID 33: no GIST either' "$program" judge --iut 192.0.2.1 "$folder/data.pcap"

expect 2 'none: No such file' "$program" judge --iut 192.0.2.1 --tls-keylog "$folder/none" "$folder/query.pcap"
expect 2 'wants the program tshark' \
    env PATH=/nonexistent "$program" judge --iut 192.0.2.1 --tls-keylog /dev/null "$folder/query.pcap"

# The same packet in frames of other link types, padded, and as pcapng.
python3 - "$folder" <<'PYTHON'
import struct, sys
folder = sys.argv[1]
packet = open(folder + "/query.pcap", "rb").read()[40:]
ethernet = bytes(12)
frames = {
    "ethernet": (1, ethernet + b"\x08\x00" + packet + bytes(18)),
    "vlan": (1, ethernet + b"\x81\x00\x00\x07\x08\x00" + packet),
    "two-vlans": (1, ethernet + b"\x88\xa8\x00\x07\x81\x00\x00\x08\x08\x00" + packet),
    "cooked": (113, bytes(14) + b"\x08\x00" + packet),
    "cooked-2": (276, b"\x08\x00" + bytes(18) + packet),
    "loopback": (0, struct.pack("<I", 2) + packet),
    "raw-ipv4": (228, packet),
}
header = lambda link, snap=65535: struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snap, link)
record = lambda frame, kept: struct.pack("<IIII", 1, 0, kept, len(frame)) + frame[:kept]
for name, (link, frame) in frames.items():
    open(f"{folder}/{name}.pcap", "wb").write(header(link) + record(frame, len(frame)))
link, frame = frames["ethernet"]
open(f"{folder}/snapped.pcap", "wb").write(header(link, 60) + record(frame, 60))
open(f"{folder}/other.pcap", "wb").write(header(1) + record(ethernet + b"\x08\x06" + packet, 80))
block = lambda kind, body: struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
padding = bytes(-len(packet) % 4)
open(f"{folder}/next.pcapng", "wb").write(
    block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack("<HHI", 101, 0, 0))
    + block(6, struct.pack("<IIIII", 0, 0, 1, len(packet), len(packet)) + packet + padding))
PYTHON
for name in ethernet.pcap vlan.pcap two-vlans.pcap cooked.pcap cooked-2.pcap loopback.pcap raw-ipv4.pcap \
    next.pcapng; do
    expect 1 'frame 1, GIST Query: expected DF set, got DF clear' \
        "$program" judge --iut 192.0.2.1 "$folder/$name"
done
expect 4 '1 frames, 0 GIST messages, 0 of them by the IUT; not read: 1 frames cut short' \
    "$program" judge --iut 192.0.2.1 "$folder/snapped.pcap"
expect 4 'messages were sent by: nobody' "$program" judge --iut 192.0.2.1 "$folder/other.pcap"
{ cat "$folder/ethernet.pcap"; head -c 60 "$folder/ethernet.pcap" | tail -c +25; } >"$folder/torn.pcap"
expect 1 'warning: .*torn.pcap: truncated' "$program" judge --iut 192.0.2.1 "$folder/torn.pcap"
mkdir "$folder/empty"
expect 2 'empty' "$program" judge --iut 192.0.2.1 "$folder/empty"
expect 2 'nowhere/judge.json' "$program" judge --iut 192.0.2.1 "$folder/query.pcap" --json "$folder/nowhere/judge.json"

# A box behind a shim. The skeleton has none: whatever needs an answer is inconclusive, or a failure,
# and one seed gives one report.
expect 2 'with a network, not with --shim' \
    "$program" run --ixit "$folder/good.lua" --shim "$skeleton" --pcap "$folder"
for report in first second; do
    "$program" run --ixit "$folder/good.lua" --shim "$skeleton" --seed 7 --json "$folder/$report.json" >"$folder/out"
done
expect 0 '^same$' sh -c "cmp '$folder/first.json' '$folder/second.json' && echo same"
expect 0 'by skeleton' grep -o 'by skeleton' "$folder/first.json"
expect 0 '^no pass$' python3 -c 'import json,sys; v={c["verdict"] for c in json.load(open(sys.argv[1]))["cases"]}; assert "inconclusive" in v and "pass" not in v, v; print("no pass")' "$folder/first.json"
expect 3 'the shim has died .exit status 127.$' \
    "$program" run --ixit "$folder/good.lua" --shim "$folder/nothing"
# One that greets, and ends with status 7 when the first box is to start: each case says so.
cat >"$folder/dies" <<'PYTHON'
import sys
length = int.from_bytes(sys.stdin.buffer.read(4), "big")
sys.stdin.buffer.read(length)
body = b"\x81\x00\x01\x05short"
sys.stdout.buffer.write(len(body).to_bytes(4, "big") + body)
sys.stdout.buffer.flush()
sys.stdin.buffer.read(1)
sys.exit(7)
PYTHON
expect 4 '3.4-expiry-[a-z-]* .*the shim has died .exit status 7.' \
    "$program" run --ixit "$folder/good.lua" --id '3.4-expiry-*' --shim "python3 $folder/dies" --json "$folder/dead.json"
expect 0 '^2 died$' python3 -c 'import json,sys; print(sum("exit status 7" in c["reason"] for c in json.load(open(sys.argv[1]))["cases"]), "died")' "$folder/dead.json"

# One that ends badly once its input ends, though all that was judged passed.
mkdir "$folder/easy"
cat >"$folder/easy/case.lua" <<'LUA'
return { { id = "easy:holds", purpose = "It holds.", requirements = { "RFC5973-3.5-4" },
  roles = { "NF-FW" }, run = function(t)
    t:session():query_only()
    t:body()
    t:check{ ids = { "RFC5973-3.5-4" }, text = "it holds", holds = true }
  end } }
LUA
for status in 0 5; do
    printf '#!/bin/sh\n"%s"\nexit %d\n' "$skeleton" "$status" >"$folder/ends-$status"
    chmod +x "$folder/ends-$status"
done
expect 0 '1 pass' "$program" run --ixit "$folder/good.lua" --cases "$folder/easy" --id easy:holds --shim "$folder/ends-0"
# What is behind a case that passed is packed in the page.
cat >"$folder/unpack" <<'PYTHON'
import base64, re, sys, zlib
page = open(sys.argv[1], encoding="utf-8").read()
insides = zlib.decompress(base64.b64decode(re.search("id=packed>([^<]*)<", page)[1])).split(b"\x1e")
places = [int(place) for place in re.findall(r"data-place=(\d+)", page)]
assert places == list(range(len(insides))) and places, places
assert b"Requirements that it verifies" in insides[0] and b"it holds" in insides[0], insides[0]
print(len(insides), "packed")
PYTHON
expect 0 '1 pass' "$program" run --ixit "$folder/good.lua" --cases "$folder/easy" --id easy:holds \
    --shim "$folder/ends-0" --html "$folder/easy.html"
# Its messages are octets in JSON, unless they are to be decoded.
for flag in --verbose --decoded; do
    expect 0 '1 pass' "$program" run --ixit "$folder/good.lua" --cases "$folder/easy" --id easy:holds \
        --shim "$folder/ends-0" $flag --json "$folder/easy.json$flag"
done
expect 0 '"octets"' grep -o '"octets"' "$folder/easy.json--verbose"
expect 0 '^0$' sh -c "grep -c '\"octets\"' '$folder/easy.json--decoded' || :"
expect 0 '"objects"' grep -o '"objects"' "$folder/easy.json--decoded"
expect 0 '^1 packed$' python3 "$folder/unpack" "$folder/easy.html"
expect 4 'the shim ends with exit status 5' \
    "$program" run --ixit "$folder/good.lua" --cases "$folder/easy" --id easy:holds --shim "$folder/ends-5"

# A case that never ends is an error of its own.
cat >"$folder/easy/loop.lua" <<'LUA'
return { { id = "easy:loops", purpose = "It loops.", requirements = { "RFC5973-3.5-4" },
  roles = { "NF-FW" }, run = function(t)
    t:pause(1)
    while true do end
  end } }
LUA
expect 3 '^error +easy:loops +.it runs too long without waiting: .*easy/loop.lua:4.$' \
    "$program" run --ixit "$folder/good.lua" --cases "$folder/easy" --id 'easy:*' --shim "$skeleton"

# Where no case of a run applies, there is no slowest.
expect 0 '^none$' sh -c "'$program' run --ixit '$folder/good.lua' --id ni-3.7.1-create --shim '$skeleton' | grep slowest || echo none"

captured=$suite/../pcaps/create-success.pcap
expect 2 'replay wants at least one FILE.pcap' "$program" replay
expect 2 'replay wants --ixit' "$program" replay "$folder/query.pcap"
expect 2 'exclude each other' "$program" replay --as initiator --iut 192.0.2.1 "$folder/query.pcap"
expect 2 'as anybody is no IP address' "$program" replay --as anybody "$folder/query.pcap"
expect 2 'query.pcap: has nothing that 192.0.2.7 sent' \
    "$program" replay --ixit "$folder/good.lua" --as 192.0.2.7 "$folder/query.pcap"
expect 2 'query.pcap: has nothing of the IUT' "$program" replay --ixit "$folder/good.lua" "$folder/query.pcap"
expect 2 'query.pcap: has no Response' \
    "$program" replay --ixit "$folder/good.lua" --as responder "$folder/query.pcap"
expect 2 'is the responder itself' \
    "$program" replay --ixit "$suite/ixit/responder.lua" --as responder "$captured"
expect 2 'is the initiator itself' \
    "$program" replay --ixit "$suite/ixit/initiator.lua" --as initiator "$captured"
# The same messages on a second wire, which playing one node would leave unseen.
python3 - "$captured" "$folder/two-wires.pcap" <<'PYTHON'
import sys
octets = open(sys.argv[1], "rb").read()
other = octets.replace(bytes([198, 51, 100, 1]), bytes([198, 51, 100, 7]))
other = other.replace(bytes([198, 51, 100, 2]), bytes([198, 51, 100, 8]))
open(sys.argv[2], "wb").write(octets + other[24:])
PYTHON
expect 2 'with 198.51.100.1 played, 6 of its messages, .* would be left unseen; name the IUT' \
    "$program" replay --ixit "$folder/good.lua" --as initiator "$folder/two-wires.pcap"
# Played against a child in virtual time, too; one that answers nothing sends nothing that could be compared.
expect 1 'compared 0 of [0-9]+ messages' "$program" replay --shim "$skeleton" --ixit "$folder/good.lua" \
    "$captured"
expect 2 'pcap goes with a network' "$program" replay --shim x --pcap "$folder" --ixit "$folder/good.lua" "$captured"
expect 2 'restart.each_case needs a restart.command' \
    "$program" check-ixit --shim x --set restart.each_case=true "$folder/good.lua"
# A report that does not fit is no report.
for kind in json html junit tap; do
    expect 3 '/dev/full: No space left' "$program" run --shim "$skeleton" --ixit "$folder/good.lua" \
        --id 3.5-newer-msn-stored --$kind /dev/full
done
expect 2 'netns' "$program" replay --ixit "$folder/good.lua" --set inside.netns=/nonexistent/netns "$captured"
# Link type 147 is nobody's.
{ head -c 20 "$folder/query.pcap"; printf '\223\000\000\000'; tail -c +25 "$folder/query.pcap"; } >"$folder/odd.pcap"
expect 2 'odd.pcap: link type 147 is none that I know' "$program" replay --ixit "$folder/good.lua" "$folder/odd.pcap"

echo "$count checks, $failed failed"
[ $failed -eq 0 ]
