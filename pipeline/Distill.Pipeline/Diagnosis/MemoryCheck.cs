using System.Globalization;

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

    /// <summary><c>12.5 GiB</c></summary>
    public static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Gibi:F1} GiB");

    /// <summary>What the system could give now, caches included; null where it does not say.</summary>
    public static long? Available()
    {
        string? line = File.Exists(MemoryFile) ? File.ReadLines(MemoryFile).FirstOrDefault(text => text.StartsWith("MemAvailable:", StringComparison.Ordinal)) : null;
        return line is not null && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture, out long kibi) ? kibi << 10 : null;
    }
}
