using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages;

namespace Distill.Pipeline.Runs;

/// <summary>Runs, plans and continues recipes. A run belongs to one process at a time; the calling thread does the training.</summary>
public static class PipelineRun
{
    /// <summary>Does what is not done yet and writes the report.</summary>
    /// <exception cref="RunRefusedException">The options cannot be met, or another process works on the run.</exception>
    /// <exception cref="GateFailedException">The exported model is not the trained one.</exception>
    /// <exception cref="InvalidDataException">A model folder or file is not what it should be; named.</exception>
    /// <exception cref="OperationCanceledException">What was committed before stands.</exception>
    public static RunResult Run(DistillationRecipe recipe, RunOptions options, IRunObserver observer, TimeProvider clock, CancellationToken cancellation)
    {
        var folder = FolderFor(recipe, options);
        var stages = StageList.For(recipe);
        var selection = new StageSelection(options, stages);
        ModelCheck.Require(recipe);
        using var held = folder.Lock();
        folder.WriteRecipe(recipe);
        using var metrics = new RunMetrics(folder.MetricsPath, clock, folder.BoardPath);
        var ledger = RunLedger.Open(folder.LedgerPath);
        observer.RunStarted(folder.Name, folder.Path);
        var runner = new StageRunner(folder, selection, new FinishedStages(folder, options.UseOtherRuns), ledger, metrics, observer, clock);
        var inputs = new Dictionary<string, StageInput>(ExternalInputs.Of(recipe));
        var done = new List<FinishedStage>();
        foreach (var stage in selection.Needed(stages).TakeWhile(stage => !selection.IsBeyondEnd(stage)))
        {
            var (artifact, outcome) = runner.Run(stage, inputs, cancellation);
            inputs[stage.Name] = new StageInput(artifact.Folder, artifact.Digest, artifact);
            if (stage.Name == StageNames.Onnx && outcome.State == StageState.Done) folder.Withdraw();
            done.Add(new FinishedStage(stage, artifact, outcome, inputs));
            WriteLock(folder, done);
        }

        return RunCompletion.Finish(recipe, folder, done, done.Count == stages.Count, ledger);
    }

    /// <summary>What <see cref="Run"/> would do. Writes nothing.</summary>
    public static RunPlan Plan(DistillationRecipe recipe, RunOptions options)
    {
        var folder = FolderFor(recipe, options);
        var stages = StageList.For(recipe);
        var selection = new StageSelection(options, stages);
        ModelCheck.Require(recipe);
        var planner = new StagePlanner(selection, new FinishedStages(folder, options.UseOtherRuns));
        return new RunPlan(folder.Name, folder.Path, planner.Plan(selection.Needed(stages), ExternalInputs.Of(recipe)));
    }

    /// <summary>The resolved recipe that a run was started with.</summary>
    /// <exception cref="RunRefusedException">There is no such run.</exception>
    public static DistillationRecipe RecipeOf(string runsFolder, string name)
    {
        var folder = new RunFolder(runsFolder, name);
        if (RunName.IsValid(name) && File.Exists(folder.RecipePath)) return RecipeFile.Load<DistillationRecipe>(folder.RecipePath);
        var known = RunCatalogue.List(runsFolder).Select(run => run.Name).ToList();
        throw new RunRefusedException($"There is no run '{name}' in {folder.RunsPath}" + (known.Count == 0 ? "." : $"; {Suggestion.Remedy(name, known)}"));
    }

    private static RunFolder FolderFor(DistillationRecipe recipe, RunOptions options)
    {
        string name = options.Name ?? recipe.Name;
        return RunName.IsValid(name) ? new RunFolder(options.RunsFolder, name) : throw new RunRefusedException($"--name {name}: {RunName.Rule}.");
    }

    private static void WriteLock(RunFolder folder, IReadOnlyList<FinishedStage> done)
    {
        var lockFile = new JsonObject(done.Select(stage => KeyValuePair.Create(stage.Stage.Name, (JsonNode?)new JsonObject
        {
            ["output"] = stage.Artifact.Digest,
            ["inputs"] = new JsonObject(stage.Inputs.Select(input => KeyValuePair.Create(input.Key, (JsonNode?)input.Value))),
        })));
        RunFolder.Replace(folder.LockFilePath, System.Text.Encoding.UTF8.GetBytes(lockFile.ToJsonString(new() { WriteIndented = true, NewLine = "\n" }) + "\n"));
    }
}
