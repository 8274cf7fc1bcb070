/** How the page looks: light and dark, and colours that those who see red and green alike can tell apart. */
export const STYLE = `
:root{--ink:#1b2430;--soft:#5d6a7a;--paper:#f6f7f9;--card:#fff;--line:#dfe3e8;--good:#0f766e;--bad:#b4232c;--idle:#8a94a3;--warm:217,119,6;--cool:37,99,235;--teal:15,118,110;--red:200,35,51}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa7b6;--paper:#11161c;--card:#1a2129;--line:#2c3641;--good:#2dd4bf;--bad:#ff6b6b;--idle:#6b7787}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:24px}
header{border-radius:14px;padding:26px 30px;color:#fff;background:linear-gradient(120deg,#0f5f59,#12877d)}
header.bad{background:linear-gradient(120deg,#7f1620,#c2323c)}header.idle{background:linear-gradient(120deg,#4b5563,#6b7280)}
header .brand{margin:0;opacity:.75;letter-spacing:.08em;font-weight:600}header h1{margin:2px 0 4px;font-size:34px;line-height:1.15}header .what{margin:0 0 16px;opacity:.9}
header dl{display:flex;flex-wrap:wrap;gap:14px 36px;margin:0}header dt{opacity:.8;font-size:13px}header dd{margin:0;font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}
section{margin-top:34px}h2{font-size:20px;margin:0 0 6px}.hint{color:var(--soft);margin:0 0 10px}
article{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:10px;padding:16px 20px;margin:12px 0}
article h3{margin:0 0 10px;font-size:16px;font-weight:500}article h3 b{color:var(--bad);margin-right:6px}
dl.facts{display:grid;grid-template-columns:90px 1fr;gap:2px 12px;margin:0 0 12px}dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere}
code,pre{font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace}pre{overflow:auto;background:var(--paper);padding:12px;border-radius:8px}
summary{cursor:pointer}details{margin:8px 0}
ul.laws{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(340px,1fr));gap:8px}
ul.laws li{display:grid;grid-template-columns:36px 1fr auto;gap:8px;align-items:baseline;background:var(--card);border:1px solid var(--line);border-left:4px solid var(--good);border-radius:8px;padding:7px 10px;font-size:13px}
ul.laws.named li{grid-template-columns:1fr auto;align-content:start}ul.laws.named span{grid-row:2;grid-column:1/-1}
ul.laws li.broken{border-left-color:var(--bad)}ul.laws li.idle{border-left-color:var(--idle);color:var(--soft)}
ul.laws b{color:var(--good)}ul.laws .broken b,ul.laws .broken i{color:var(--bad)}ul.laws .idle b{color:var(--idle)}
ul.laws i{font-style:normal;color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow:auto;max-height:92vh;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:8px}
table{border-collapse:separate;border-spacing:2px;font-size:13px}th{font-weight:500;text-align:left;white-space:nowrap;padding:2px 10px 2px 4px;color:var(--soft)}tbody th{color:var(--ink);position:sticky;left:0;background:var(--card);z-index:1}
td{min-width:46px;height:26px;text-align:right;padding:0 7px;border-radius:4px;font-variant-numeric:tabular-nums}
thead th{position:sticky;top:-8px;background:var(--card);z-index:2}thead th:first-child{left:0;z-index:3}.heat thead th{vertical-align:bottom;padding:0}.heat thead span{writing-mode:vertical-rl;transform:rotate(180deg);padding:4px 0;display:inline-block}.heat td{min-width:34px}
td.s2,td.calm{background:rgba(var(--teal),var(--heat))}td.s4{background:rgba(var(--cool),calc(var(--heat)*.8))}td.s5,td.hot{background:rgba(var(--warm),var(--heat))}td.s1,td.s3{background:rgba(120,120,140,.4)}td.strong{color:#fff}td.strong.s4,td.strong.s5,td.strong.hot{color:inherit}td.departure{background:rgba(124,58,237,var(--heat))}td.undocumented{background:rgba(var(--red),var(--heat));color:#fff}td.unseen{color:var(--soft);text-align:center;font-size:20px;line-height:1}
@media(prefers-color-scheme:dark){td.strong.s5,td.strong.hot{color:#11161c}}
.timeline{width:100%;height:auto;background:var(--paper);border-radius:8px;font-size:11px}.timeline text{fill:var(--ink)}.timeline .tick{fill:var(--soft)}.timeline .rail{stroke:var(--line)}.timeline .here{stroke:var(--bad);stroke-dasharray:4 3;stroke-width:1.5}
.ask rect{fill:var(--good)}.ask.refused rect{fill:#3b82f6}.ask.failed rect{fill:#d97706}.ask.lost rect{fill:none;stroke:var(--bad);stroke-dasharray:3 2}.ask.culprit rect{fill:var(--bad);stroke:var(--ink);stroke-width:1.5}
.state rect{fill:#94a3b8;opacity:.55}.state.running rect{fill:#14b8a6}.state.updating rect{fill:#6366f1}.state.error rect{fill:#ef4444}.state.pending rect{fill:#94a3b8}.fault rect{fill:#d97706}
.bar{display:inline-block;width:140px;height:9px;border-radius:5px;margin-right:10px;background:linear-gradient(90deg,var(--good) calc(var(--seen)*100%),var(--idle) 0 calc(var(--excused)*100%),var(--bad) 0)}
ul.missing{list-style:none;padding:0 0 0 18px;font-size:13px;color:var(--soft)}ul.missing p{margin:10px 0 2px;color:var(--ink)}ul.missing .open p{color:var(--bad);font-weight:600}ul.missing code{display:inline-block;margin:0 10px 0 0;font-size:12px}
@media(max-width:700px){main{padding:12px}header{padding:18px}header h1{font-size:27px}ul.laws{grid-template-columns:1fr}tbody th{white-space:normal;min-width:104px;max-width:150px;font-size:11px;line-height:1.25}dl.facts{grid-template-columns:70px 1fr}article{padding:12px}.scroll{padding:4px}thead th{top:-4px}.timeline{min-width:760px}.drawing{overflow-x:auto}}
`.replaceAll('\n', '');
