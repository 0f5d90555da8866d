using Distill.Architecture;
using Distill.Pipeline.Graph;
using Distill.Storage;

namespace Distill.Pipeline.Planning;

/// <summary>The models that a recipe brings, for predictions. One thread.</summary>
/// <param name="external">By name, as stages read them.</param>
internal sealed class WorkingModels(IReadOnlyDictionary<string, StageInput> external)
{
    private readonly Dictionary<string, WorkingModel?> found = [];

    public WorkingModel? Find(string name) =>
        found.TryGetValue(name, out var known) ? known : found[name] = external.TryGetValue(name, out var input)
            ? new WorkingModel(input.Digest, ParametersOf(input.Folder) ?? 0) : null;

    /// <summary>
    /// Of a folder with a configuration; null for others: a teacher made elsewhere may lack it or be of a family that is not trained here.
    /// </summary>
    public static long? ParametersOf(string folder) => ArchitectureOf(folder)?.ParameterCount;

    /// <inheritdoc cref="ParametersOf"/>
    public static DecoderArchitecture? ArchitectureOf(string folder)
    {
        string config = Path.Combine(folder, DecoderConfigJson.FileName);
        try
        {
            return File.Exists(config) ? DecoderConfigJson.Read(config) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}

/// <summary>Notes what the stages of a run took, each when it ends, for the predictions of later ones. One thread.</summary>
/// <param name="recipe">Name of the recipe.</param>
internal sealed class StageTimes(WorkRates rates, WorkingModels models, string recipe)
{
    private readonly Foresight earlier = new();

    /// <summary>A stage that was finished already.</summary>
    public void Taken(IStage stage, Artifact artifact) => earlier.Finished(stage, artifact, Newest(stage));

    /// <param name="done">Null where the stage did not say.</param>
    /// <param name="seconds">Of this process, by a clock that only goes forward.</param>
    public void Ended(IStage stage, Artifact artifact, WorkDone? done, double seconds)
    {
        if (done is not null && stage.Load(earlier) is { } load)
            rates.Add(Forecaster.RecordOf(stage, recipe, load, load.Model is { } name ? models.Find(name) : null, done, artifact, seconds));
        Taken(stage, artifact);
    }

    private WorkRecord? Newest(IStage stage) =>
        rates.Records.LastOrDefault(record => record.Stage == stage.Declaration.Name && record.Recipe == recipe);
}
