using System.Security.Cryptography;
using System.Text;
using Distill.Data.Publishing.Formats;
using Distill.Pipeline.Reporting.Page;
using Distill.Storage;

namespace Distill.Pipeline.Reporting.TracePages;

/// <summary>How a page of traces is made. Immutable.</summary>
internal sealed record TracePageOptions
{
    /// <summary>What the page calls the traces.</summary>
    public required string Title { get; init; }

    /// <summary>Most bytes of traces within the page itself, compressed; beyond, they lie in a folder beside it.</summary>
    public long MostInline { get; init; } = 64 << 20;

    /// <summary>Ids → the text of each, for the view token by token; null leaves that view out.</summary>
    public Func<IReadOnlyList<int>, IReadOnlyList<string>>? Pieces { get; init; }

    public TraceChunkOptions Chunks { get; init; } = new();
}

/// <summary>What was written.</summary>
/// <param name="Folder">Where the traces lie beside the page; null when the page holds them itself.</param>
internal sealed record TracePageResult(long Rows, string? Folder);

/// <summary>
/// Traces as one page that is opened from disk: listed, filtered, searched and read in the browser, without a server or anything from
/// elsewhere. The traces lie in compressed blocks that are unpacked when they are looked at, so that a million take no more memory than
/// a few. A block is letters and digits only (base64), and the page puts foreign text into text nodes only; besides, its policy lets no
/// script run but its own.
/// </summary>
internal static class TracePage
{
    private const string Script = "traces.js";

    /// <param name="path">The page; replaced if it is there.</param>
    /// <param name="traces">Enumerated once.</param>
    /// <exception cref="IOException">The place of the folder is taken by something else.</exception>
    public static TracePageResult Write(string path, IEnumerable<PublishedTrace> traces, TracePageOptions options)
    {
        path = Path.GetFullPath(path);
        string folder = Path.Combine(Path.GetDirectoryName(path)!, Path.GetFileNameWithoutExtension(path) + "-data");
        string work = $"{folder}.distill-{Environment.ProcessId}.work";
        try
        {
            Directory.CreateDirectory(work);
            var chunks = TraceChunks.Write(work, traces, options.Chunks, options.Pieces);
            bool isInline = chunks.Bytes <= options.MostInline;
            if (!isInline) MoveInto(folder, chunks);
            ReplacedFile.Write(path, stream => WritePage(stream, options.Title, chunks, isInline ? null : Path.GetFileName(folder)));
            return new TracePageResult(chunks.Rows, isInline ? null : folder);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static void MoveInto(string folder, TraceChunks chunks)
    {
        bool isForeign = File.Exists(folder)
            || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any(entry => !TraceChunks.IsChunk(entry)));
        if (isForeign) throw new IOException($"'{folder}' is not of this program's making, and the page needs its place. Move it away.");
        ReplacedFolder.Write(folder, fresh =>
        {
            foreach (string file in chunks.Files) File.Move(file, Path.Combine(fresh, Path.GetFileName(file)));
        });
    }

    private static void WritePage(Stream stream, string title, TraceChunks chunks, string? folder)
    {
        string script = Resource(Script);
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true);
        writer.Write(Head(title, chunks.Rows, Digest(script)).ToString());
        WriteBlock(writer, "meta", chunks.Meta(folder));
        WriteBlock(writer, "index", chunks.Index());
        for (int i = 0; folder is null && i < chunks.Files.Count; i++) WriteBlock(writer, $"c{i}", TraceChunks.TextOf(chunks.Files[i]));
        writer.Write($"<script>{script}</script>\n</body>\n</html>\n");
    }

    // Of a type that no browser runs.
    private static void WriteBlock(StreamWriter writer, string id, string text) =>
        writer.Write($"<script type=\"text/plain\" id=\"{id}\">{text}</script>\n");

    private static Html Head(string title, long rows, string digest) => Html.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; {Policy(digest)}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{title} · Distill</title>
        {Html.Style("report.css")}
        {Html.Style("traces.css")}
        </head>
        <body>
        <main class="traces">
        <header class="top"><p class="eyebrow">Distill · traces</p><h1>{title}: {ReportNumbers.Count(rows)} completions</h1></header>
        <section class="filters">
        <label class="wide">Search in problems, reasoning, answers and ids<input id="search" type="search" autocomplete="off"></label>
        {Filters()}
        <label>Tokens from<input id="least" type="number" min="0" step="1"></label>
        <label>Tokens to<input id="most" type="number" min="0" step="1"></label>
        </section>
        <div class="panes">
        <section class="pane list-pane"><div id="count">Unpacking …</div><ol id="list"></ol>
        <div class="pages"><button id="before" type="button">Before</button><span id="place"></span>
        <button id="after" type="button">After</button></div></section>
        <section class="pane one-pane"><article id="one"><p class="absent">Choose a trace from the list. The arrow keys go on to the
        next.</p></article></section>
        </div>
        <noscript><p class="remark">This page unpacks its traces with a script of its own; without scripts it shows none.</p></noscript>
        </main>

        """);

    private static IEnumerable<Html> Filters()
    {
        (string Id, string Label)[] filters =
            [("verdict", "Verdict"), ("reason", "Left out for"), ("domain", "Domain"), ("split", "Split"), ("stop", "Stopped by")];
        return filters.Select(filter => Html.Of($"""
            <label>{filter.Label}<select id="{filter.Id}"><option value="-1">all</option></select></label>

            """));
    }

    // Its quotes are escaped like any text's, which browsers undo before they read the policy.
    private static string Policy(string digest) => $"script-src 'sha256-{digest}' 'strict-dynamic'";

    private static string Digest(string script) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(TracePage).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
