using Distill.Data.Storage;

namespace Distill.Pipeline.Diagnosis;

internal static class DiskCheck
{
    private const long Needed = 2L << 30;

    public static MachineFinding Space(string folder)
    {
        string at = Existing(folder);
        long free = new DriveInfo(at).AvailableFreeSpace;
        bool little = free < Needed;
        return new("disk", little ? MachineState.Warning : MachineState.Ok, $"{MemoryCheck.Text(free)} free at {at}",
            little ? "A run of the quickstart needs about 0.2 GiB; checkpoints of larger students many times that. Choose another place with --runs." : null);
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
            return new("commits", MachineState.Missing, fault.Message, "Runs need a folder that can be written, on a file system with hard links (not FAT or some network mounts): choose one with --runs.");
        }
    }

    private static string Existing(string folder)
    {
        string at = Path.GetFullPath(folder);
        while (!Directory.Exists(at)) at = Path.GetDirectoryName(at)!;
        return at;
    }
}
