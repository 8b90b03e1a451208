/** How the report looks: plain, dense, readable without colour. Paper is always light. */
export const style = `
:root { font-size: 15px; color-scheme: light dark; --ink: #1c2530; --soft: #5a6875; --line: #d5dce3; --back: #fff; --tile: #f3f6f9;
  --answered: #4a86c5; --refused: #d99a1c; --failed: #c8372d; --unknown: #7b4fb0;
  --good: #1f7a3d; --good-back: #e7f5ec; --warn: #8a5a00; --warn-back: #fdf3dc; --bad: #a81e15; --bad-back: #fcebe9; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ee; --soft: #9aa8b5; --line: #38434e; --back: #161b21; --tile: #1f262e;
    --answered: #5d9bdc; --refused: #e0aa3e; --failed: #ea6a60; --unknown: #a985dd;
    --good: #6fd394; --good-back: #163322; --warn: #f0c065; --warn-back: #362a10; --bad: #ff9a92; --bad-back: #3d1a18; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 66rem; background: var(--back); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
p { margin: .3rem 0 .7rem; } header p, section > p { color: var(--soft); }
.banner { padding: .8rem 1rem; border-left: 5px solid; border-radius: 4px; margin: 1.2rem 0; }
.banner strong { text-transform: uppercase; letter-spacing: .04em; margin-right: .5rem; }
.banner.good { color: var(--good); background: var(--good-back); } .banner.warn { color: var(--warn); background: var(--warn-back); }
.banner.bad { color: var(--bad); background: var(--bad-back); }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: .7rem; }
.tiles div { background: var(--tile); border-radius: 6px; padding: .7rem .9rem; }
.tiles b { display: block; font-size: 1.45rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: .87rem; }
svg { width: 100%; height: auto; display: block; }
svg line { stroke: var(--line); } svg text { fill: var(--soft); font-size: 12px; }
rect.answered, i.answered { fill: var(--answered); background: var(--answered); }
rect.refused, i.refused { fill: var(--refused); background: var(--refused); }
rect.failed, i.failed { fill: var(--failed); background: var(--failed); }
rect.unknown, i.unknown { fill: var(--unknown); background: var(--unknown); }
b.refused, td.refused { color: var(--refused); } b.failed, td.failed { color: var(--failed); }
b.unknown, td.unknown { color: var(--unknown); } td.refused, td.failed, td.unknown { font-weight: 600; }
.legend { font-size: .87rem; display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.legend .step { margin-left: auto; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; } .pair > * { min-width: 0; }
.scroll { overflow-x: auto; } .scroll + .scroll { margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; vertical-align: top; padding: .32rem .7rem .32rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; } th:last-child, td:last-child { padding-right: 0; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .zero { color: var(--soft); }
.i { max-width: 14rem; overflow-wrap: anywhere; white-space: normal; min-width: 6.5em; }
.t { white-space: nowrap; font-variant-numeric: tabular-nums; } .d { overflow-wrap: anywhere; }
.h { font: .8rem/1.6 ui-monospace, "Liberation Mono", monospace; word-break: break-all; }
.none, .more { color: var(--soft); }
@media (max-width: 46rem) { .tiles { grid-template-columns: repeat(2, 1fr); } .pair { grid-template-columns: 1fr; } }
@media print { :root { font-size: 10.5px; } body { max-width: none; padding: 0; } section { break-inside: auto; }
  h2 { break-after: avoid; } tr, svg, .banner, .tiles div { break-inside: avoid; } .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } @page { margin: 14mm; } }
`;
