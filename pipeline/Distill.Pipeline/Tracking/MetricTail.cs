using System.Text.Json;
using Distill.Storage;

namespace Distill.Pipeline.Tracking;

/// <summary>Reads <c>metrics.jsonl</c> on from where it was left, while it is being written. One thread.</summary>
/// <param name="bytes">From where on: 0, or what <see cref="Bytes"/> was.</param>
internal sealed class MetricTail(string path, long bytes = 0)
{
    private const int MostBytes = 1 << 20;

    /// <summary>Up to the end of the last line that was read.</summary>
    public long Bytes { get; private set; } = bytes;

    /// <summary>The newest point; null when there is none within the last few kilobytes.</summary>
    public static MetricPoint? Last(string path)
    {
        const int Enough = 8 << 10;
        var file = new FileInfo(path);
        if (!file.Exists) return null;
        try
        {
            // A first line that is cut is none of a point.
            return new MetricTail(path, Math.Max(0, file.Length - Enough)).Read() is [.., var last] ? last : null;
        }
        catch (IOException)
        {
            return null; // it is being removed
        }
    }

    /// <summary>The next points, at most about a megabyte of them; none when there are no more whole lines. Lines that are no points are
    /// passed over.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IReadOnlyList<MetricPoint> Read()
    {
        using var stream = OptionalFile.TryOpen(path);
        if (stream is null) return [];
        if (stream.Length < Bytes) Bytes = 0; // another file than the one that was read
        stream.Seek(Bytes, SeekOrigin.Begin);
        byte[] buffer = new byte[Math.Min(MostBytes, stream.Length - Bytes)];
        int read = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        int end = buffer.AsSpan(0, read).LastIndexOf((byte)'\n') + 1;
        var points = new List<MetricPoint>();
        foreach (var range in Lines(buffer.AsSpan(0, end)))
        {
            if (Parse(buffer.AsMemory(range)) is { } point) points.Add(point);
        }

        Bytes += end;
        return points;
    }

    private static List<Range> Lines(ReadOnlySpan<byte> text)
    {
        var lines = new List<Range>();
        for (int begin = 0; begin < text.Length;)
        {
            int length = text[begin..].IndexOf((byte)'\n');
            lines.Add(begin..(begin + length));
            begin += length + 1;
        }

        return lines;
    }

    private static MetricPoint? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("time", out var time)
                || !time.TryGetDateTimeOffset(out var at) || !root.TryGetProperty("stage", out var stage)
                || !root.TryGetProperty("step", out var step) || !step.TryGetInt32(out int number))
                return null;
            var values = root.EnumerateObject().Where(pair => pair.Value.ValueKind == JsonValueKind.Number && pair.Name != "step")
                .ToDictionary(pair => pair.Name, pair => pair.Value.GetDouble());
            return new(at, stage.GetString() ?? "", number, values);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException)
        {
            return null; // cut off by a kill
        }
    }
}
