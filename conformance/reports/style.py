"""How the HTML page looks, on a screen and on paper."""

STYLE = """
:root { --line: #d5dae1; --text: #1c2733; --soft: #55606e; --good: #1b6b3a; --bad: #a3211b; --odd: #7a4a00 }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--text); background: #fff }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.9rem; margin: 0 0 .5rem }
h2 { font-size: 1.35rem; margin: 2.5rem 0 .75rem }
h3 { font-size: 1.05rem; margin: 0 0 .5rem }
h4 { font-size: .85rem; margin: .75rem 0 .25rem; color: var(--soft) }
a { color: #0b4fa0 }
li { margin: .3rem 0 }
small { color: var(--soft) }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .88em; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: 1rem 0 }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
thead th { color: var(--soft); font-weight: 600 }
td, thead th:not(:first-child) { text-align: right }
tfoot th, tfoot td { font-weight: 700; border-bottom: 0 }
details td { text-align: left }
details td:last-child { width: 100%; overflow-wrap: anywhere }
td.pass, .verdict.pass { color: var(--good) }
td.fail, td.error, .verdict.fail, .left { color: var(--bad); font-weight: 700 }
.verdict { font-size: 1.1rem; font-weight: 600 }
.mark { display: inline-block; min-width: 4.6rem; padding: 0 .5rem; border: 1px solid; border-radius: .25rem }
.mark { font-size: .8rem; font-weight: 600; text-align: center }
.mark.pass { color: var(--good) }
.mark.fail, .mark.error { color: #fff; background: var(--bad); border-color: var(--bad) }
.mark.skip { color: var(--odd) }
.failure { border: 1px solid var(--line); border-left: .3rem solid var(--bad); border-radius: .25rem }
.failure { padding: 1rem 1.25rem; margin: 0 0 1rem }
.failure p { margin: .35rem 0 }
summary { cursor: pointer; padding: .25rem 0; overflow-wrap: anywhere }
details.group > summary { font-weight: 600; padding: .5rem 0 }
pre { background: #f5f7f9; border: 1px solid var(--line); padding: .75rem; margin: 0; font-size: .82rem }
pre { max-height: 28rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere }
@media print { details { break-inside: avoid } main { max-width: none; padding: 0 } pre { max-height: none } }
"""
