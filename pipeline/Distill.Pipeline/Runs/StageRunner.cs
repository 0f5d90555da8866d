using Distill.Data.Storage;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Runs;

/// <summary>Does one stage after another, or finds that it need not be done. One thread.</summary>
internal sealed class StageRunner(
    RunFolder folder, StageSelection selection, FinishedStages finished, RunLedger ledger, RunMetrics metrics, IRunObserver observer, TimeProvider clock)
{
    // Beside unfinished work: which key it belongs to. Work of another key is thrown away.
    private const string WorkKeyName = ".work-key";

    /// <exception cref="RunRefusedException">The stage is not finished and may not be done.</exception>
    public (Artifact Artifact, StageOutcome Outcome) Run(IStage stage, IReadOnlyDictionary<string, StageInput> inputs, CancellationToken cancellation)
    {
        var key = StageKey.Of(stage, inputs);
        string target = folder.Inside(stage.Folder);
        string reason = selection.IsForced(stage) ? "asked for" : "not done yet";
        if (!selection.IsForced(stage))
        {
            if (finished.Own(stage) is { } own)
            {
                if (FinishedStages.KeyOf(own) != key.Digest) reason = key.Difference(own.Manifest.Facts.GetValueOrDefault(StageKey.TextFact));
                else if (Faults(own) is { } fault) reason = fault;
                else return Cached(stage, own, "unchanged");
            }

            if (finished.Elsewhere(stage, key) is { } other && FinishedStages.TryImport(other.Artifact, target) is { } copy)
            {
                ledger.Put(stage.Name, new LedgerEntry(key.Digest, 0, new Dictionary<string, double>(), other.Run));
                return Cached(stage, copy, $"taken from run '{other.Run}'");
            }
        }

        if (!selection.MayRun(stage)) throw new RunRefusedException($"The stage '{stage.Name}' is needed and not finished ({reason}). Run without --only first.");
        return (Do(stage, key, inputs, reason, target, cancellation), new StageOutcome(StageState.Done, reason));
    }

    private Artifact Do(IStage stage, StageKey key, IReadOnlyDictionary<string, StageInput> inputs, string reason, string target, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Prepare(target, key);
        observer.StageStarted(stage.Name, reason);
        long began = clock.GetTimestamp();
        var used = stage.Inputs.ToDictionary(name => name, name => inputs[name]);
        var writer = new ArtifactWriter(target, stage.Kind, stage.Version, [.. used.Values.Select(input => input.Digest).Distinct()]);
        var context = new StageContext(stage.Name, writer, used, observer, metrics, clock, cancellation)
        {
            SharedRequests = finished.UsesOtherRuns ? folder.RequestsPath : null,
        };
        string summary = stage.Run(context);
        writer.Fact(StageKey.DigestFact, key.Digest);
        writer.Fact(StageKey.TextFact, key.Text);
        writer.Fact(StageKey.SummaryFact, summary);
        var artifact = writer.Commit();
        RemoveUnnamed(artifact);
        var elapsed = clock.GetElapsedTime(began);
        ledger.Put(stage.Name, new LedgerEntry(key.Digest, elapsed.TotalSeconds, context.Measures));
        observer.StageFinished(stage.Name, elapsed, summary);
        return artifact;
    }

    private (Artifact Artifact, StageOutcome Outcome) Cached(IStage stage, Artifact artifact, string reason)
    {
        observer.StageCached(stage.Name, reason, FinishedStages.SummaryOf(artifact));
        return (artifact, new StageOutcome(StageState.Cached, reason));
    }

    // Finished work of another key goes; unfinished work of this key stays, so that committed parts are not made twice.
    private static void Prepare(string target, StageKey key)
    {
        string keyPath = Path.Combine(target, WorkKeyName);
        bool isFinished = Directory.Exists(target) && Artifact.TryOpen(target) is not null;
        if (isFinished || !File.Exists(keyPath) || File.ReadAllText(keyPath) != key.Digest)
        {
            if (Directory.Exists(target)) File.Delete(keyPath); // first, or a kill within the removal could leave a part of the work that still looks like ours
            Artifact.Remove(target);
        }

        Directory.CreateDirectory(target);
        RunFolder.Replace(keyPath, System.Text.Encoding.UTF8.GetBytes(key.Digest));
    }

    // Training states, the work key: what only mattered until the artefact was whole.
    private static void RemoveUnnamed(Artifact artifact)
    {
        var named = artifact.Manifest.Files.Select(file => Path.Combine(artifact.Folder, file.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(artifact.Folder, "*", SearchOption.AllDirectories).ToList())
        {
            if (!named.Contains(path) && !Path.GetFileName(path).StartsWith("manifest-", StringComparison.Ordinal)) File.Delete(path);
        }
    }

    private string? Faults(Artifact artifact)
    {
        var faults = artifact.Verify();
        if (faults.Count == 0) return null;
        observer.Warning($"A finished stage was damaged and is done again: {faults[0]}");
        return "its files were damaged";
    }
}
