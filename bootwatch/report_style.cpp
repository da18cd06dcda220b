#include "bootwatch/report_page.h"

namespace vml::boot {

const std::string_view report_legend =
    R"x(<ul class="key"><li><i style="--c:var(--firmware)"></i>firmware and ROM</li>
<li><i class="wait" style="--c:var(--dhcp)"></i>DHCP, waiting for an offer</li>
<li><i style="--c:var(--fetch)"></i>fetching</li>
<li><i class="wait" style="--c:var(--fetch)"></i>the same, waiting for the answer</li>
<li><i class="wait" style="--c:var(--wait)"></i>other waits</li>
<li><i style="--c:var(--system)"></i>operating system</li><li><i style="--c:var(--bad)"></i>failed</li></ul>
)x";

// A word is broken only where a whole line is too short for it, as a URL may be.
const std::string_view report_style = R"css(
:root { color-scheme: light dark; --ink: #1b2430; --soft: #55616e; --line: #d9dfe6; --paper: #ffffff; --panel: #f4f6f9;
  --firmware: #8a6fc9; --dhcp: #2f7fd1; --wait: #c9821a; --fetch: #1f9d78; --system: #3f4f66; --bad: #c8372d; --good: #1f8a4c;
  --link: #1a5fb4; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #a3b0bd; --line: #343f4c; --paper: #171d25;
  --panel: #202833; --wait: #e3a23c; --system: #8fa3bf; --bad: #ff7a6f; --good: #5fd08e; --link: #8fbcff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: 0; } * + h1 { margin-top: 3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--link); } p.sub { color: var(--soft); margin: .2rem 0 1rem; }
.verdict { border-left: .35rem solid var(--good); background: var(--panel); padding: .7rem 1rem; margin: 1rem 0; }
.verdict.bad { border-color: var(--bad); } .verdict b { display: block; font-size: 1.05rem; }
.verdict span { display: block; color: var(--soft); } .verdict span i { color: var(--ink); font-style: normal; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem .25rem 0; vertical-align: top; white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; } td.n { color: var(--soft); }
.what { width: 100%; white-space: normal; overflow-wrap: anywhere; }
pre { background: var(--panel); border-radius: .3rem; padding: .6rem .8rem; margin: 0;
  font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
pre.command { white-space: pre-wrap; } pre.command span { display: inline-block; max-width: 100%; } pre.console { overflow-x: auto; }
.waterfall { overflow-x: auto; background: var(--panel); border-radius: .3rem; }
svg { width: 100%; min-width: 56rem; height: auto; display: block; }
svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); } svg text.t { fill: var(--soft); }
svg text.in { paint-order: stroke; stroke: var(--panel); stroke-width: 3px; stroke-linejoin: round; }
svg line { stroke: var(--line); } svg rect { fill: var(--c); } .bad-text { color: var(--bad); }
svg rect.wait { fill-opacity: .35; stroke: var(--c); stroke-dasharray: 3 2; }
ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .4rem 0 1rem;
  font-size: .85rem; color: var(--soft); }
ul.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .35rem;
  vertical-align: -.1rem; background: var(--c); }
ul.key i.wait { border: 1px dashed var(--c); background: color-mix(in srgb, var(--c) 35%, transparent); }
@media (max-width: 40rem) { body { padding: 1rem; } dl, table, tbody { display: block; } dd { margin-bottom: .4rem; }
  th { display: none; } tr { display: flex; flex-wrap: wrap; column-gap: .8rem;
  border-bottom: 1px solid var(--line); padding: .3rem 0; }
  td { display: block; border: 0; padding: 0; color: var(--soft); }
  td.what { order: 1; flex-basis: 100%; color: var(--ink); } }
@media print { @page { margin: 12mm; } body { max-width: none; padding: 0; font-size: 10pt; } h1, h2, p.sub { break-after: avoid; }
  .verdict, svg, tr, ul.key { break-inside: avoid; } .waterfall, pre.console { overflow: visible; }
  .waterfall { background: none; } svg { min-width: 0; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
)css";

}  // namespace vml::boot
