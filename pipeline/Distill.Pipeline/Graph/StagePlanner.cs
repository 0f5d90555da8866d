using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Graph;

/// <summary>Walks the stages as the runner would, without doing anything.</summary>
internal sealed class StagePlanner(StageGraph graph, StageSelection selection, FinishedStages finished, Forecaster forecaster)
{
    public IReadOnlyList<PlannedStage> Plan(IReadOnlyDictionary<string, StageInput> external)
    {
        var inputs = new Dictionary<string, StageInput>(external);
        var needed = selection.Needed.ToHashSet();
        return [.. graph.Stages.Select(stage => needed.Contains(stage)
            ? Plan(stage, inputs)
            : new PlannedStage(stage.Declaration.Name, StageDecision.Skipped, "not needed for what was asked for", ""))];
    }

    private PlannedStage Plan(IStage stage, Dictionary<string, StageInput> inputs)
    {
        string name = stage.Declaration.Name;
        if (selection.IsForced(stage)) return Planned(stage, StageDecision.Run, "asked for", written: 0);
        if (stage.Declaration.Inputs.FirstOrDefault(input => !inputs.ContainsKey(input)) is { } unknown)
            return Planned(stage, StageDecision.Depends, $"done if '{unknown}' comes out differently", written: 0);
        var key = StageKey.Of(stage.Declaration, inputs);
        if (finished.Foresee(stage, key) is { } found)
        {
            forecaster.Take(stage, found.Stored.Artifact);
            inputs[name] = new StageInput(found.Stored.Artifact.Folder, found.Stored.Artifact.Digest, found.Stored.Artifact);
            return new(name, StageDecision.Cached, found.Reason, "");
        }

        string reason = finished.ReasonToRun(stage, key);
        return selection.MayRun(stage)
            ? Planned(stage, StageDecision.Run, reason, BegunWork.BytesOf(finished.Store, FinishedStages.KeyOf(stage, key)))
            : new(name, StageDecision.Skipped, $"needed and not finished ({reason}): the run would be refused", "");
    }

    // What lies in the work folder already is not written again: it is a part of the result, or a state that the next one replaces.
    private PlannedStage Planned(IStage stage, StageDecision decision, string reason, long written)
    {
        var memory = stage.Memory;
        var planned = new PlannedStage(
            stage.Declaration.Name, decision, reason, stage.Work, memory is { Machine: > 0 } ? memory.Machine : null,
            memory is { Card: > 0 } ? memory.Card : null);
        if (forecaster.Predict(stage) is not { } forecast) return planned;
        long result = Math.Max(0, forecast.Bytes - written);
        long state = Math.Max(0, forecast.StateBytes - Math.Max(0, written - forecast.Bytes));
        return planned with
        {
            Rows = forecast.Rows, PromptTokens = forecast.PromptTokens, Tokens = forecast.Tokens, MostTokens = forecast.MostTokens,
            Steps = forecast.Steps, Seconds = Math.Round(forecast.Seconds, 3), Basis = RunPlan.WordOf(forecast.Basis),
            DiskBytes = result, WorkDiskBytes = state > 0 ? state : null, IsDiskKnown = forecast.AreBytesKnown, Cost = forecast.Cost,
        };
    }
}
