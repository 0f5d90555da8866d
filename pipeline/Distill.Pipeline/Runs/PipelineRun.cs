using System.Text;
using System.Text.Json.Nodes;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Store;
using Distill.Pipeline.Store.Objects;
using Distill.Pipeline.Tracking;
using Distill.Pipeline.Watching;
using Distill.Storage;
using Distill.Storage.Objects;

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
        IStageExecutor executor, CancellationToken cancellation) => RunTelemetry.Watch(
            options.Name ?? recipe.Name, observer, clock, watched => Do(recipe, options, watched, clock, executor, cancellation));

    private static RunResult Do(
        Recipe recipe, RunOptions options, IRunObserver observer, TimeProvider clock,
        IStageExecutor executor, CancellationToken cancellation)
    {
        var folder = FolderFor(recipe, options);
        var graph = StageGraph.For(recipe);
        var selection = new StageSelection(options, graph);
        var notes = Check(recipe, selection);
        using var objects = options.Shared?.Open();
        var store = StoreOf(folder, objects, clock);
        var plan = Plan(recipe, options, folder, graph, selection, notes, store, clock);
        plan.RequireRoom();
        folder.RequireFree(graph.Stages.Select(stage => stage.Declaration.Folder));
        StoreAdmission.Require(store, observer.Note, cancellation);
        using var held = folder.Lock();
        using var used = store.TryUse()
            ?? throw new RunRefusedException(
                $"Artefacts are being removed from '{store.Root}' at this moment. "
                + "Try again when 'distill artefacts gc' has ended.") { IsBusy = true };
        var state = new RunState(RunState.CurrentFormat, RunProgress.Running, options.Until, folder.Path, null, clock.GetUtcNow())
        {
            Devices = RunState.TryRead(folder.Path)?.Devices,
        };
        state.Write(folder.Path);
        RunState.Reserve(folder.Path);
        folder.WriteRecipe(recipe);
        using var recorder = new ProgressRecorder(
            folder.Path, selection.Needed.Select(stage => stage.Declaration.Name), observer, clock);
        using var tracking = options.Shard is null ? RunTracking.Begin(recipe, folder, observer, clock) : null; // a shard is part of a run
        try
        {
            foreach (string note in plan.Notes) recorder.Warning(note);
            if (Beginning(recipe) is { } beginning) recorder.Note(beginning);
            if (recipe.Devices.Worth(recipe, selection.MakesStudent) is { } devices) recorder.Note(devices);
            var finished = new FinishedStages(folder, store, options.UseOtherRuns);
            var result = Run(
                recipe, folder, graph, selection, finished, plan, recorder, clock, executor, options, cancellation);
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
            RunState.Release(folder.Path);
            recorder.Ended(refused?.Sentence ?? "done");
            return result;
        }
        catch (RunEndedException end)
        {
            (state with
            {
                Progress = RunProgress.Stopped, Reason = end.Message, Verdict = RunVerdict.EndedEarly, Changed = clock.GetUtcNow(),
            })
                .Write(folder.Path);
            RunState.Release(folder.Path);
            recorder.Ended(end.Message);
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
                .WriteLast(folder.Path);
            recorder.Ended(isStop ? "stopped by its user" : fault.Message);
            throw;
        }
    }

    /// <summary>
    /// Notes a run that other processes are to do, stage by stage, as this one would with its devices; does nothing of it.
    /// </summary>
    /// <exception cref="RunRefusedException">The options cannot be met, or another process works on the run.</exception>
    internal static RunFolder Entrust(DistillationRecipe recipe, RunOptions options, IRunObserver observer, TimeProvider clock)
    {
        ShardRun.RequireDivisible(recipe, options, "--fleet");
        var folder = FolderFor(recipe, options);
        var graph = StageGraph.For(recipe);
        var selection = new StageSelection(options, graph);
        foreach (string note in Check(recipe, selection)) observer.Warning(note);
        folder.RequireFree(graph.Stages.Select(stage => stage.Declaration.Folder));
        using var held = folder.Lock();
        new RunState(RunState.CurrentFormat, RunProgress.Running, options.Until, folder.Path, null, clock.GetUtcNow())
        {
            Devices = recipe.Devices.Signature(recipe, selection.MakesStudent),
        }
            .Write(folder.Path);
        folder.WriteRecipe(recipe);
        observer.RunStarted(folder.Name, folder.Path);
        return folder;
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
        using var objects = options.Shared?.Open();
        var store = StoreOf(folder, objects, TimeProvider.System);
        return Plan(recipe, options, folder, graph, selection, notes, store, TimeProvider.System);
    }

    private static ArtifactStore StoreOf(RunFolder folder, IObjectStore? objects, TimeProvider clock) =>
        new(folder.StorePath, clock) { Shared = objects is null ? null : new SharedStore(objects, clock) };

    private static RunPlan Plan(
        Recipe recipe, RunOptions options, RunFolder folder, StageGraph graph, StageSelection selection, IReadOnlyList<string> notes,
        ArtifactStore store, TimeProvider clock)
    {
        var external = ExternalInputs.Of(recipe, selection.Needed, store.Digests);
        var forecaster = new Forecaster(
            recipe.Name, WorkRates.Open(folder.StorePath).Records, new FirstEstimate(clock), new WorkingModels(external).Find);
        var planner = new StagePlanner(graph, selection, new FinishedStages(folder, store, options.UseOtherRuns), forecaster);
        var plan = new RunPlan(folder.Name, folder.Path, planner.Plan(external))
        {
            Notes = notes, Devices = recipe.Devices.Describe(recipe, selection.MakesStudent),
            FreeDiskBytes = options.FreeDisk(folder.Path), MemoryLimitBytes = ResourceCheck.MemoryLimit,
        };
        return plan with { Notes = [.. notes, .. PlanLimits.Doubts(plan)] };
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
        Recipe recipe, RunFolder folder, StageGraph graph, StageSelection selection, FinishedStages finished, RunPlan plan,
        IRunObserver observer, TimeProvider clock, IStageExecutor executor, RunOptions options, CancellationToken cancellation)
    {
        using var metrics = new RunMetrics(folder.MetricsPath, clock, folder.BoardPath);
        var ledger = RunLedger.Open(folder.LedgerPath);
        observer.RunStarted(folder.Name, folder.Path);
        observer.Planned(plan);
        var inputs = new Dictionary<string, StageInput>(ExternalInputs.Of(recipe, selection.Needed, finished.Store.Digests));
        var models = new WorkingModels(new Dictionary<string, StageInput>(inputs));
        var times = new StageTimes(WorkRates.Open(folder.StorePath), models, recipe.Name);
        var runner = new StageRunner(folder, selection, finished, ledger, metrics, observer, executor, clock, times, options.Shard);
        var done = new List<FinishedStage>();
        FinishedStage Make(IStage stage) => runner.Run(stage, inputs, cancellation);
        StageOrder.Do(selection.Needed, options.Shard is not null, stage => stage.Declaration.Inputs.All(inputs.ContainsKey), stage =>
        {
            var made = Make(stage);
            inputs[stage.Declaration.Name] = new StageInput(made.Artifact.Folder, made.Artifact.Digest, made.Artifact);
            done.Add(made);
            WriteLock(recipe, folder, done);
            if (done.Count < selection.Needed.Count) NoteShared(RunProgress.Running);
        });
        NoteShared(RunProgress.Finished);

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

        // A shard's own folder is there for the whole run, which names all that it used.
        void NoteShared(RunProgress progress)
        {
            if (finished.Store.Shared is { } shared && options.Shard is null)
                new SharedRuns(shared, Environment.MachineName, clock)
                    .Note(folder.Name, progress, done, isWhole: done.Count == graph.Stages.Count, cancellation);
        }

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
