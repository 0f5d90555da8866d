using Distill.Pipeline.Graph;
using Distill.Storage;

namespace Distill.Pipeline.Planning;

/// <summary>
/// What the stages before the one at hand made or are expected to make: how many rows, and how long they are. One thread.
/// </summary>
internal sealed class Foresight
{
    private readonly Dictionary<string, (long Rows, double? Tokens)> made = [];
    private readonly Dictionary<string, Artifact> finished = [];

    /// <summary>The artefact of an earlier stage; null where it is not made yet.</summary>
    public Artifact? Find(string stage) => finished.GetValueOrDefault(stage);

    /// <summary>Rows that an earlier stage leaves; null where there is no such stage.</summary>
    public long? Rows(string stage) => made.TryGetValue(stage, out var known) ? known.Rows : null;

    /// <summary>Tokens of one of its rows, prompt and completion; null where that is not known.</summary>
    public double? Tokens(string stage) => made.TryGetValue(stage, out var known) ? known.Tokens : null;

    public void Finished(IStage stage, Artifact artifact, WorkRecord? measured)
    {
        finished[stage.Declaration.Name] = artifact;
        made[stage.Declaration.Name] = (stage.RowsOf(artifact), measured is { Rows: > 0 } ? Length(measured) : null);
    }

    /// <summary>An artefact that will be brought from elsewhere: its files cannot be looked into yet.</summary>
    public void Foreseen(IStage stage, Artifact artifact) => made[stage.Declaration.Name] = (artifact.Manifest.Rows, null);

    public void Expected(string stage, StageForecast forecast) => made[stage] = (
        forecast.Made,
        forecast is { Tokens: { } tokens, Rows: > 0 } ? (tokens + (forecast.PromptTokens ?? 0)) / (double)forecast.Rows : null);

    private static double Length(WorkRecord measured) => (measured.PromptTokens + measured.Tokens) / (double)measured.Rows;
}
