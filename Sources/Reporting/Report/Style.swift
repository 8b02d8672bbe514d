/// How the pages look: light, dark and printed, from 390 to 1,600 pixels.
///
/// The series colors are those of Okabe and Ito, darker on light and lighter on dark ground where contrast needs it.
let style = """
    :root { --ink: #1d2329; --soft: #59636e; --rule: #d7dce1; --ground: #fff; --panel: #f5f7f9; --accent: #0067a8;
      --s0: #0067a8; --s1: #c4530a; --s2: #00795a; --s3: #a83f83;
      --s4: #8a6d00; --s5: #3b3fb6; --s6: #7a4a2b; --s7: #5d6670 }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #e6e9ec; --soft: #a2abb4; --rule: #3a424a; --ground: #15191d; --panel: #1e2429; --accent: #5db7f0;
        --s0: #5db7f0; --s1: #f09a55; --s2: #3fc79a; --s3: #e28fc4;
        --s4: #e6cc4e; --s5: #9aa0ff; --s6: #cfa07f; --s7: #b0b8c0 } }
    * { box-sizing: border-box }
    body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 100rem;
      margin: 0 auto; padding: 1rem; overflow-wrap: break-word }
    h1 { font-size: 1.7rem; margin: .5rem 0 0 } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem;
      border-top: 1px solid var(--rule); padding-top: 1rem } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem }
    p, ul { max-width: 50rem; margin: .5rem 0 } ul { padding-left: 1.2rem }
    .none, .about { color: var(--soft) } .verdict { font-size: 1.15rem; font-weight: 600 }
    .warning { border-left: 4px solid var(--s1); padding-left: .6rem }
    .scroll { overflow-x: auto; margin: .75rem 0 } table { border-collapse: collapse }
    th, td { padding: .25rem .8rem .25rem 0; overflow-wrap: normal; border-bottom: 1px solid var(--rule);
      text-align: left; vertical-align: top }
    thead th { color: var(--soft); font-weight: 600; font-size: .9rem } .n { text-align: right; white-space: nowrap }
    td { font-variant-numeric: tabular-nums }
    .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1.5rem;
      margin: 1rem 0 }
    figure { margin: 0; max-width: 34rem } figcaption { font-size: .9rem; color: var(--soft) }
    figcaption strong { color: var(--ink) } figure > svg { display: block; width: 100%; height: auto }
    .key { margin: .2rem 0; font-size: .85rem } .key span { margin-right: 1rem; white-space: nowrap }
    .sample { width: 22px; height: 10px; margin-right: .3rem }
    svg text { font: 11px system-ui, sans-serif; fill: var(--ink) } svg .tick, svg .label { fill: var(--soft) }
    svg .label { font-size: 11.5px } svg .name { font-size: 12px; font-weight: 600 } svg .worst { font-weight: 700 }
    .grid { stroke: var(--rule) } .axis { stroke: var(--soft); fill: none }
    .line { fill: none; stroke-width: 1.8; stroke-linejoin: round }
    .whisker { stroke-width: 1.5; opacity: .75; fill: none }
    .interval { stroke: var(--ink); stroke-width: 1.5; opacity: .8; fill: none }
    .half { stroke: var(--ink); stroke-dasharray: 2 3; fill: none }
    .cell { fill: var(--accent) } .bar { opacity: .8 }
    .line.s1 { stroke-dasharray: 6 2 } .line.s2 { stroke-dasharray: 2 2 } .line.s3 { stroke-dasharray: 8 2 2 2 }
    .line.s4 { stroke-dasharray: 4 4 } .line.s5 { stroke-dasharray: 10 3 } .line.s6 { stroke-dasharray: 1 3 }
    .line.s7 { stroke-dasharray: 6 2 2 2 2 2 }
    \((0..<8).map { series in
        ".line.s\(series), .whisker.s\(series) { stroke: var(--s\(series)) } "
            + ".fill.s\(series), .dot.s\(series), .bar.s\(series) { fill: var(--s\(series)) }"
    }.joined(separator: "\n"))
    .answers { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: .75rem;
      margin: .5rem 0 1.5rem }
    .answers div { background: var(--panel); border-radius: 6px; padding: .6rem .8rem }
    .answers h4 { margin: 0; font-size: .9rem } .answers p { margin: .3rem 0; white-space: pre-wrap }
    .answers small { color: var(--soft) } .prompt { font-style: italic; white-space: pre-wrap }
    pre { overflow-x: auto; background: var(--panel); padding: .75rem; font-size: .85rem; border-radius: 6px }
    summary { cursor: pointer; font-weight: 600 }
    @media print { :root { --ink: #000; --soft: #444; --ground: #fff; --panel: #f5f5f5 }
      body { font-size: 10.5pt; padding: 0 } figure, tr, .answers div { break-inside: avoid }
      h2, h3 { break-after: avoid }
      .charts { grid-template-columns: repeat(2, 1fr) }
      details::details-content { content-visibility: visible; block-size: auto }
      * { print-color-adjust: exact } }
    """
