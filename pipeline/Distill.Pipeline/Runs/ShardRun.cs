using System.Globalization;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages.Data;
using Distill.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>
/// One of several processes that make a data set together, on one machine or many that share the folder of runs. Each does its share of the
/// units and ends; the first that finds all of them done joins them and goes on with the run, alone. Nobody waits for another, but
/// for what only one can make.
/// </summary>
internal static class ShardRun
{
    private const int LongestName = 64;

    private const string Mark = ".shard-", Of = "-of-";

    /// <param name="options">Of the whole run; its name is that of the run that goes on.</param>
    /// <exception cref="RunRefusedException">Budgets are not divided among processes, or the options contradict it.</exception>
    public static RunResult Run(
        DistillationRecipe recipe, RunOptions options, ShardNumber shard, IRunObserver observer, TimeProvider clock,
        CancellationToken cancellation)
    {
        RequireDivisible(recipe, options, "--shard");
        string name = options.Name ?? recipe.Name, own = NameOf(name, shard);
        var whole = new RunFolder(options.RunsFolder, name);
        string locks = Path.Combine(whole.StorePath, ArtifactStore.ShardsName), owner = $"process {Environment.ProcessId}";
        RunResult part;
        // A scheduler may begin a shard anew before it has seen the end of the former.
        using (FileLock.Take(LockOf(locks, own), owner, Waiting, cancellation))
        {
            part = PipelineRun.Run(
                recipe, options with { Name = own, Until = CurationStage.StageName, Shard = shard }, observer, clock, cancellation);
        }

        if (part.EndedEarly is not null) return part;
        using var right = FileLock.TryTake(LockOf(locks, name), owner);
        if (right is null && RunState.TryRead(whole.Path) is { Progress: RunProgress.Finished })
            RemovePart(new RunFolder(options.RunsFolder, own), locks, owner); // whoever joined them may have passed by while it was ours
        if (right is null || whole.IsLocked())
            return part with { EndedEarly = $"All units are done; another process goes on with the run '{name}'." };
        var result = PipelineRun.Run(recipe, options, observer, clock, cancellation);
        RemoveParts(options.RunsFolder, name, locks, owner);
        return result;

        void Waiting(string other) => observer.Warning($"Waiting: shard {shard} is being made by {other}.");
    }

    // A shard's own folder holds links alone, which keep what it uses until the whole run has them.
    private static string NameOf(string name, ShardNumber shard)
    {
        string suffix = string.Create(CultureInfo.InvariantCulture, $"{Mark}{shard.Index}{Of}{shard.Count}");
        return name[..Math.Min(name.Length, LongestName - suffix.Length)] + suffix;
    }

    private static string LockOf(string locks, string run) => Path.Combine(locks, run + ".lock");

    private static void RemoveParts(string runsFolder, string name, string locks, string owner)
    {
        foreach (string path in Directory.EnumerateDirectories(runsFolder, "*" + Mark + "*" + Of + "*").ToList())
        {
            string folder = Path.GetFileName(path), shard = folder[(folder.LastIndexOf(Mark, StringComparison.Ordinal) + Mark.Length)..];
            // A long name was cut by as much as its shard's number needed.
            if (ShardNumber.Parse(shard.Replace(Of, "/", StringComparison.Ordinal), _ => null, out _) is not { } number
                || NameOf(name, number) != folder) continue;
            RemovePart(new RunFolder(runsFolder, folder), locks, owner);
        }
    }

    private static void RemovePart(RunFolder part, string locks, string owner)
    {
        // Who has begun this shard anew finds all units made, and goes on to here or removes it when the whole run is done.
        using var unused = FileLock.TryTake(LockOf(locks, part.Name), owner);
        if (unused is null || RunState.TryRead(part.Path) is null || part.IsLocked()) return;
        try
        {
            part.Remove();
        }
        catch (RunRefusedException)
        {
            // Somebody runs it by its own name.
        }
    }

    /// <param name="way">The option that has several processes do it.</param>
    /// <exception cref="RunRefusedException">They cannot.</exception>
    public static void RequireDivisible(DistillationRecipe recipe, RunOptions options, string way)
    {
        if ((options.From ?? options.Only ?? options.Force) is not null)
            throw new RunRefusedException(
                $"{way} excludes --from, --only and --force: those who work on it agree on what is finished by the store alone.");
        if (!options.UseOtherRuns)
            throw new RunRefusedException($"{way} excludes --no-cache: those who work on it find each other's units in the store.");
        bool isPaid = recipe.TraceWriters.Any(teacher => teacher.Remote is not null)
            && recipe.Traces is not { MaxCost: null, MaxTokensTotal: null };
        if (isPaid || recipe.Traces.TimeLimit is not null)
            throw new RunRefusedException("The budgets of 'traces' count what one process spends, and every shard would spend them anew. "
                + $"Leave them out, e.g. --set traces.max_cost=null, or run without {way}.");
    }
}
