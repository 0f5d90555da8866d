namespace Distill.Benchmarks.Exporting;

/// <summary>The peak of this process's resident memory, as Linux keeps it.</summary>
internal static class ProcessMemory
{
    private const string Status = "/proc/self/status";

    /// <summary>Bytes; −1 where the system does not tell.</summary>
    public static long Peak()
    {
        string? line = File.Exists(Status)
            ? File.ReadLines(Status).FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        return line is null ? -1 : 1024 * long.Parse(line.AsSpan("VmHWM:".Length, line.Length - "VmHWM:".Length - "kB".Length));
    }
}
