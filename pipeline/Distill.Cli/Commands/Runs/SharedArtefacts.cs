using Distill.Cli.Output;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Store;
using Distill.Pipeline.Store.Objects;
using Distill.Storage.Objects;

namespace Distill.Cli.Commands.Runs;

/// <summary>
/// The commands about artefacts and runs where <c>--store</c> names a shared store: what is there, not what is in this folder.
/// </summary>
internal sealed class SharedArtefacts : IDisposable
{
    private readonly CommandContext context;
    private readonly IObjectStore objects;
    private readonly SharedStore store;
    private readonly SharedRuns runs;

    private SharedArtefacts(SharedPlace place, CommandContext context)
    {
        this.context = context;
        objects = place.Open();
        store = new SharedStore(objects, context.Clock);
        runs = new SharedRuns(store, Environment.MachineName, context.Clock);
    }

    /// <summary>The caller disposes it.</summary>
    /// <exception cref="Distill.Pipeline.Runs.RunRefusedException">It is no address of a shared store.</exception>
    public static SharedArtefacts Open(string address, CommandContext context) => new(SharedStoreAddress.Parse(address).ToPlace(), context);

    public int List()
    {
        var all = All();
        if (context.IsJson) context.Results.Json(new { store = store.Place, artefacts = all.Select(Json) });
        else if (all.Count == 0) context.Results.Line($"There are no artefacts in {store.Place}.");
        else
        {
            var now = context.Clock.GetUtcNow();
            context.Results.Table(
                ["artefact", "digest", "key", "version", "size", "age"],
                all.Select(item => (string[])
                [
                    Name(item), Short(item.Manifest.Digest), Short(item.Key.Digest), $"{item.Version}", Readable.Size(Bytes(item)),
                    Readable.Age(now - item.Changed),
                ]));
            context.Results.Line($"{all.Count:N0} in {store.Place}, {Readable.Size(all.Sum(Bytes))}");
        }

        return ExitCode.Done;
    }

    public int ListRuns()
    {
        var all = runs.List(Warn, context.Cancellation);
        if (context.IsJson) context.Results.Json(new { store = store.Place, runs = all });
        else if (all.Count == 0) context.Results.Line($"There are no runs in {store.Place}.");
        else
            context.Results.Table(["run", "state", "stages", "changed"], all.Select(run => (string[])
            [
                run.Reference, run.Progress.ToString().ToLowerInvariant(), $"{run.Artefacts.Count}",
                $"{run.Changed.ToLocalTime():yyyy-MM-dd HH:mm}",
            ]));
        return ExitCode.Done;
    }

    /// <param name="reference">E.g. <c>nightly@gpu-3</c>.</param>
    public int ForgetRun(string reference, bool isAgreed)
    {
        if (!isAgreed && !Confirmation.Ask(context, $"Forget the run '{reference}' in {store.Place}?"))
        {
            if (context.IsJson) context.Results.Json(new { run = reference, removed = false });
            context.Results.Line("Nothing was removed: --yes removes it without asking.");
            return ExitCode.Done;
        }

        if (!runs.Forget(reference, context.Cancellation))
            throw new UsageException($"There is no run '{reference}' in {store.Place}.", "'distill runs ls --store …' lists them.");
        if (context.IsJson) context.Results.Json(new { run = reference, removed = true });
        context.Results.Line($"Forgot the run '{reference}'. Its artefacts stay in {store.Place} until 'distill artefacts gc' finds them "
            + "old.");
        return ExitCode.Done;
    }

    /// <param name="digits">The beginning of a key or digest; null verifies all.</param>
    public int Verify(string? digits)
    {
        var all = digits is null ? All() : [Find(digits)];
        context.Progress.Begin("verify", $"{all.Count:N0} artefacts, {Readable.Size(all.Sum(Bytes))}");
        var verified = all.Select(item => (Item: item, Faults: store.Verify(item, context.Cancellation))).ToList();
        context.Progress.End();
        var damaged = verified.Where(item => item.Faults.Count > 0).ToList();
        if (context.IsJson)
            context.Results.Json(new
            {
                verified = verified.Count, damaged = damaged.Select(item => new { artefact = Json(item.Item), item.Faults }),
            });
        foreach (var (item, faults) in damaged)
            foreach (string fault in faults) context.Results.Line($"{Name(item)} {Short(item.Key.Digest)}: {fault}");
        context.Results.Line($"{verified.Count - damaged.Count:N0} of {verified.Count:N0} artefacts are what was published.");
        if (damaged.Count > 0)
            context.Results.Line("The next run that needs a damaged one makes it again and puts what is damaged anew.");
        return damaged.Count == 0 ? ExitCode.Done : ExitCode.Fault;
    }

