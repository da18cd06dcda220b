#include "bootwatch/report_page.h"

namespace vml::boot {

const std::string_view report_style = R"css(
:root { --ink: #1b2430; --soft: #5b6876; --line: #d9dfe6; --paper: #ffffff; --panel: #f4f6f9; --firmware: #8a6fc9;
  --dhcp: #2f7fd1; --wait: #e3a23c; --fetch: #1f9d78; --system: #3f4f66; --bad: #c8372d; --good: #1f8a4c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #9aa7b5; --line: #343f4c; --paper: #171d25;
  --panel: #202833; --system: #8fa3bf; --bad: #ff7a6f; --good: #5fd08e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.sub { color: var(--soft); margin: .2rem 0 1rem; }
.verdict { border-left: .35rem solid var(--good); background: var(--panel); padding: .7rem 1rem; margin: 1rem 0; }
.verdict.bad { border-color: var(--bad); } .verdict b { display: block; font-size: 1.05rem; }
.verdict span { display: block; color: var(--soft); } .verdict span i { color: var(--ink); font-style: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem .25rem 0; vertical-align: top; overflow-wrap: anywhere; }
td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; display: block; background: var(--panel); border-radius: .3rem; }
svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); } svg text.t { fill: var(--soft); }
svg line { stroke: var(--line); } .bad-text { color: var(--bad); }
ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .4rem 0; font-size: .85rem; color: var(--soft); }
ul.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .35rem; vertical-align: -.1rem; }
@media print { body { max-width: none; padding: 0; } h2, svg, tr { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
)css";

}  // namespace vml::boot
