using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Graph;

/// <summary>A stage of a run as it stands.</summary>
/// <param name="Key">Null as long as what it is made from is not there.</param>
/// <param name="IsOpen">It is not finished, and everything that it waits for is.</param>
internal sealed record SharedStage(IStage Stage, StageKey? Key, bool IsFinished, bool IsOpen)
{
    public string Name => Stage.Declaration.Name;

    /// <summary>Where its artefact is made; only for stages with a key.</summary>
    public StoreKey Place => FinishedStages.KeyOf(Stage, Key!);
}

/// <summary>All stages that a run needs, in order, and what they read as far as it is there.</summary>
internal sealed record SharedView(IReadOnlyList<SharedStage> Stages, IReadOnlyDictionary<string, StageInput> Inputs)
{
    public bool IsFinished => Stages.All(stage => stage.IsFinished);

    public SharedStage? Find(string stage, string key) =>
        Stages.FirstOrDefault(one => one.Name == stage && one.Key?.Digest == key);
}

/// <summary>
/// A run that any number of processes work on, at different stages or units. None holds its folder: what they agree on is in the store,
/// where a stage is made by one at a time and committed once. One thread.
/// </summary>
/// <param name="external">What its stages read besides each other.</param>
internal sealed class SharedRun(
    RunFolder folder, StageSelection selection, Func<ArtifactStore, IReadOnlyDictionary<string, StageInput>> external, TimeProvider clock)
{
    public ArtifactStore Store { get; } = new(folder.StorePath, clock);

    /// <summary>Name of its recipe, under which it is noted what its stages take.</summary>
    public required string Recipe { get; init; }

    /// <summary>Writes the report of a run whose stages are finished, and what follows it.</summary>
    public required Func<IRunObserver, CancellationToken, RunResult> Report { get; init; }

    /// <summary>What the report needs: it may be followed by an evaluation, and who writes it has to know the run's devices.</summary>
    public StageResource ReportResource { get; init; } = StageResource.Cpu;

    /// <summary>
    /// Whether this machine has the devices that the run is for. Without them it may work on stages that need none, and cannot tell which
    /// others are finished.
    /// </summary>
    public bool IsPlannedHere { get; init; } = true;

    /// <summary>Whether the machine that began it decided for a card.</summary>
    public bool IsForCard { get; init; }

    /// <param name="models">Where <c>hf://</c> comes from; null for the cache alone.</param>
    /// <exception cref="RunRefusedException">There is no such run.</exception>
    /// <exception cref="InvalidRecipeException">This machine lacks something that its recipe names.</exception>
    public static SharedRun Open(string runsFolder, string name, IModelSource? models, TimeProvider clock)
    {
        var (recipe, options) = PipelineRun.Continuation(runsFolder, name, models);
        // What the recipe leaves to the machine, the machine decided that began the run.
        string? devices = RunState.TryRead(new RunFolder(runsFolder, name).Path)?.Devices;
        if (devices is not null) recipe = recipe with { Devices = RecipeDevices.Like(devices) };
        var selection = new StageSelection(options, StageGraph.For(recipe));
        return new(new RunFolder(runsFolder, name), selection, store => ExternalInputs.Of(recipe, selection.Needed, store.Digests), clock)
        {
            Recipe = recipe.Name,
            Report = (observer, cancellation) => PipelineRun.Run(recipe, options, observer, clock, cancellation),
            IsPlannedHere = !recipe.Devices.Problems(recipe, selection.MakesStudent).Any()
                && (devices is null || recipe.Devices.Signature(recipe, selection.MakesStudent) == devices),
            IsForCard = devices is not null && RecipeDevices.HasCard(devices),
            ReportResource = devices is not null && RecipeDevices.HasCard(devices)
                || (options.Until is null && recipe is DistillationRecipe distillation && PromotionOrder.Of(distillation) is not null)
                    ? StageResource.Model : StageResource.Cpu,
        };
    }

    /// <summary>What is finished and what can be worked on. Changes nothing.</summary>
    public SharedView Look()
    {
        var finished = new FinishedStages(folder, Store, useOtherRuns: true);
        var inputs = new Dictionary<string, StageInput>(external(Store));
        var stages = new List<SharedStage>();
        foreach (var stage in selection.Needed)
        {
            if (stage.Declaration.Inputs.Any(input => !inputs.ContainsKey(input)))
            {
                stages.Add(new(stage, null, IsFinished: false, IsOpen: false));
                continue;
            }

            var key = StageKey.Of(stage.Declaration, inputs);
            var found = finished.Find(stage, key, damaged: null)?.Stored.Artifact;
            if (found is not null) inputs[stage.Declaration.Name] = new StageInput(found.Folder, found.Digest, found);
            bool isGateClosed = stages.Any(gate => gate.Stage.Declaration.GateOf == stage.Declaration.Name && !gate.IsFinished);
            stages.Add(new(stage, key, found is not null, IsOpen: found is null && !isGateClosed));
        }

        return new(stages, inputs);
    }

    /// <summary>Makes a stage, from its units where others have made them, or finds it made.</summary>
    /// <param name="takeover">As <see cref="StageRunner.Takeover"/> has it.</param>
    public FinishedStage Make(
        SharedStage stage, SharedView view, IRunObserver observer, TimeSpan? takeover, CancellationToken cancellation)
    {
        using var metrics = new RunMetrics(folder.MetricsPath, clock, folder.BoardPath);
        return RunnerWith(metrics, view, observer, takeover).Run(stage.Stage, view.Inputs, cancellation);
    }

    /// <summary>Opens the units of a divided stage, to be made in a folder of one's own.</summary>
    /// <param name="maker">A plain file name.</param>
    /// <returns>The caller disposes it.</returns>
    public SharedUnits Begin(
        SharedStage stage, SharedView view, string maker, IRunObserver observer, CancellationToken cancellation)
    {
        var metrics = new RunMetrics(folder.MetricsPath, clock, folder.BoardPath);
        var runner = RunnerWith(metrics, view, observer);
        var units = runner.UnitsOf(stage.Stage, stage.Key!);
        var (held, place) = Take(units, maker);
        try
        {
            var used = stage.Stage.Declaration.Inputs.ToDictionary(name => name, name => view.Inputs[name]);
            var (context, writer) = runner.ContextOf(stage.Stage, used, place, cancellation);
            var damaged = runner.Damaged(stage.Name);
            writer.Join(Store.WorkFolder(stage.Place), damaged); // begun by one process alone
            return new SharedUnits(((IDividedStage)stage.Stage).Begin(context), () => units.Join(writer, damaged), units, held, metrics);
        }
        catch
        {
            held.Dispose();
            metrics.Dispose();
            throw;
        }
    }

    // One who was taken for dead may still have the folder.
    private (FileLock Held, string Folder) Take(ShardedUnits units, string maker)
    {
        for (int number = 1; ; number++)
        {
            string name = $"{maker}.{number}";
            if (units.TryLock(name, $"run '{folder.Name}', process {Environment.ProcessId}") is { } held)
                return (held, units.FolderOfMaker(name));
        }
    }

    private StageRunner RunnerWith(RunMetrics metrics, SharedView view, IRunObserver observer, TimeSpan? takeover = null)
    {
        var times = new StageTimes(WorkRates.Open(folder.StorePath), new WorkingModels(view.Inputs), Recipe);
        foreach (var made in view.Stages.Where(stage => stage.IsFinished)) times.Taken(made.Stage, view.Inputs[made.Name].Artifact!);
        return new(
            folder, selection, new FinishedStages(folder, Store, useOtherRuns: true), RunLedger.Open(folder.LedgerPath), metrics, observer,
            new InProcessExecutor(), clock, times, shard: null) { Takeover = takeover };
    }
}

/// <summary>Units that one process makes of a stage, while others make theirs. One thread; dispose it.</summary>
internal sealed class SharedUnits(IStageWork work, Action join, ShardedUnits units, FileLock held, RunMetrics metrics) : IDisposable
{
    public IStageWork Work => work;

    /// <summary>Takes over what others have made, whoever they were: for work that was begun before.</summary>
    public void Join() => join();

    /// <summary>The stage is finished: nobody needs units any more.</summary>
    public void Remove() => units.Remove();

    public void Dispose()
    {
        work.Dispose();
        metrics.Dispose();
        held.Dispose();
    }
}