    public int Pin(string digits, bool pinned)
    {
        var item = Find(digits);
        string name = ObjectNames.Pin(item.Manifest.Digest);
        if (pinned) objects.Put(name, "pinned\n"u8.ToArray(), context.Cancellation);
        else objects.Delete(name, context.Cancellation);
        if (context.IsJson) context.Results.Json(new { artefact = Json(item), pinned });
        context.Results.Line($"{Name(item)} {Short(item.Key.Digest)} is {(pinned ? "pinned" : "not pinned")} in {store.Place}.");
        return ExitCode.Done;
    }

    public int Collect(TimeSpan limit, bool isDryRun, bool isAgreed)
    {
        var collection = new SharedCollection(store, runs, limit);
        var plan = collection.Plan(context.Cancellation);
        var garbage = plan.Garbage;
        foreach (var item in garbage)
            context.Results.Line($"to be removed: {Name(item)} {Short(item.Key.Digest)}, {Readable.Size(Bytes(item))}");
        string what = $"{garbage.Count:N0} of {plan.Artefacts.Count:N0} artefacts and {plan.Contents.Count:N0} contents "
            + $"({Readable.Size(plan.ContentBytes)})";
        bool isNothing = garbage.Count + plan.Contents.Count == 0;
        bool removes = !isDryRun && !isNothing && (isAgreed || Confirmation.Ask(context, $"Remove {what} from {store.Place}?"));
        var (contents, bytes) = removes ? collection.Remove(plan, context.Cancellation) : default;
        if (context.IsJson)
            context.Results.Json(new
            {
                store = store.Place, dryRun = isDryRun, removed = removes, garbage = garbage.Select(Json), contents, freedBytes = bytes,
                kept = plan.Artefacts.Where(item => item.KeptBecause is not null)
                    .Select(item => new { artefact = Json(item.Artifact), because = item.KeptBecause }),
            });
        context.Results.Line(removes ? $"Removed {garbage.Count:N0} artefacts and {contents:N0} contents, {Readable.Size(bytes)}."
            : isNothing ? "There is nothing to remove."
            : isDryRun ? $"Would remove {what}." : $"Nothing was removed. --yes removes {what}.");
        return ExitCode.Done;
    }

    public void Dispose() => objects.Dispose();

    private List<SharedArtifact> All() => [.. store.All(Warn, context.Cancellation)];

    private SharedArtifact Find(string digits)
    {
        bool isCalled(string digest) => digest.StartsWith(digits, StringComparison.Ordinal);
        var found = digits.Length < ArtifactReference.LeastDigits ? []
            : All().Where(item => isCalled(item.Key.Digest) || isCalled(item.Manifest.Digest)).ToList();
        return found switch
        {
            [var only] => only,
            [] => throw new UsageException($"No artefact of {store.Place} has a digest or key that begins with '{digits}'.",
                $"Give {ArtifactReference.LeastDigits} digits or more; 'distill artefacts ls --store …' lists them."),
            [.., var newest] when found.All(item => item.Key == newest.Key) => newest,
            _ => throw new UsageException($"'{digits}' names {found.Count} artefacts of {store.Place}.", "Give more digits."),
        };
    }

    private void Warn(string fault) => context.Streams.Error.WriteLine(TerminalText.Safe($"! {fault}"));

    private static string Name(SharedArtifact item) => ArtifactOrigin.Of(item.Manifest).Stage ?? item.Key.Kind;

    private static long Bytes(SharedArtifact item) => item.Manifest.Files.Sum(file => file.Bytes);

    private static string Short(string digest) => digest[..CataloguedArtifact.ShortLength];

    private static object Json(SharedArtifact item) => new
    {
        stage = ArtifactOrigin.Of(item.Manifest).Stage, item.Key.Kind, item.Manifest.Digest, key = item.Key.Digest, item.Version,
        bytes = Bytes(item), item.Changed, summary = item.Manifest.Facts.GetValueOrDefault(StageKey.SummaryFact),
    };
}
