using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Distill.Storage.Checks;

/// <summary>What was found about the place of a store.</summary>
/// <param name="Remembered">Whether it was found before, by the same program on the same machine and mount.</param>
internal sealed record StoreReport(MountedFileSystem FileSystem, IReadOnlyList<StoreFinding> Findings, bool Remembered)
{
    public IEnumerable<StoreFinding> Faults => Findings.Where(finding => finding.State == StoreFindingState.Unsafe);

    /// <summary>What is wrong, and what to do; null where a store is safe.</summary>
    public string? Refusal => Faults.ToList() is not [var first, ..] all ? null
        : $"The store cannot lie on {FileSystem.Description}: {string.Join("; ", all.Select(Words))}. {first.Remedy}";

    private string Words(StoreFinding fault)
    {
        string found = fault.Found.Replace(FileSystem.Description + ": ", "", StringComparison.Ordinal).TrimEnd('.');
        return fault.Name == FileSystemRules.Name ? found : $"{fault.Name}: {found}";
    }
}

/// <summary>
/// Whether a store is safe where it lies, found once for a store, a machine, a mount and a version of the program, and remembered in the
/// store's <c>.checks</c>. Disks of this machine are looked at by this process, in some milliseconds; everything else with a second one.
/// </summary>
/// <param name="store">The <c>.store</c> folder.</param>
/// <param name="program">
/// Starts this program as the second process, without the folder; null where nobody can, which is refused for file systems that need it.
/// </param>
internal sealed class StoreCheck(string store, IReadOnlyList<string>? program)
{
    public const string FolderName = ".checks";

    private static long counter;

    private string Folder => Path.Combine(store, FolderName);

    /// <summary>Looks only where it has not been looked before. Makes the folder.</summary>
    /// <exception cref="IOException">It cannot be written to.</exception>
    public StoreReport Once()
    {
        Directory.CreateDirectory(Folder);
        var mounted = MountedFileSystem.Of(store);
        return Remembered(mounted) ?? Run(mounted);
    }

    /// <summary>Looks in any case.</summary>
    /// <inheritdoc cref="Once" path="/exception"/>
    public StoreReport Anew()
    {
        Directory.CreateDirectory(Folder);
        return Run(MountedFileSystem.Of(store));
    }

    private StoreReport Run(MountedFileSystem mounted)
    {
        var findings = new List<StoreFinding>(FileSystemRules.Of(mounted));
        bool needsOther = mounted.Nature == FileSystemNature.Shared;
        if (needsOther && program is null)
        {
            findings.Add(new StoreFinding("second process", StoreFindingState.Unsafe,
                "what holds between processes is tried with a second one, which this program cannot start",
                "Run 'distill doctor --store FOLDER' here once, which remembers what it found."));
        }
        else
        {
            findings.AddRange(Tried(needsOther));
        }

        var report = new StoreReport(mounted, findings, Remembered: false);
        if (!report.Faults.Any()) ReplacedFile.Write(PathOf(mounted), JsonSerializer.SerializeToUtf8Bytes(report.Findings));
        return report;
    }

    private IReadOnlyList<StoreFinding> Tried(bool needsOther)
    {
        string folder = Path.Combine(Folder, string.Create(
            CultureInfo.InvariantCulture, $"{Host()}-{Environment.ProcessId}-{Interlocked.Increment(ref counter)}"));
        Directory.CreateDirectory(folder);
        try
        {
            return new CommitProtocolCheck(
                folder, new ProbedFileSystem(), needsOther ? () => OtherProcess.Start(program!, folder) : null).Run();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private StoreReport? Remembered(MountedFileSystem mounted)
    {
        if (OptionalFile.TryRead(PathOf(mounted)) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize<StoreFinding[]>(text) is { Length: > 0 } findings
                ? new StoreReport(mounted, findings, Remembered: true) : null;
        }
        catch (JsonException)
        {
            return null; // looked at again, and written anew
        }
    }

    private string PathOf(MountedFileSystem mounted)
    {
        string device = NativeFile.Status(store) is { } status ? status.Device.ToString(CultureInfo.InvariantCulture) : "";
        string version = typeof(StoreCheck).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        string identity = string.Join('\n', [mounted.Type, mounted.Source, mounted.Place, .. mounted.Options, device, version]);
        return Path.Combine(Folder, $"{Host()}-{FileDigest.Of(Encoding.UTF8.GetBytes(identity))[..16]}.json");
    }

    private static string Host() =>
        string.Concat(Environment.MachineName.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-'));
}
