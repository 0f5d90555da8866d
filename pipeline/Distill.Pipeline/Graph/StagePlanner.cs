using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Graph;

/// <summary>Walks the stages as the runner would, without doing anything.</summary>
internal sealed class StagePlanner(StageGraph graph, StageSelection selection, FinishedStages finished)
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
        if (selection.IsForced(stage)) return Planned(stage, StageDecision.Run, "asked for");
        if (stage.Declaration.Inputs.FirstOrDefault(input => !inputs.ContainsKey(input)) is { } unknown)
            return Planned(stage, StageDecision.Depends, $"done if '{unknown}' comes out differently");
        var key = StageKey.Of(stage.Declaration, inputs);
        if (finished.Find(stage, key, damaged: null) is { } found)
        {
            inputs[name] = new StageInput(found.Stored.Artifact.Folder, found.Stored.Artifact.Digest, found.Stored.Artifact);
            return new(name, StageDecision.Cached, found.Reason, "");
        }

        string reason = finished.ReasonToRun(stage, key);
        return selection.MayRun(stage)
            ? Planned(stage, StageDecision.Run, reason)
            : new(name, StageDecision.Skipped, $"needed and not finished ({reason}): the run would be refused", "");
    }

    private static PlannedStage Planned(IStage stage, StageDecision decision, string reason)
    {
        var memory = stage.Memory;
        return new(
            stage.Declaration.Name, decision, reason, stage.Work, memory is { Machine: > 0 } ? memory.Machine : null,
            memory is { Card: > 0 } ? memory.Card : null);
    }
}
