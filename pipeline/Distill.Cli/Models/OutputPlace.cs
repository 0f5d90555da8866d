using Distill.Cli.Output;

namespace Distill.Cli.Models;

/// <summary>Where a command is told to write: looked at before any work, so that an hour's result never has nowhere to go.</summary>
internal static class OutputPlace
{
    /// <summary>A file that can be written; what it holds stays until it is.</summary>
    /// <param name="option">What named it, for the message.</param>
    /// <exception cref="UsageException">It cannot.</exception>
    public static void RequireFile(string option, string file)
    {
        if (Directory.Exists(file)) throw Refused(option, file, "it is a folder");
        Try(option, file, () =>
        {
            bool isNew = !File.Exists(file);
            new FileStream(file, isNew ? FileMode.CreateNew : FileMode.Open, FileAccess.Write, FileShare.ReadWrite).Dispose();
            if (isNew) File.Delete(file);
        });
    }

    /// <summary>A folder that can be made, or written into; the folders above it are made.</summary>
    /// <exception cref="UsageException">It cannot.</exception>
    public static void RequireFolder(string option, string folder)
    {
        if (File.Exists(folder)) throw Refused(option, folder, "it is a file");
        Try(option, folder, () =>
        {
            string above = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) ?? folder;
            Directory.CreateDirectory(above);
            string at = Directory.Exists(folder) ? folder : above;
            string probe = Path.Combine(at, $".distill-probe-{Environment.ProcessId}");
            new FileStream(probe, FileMode.Create).Dispose();
            File.Delete(probe);
        });
    }

    private static void Try(string option, string place, Action probe)
    {
        try
        {
            if (place.Length == 0) throw Refused(option, place, "it is empty");
            probe();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Refused(option, place, fault.Message.TrimEnd('.'));
        }
    }

    private static UsageException Refused(string option, string place, string reason) =>
        new($"{option} {ShellWord.Quoted(place)}: nothing can be written there: {reason}.", "Give another place.");
}
