using Distill.Data.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>A stage of this run that is finished, with the digests of what it was made from, by name.</summary>
internal sealed class FinishedStage(IStage stage, Artifact artifact, StageOutcome outcome, IReadOnlyDictionary<string, StageInput> inputs)
{
    public IStage Stage => stage;

    public Artifact Artifact => artifact;

    public StageOutcome Outcome => outcome;

    public IReadOnlyDictionary<string, string> Inputs { get; } = stage.Inputs.ToDictionary(name => name, name => inputs[name].Digest);
}
