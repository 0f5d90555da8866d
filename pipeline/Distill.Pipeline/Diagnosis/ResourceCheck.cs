using System.Globalization;
using Distill.Pipeline.Models;
using Distill.Storage;

namespace Distill.Pipeline.Diagnosis;

/// <summary>Memory and disk: whether there is enough, and whether the disk can hold runs at all.</summary>
internal static class ResourceCheck
{
    private const long Gibi = 1L << 30, DiskNeeded = 2 * Gibi, MemoryNeeded = 4 * Gibi;
    private const string MemoryFile = "/proc/meminfo";

    public static MachineFinding Memory()
    {
        long free = Math.Min(Available() ?? MemoryLimit, MemoryLimit);
        bool little = free < MemoryNeeded;
        return new("memory", little ? MachineState.Warning : MachineState.Ok, $"{Text(free)} free of {Text(MemoryLimit)}",
            little ? "The quickstart takes about 3 GiB. Close programs, or raise the container's limit." : null);
    }

    /// <summary>Bytes that this process may take, containers' limits included.</summary>
    public static long MemoryLimit => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Whether a model's sessions fit; the same estimate as the engine's own check and as <c>plan</c>.</summary>
    /// <exception cref="InvalidDataException">The folder is no model.</exception>
    public static MachineFinding Model(string folder, int slots, int maxLength)
    {
        var needed = ModelMemory.Of(folder, slots, maxLength);
        long free = Math.Min(Available() ?? long.MaxValue, MemoryLimit);
        string found = $"{Text(needed.TotalBytes)} at most for {slots} slots × {maxLength:N0} tokens: "
            + $"weights {Text(needed.Copies * needed.WeightBytes)}, cache and logits {Text(needed.SessionBytes)}; {Text(free)} are free";
        return needed.TotalBytes <= free
            ? new("model", MachineState.Ok, found)
            : new("model", MachineState.Missing, found, "Use fewer slots, shorter completions or a smaller model.");
    }

    /// <summary>Bytes free where a folder lies or will lie.</summary>
    public static long FreeDisk(string folder) => new DriveInfo(Existing(folder)).AvailableFreeSpace;

    public static MachineFinding Disk(string folder)
    {
        string at = Existing(folder);
        long free = FreeDisk(folder);
        bool little = free < DiskNeeded;
        return new("disk", little ? MachineState.Warning : MachineState.Ok, $"{Text(free)} free at {at}", little
            ? "The quickstart needs about 0.2 GiB; checkpoints of larger students many times that. Choose another place with --runs."
            : null);
    }

    /// <summary>Finished parts are committed by exclusive links: a file system without them cannot hold runs.</summary>
    public static MachineFinding Links(string folder)
    {
        string probe = Path.Combine(Existing(folder), $".distill-doctor-{Environment.ProcessId}");
        try
        {
            CommittedFile.Write(probe, stream => stream.WriteByte(1));
            File.Delete(probe);
            return new("commits", MachineState.Ok, $"files can be committed at {Path.GetDirectoryName(probe)}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new("commits", MachineState.Missing, fault.Message,
                "Runs need a folder that can be written, on a file system with hard links (not FAT or some network mounts): "
                + "choose one with --runs.");
        }
    }

    /// <summary><c>12.5 GiB</c></summary>
    private static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Gibi:F1} GiB");

    // What the system could give now, caches included; null where it does not say.
    private static long? Available()
    {
        string? line = File.Exists(MemoryFile)
            ? File.ReadLines(MemoryFile).FirstOrDefault(text => text.StartsWith("MemAvailable:", StringComparison.Ordinal)) : null;
        string? kibi = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return long.TryParse(kibi, CultureInfo.InvariantCulture, out long count) ? count << 10 : null;
    }

    private static string Existing(string folder)
    {
        string at = Path.GetFullPath(folder);
        while (!Directory.Exists(at)) at = Path.GetDirectoryName(at)!;
        return at;
    }
}
