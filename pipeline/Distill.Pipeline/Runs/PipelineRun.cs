using System.Text;
using System.Text.Json.Nodes;
using Distill.Data.Storage;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages.Training;

namespace Distill.Pipeline.Runs;

/// <summary>Runs, plans and continues recipes. A run belongs to one process at a time; the calling thread does the training.</summary>
public static class PipelineRun
{
    /// <summary>Does what is not done yet and writes the report.</summary>
    /// <exception cref="RunRefusedException">The options cannot be met, or another process works on the run.</exception>
    /// <exception cref="GateFailedException">The exported model is not the trained one.</exception>
    /// <exception cref="InvalidDataException">A model folder or file is not what it should be; named.</exception>
    /// <exception cref="OperationCanceledException">What was committed before stands.</exception>
    public static RunResult Run(
        Recipe recipe, RunOptions options, IRunObserver observer, TimeProvider clock, CancellationToken cancellation) =>
        Run(recipe, options, observer, clock, new InProcessExecutor(), cancellation);

    /// <param name="executor">Does the units of divided stages.</param>
    internal static RunResult Run(
        Recipe recipe, RunOptions options, IRunObserver observer, TimeProvider clock,
        IStageExecutor executor, CancellationToken cancellation)
    {
        var folder = FolderFor(recipe, options);
        var graph = StageGraph.For(recipe);
        var selection = new StageSelection(options, graph);
        var notes = Check(recipe, selection);
        folder.RequireFree(graph.Stages.Select(stage => stage.Declaration.Folder));
        var store = new ArtifactStore(folder.StorePath, clock);
        using var held = folder.Lock();
        using var used = store.TryUse()
            ?? throw new RunRefusedException(
                $"Artefacts are being removed from '{store.Root}' at this moment. "
                + "Try again when 'distill artefacts gc' has ended.");
        var state = new RunState(RunState.CurrentFormat, RunProgress.Running, options.Until, folder.Path, null, clock.GetUtcNow());
        state.Write(folder.Path);
        folder.WriteRecipe(recipe);
        try
        {
            foreach (string note in notes) observer.Warning(note);
            if (Beginning(recipe) is { } beginning) observer.Note(beginning);
            if (recipe.Devices.Worth(recipe, selection.MakesStudent) is { } devices) observer.Note(devices);
            var finished = new FinishedStages(folder, store, options.UseOtherRuns);
            var result = Run(recipe, folder, graph, selection, finished, observer, clock, executor, options,
                cancellation);
            bool isWhole = options.Only is null;
            var refused = result.Report?.Promotion is { Outcome: PromotionOutcome.Refused } promotion ? promotion : null;
            (state with
            {
                Progress = isWhole ? RunProgress.Finished : RunProgress.Stopped,
                Reason = isWhole ? refused?.Sentence : $"only '{options.Only}' was asked for",
                Verdict = refused is null ? null : RunVerdict.Refused,
                Changed = clock.GetUtcNow(),
            })
                .Write(folder.Path);
            return result;
        }
        catch (RunEndedException end)
        {
            (state with
            {
                Progress = RunProgress.Stopped, Reason = end.Message, Verdict = RunVerdict.EndedEarly, Changed = clock.GetUtcNow(),
            })
                .Write(folder.Path);
            return new RunResult(folder.Name, folder.Path, null, null) { EndedEarly = end.Message };
        }
        catch (Exception fault)
        {
            bool isStop = fault is OperationCanceledException;
            (state with
            {
                Progress = isStop ? RunProgress.Stopped : RunProgress.Failed,
                Reason = isStop ? "stopped by its user" : fault.Message,
                Verdict = fault is GateFailedException ? RunVerdict.Refused : null,
                Changed = clock.GetUtcNow(),
            })
                .Write(folder.Path);
            throw;
        }
    }

    /// <summary>
    /// What <see cref="Run(Recipe, RunOptions, IRunObserver, TimeProvider, CancellationToken)"/> would do. Writes nothing.
    /// </summary>
    public static RunPlan Plan(Recipe recipe, RunOptions options)
    {
        var folder = FolderFor(recipe, options);
        var graph = StageGraph.For(recipe);
        var selection = new StageSelection(options, graph);
        var notes = Check(recipe, selection);
        if (Beginning(recipe) is { } beginning) notes = [.. notes, beginning];
        var store = new ArtifactStore(folder.StorePath, TimeProvider.System);
        var planner = new StagePlanner(graph, selection, new FinishedStages(folder, store, options.UseOtherRuns));
        var stages = planner.Plan(ExternalInputs.Of(recipe, selection.Needed, store.Digests));
        return new RunPlan(folder.Name, folder.Path, stages)
            { Notes = notes, Devices = recipe.Devices.Describe(recipe, selection.MakesStudent) };
    }

    /// <summary>What a run was started with: its resolved recipe and its goal.</summary>
    /// <exception cref="RunRefusedException">There is no such run.</exception>
    public static (Recipe Recipe, RunOptions Options) Continuation(string runsFolder, string name) => Continuation(runsFolder, name, null);

