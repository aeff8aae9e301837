/**
 * The style of the page. The colours follow the reader's scheme, and colour-blind readers can
 * distinguish those of the roles (palette by Okabe and Ito).
 */
export const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #5b6570; --line: #d5dae0; --ours: #0072b2; --peer: #c25400; --floor: #76777a; --ceiling: #a3527f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e6e9ec; --faint: #a2abb4; --line: #363c43; --ours: #56b4e9; --peer: #f0a04b; --floor: #9aa0a6; --ceiling: #d99abf; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 1rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.25; }
h1 { font-size: 1.7rem; margin: 0.5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.5rem; padding-top: 0.75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.25rem 0 0.25rem; }
p, li { max-width: 46rem; }
.note { max-width: none; margin: 0.5rem 0; }
a { color: var(--ours); }
code { font: 0.85em ui-monospace, monospace; overflow-wrap: anywhere; }
.faint, figcaption { color: var(--faint); font-size: 0.9rem; }
table .faint { font-size: inherit; }
.warning { border-left: 4px solid var(--peer); padding: 0.25rem 0.75rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 1.5rem 2rem; align-items: start; }
figure { margin: 0; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; column-gap: 1rem; margin-bottom: 0.4rem; }
figcaption b { flex: 1 0 100%; font-weight: 600; color: var(--ink); }
figure svg text { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
figure > svg { display: block; width: 100%; max-width: 440px; height: auto; }
.key { display: inline-flex; align-items: center; gap: 0.3rem; }
.keys { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.key svg { flex: none; width: 12px; height: 12px; }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--paper) 30%, transparent) 0 0 / 3rem 100% local, linear-gradient(to left, var(--paper) 30%, transparent) 100% 0 / 3rem 100% local, linear-gradient(to right, var(--line), transparent) 0 0 / 0.8rem 100% scroll, linear-gradient(to left, var(--line), transparent) 100% 0 / 0.8rem 100% scroll; background-repeat: no-repeat; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.5rem 0; }
th, td { padding: 0.2rem 0.6rem 0.2rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
th { vertical-align: bottom; }
th.group { padding-top: 1rem; }
@media (max-width: 640px) {
  th, td:not(.n) { white-space: normal; min-width: 5rem; }
  .scroll td:first-child, .scroll thead th:first-child { position: sticky; left: 0; min-width: 7rem; max-width: 9rem; background: var(--paper); }
  th.group { max-width: 20rem; }
}
.n { text-align: right; font-variant-numeric: tabular-nums; }
.verdict { margin-top: 0.75rem; }
.sentences p { margin: 0.6rem 0; }
.sentences p:first-child { margin-top: 0; }
@media (min-width: 860px) {
  .verdict { display: grid; grid-template-columns: 440px minmax(0, 1fr); gap: 3rem; align-items: center; }
}
details summary { cursor: pointer; margin: 0.5rem 0; }
.fold { border-top: 1px solid var(--line); }
.fold > summary h2 { display: inline; margin: 0; padding: 0; border: 0; font-size: 1.1rem; }
.fold > summary { margin: 0; padding: 0.55rem 0; }
nav { margin: 1rem 0; line-height: 1.9; }
.choice { width: 100%; }
.choice th, .choice td { white-space: normal; font-size: 0.95rem; padding: 0.35rem 0.9rem 0.35rem 0; }
.choice tbody th { vertical-align: top; }
.choice td.n { white-space: nowrap; }
.choice .unit { display: none; }
@media (max-width: 640px) {
  body { padding: 0.75rem 1rem; }
  h1 { font-size: 1.35rem; margin: 0 0 0.25rem; }
  .note { margin: 0.25rem 0; line-height: 1.35; }
  .choice thead { display: none; }
  .choice tr { display: flex; flex-wrap: wrap; column-gap: 0.6rem; padding: 0.3rem 0; border-bottom: 1px solid var(--line); }
  .choice th, .choice td, .choice td:first-child { border: 0; padding: 0; min-width: 0; text-align: left; font-size: 0.82rem; line-height: 1.3; }
  .choice th { flex: 1 0 auto; }
  .choice th .faint { display: none; }
  .choice td:nth-last-child(-n + 3) { flex: 1 0 100%; }
  .choice .unit { display: inline; color: var(--faint); }
  .verdict { margin-top: 0.4rem; }
  .verdict figcaption { margin: 0; font-size: 0.82rem; line-height: 1.3; }
  .sentences p { font-size: 0.88rem; line-height: 1.3; margin: 0.4rem 0; }
}
`
