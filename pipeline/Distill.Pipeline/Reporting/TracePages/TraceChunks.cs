using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using Distill.Data.Problems;
using Distill.Data.Publishing.Formats;
using Distill.Verification;

namespace Distill.Pipeline.Reporting.TracePages;

/// <summary>Where a block of traces ends. Immutable.</summary>
internal sealed record TraceChunkOptions
{
    public int Rows { get; init; } = 400;

    public int Bytes { get; init; } = 1 << 19;
}

/// <summary>
/// Traces in blocks of compressed JSON, each a file, and a table of what the page filters by: ten bytes a trace. Files are
/// <c>00000.js</c>, a call that hands the block over, so that a page opened from disk can load them.
/// </summary>
internal sealed class TraceChunks
{
    private const string Start = "traceChunk(", End = "\")\n";

    private readonly Words verdicts = new(byte.MaxValue), reasons = new(byte.MaxValue), splits = new(byte.MaxValue);
    private readonly Words stops = new(byte.MaxValue), domains = new(ushort.MaxValue);
    private readonly List<int> tokens = [];
    private readonly List<string> files = [];
    private readonly List<long> starts = [];

    private TraceChunks()
    {
    }

    public IReadOnlyList<string> Files => files;

    public long Rows => tokens.Count;

    /// <summary>Of all blocks as they are written.</summary>
    public long Bytes { get; private set; }

    /// <param name="folder">Where the files are written.</param>
    /// <param name="pieces">See <see cref="TracePageOptions.Pieces"/>.</param>
    public static TraceChunks Write(
        string folder, IEnumerable<PublishedTrace> traces, TraceChunkOptions options,
        Func<IReadOnlyList<int>, IReadOnlyList<string>>? pieces)
    {
        var chunks = new TraceChunks();
        using var json = new MemoryStream();
        using var writer = new Utf8JsonWriter(json, TraceFormats.Spelling);
        int inChunk = 0;
        foreach (var trace in traces)
        {
            if (inChunk == 0)
            {
                chunks.starts.Add(chunks.Rows);
                writer.WriteStartArray();
            }

            chunks.Add(trace);
            WriteRow(writer, trace, pieces);
            inChunk++;
            if (inChunk < options.Rows && json.Length + writer.BytesPending < options.Bytes) continue;
            chunks.Finish(folder, json, writer);
            inChunk = 0;
        }

        if (inChunk > 0) chunks.Finish(folder, json, writer);
        return chunks;
    }

    /// <summary>Whether a file has the name of a block.</summary>
    public static bool IsChunk(string path) =>
        Path.GetExtension(path) == ".js" && Path.GetFileNameWithoutExtension(path).All(char.IsAsciiDigit);

    /// <summary>The compressed text of a block, base64.</summary>
    public static string TextOf(string file)
    {
        string text = File.ReadAllText(file);
        return text[(text.IndexOf('"', StringComparison.Ordinal) + 1)..^End.Length];
    }

    /// <summary>What the page must know before it shows anything; base64.</summary>
    /// <param name="folder">Name of the folder with the blocks; null when the page holds them.</param>
    public string Meta(string? folder) => Packed(JsonSerializer.SerializeToUtf8Bytes(new
    {
        rows = Rows, starts, folder, verdict = verdicts.All, reason = reasons.All, domain = domains.All, split = splits.All,
        stop = stops.All,
    }));

