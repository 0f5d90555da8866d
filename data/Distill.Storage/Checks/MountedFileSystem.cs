using System.Text;

namespace Distill.Storage.Checks;

/// <summary>What a file system is to a store, by its name.</summary>
internal enum FileSystemNature
{
    /// <summary>Of this machine's own disks.</summary>
    Local,

    /// <summary>In memory: gone with the next start of the machine.</summary>
    Memory,

    /// <summary>Of a network, of another system, or of a kind that is not known: what it promises has to be tried.</summary>
    Shared,
}

/// <summary>The file system that a folder lies on, as the system describes it.</summary>
/// <param name="Type">E.g. <c>ext4</c>, <c>nfs4</c>, <c>fuse.sshfs</c>.</param>
/// <param name="Source">A device, or a server and its folder.</param>
/// <param name="Place">Where it is mounted.</param>
/// <param name="Options">Of the mount and of the file system itself, e.g. <c>nolock</c>.</param>
internal sealed record MountedFileSystem(string Type, string Source, string Place, IReadOnlyList<string> Options)
{
    private const string MountFile = "/proc/self/mountinfo";

    // Fields before the separator: id, parent, device, root, place, options, then any number of tags.
    private const int PlaceField = 4, OptionsField = 5, FieldsAfterSeparator = 3;

    private static readonly HashSet<string> LocalTypes =
    [
        "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "nilfs2", "bcachefs", "overlay", "fuse.fuse-overlayfs",
        "NTFS", "ReFS", "apfs", "hfs",
    ];

    private static readonly HashSet<string> MemoryTypes = ["tmpfs", "ramfs"];

    public FileSystemNature Nature => LocalTypes.Contains(Type) ? FileSystemNature.Local
        : MemoryTypes.Contains(Type) ? FileSystemNature.Memory : FileSystemNature.Shared;

    /// <summary>In words: <c>nfs4 (server:/runs) at /mnt/shared</c>.</summary>
    public string Description => $"{Type} ({Source}) at {Place}";

    /// <param name="folder">It or a folder above it exists; links are followed.</param>
    public static MountedFileSystem Of(string folder)
    {
        string path = RealPath(folder);
        if (File.Exists(MountFile) && Parse(File.ReadLines(MountFile), path) is { } mounted) return mounted;
        var drive = new DriveInfo(Path.GetPathRoot(path)!);
        string type = drive.DriveType == DriveType.Network ? "network" : drive.DriveFormat;
        return new MountedFileSystem(type, drive.Name, drive.Name, []);
    }

    /// <summary>The last mount over the nearest place above a path, which is the one that is seen there; null when no line fits.</summary>
    /// <param name="lines">As <c>/proc/self/mountinfo</c> has them.</param>
    /// <param name="path">Absolute, without links.</param>
    internal static MountedFileSystem? Parse(IEnumerable<string> lines, string path)
    {
        MountedFileSystem? nearest = null;
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator <= OptionsField || fields.Length <= separator + FieldsAfterSeparator - 1) continue;
            string place = Unescaped(fields[PlaceField]);
            if (!IsAbove(place, path) || place.Length < nearest?.Place.Length) continue;
            string own = fields.ElementAtOrDefault(separator + FieldsAfterSeparator) ?? "";
            nearest = new MountedFileSystem(
                fields[separator + 1], Unescaped(fields[separator + 2]), place,
                [.. fields[OptionsField].Split(','), .. own.Split(',', StringSplitOptions.RemoveEmptyEntries)]);
        }

        return nearest;
    }

    /// <summary>The value of an option such as <c>actimeo=60</c>; empty for one without a value; null where it is not set.</summary>
    public string? Option(string name) => Options
        .Where(option => option == name || option.StartsWith(name + "=", StringComparison.Ordinal))
        .Select(option => option.Length == name.Length ? "" : option[(name.Length + 1)..]).LastOrDefault();

    private static bool IsAbove(string place, string path) =>
        place == "/" || path == place || path.StartsWith(place + "/", StringComparison.Ordinal);

    // A space is \040 there.
    private static string Unescaped(string field)
    {
        if (!field.Contains('\\')) return field;
        var text = new StringBuilder();
        for (int i = 0; i < field.Length; i++)
        {
            if (field[i] != '\\' || i + 3 >= field.Length) text.Append(field[i]);
            else
            {
                text.Append((char)Convert.ToInt32(field.Substring(i + 1, 3), 8));
                i += 3;
            }
        }

        return text.ToString();
    }

    private static string RealPath(string folder)
    {
        string at = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), below = "";
        while (!Directory.Exists(at) && Path.GetDirectoryName(at) is { } above)
            (at, below) = (above, Path.DirectorySeparatorChar + Path.GetFileName(at) + below);
        var real = new Stack<string>();
        for (string? part = at; part is not null; part = Path.GetDirectoryName(part))
        {
            if (Directory.ResolveLinkTarget(part, returnFinalTarget: true) is { } target) part = target.FullName;
            if (Path.GetFileName(part) is { Length: > 0 } name) real.Push(name);
        }

        string root = Path.GetPathRoot(at)!;
        return Path.Combine([root, .. real]) + below;
    }
}
