using System.Text.Json;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Store.Objects;

/// <summary>What a run on some machine made and uses, as the shared store knows it.</summary>
/// <param name="Artefacts">Digests of manifests, by stage.</param>
/// <param name="Changed">When it was noted, by that machine's clock.</param>
internal sealed record SharedRun(
    string Name, string Machine, RunProgress Progress, DateTimeOffset Changed, IReadOnlyDictionary<string, string> Artefacts)
{
    /// <summary>As commands call it: <c>nightly@gpu-3</c>.</summary>
    public string Reference => $"{Name}@{Machine}";
}

/// <summary>
/// Which runs there are, on all machines: a small object for each, written anew as its stages end. What they name is not collected.
/// Thread-safe.
/// </summary>
internal sealed class SharedRuns(SharedStore store, string machine, TimeProvider clock)
{
    private const int LargestRecord = 1 << 20;

    private const string Extension = ".json";

    /// <param name="isWhole">False where these are not all stages of the run: then what it made of others stays its own.</param>
    public void Note(string name, RunProgress progress, IEnumerable<FinishedStage> done, bool isWhole, CancellationToken cancellation)
    {
        var run = new SharedRun(name, Plain(machine), progress, clock.GetUtcNow(), new Dictionary<string, string>());
        var artefacts = isWhole || Read(NameOf(run.Reference), cancellation) is not { } before
            ? [] : new Dictionary<string, string>(before.Artefacts);
        foreach (var stage in done) artefacts[stage.Declaration.Name] = stage.Artifact.Digest;
        run = run with { Artefacts = artefacts };
        store.Objects.Put(NameOf(run.Reference), JsonSerializer.SerializeToUtf8Bytes(run, CanonicalJson.Spelling), cancellation);
    }

    /// <summary>Of all machines, by name.</summary>
    /// <param name="damaged">Told of records that are none.</param>
    public IReadOnlyList<SharedRun> List(Action<string> damaged, CancellationToken cancellation)
    {
        var runs = new List<SharedRun>();
        foreach (var found in store.Objects.List(ObjectNames.Runs, cancellation))
        {
            if (Read(found.Name, cancellation) is { } run) runs.Add(run);
            else damaged($"{store.Place}/{found.Name} is no record of a run; what it named may be collected.");
        }

        return runs;
    }

    /// <summary>Forgets a run; its artefacts stay until they are collected.</summary>
    /// <param name="reference">As <see cref="SharedRun.Reference"/>.</param>
    /// <returns>False when there is none.</returns>
    public bool Forget(string reference, CancellationToken cancellation)
    {
        if (store.Objects.Look(NameOf(reference), cancellation) is null) return false;
        store.Objects.Delete(NameOf(reference), cancellation);
        return true;
    }

    private SharedRun? Read(string name, CancellationToken cancellation)
    {
        try
        {
            return store.Objects.Read(name, LargestRecord, cancellation) is { } record
                ? JsonSerializer.Deserialize<SharedRun>(record, CanonicalJson.Spelling) : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidDataException)
        {
            return null;
        }
    }

    private static string NameOf(string reference) => ObjectNames.Runs + reference + Extension;

    private static string Plain(string machine) =>
        string.Concat(machine.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' ? letter : '-'));
}
