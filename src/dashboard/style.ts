/** The page's style, for light and dark. Contrast of text is at least 4.5:1 in both. */
export const STYLE = `
:root {
  --ground: #f6f7f9; --panel: #fff; --ink: #16202c; --soft: #566372; --line: #d6dce3;
  --sea: #2468b2; --band: #bcd6f2; --good: #1a7340; --warn: #8a5a00; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10161d; --panel: #18212b; --ink: #e8edf2; --soft: #a3b1bf; --line: #324150;
    --sea: #7db8f5; --band: #2c5380; --good: #6fd695; --warn: #f2c063; --bad: #ff9b92;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem 1.5rem;
  align-items: center;
  padding: 0.75rem 1.5rem;
  border-bottom: 1px solid var(--line);
  background: var(--panel);
}
h1 { margin: 0; font-size: 1.25rem; display: flex; align-items: center; gap: 0.5rem; }
h2 { margin: 0 0 0.75rem; font-size: 1.05rem; }
h3 { margin: 1.5rem 0 0.5rem; font-size: 0.95rem; }
.mark { width: 1.6rem; height: 1.6rem; }
#market { margin: 0; color: var(--soft); flex: 1; }
nav { display: flex; gap: 1rem; }
a { color: var(--sea); }
main {
  display: grid;
  grid-template-columns: minmax(20rem, 5fr) minmax(22rem, 7fr);
  gap: 1.5rem;
  padding: 1.5rem;
  max-width: 90rem;
  margin: 0 auto;
  align-items: start;
}
@media (max-width: 60rem) { main { grid-template-columns: 1fr; padding: 1rem; } }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 1.25rem; min-width: 0; }
label { display: block; color: var(--soft); margin-bottom: 0.35rem; }
textarea {
  width: 100%;
  resize: vertical;
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 0.6rem;
  background: var(--ground);
  color: var(--ink);
  font: 13px/1.45 ui-monospace, monospace;
  white-space: pre;
}
.buttons { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; margin-top: 0.75rem; }
button {
  font: inherit;
  padding: 0.45rem 1.1rem;
  border-radius: 6px;
  border: 1px solid var(--sea);
  background: var(--sea);
  color: var(--panel);
  cursor: pointer;
}
button.quiet { background: none; color: var(--sea); }
button:disabled { opacity: 0.6; cursor: progress; }
:focus-visible { outline: 3px solid var(--sea); outline-offset: 2px; }
#took, .note { color: var(--soft); }
#problem:not(:empty) {
  border-left: 4px solid var(--bad);
  padding: 0.5rem 0.9rem;
  margin-bottom: 1rem;
  background: var(--ground);
  overflow-wrap: anywhere;
}
#problem b { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0.6rem; margin: 0; }
.tiles div { border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem 0.8rem; }
dt { color: var(--soft); font-size: 0.85rem; }
dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.healthy {
  color: var(--good);
  } .warning, .margin-call { color: var(--warn);
  } .liquidation, .default { color: var(--bad);
}
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: 0.85rem; padding-bottom: 0.25rem; }
th, td { padding: 0.3rem 0.5rem 0.3rem 0; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; font-weight: 500; }
thead th { color: var(--soft); font-weight: 500; }
figure { margin: 0.75rem 0 0; }
figcaption { color: var(--soft); font-size: 0.85rem; }
.chart { width: 100%; height: auto; display: block; }
.chart text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.chart .axis {
  stroke: var(--line);
  } .chart .band { fill: var(--band);
  } .chart .tick { stroke: var(--sea);
  stroke-width: 3;
}
.chart .whisker { stroke: var(--sea); stroke-width: 1.5; }
details { margin-top: 1.25rem; color: var(--soft); }
details dd { font: 12px ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; }
`;