    /// <summary>The columns that the page filters by, one after the other: tokens, domains, then the four small ones; base64.</summary>
    public string Index()
    {
        using var table = new MemoryStream();
        table.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(tokens)));
        table.Write(MemoryMarshal.AsBytes<ushort>(domains.Codes.ToArray()));
        foreach (var column in (Words[])[verdicts, reasons, splits, stops]) table.Write(column.Codes.Select(code => (byte)code).ToArray());
        return Packed(table.ToArray());
    }

    private void Add(PublishedTrace published)
    {
        var trace = published.Trace;
        tokens.Add(trace.CompletionTokens);
        domains.Add(trace.Problem.Domain);
        verdicts.Add(published.Grade is { } grade ? VerdictName.Of(grade.Verdict) : "");
        reasons.Add(published.Grade?.DropReason ?? "");
        splits.Add(SplitRule.Word(trace.Problem.Split));
        stops.Add(trace.StopReason);
    }

    private void Finish(string folder, MemoryStream json, Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.Flush();
        string path = Path.Combine(folder, $"{files.Count:D5}.js"), text = Packed(json.GetBuffer().AsSpan(0, (int)json.Length));
        File.WriteAllText(path, $"{Start}{files.Count},\"{text}{End}");
        files.Add(path);
        Bytes += text.Length;
        json.SetLength(0);
        writer.Reset();
    }

    // One letter a property: they come once for every trace.
    private static void WriteRow(
        Utf8JsonWriter writer, PublishedTrace published, Func<IReadOnlyList<int>, IReadOnlyList<string>>? pieces)
    {
        var trace = published.Trace;
        writer.WriteStartObject();
        writer.WriteString("i", trace.Problem.Id);
        writer.WriteString("q", trace.Problem.Text);
        writer.WriteString("g", trace.Problem.ReferenceAnswer);
        writer.WriteString("r", trace.Reasoning);
        writer.WriteString("a", trace.Answer);
        Optional(writer, "y", trace.Problem.System);
        Optional(writer, "x", trace.Refusal);
        Optional(writer, "w", published.Grade?.DropReason);
        if (published.Grade is { } grade)
        {
            writer.WriteString("v", VerdictName.Of(grade.Verdict));
            writer.WriteString("f", $"{grade.Verifier} v{grade.VerifierVersion}");
        }

        foreach (var (name, text) in ((string, string)[])
            [("d", trace.Problem.Domain), ("s", SplitRule.Word(trace.Problem.Split)), ("o", trace.Problem.Source), ("e", trace.StopReason),
                ("t", trace.Teacher), ("m", trace.Sampling)]) writer.WriteString(name, text);
        writer.WriteNumber("n", trace.CompletionTokens);
        writer.WriteNumber("k", trace.SampleIndex);
        if (trace.Problem.Choices.Count > 0) WriteList(writer, "c", trace.Problem.Choices);
        if (pieces is not null && trace.TokenIds.Count > 0 && trace.TokenLogProbabilities.Count == trace.TokenIds.Count)
        {
            WriteList(writer, "p", pieces(trace.TokenIds));
            writer.WriteStartArray("l");
            foreach (float value in trace.TokenLogProbabilities) writer.WriteNumberValue(Finite(value));
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    // JSON has no infinity: beyond this everything is equally improbable to the eye.
    private static decimal Finite(float value) => float.IsNaN(value) ? -99 : decimal.Round((decimal)Math.Clamp(value, -99, 0), 2);

    private static void WriteList(Utf8JsonWriter writer, string name, IReadOnlyList<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    private static void Optional(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null) writer.WriteString(name, text);
    }

    private static string Packed(ReadOnlySpan<byte> bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(bytes);
        return Convert.ToBase64String(packed.GetBuffer(), 0, (int)packed.Length);
    }

    /// <summary>Few words that come often, by numbers; beyond the most there can be, all others share one.</summary>
    private sealed class Words(int most)
    {
        private const string Others = "(others)";
        private readonly Dictionary<string, ushort> codes = new(StringComparer.Ordinal);

        public List<string> All { get; } = [];

        public List<ushort> Codes { get; } = [];

        public void Add(string word)
        {
            if (!codes.ContainsKey(word) && All.Count >= most) word = Others;
            if (!codes.TryGetValue(word, out ushort code))
            {
                codes[word] = code = (ushort)All.Count;
                All.Add(word);
            }

            Codes.Add(code);
        }
    }
}
