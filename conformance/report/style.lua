-- The style sheet of the HTML report, for light and dark, wide and narrow. The filters are radio buttons
-- before <main>: no JavaScript.

return [[
:root { --ink: #1c2430; --soft: #5b6675; --line: #d9dfe7; --paper: #fff; --ground: #f4f6f9;
  --good: #1a7f4b; --bad: #c0272d; --doubt: #9a6200; --quiet: #6b7685; --blue: #1f5fae;
  --violet: #7a4fa3; --on-tone: #fff; --hair: #eef1f5; --hover: #f7f9fc; --target: #f2c94c;
  --bad-ground: #fdf0f0; --bad-line: #ecc6c8; --doubt-ground: #fdf6e6; --doubt-line: #e8d4a2;
  --quiet-ground: #f2f4f7; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8ef; --soft: #9aa6b5; --line: #323b47; --paper: #1a2029; --ground: #11151b;
    --good: #4cc38a; --bad: #f2666c; --doubt: #d9a53a; --quiet: #8693a3; --blue: #6cabf5;
    --violet: #b48ee0; --on-tone: #11151b; --hair: #29313c; --hover: #222a34; --target: #8a6d1d;
    --bad-ground: #3a2023; --bad-line: #6b3438; --doubt-ground: #362c17; --doubt-line: #6b5524;
    --quiet-ground: #222a34; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; }
code, pre, .mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: 0.88em; overflow-wrap: anywhere; }
a { color: var(--blue); text-decoration: none; }
a:hover { text-decoration: underline; }
header, main { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 28px; }
h1 { margin: 0; font-size: 25px; }
h2 { font-size: 19px; margin: 34px 0 10px; }
h3 { font-size: 15px; margin: 18px 0 6px; }
.outcome { font-size: 17px; margin: 6px 0 14px; overflow-wrap: anywhere; }
.facts { color: var(--soft); margin: 0; display: flex; flex-wrap: wrap; gap: 2px 22px; }
.facts b { color: var(--ink); font-weight: 600; }
.counts { display: flex; flex-wrap: wrap; gap: 10px; margin: 18px 0; }
.count { background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: 6px 13px; min-width: 80px; font-size: 13px; border-top: 4px solid var(--quiet); }
.count b { display: block; font-size: 22px; line-height: 1.2; }
.count.none { opacity: 0.45; }
.pass { --tone: var(--good); } .fail, .unexpected-pass, .error, .violates { --tone: var(--bad); }
.inconclusive, .unstable, .remark { --tone: var(--doubt); }
.expected-failure, .not-applicable, .not-reached, .no-verdict, .never-exercised
  { --tone: var(--quiet); }
.conforms { --tone: var(--good); }
.count.pass, .count.fail, .count.error, .count.inconclusive, .count.unstable, .count.remark,
.count.unexpected-pass, .count.conforms, .count.violates { border-top-color: var(--tone); }
.badge { display: inline-block; background: var(--tone, var(--quiet)); color: var(--on-tone);
  border-radius: 4px; padding: 1px 8px; font-size: 12px; font-weight: 600; white-space: nowrap; }
nav a { margin-right: 18px; }
.panel, .case { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
.panel { padding: 4px 18px 14px; }
details.panel { padding: 8px 18px; margin: 10px 0; } summary { cursor: pointer; }
.case { margin: 10px 0; border-left: 5px solid var(--tone, var(--quiet)); }
.case > summary, .case > .head { padding: 9px 14px; display: flex; gap: 12px;
  align-items: baseline; }
.case > summary { cursor: pointer; list-style: none; }
.case > summary::-webkit-details-marker { display: none; }
.case > summary::before { content: "\25B8"; color: var(--soft); }
.case[open] > summary::before { content: "\25BE"; }
.case .name { font-weight: 600; white-space: nowrap; }
.case .purpose { color: var(--soft); flex: 1; }
.case .time { color: var(--soft); white-space: nowrap; }
.case .inside { padding: 0 18px 16px; border-top: 1px solid var(--line); }
.case .inside > .facts { margin-top: 10px; }
.why { background: var(--bad-ground); border: 1px solid var(--bad-line); border-radius: 6px;
  margin: 14px 0; padding: 12px 16px; }
.inconclusive .why, .unstable .why { background: var(--doubt-ground);
  border-color: var(--doubt-line); }
.expected-failure .why, .not-applicable .why { background: var(--quiet-ground);
  border-color: var(--line); }
.why p { margin: 0 0 6px; } .why p:last-child { margin: 0; }
.versus { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; margin: 8px 0; }
.versus > div { background: var(--paper); border-radius: 5px; padding: 6px 12px;
  border-left: 4px solid var(--quiet); }
.versus > .expected { border-left-color: var(--good); }
.versus > .actual { border-left-color: var(--bad); }
.versus span { display: block; color: var(--soft); font-size: 12px; }
.versus b { font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 12.5px;
  border-bottom: 2px solid var(--line); padding: 5px 8px; }
td { border-bottom: 1px solid var(--line); padding: 5px 8px; vertical-align: top; }
tr:target, .case:target { outline: 3px solid var(--target); }
td.id { white-space: nowrap; }
.exchange { border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.lanes, .message > summary, .note { display: grid; grid-template-columns: 92px 1fr 1fr;
  align-items: center; }
.lanes { background: var(--ground); font-weight: 600; padding: 6px 0; }
.lanes div { display: flex; justify-content: space-between; padding: 0 4px; }
.lanes .right { justify-content: flex-end; }
.lanes .left { margin-right: -46px; } .lanes .right { padding-right: 14px; }
.message, .note { border-top: 1px solid var(--hair); }
.message > summary { cursor: pointer; list-style: none; padding: 3px 0; }
.message > summary::-webkit-details-marker { display: none; }
.message > summary:hover { background: var(--hover); }
.at { color: var(--soft); font-size: 12px; padding-left: 10px; white-space: nowrap; }
.arrow { position: relative; margin: 0 12px; padding: 2px 14px 7px; text-align: center;
  border-bottom: 2px solid var(--blue); font-size: 13.5px; }
.arrow.received { border-bottom-color: var(--violet); }
.arrow::after { content: ""; position: absolute; bottom: -6px; border: 5px solid transparent; }
.arrow.to-right::after { right: -4px; border-left-color: var(--blue); border-right-width: 0;
  border-left-width: 9px; }
.arrow.to-left::after { left: -4px; border-right-color: var(--blue); border-left-width: 0;
  border-right-width: 9px; }
.arrow.received.to-right::after { border-left-color: var(--violet); }
.arrow.received.to-left::after { border-right-color: var(--violet); }
.arrow b { font-weight: 600; }
.arrow .more { color: var(--soft); font-size: 12px; }
.east { grid-column: 3; } .west { grid-column: 2; }
.note > div { grid-column: 2 / 4; padding: 3px 12px; color: var(--soft); font-size: 13.5px; }
.note.carries > div { color: var(--ink); }
.note .mark { color: var(--good); font-weight: 700; }
.note.failed { background: var(--bad-ground); border: 2px solid var(--bad); }
.note.remarked .mark { color: var(--doubt); }
.note.failed > div { color: var(--ink); }
.note.failed .mark { color: var(--bad); }
.decoded { margin: 4px 12px 10px 92px; background: var(--ground); border-radius: 6px;
  padding: 6px 12px; }
.decoded th { border: 0; padding: 6px 4px 2px; color: var(--ink); }
.decoded td { border: 0; border-top: 1px solid var(--line); padding: 2px 4px;
  font-size: 13px; }
.decoded td:first-child, .decoded th:first-child { width: 190px; white-space: nowrap; }
.fields { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-weight: 400; overflow-wrap: anywhere; }
.fields i { color: var(--soft); font-style: normal; }
.fields i + i::before { content: "  "; white-space: pre-wrap; }
.decoded td b { font-weight: 600; }
.decoded .fault { color: var(--bad); font-weight: 600; }
.level { font-size: 12px; color: var(--soft); white-space: nowrap; }
.filters { margin: 12px 0 0; }
.filters label { display: inline-block; margin-bottom: 4px; cursor: pointer;
  border: 1px solid var(--line); background: var(--paper);
  border-radius: 14px; padding: 2px 12px; margin-right: 6px; font-size: 13.5px; }
input[name="filter"] { position: absolute; opacity: 0; }
#show-all:checked ~ header label[for="show-all"], #show-bad:checked ~ header label[for="show-bad"],
#show-good:checked ~ header label[for="show-good"] { background: var(--ink); color: var(--paper); }
#show-bad:checked ~ main .pass.filtered, #show-bad:checked ~ main .conforms.filtered,
#show-good:checked ~ main .filtered:not(.pass):not(.conforms) { display: none; }
#show-good:checked ~ main .cause { display: none; }
footer { max-width: 1180px; margin: 40px auto; padding: 0 24px; color: var(--soft);
  overflow-wrap: anywhere; }
dt { font-weight: 600; margin-top: 8px; } dd { margin: 0 0 0 18px; }
.cause { margin: 10px 0; } .cause > .case { margin-left: 22px; }
.cause > summary { padding: 9px 14px; font-weight: 600; background: var(--paper);
  border: 1px solid var(--line); border-left: 5px solid var(--tone); border-radius: 8px; }
.search { margin: 12px 0 0; } .search input { width: 100%; max-width: 420px; font: inherit;
  color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 6px;
  padding: 4px 10px; }
.unsought { display: none; }
@media (max-width: 640px) {
  header, main, footer { padding: 0 10px; }
  .case .inside { padding: 0 10px 12px; }
  .case > summary { flex-wrap: wrap; gap: 4px 10px; }
  .case .name, td.id { white-space: normal; overflow-wrap: anywhere; }
  .case .purpose { flex-basis: 100%; }
  .versus { grid-template-columns: 1fr; }
  .lanes, .message > summary, .note { grid-template-columns: 56px 1fr 1fr; }
  .at { padding-left: 4px; white-space: normal; }
  .decoded { margin: 4px 4px 10px; }
  .lanes .level { display: none; } .lanes .left { margin-right: -14px; }
  .decoded td:first-child, .decoded th:first-child { width: auto; white-space: normal; }
  .rows, .rows tbody { display: block; } .rows tr:has(> th) { display: none; }
  .cause > .case { margin-left: 0; }
  .rows tr { display: flex; flex-wrap: wrap; gap: 2px 10px; padding: 7px 0;
    border-bottom: 1px solid var(--line); }
  .rows td { border: 0; padding: 0; max-width: 100%; overflow-wrap: anywhere; } }
@media print { .filters { display: none; } body { background: #fff; } }
]]
