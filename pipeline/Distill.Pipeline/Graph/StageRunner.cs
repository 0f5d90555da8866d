using Distill.Data.Storage;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Graph;

/// <summary>Does one stage after another, or finds that it need not be done. One thread.</summary>
/// <param name="shard">The part of the units of divided stages that is done here; null does them all.</param>
internal sealed class StageRunner(
    RunFolder folder, StageSelection selection, FinishedStages finished, RunLedger ledger, RunMetrics metrics, IRunObserver observer,
    IStageExecutor executor, TimeProvider clock, ShardNumber? shard)
{
    private readonly ArtifactStore store = finished.Store;

    /// <exception cref="RunRefusedException">The stage is not finished and may not be done.</exception>
    public FinishedStage Run(IStage stage, IReadOnlyDictionary<string, StageInput> inputs, CancellationToken cancellation)
    {
        var declaration = stage.Declaration;
        var key = StageKey.Of(declaration, inputs);
        var used = declaration.Inputs.ToDictionary(name => name, name => inputs[name]);
        bool forced = selection.IsForced(stage);
        var (stored, outcome) = forced ? default : Take(stage, key);
        if (stored is null || outcome is null)
        {
            if (!selection.MayRun(stage))
                throw new RunRefusedException(
                    $"The stage '{declaration.Name}' is needed and not finished ({finished.ReasonToRun(stage, key)}). "
                    + "Run without --only first.");
            if (shard is { } part && stage is IDividedStage divided && !forced) MakeUnits(divided, key, used, part, cancellation);
            (stored, outcome) = Make(stage, key, used, forced, cancellation);
        }
        else if (shard is not null)
        {
            UnitsOf(stage, key).Remove(); // another joined them while this one was taken for dead
        }

        folder.Link(declaration.Folder, stored.Artifact.Folder);
        return new FinishedStage(stage, stored.Artifact, outcome, used.ToDictionary(input => input.Key, input => input.Value.Digest));
    }

    private (StoredArtifact? Stored, StageOutcome? Outcome) Take(IStage stage, StageKey key)
    {
        string name = stage.Declaration.Name;
        if (finished.Find(stage, key, fault =>
                observer.Warning($"What '{name}' had made was damaged. {fault}")) is not { } found)
            return (null, null);
        if (ledger.Find(name, key.Digest) is null)
            ledger.Put(name, new LedgerEntry(key.Digest, 0, new Dictionary<string, double>(), found.Reason));
        observer.StageCached(name, found.Reason, FinishedStages.SummaryOf(found.Stored.Artifact));
        return (found.Stored, new StageOutcome(StageState.Cached, found.Reason));
    }

    private ShardedUnits UnitsOf(IStage stage, StageKey key) => new(store, FinishedStages.KeyOf(stage, key));

    /// <exception cref="RunEndedException">Other shards are not done.</exception>
    private void MakeUnits(
        IDividedStage stage, StageKey key, IReadOnlyDictionary<string, StageInput> used, ShardNumber part, CancellationToken cancellation)
    {
        string name = stage.Declaration.Name;
        var shards = UnitsOf(stage, key);
        using (shards.Lock(part, $"run '{folder.Name}', process {Environment.ProcessId}",
            owner => observer.Warning($"Waiting for shard {part} of '{name}': {owner} is making it."), cancellation))
        {
            // Joined by others meanwhile: then there is nothing to make.
            if (finished.Find(stage, key, damaged: null) is null && !shards.IsDone(part))
            {
                observer.StageStarted(name, $"shard {part}");
                long began = clock.GetTimestamp();
                var (context, writer) = ContextOf(stage, used, shards.FolderOf(part), cancellation);
                writer.Join(store.WorkFolder(FinishedStages.KeyOf(stage, key)), Damaged(name)); // begun without shards
                using var work = stage.Begin(context);
                var mine = new ShardWork(work, part);
                executor.Run(mine, cancellation);
                shards.Finish(part, work.Units);
                observer.StageFinished(name, clock.GetElapsedTime(began), $"{mine.Units:N0} of {work.Units:N0} units, shard {part}");
            }
        }

        if (finished.Find(stage, key, damaged: null) is null && shards.Missing() is > 0 and var missing)
            throw new RunEndedException($"Shard {part} of '{name}' is done; {missing:N0} units of other shards are not.");
    }

    private Action<string> Damaged(string stage) =>
        path => observer.Warning($"A unit of '{stage}' is not what was written and is made again: '{path}'.");

    // One process makes an artefact; who waited for it takes it.
    private (StoredArtifact Stored, StageOutcome Outcome) Make(
        IStage stage, StageKey key, IReadOnlyDictionary<string, StageInput> used, bool forced, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var wanted = FinishedStages.KeyOf(stage, key);
        using var right = store.Lock(wanted, $"run '{folder.Name}', process {Environment.ProcessId}",
            owner => observer.Warning($"Waiting for '{stage.Declaration.Name}': {owner} is making the same."), cancellation);
        // Looked at again even where nobody was waited for: another process may have finished it since the first look.
        if (!forced && Take(stage, key) is ({ } stored, { } outcome)) return (stored, outcome);
        string reason = forced ? "asked for" : finished.ReasonToRun(stage, key);
        return (Do(stage, key, used, reason, store.WorkFolder(wanted), cancellation), new StageOutcome(StageState.Done, reason));
    }

    private StoredArtifact Do(
        IStage stage, StageKey key, IReadOnlyDictionary<string, StageInput> used, string reason, string work,
        CancellationToken cancellation)
    {
        var declaration = stage.Declaration;
        observer.StageStarted(declaration.Name, reason);
        long began = clock.GetTimestamp();
        var (context, writer) = ContextOf(stage, used, work, cancellation);
        if (stage is IDividedStage) UnitsOf(stage, key).Join(writer, Damaged(declaration.Name));
        string summary = stage.Run(context);
        writer.Fact(StageKey.DigestFact, key.Digest);
        writer.Fact(StageKey.TextFact, key.Text);
        writer.Fact(StageKey.SummaryFact, summary);
        RemoveUnnamed(writer.Commit());
        var elapsed = clock.GetElapsedTime(began);
        ledger.Put(declaration.Name, new LedgerEntry(key.Digest, elapsed.TotalSeconds, context.Measures));
        observer.StageFinished(declaration.Name, elapsed, summary);
        var made = store.Finished(work);
        if (stage is IDividedStage) UnitsOf(stage, key).Remove();
        return made;
    }

    private (StageContext Context, ArtifactWriter Writer) ContextOf(
        IStage stage, IReadOnlyDictionary<string, StageInput> used, string work, CancellationToken cancellation)
    {
        var declaration = stage.Declaration;
        Directory.CreateDirectory(work);
        var writer = new ArtifactWriter(
            work, declaration.Kind, declaration.Version, [.. used.Values.Select(input => input.Digest).Distinct()]);
        var context = new StageContext(declaration.Name, writer, used, observer, metrics, clock, cancellation)
        {
            Executor = executor,
            SharedRequests = finished.UsesOtherRuns ? folder.RequestsPath : null,
            SharedCompletions = finished.UsesOtherRuns ? store.CompletionsPath : null,
            RunFolder = folder.Path,
        };
        return (context, writer);
    }

    // Training states, the log of parts: what only mattered until the artefact was whole.
    private static void RemoveUnnamed(Artifact artifact)
    {
        var named = artifact.Manifest.Files.Select(file => Path.Combine(artifact.Folder, file.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(artifact.Folder, "*", SearchOption.AllDirectories).ToList())
        {
            if (!named.Contains(path) && !ManifestFile.IsManifest(Path.GetFileName(path))) File.Delete(path);
        }

        var folders = Directory.EnumerateDirectories(artifact.Folder, "*", SearchOption.AllDirectories);
        foreach (string folder in folders.OrderDescending(StringComparer.Ordinal).ToList())
        {
            if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        }
    }
}
