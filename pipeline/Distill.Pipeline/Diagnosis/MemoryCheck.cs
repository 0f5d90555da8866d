using System.Globalization;
using Distill.Pipeline.Models;

namespace Distill.Pipeline.Diagnosis;

internal static class MemoryCheck
{
    private const long Gibi = 1L << 30;
    private const string MemoryFile = "/proc/meminfo";

    public static MachineFinding Memory()
    {
        long limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes; // knows containers' limits
        long free = Math.Min(Available() ?? limit, limit);
        bool little = free < 4 * Gibi;
        return new("memory", little ? MachineState.Warning : MachineState.Ok, $"{Text(free)} free of {Text(limit)}",
            little ? "The quickstart takes about 3 GiB. Close programs, or raise the container's limit." : null);
    }

    /// <summary>Whether a model's sessions fit; the same estimate as the engine's own check and as <c>plan</c>.</summary>
    /// <exception cref="InvalidDataException">The folder is no model.</exception>
    public static MachineFinding Model(string folder, int slots, int maxLength)
    {
        var needed = ModelMemory.Of(folder, slots, maxLength);
        long free = Math.Min(Available() ?? long.MaxValue, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        string found = $"{Text(needed.TotalBytes)} at most for {slots} slots × {maxLength:N0} tokens: weights {Text(needed.WeightBytes)}, cache and logits {Text(needed.SessionBytes)}; {Text(free)} are free";
        return needed.TotalBytes <= free
            ? new("model", MachineState.Ok, found)
            : new("model", MachineState.Missing, found, "Use fewer slots, shorter completions or a smaller model.");
    }

    /// <summary><c>12.5 GiB</c></summary>
    public static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Gibi:F1} GiB");

    /// <summary>What the system could give now, caches included; null where it does not say.</summary>
    public static long? Available()
    {
        string? line = File.Exists(MemoryFile) ? File.ReadLines(MemoryFile).FirstOrDefault(text => text.StartsWith("MemAvailable:", StringComparison.Ordinal)) : null;
        return line is not null && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture, out long kibi) ? kibi << 10 : null;
    }
}
