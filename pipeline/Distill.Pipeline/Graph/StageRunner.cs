using Distill.Pipeline.Planning;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Graph;

/// <summary>Does one stage after another, or finds that it need not be done. One thread.</summary>
/// <param name="times">Is told what the stages took.</param>
/// <param name="shard">The part of the units of divided stages that is done here; null does them all.</param>
internal sealed class StageRunner(
    RunFolder folder, StageSelection selection, FinishedStages finished, RunLedger ledger, RunMetrics metrics, IRunObserver observer,
    IStageExecutor executor, TimeProvider clock, StageTimes times, ShardNumber? shard)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ArtifactStore store = finished.Store;

    /// <summary>
    /// How long the right to make a stage is waited for where its holder was taken for dead; then it is made beside it, from its last
    /// state. Null waits for ever.
    /// </summary>
    public TimeSpan? Takeover { get; init; }

    /// <exception cref="RunRefusedException">The stage is not finished and may not be done.</exception>
    public FinishedStage Run(IStage stage, IReadOnlyDictionary<string, StageInput> inputs, CancellationToken cancellation)
    {
        var declaration = stage.Declaration;
        var key = StageKey.Of(declaration, inputs);
        var used = declaration.Inputs.ToDictionary(name => name, name => inputs[name]);
        bool forced = selection.IsForced(stage);
        var (stored, outcome) = forced ? default : Take(stage, key);
        if (stored is null && !forced) (stored, outcome) = TakeShared(stage, key, cancellation);
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

        stored = Share(stage, stored, outcome, forced, cancellation);
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
        times.Taken(stage, found.Stored.Artifact);
        return (found.Stored, new StageOutcome(StageState.Cached, found.Reason));
    }

    // What another machine published. While a process of this one makes it, that is waited for.
    private (StoredArtifact? Stored, StageOutcome? Outcome) TakeShared(IStage stage, StageKey key, CancellationToken cancellation)
    {
        if (store.Shared is null) return default;
        using var right = store.TryLock(FinishedStages.KeyOf(stage, key), $"run '{folder.Name}', process {Environment.ProcessId}");
        return right is null ? default : Fetch(stage, key, cancellation);
    }

    private (StoredArtifact? Stored, StageOutcome? Outcome) Fetch(IStage stage, StageKey key, CancellationToken cancellation)
    {
        string name = stage.Declaration.Name;
        if (!finished.UsesOtherRuns
            || store.Fetch(FinishedStages.KeyOf(stage, key), observer.Warning, cancellation) is not { } fetched) return default;
        string reason = $"made before, from {store.Shared!.Place}";
        ledger.Put(name, new LedgerEntry(key.Digest, 0, new Dictionary<string, double>(), reason));
        observer.StageCached(name, reason, FinishedStages.SummaryOf(fetched.Artifact));
        times.Taken(stage, fetched.Artifact);
        return (fetched, new StageOutcome(StageState.Cached, reason));
    }

    // Of two machines that made unequal ones of the same inputs, the first to publish counts for both.
    private StoredArtifact Share(
        IStage stage, StoredArtifact stored, StageOutcome outcome, bool forced, CancellationToken cancellation)
    {
        if (outcome.State != StageState.Done || forced || !finished.UsesOtherRuns)
        {
            store.Publish(stored, cancellation); // also where a run was killed before it came to that
            return stored;
        }

        try
        {
            store.Publish(stored, cancellation, asNext: false);
            return stored;
        }
        catch (CommitConflictException)
        {
            using var right = store.Lock(stored.Key, $"run '{folder.Name}', process {Environment.ProcessId}", _ => { }, cancellation);
            if (store.Fetch(stored.Key, observer.Warning, cancellation) is not { } theirs) throw;
            observer.Warning($"Another machine published '{stage.Declaration.Name}' of the same inputs first, with other content (digest "
                + $"{theirs.Artifact.Digest}). That is used; what was made here stays in '{stored.Artifact.Folder}'.");
            return theirs;
        }
    }

    // Parts are exchanged by those who divide a stage and take what others made; one made anew on demand is made of new parts.
    private SharedParts? PartsOf(IStage stage, StageKey key, CancellationToken cancellation) =>
        stage is IDividedStage && finished.UsesOtherRuns && !selection.IsForced(stage)
            ? store.PartsOf(FinishedStages.KeyOf(stage, key), observer.Warning, cancellation) : null;

    /// <summary>What several processes make of a divided stage.</summary>
    public ShardedUnits UnitsOf(IStage stage, StageKey key) => new(store, FinishedStages.KeyOf(stage, key));

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

    /// <summary>Tells of units that are not what was written.</summary>
    public Action<string> Damaged(string stage) =>
        path => observer.Warning($"A unit of '{stage}' is not what was written and is made again: '{path}'.");

    // One process makes an artefact; who waited for it takes it.
    private (StoredArtifact Stored, StageOutcome Outcome) Make(
        IStage stage, StageKey key, IReadOnlyDictionary<string, StageInput> used, bool forced, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var wanted = FinishedStages.KeyOf(stage, key);
        var (right, beside) = TakeRight(stage, wanted, cancellation);
        using var held = right;
        // Looked at again even where nobody was waited for: another process may have finished it since the first look.
        if (!forced && Take(stage, key) is ({ } stored, { } outcome)) return (stored, outcome);
        if (!forced && Fetch(stage, key, cancellation) is ({ } fetched, { } how)) return (fetched, how);
        string reason = forced ? "asked for" : finished.ReasonToRun(stage, key);
        var made = Do(stage, key, used, reason, beside ?? store.WorkFolder(wanted), isBeside: beside is not null, cancellation);
        // Who was taken for dead finds another in his place, which what comes after was made from.
        if (store.Peek(wanted) is { } newest && newest.Version > made.Version) made = newest;
        return (made, new StageOutcome(StageState.Done, reason));
    }

    // With the place where it is made, if that is not the usual one.
    private (FileLock Right, string? Beside) TakeRight(IStage stage, StoreKey wanted, CancellationToken cancellation)
    {
        string me = $"run '{folder.Name}', process {Environment.ProcessId}";
        if (Takeover is not { } patience)
        {
            return (store.Lock(wanted, me,
                owner => observer.Warning($"Waiting for '{stage.Declaration.Name}': {owner} is making the same."), cancellation), null);
        }

        for (long began = clock.GetTimestamp(); clock.GetElapsedTime(began) < patience; cancellation.WaitHandle.WaitOne(Pause))
        {
            cancellation.ThrowIfCancellationRequested();
            if (store.TryLock(wanted, me) is { } free) return (free, null);
        }

        // Those who took it over before may be frozen too: what the last of them left is the furthest.
        int left = store.Parse(store.WorkFolder(wanted))!.Value.Version, version = left + 1;
        while (Directory.Exists(store.FolderOf(wanted, version + 1))) version++;
        for (; ; version++)
        {
            if (store.TryLock(wanted with { Digest = $"{wanted.Digest}-{version}" }, me) is not { } right) continue;
            string place = store.FolderOf(wanted, version);
            int last = version - 1;
            while (last > left && !Directory.Exists(store.FolderOf(wanted, last))) last--;
            if (!Directory.Exists(place) && Directory.Exists(store.FolderOf(wanted, last))) Copy(store.FolderOf(wanted, last), place);
            return (right, place);
        }
    }

    // The holder may wake up and write on: what is taken from it is checked before it is used, like everything that a kill left.
    private static void Copy(string from, string place)
    {
        string to = place + ".copy"; // half of it must not be taken for work by who comes after a kill
        if (Directory.Exists(to)) Directory.Delete(to, recursive: true);
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        Directory.Move(to, place);
    }

    private StoredArtifact Do(
        IStage stage, StageKey key, IReadOnlyDictionary<string, StageInput> used, string reason, string work,
        bool isBeside, CancellationToken cancellation)
    {
        var declaration = stage.Declaration;
        observer.StageStarted(declaration.Name, reason);
        bool isContinued = BegunWork.IsIn(work, store, FinishedStages.KeyOf(stage, key));
        using var span = new StageSpan(ledger, declaration.Name, key.Digest, isContinued, clock);
        var (context, writer) = ContextOf(stage, used, work, cancellation);
        if (stage is IDividedStage) UnitsOf(stage, key).Join(writer, Damaged(declaration.Name));
        string summary = stage.Run(context);
        // Its first holder woke up and was faster: others may have gone on from what that made.
        if (isBeside && finished.Find(stage, key, damaged: null) is { Stored: var other })
        {
            span.End(span.Elapsed, context.Measures, context.Work);
            observer.StageFinished(declaration.Name, span.Elapsed, summary);
            return other;
        }

        writer.Fact(StageKey.DigestFact, key.Digest);
        writer.Fact(StageKey.TextFact, key.Text);
        writer.Fact(StageKey.SummaryFact, summary);
        RemoveUnnamed(writer.Commit());
        var elapsed = span.Elapsed;
        span.End(elapsed, context.Measures, context.Work);
        observer.StageFinished(declaration.Name, elapsed, summary);
        var made = store.Finished(work);
        times.Ended(stage, made.Artifact, context.Work, elapsed.TotalSeconds);
        if (stage is IDividedStage) UnitsOf(stage, key).Remove();
        return made;
    }

    /// <param name="used">The stage's inputs.</param>
    /// <param name="work">Where it is made; created when missing.</param>
    public (StageContext Context, ArtifactWriter Writer) ContextOf(
        IStage stage, IReadOnlyDictionary<string, StageInput> used, string work, CancellationToken cancellation)
    {
        var declaration = stage.Declaration;
        Directory.CreateDirectory(work);
        var writer = new ArtifactWriter(
            work, declaration.Kind, declaration.Version, [.. used.Values.Select(input => input.Digest).Distinct()])
        {
            Parts = PartsOf(stage, StageKey.Of(declaration, used), cancellation),
        };
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
