namespace Distill.Pipeline.Reporting;

/// <summary>The style of the report's page: follows the reader's light or dark setting, brings nothing from elsewhere.</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root{color-scheme:light dark;--fg:#1c2126;--dim:#68727d;--bg:#fbfbfa;--card:#fff;--rule:#dfe3e6;--a:#2563a8;--b:#d97b29;--ok:#1d7a46;--bad:#b3261e}
        @media(prefers-color-scheme:dark){:root{--fg:#e3e7ea;--dim:#98a3ad;--bg:#14181b;--card:#1b2024;--rule:#333b42;--a:#6fb1f2;--b:#f0a45d;--ok:#5cc98c;--bad:#ff8a80}}
        *{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:24px 16px 64px;font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
        h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:36px 0 8px}p{margin:6px 0}.dim{color:var(--dim)}.verdict{font-size:17px}
        .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
        th,td{padding:5px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}th{font-weight:600;color:var(--dim);font-size:13px}
        th:first-child,td:first-child,.words td,.words th{text-align:left}.words td{white-space:normal}
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:12px}.plots svg{background:var(--card);border:1px solid var(--rule);border-radius:8px;width:100%}
        svg text{font:11px system-ui,sans-serif;fill:var(--fg)}svg .tick{fill:var(--dim)}svg .title{font-weight:600;font-size:12px}
        .grid{stroke:var(--rule);fill:none}.line{fill:none;stroke-width:1.8}.line.raw{stroke:var(--dim);opacity:.35;stroke-width:1}.line.s0{stroke:var(--a)}.line.s1{stroke:var(--b)}
        .bar.s0{fill:var(--a)}.bar.s1{fill:var(--b)}svg .legend.s0{fill:var(--a)}svg .legend.s1{fill:var(--b)}.whisker{stroke:var(--fg);fill:none;opacity:.7}
        .ok{color:var(--ok)}.bad{color:var(--bad)}code{font:13px ui-monospace,monospace}
        .trace{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 14px;margin:10px 0;overflow-wrap:anywhere}.trace .think{color:var(--dim);border-left:3px solid var(--rule);padding-left:10px;margin:6px 0}
        """;
}