    /// <param name="models">Where <c>hf://</c> comes from; null for the cache alone.</param>
    internal static (Recipe Recipe, RunOptions Options) Continuation(string runsFolder, string name, IModelSource? models)
    {
        var folder = new RunFolder(runsFolder, name);
        if (RunName.IsValid(name) && RunState.TryRead(folder.Path) is { } state && File.Exists(folder.RecipePath))
        {
            var options = new RunOptions { RunsFolder = runsFolder, Name = name, Until = state.Goal };
            return (RecipeFile.Load(folder.RecipePath, null, makesStudent: state.Goal is null, models), options);
        }

        var known = RunCatalogue.List(runsFolder).Select(run => run.Name).ToList();
        throw new RunRefusedException(
            $"There is no run '{name}' in {folder.RunsPath}"
            + (known.Count == 0 ? "." : $"; {Suggestion.Remedy(name, known)}"));
    }

    private static RunResult Run(
        Recipe recipe, RunFolder folder, StageGraph graph, StageSelection selection, FinishedStages finished, IRunObserver observer,
        TimeProvider clock, IStageExecutor executor, RunOptions options, CancellationToken cancellation)
    {
        using var metrics = new RunMetrics(folder.MetricsPath, clock, folder.BoardPath);
        var ledger = RunLedger.Open(folder.LedgerPath);
        observer.RunStarted(folder.Name, folder.Path);
        var runner = new StageRunner(folder, selection, finished, ledger, metrics, observer, executor, clock, options.Shard);
        var inputs = new Dictionary<string, StageInput>(ExternalInputs.Of(recipe, selection.Needed, finished.Store.Digests));
        var done = new List<FinishedStage>();
        FinishedStage Make(IStage stage) => runner.Run(stage, inputs, cancellation);
        foreach (var stage in selection.Needed)
        {
            var made = Make(stage);
            inputs[stage.Declaration.Name] = new StageInput(made.Artifact.Folder, made.Artifact.Digest, made.Artifact);
            done.Add(made);
            WriteLock(recipe, folder, done);
        }

        if (done.Count < graph.Stages.Count) return new RunResult(folder.Name, folder.Path, null, null);
        var artifacts = new RunArtifacts(graph, done);
        if (recipe is PretrainRecipe pretraining)
        {
            PretrainingStage.Publish(pretraining, artifacts.Stages[^1].Artifact);
            return new RunResult(folder.Name, folder.Path, null, pretraining.Output);
        }

        var distillation = (DistillationRecipe)recipe;
        var report = RunReporting.Write(distillation, folder, artifacts, ledger, promotion: null); // stands even if what follows is killed
        if ((options.Promotion ?? PromotionOrder.Of(distillation)) is { } promoted)
        {
            var promotion = new Promotion(promoted.Rules, distillation, folder, artifacts, Evaluate, observer, clock)
                .Run(finished.Store.Digests, promoted.Again, cancellation);
            report = RunReporting.Write(distillation, folder, artifacts, ledger, promotion);
        }

        return new RunResult(folder.Name, folder.Path, folder.ReportPath, folder.ModelPath) { Report = report };

        FinishedStage Evaluate(IStage stage, StageInput model)
        {
            inputs[stage.Declaration.Inputs[^1]] = model;
            return Make(stage);
        }
    }

    private static JsonObject Locked(Recipe recipe, FinishedStage stage)
    {
        var locked = new JsonObject
        {
            ["output"] = stage.Artifact.Digest,
            ["inputs"] = new JsonObject(stage.Inputs.Select(input => KeyValuePair.Create(input.Key, (JsonNode?)input.Value))),
        };
        var origins = stage.Inputs.Keys.Select(name => (Name: name, Origin: ExternalInputs.OriginOf(recipe, name)))
            .Where(input => input.Origin is not null).ToList();
        if (origins.Count > 0)
            locked["from"] = new JsonObject(origins.Select(input => KeyValuePair.Create(input.Name, (JsonNode?)input.Origin)));
        return locked;
    }

    private static string? Beginning(Recipe recipe) => (recipe as DistillationRecipe)?.ContinueFrom?.Beginning;

    /// <returns>What is to be looked at and stops nothing.</returns>
    private static IReadOnlyList<string> Check(Recipe recipe, StageSelection selection)
    {
        if (recipe is PretrainRecipe pretraining) PretrainingStage.RequireFreeOutput(pretraining.Output);
        if (recipe is DistillationRecipe distillation) return RecipePreflight.Require(distillation, selection.MakesStudent);
        return recipe.Devices.Problems(recipe, trains: true).ToList() is [_, ..] problems
            ? throw new InvalidRecipeException(recipe.Name, problems) : [];
    }

    private static RunFolder FolderFor(Recipe recipe, RunOptions options)
    {
        string name = options.Name ?? recipe.Name;
        return RunName.IsValid(name)
            ? new RunFolder(options.RunsFolder, name)
            : throw new RunRefusedException($"--name {name}: {RunName.Rule}.");
    }

    private static void WriteLock(Recipe recipe, RunFolder folder, IReadOnlyList<FinishedStage> done)
    {
        var lockFile = new JsonObject(done.Select(stage => KeyValuePair.Create(stage.Declaration.Name, (JsonNode?)Locked(recipe, stage))));
        string text = lockFile.ToJsonString(new() { WriteIndented = true, NewLine = "\n" }) + "\n";
        ReplacedFile.Write(folder.LockFilePath, Encoding.UTF8.GetBytes(text));
    }
}
