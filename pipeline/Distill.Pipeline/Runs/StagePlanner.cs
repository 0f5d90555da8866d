using Distill.Data.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>Walks the stages as the runner would, without doing anything.</summary>
internal sealed class StagePlanner(StageSelection selection, FinishedStages finished)
{
    public IReadOnlyList<PlannedStage> Plan(IReadOnlyList<IStage> stages, IReadOnlyDictionary<string, StageInput> external)
    {
        var inputs = new Dictionary<string, StageInput>(external);
        return [.. stages.Select(stage => Plan(stage, inputs))];
    }

    private PlannedStage Plan(IStage stage, Dictionary<string, StageInput> inputs)
    {
        if (selection.IsBeyondEnd(stage)) return new(stage.Name, StageDecision.Skipped, "after the last stage asked for", "");
        if (selection.IsForced(stage)) return new(stage.Name, StageDecision.Run, "asked for", stage.Work, stage.MemoryBytes);
        string? unknown = stage.Inputs.FirstOrDefault(name => !inputs.ContainsKey(name));
        if (unknown is not null) return new(stage.Name, StageDecision.Depends, $"done if '{unknown}' comes out differently", stage.Work, stage.MemoryBytes);
        var key = StageKey.Of(stage, inputs);
        var own = finished.Own(stage);
        bool isSame = own is not null && FinishedStages.KeyOf(own) == key.Digest;
        if (isSame && own!.Verify().Count == 0) return Cached(stage, own, "unchanged", inputs);
        if (finished.Elsewhere(stage, key) is { } other) return Cached(stage, other.Artifact, $"taken from run '{other.Run}'", inputs);
        string reason = own is null ? "not done yet" : isSame ? "its files were damaged" : key.Difference(own.Manifest.Facts.GetValueOrDefault(StageKey.TextFact));
        return selection.MayRun(stage)
            ? new(stage.Name, StageDecision.Run, reason, stage.Work, stage.MemoryBytes)
            : new(stage.Name, StageDecision.Skipped, $"needed and not finished ({reason}): the run would be refused", "");
    }

    private static PlannedStage Cached(IStage stage, Artifact artifact, string reason, Dictionary<string, StageInput> inputs)
    {
        inputs[stage.Name] = new StageInput(artifact.Folder, artifact.Digest, artifact);
        return new(stage.Name, StageDecision.Cached, reason, "");
    }
}
