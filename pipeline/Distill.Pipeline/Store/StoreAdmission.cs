using System.Text;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Storage.Checks;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Store;

/// <summary>
/// Lets nobody use a store whose place breaks what the commit protocol rests on: looked at once for a store, machine and mount, and then
/// remembered. Everything that works on a store asks here first.
/// </summary>
internal static class StoreAdmission
{
    /// <summary>The hidden command that is the check's second process.</summary>
    public const string ProbeCommand = "store-probe";

    private const string Assembly = "distill.dll";

    /// <param name="note">Told what should be known of the place, when it is looked at for the first time.</param>
    /// <exception cref="RunRefusedException">It is not safe; says why, with the file system's name and what to do.</exception>
    /// <exception cref="IOException">It cannot be written to, or the shared store could not be reached.</exception>
    public static void Require(ArtifactStore store, Action<string> note, CancellationToken cancellation)
    {
        var report = new StoreCheck(store.Root, OwnProgram()).Once();
        if (report.Refusal is { } refusal) throw new RunRefusedException(refusal) { IsOfMachine = true };
        if (!report.Remembered)
        {
            foreach (var finding in report.Findings.Where(finding => finding.State == StoreFindingState.Note))
                note($"The store: {finding.Found} {finding.Remedy}");
        }

        if (store.Shared is { } shared) RequireShared(store, shared, cancellation);
    }

    /// <param name="runsFolder">The folder of runs whose store it is.</param>
    /// <inheritdoc cref="Require(ArtifactStore, Action{string}, CancellationToken)"/>
    public static void Require(string runsFolder, Action<string> note, TimeProvider clock, CancellationToken cancellation) =>
        Require(new ArtifactStore(StoreOf(runsFolder), clock), note, cancellation);

    /// <summary>Looks in any case.</summary>
    /// <param name="runsFolder">The folder of runs.</param>
    /// <inheritdoc cref="StoreCheck.Anew"/>
    public static StoreReport Look(string runsFolder) =>
        new StoreCheck(StoreOf(runsFolder), OwnProgram()).Anew();

    private static string StoreOf(string runsFolder) => Path.Combine(Path.GetFullPath(runsFolder), ArtifactStore.FolderName);

    private static void RequireShared(ArtifactStore store, SharedStore shared, CancellationToken cancellation)
    {
        string endpoint = Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL_S3")
            ?? Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL") ?? "";
        string identity = FileDigest.Of(Encoding.UTF8.GetBytes($"{shared.Place}\n{endpoint}"))[..16];
        string remembered = Path.Combine(store.Root, StoreCheck.FolderName, $"shared-{identity}");
        if (File.Exists(remembered)) return;
        try
        {
            shared.RequireConditionalWrites(cancellation);
        }
        catch (UnsafeObjectStoreException refusal)
        {
            throw new RunRefusedException(refusal.Message) { IsOfMachine = true };
        }

        ReplacedFile.Write(remembered, Encoding.UTF8.GetBytes(shared.Place + "\n"));
    }

    // Null for an application that uses these libraries: it is not the program that has the command.
    private static IReadOnlyList<string>? OwnProgram()
    {
        if (Environment.ProcessPath is not { } program) return null;
        string name = Path.GetFileNameWithoutExtension(program), assembly = Path.Combine(AppContext.BaseDirectory, Assembly);
        if (name.Equals("dotnet", StringComparison.OrdinalIgnoreCase))
            return File.Exists(assembly) ? [program, assembly, ProbeCommand] : null;
        return name == Path.GetFileNameWithoutExtension(Assembly) ? [program, ProbeCommand] : null;
    }
}
