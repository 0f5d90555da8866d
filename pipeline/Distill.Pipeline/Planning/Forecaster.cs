using Distill.Pipeline.Graph;

namespace Distill.Pipeline.Planning;

/// <summary>
/// Predicts the stages of a run, in their order, from what like stages took on this machine. Where nothing like one was measured, it
/// estimates, and says so. One thread.
/// </summary>
/// <param name="recipe">Name of the recipe.</param>
/// <param name="measured">Newest last.</param>
/// <param name="estimate">Where nothing was measured.</param>
/// <param name="modelOf">A model of the recipe, by the name that stages give it; null for what an endpoint runs.</param>
internal sealed class Forecaster(
    string recipe, IReadOnlyList<WorkRecord> measured, FirstEstimate estimate, Func<string, WorkingModel?> modelOf)
{
    private const double LikelyShare = 0.5; // of the longest completion, where nobody knows better

    // Looked at for lengths and sizes: they change with the recipe, so the last ones say more than all.
    private const int Latest = 3;

    public Foresight Earlier { get; } = new();

    /// <summary>A stage that is finished.</summary>
    public void Take(IStage stage, Storage.Artifact artifact)
    {
        if (artifact.IsForeseen) Earlier.Foreseen(stage, artifact);
        else Earlier.Finished(stage, artifact, Like(stage.Declaration.Name, stage.Load(Earlier)).LastOrDefault());
    }

    /// <returns>Null where the stage does not say how much it does.</returns>
    public StageForecast? Predict(IStage stage)
    {
        if (stage.Load(Earlier) is not { } load) return null;
        string name = stage.Declaration.Name, device = DeviceOf(stage.Declaration);
        var model = load.Model is null ? null : modelOf(load.Model);
        var all = Like(name, load).Where(record => record.Rows > 0).ToList();
        var like = all.TakeLast(Latest).ToList();
        var sized = Sized(load, all);
        double rows = load.SampledRows ?? (load.Rows * MedianOr(like.Where(record => record.Planned > 0),
            record => Math.Min(1, (double)record.Rows / record.Planned), 1));
        double? perRow = TokensPerRow(load, like);
        long? tokens = perRow is { } length ? (long)Math.Min(rows * length, load.Budget ?? double.MaxValue) : null;
        double? prompts = like.Where(record => record.PromptTokens > 0).ToList() is { Count: > 0 } counted
            ? WorkTimes.Median(counted.Select(record => (double)record.PromptTokens / record.Rows)) : load.LikelyPrompt;
        long? prompt = prompts is { } each ? (long)(rows * each) : null;
        var (seconds, basis) = Seconds(name, device, load, model, UnitsOf(load, rows, tokens, model));
        var forecast = new StageForecast(
            (long)Math.Round(rows), (long)Math.Round(rows * MedianOr(like, record => (double)record.Made / record.Rows, 1)),
            prompt, tokens,
            load.MaxTokens > 0 ? Math.Min(load.Rows * load.MaxTokens, load.Budget ?? long.MaxValue) : null,
            load.Steps ?? StepsOf(rows, like), seconds, basis, Bytes(load, sized, rows, tokens, model),
            load.BytesPerParameter is not null ? model is { Parameters: > 0 } || sized.Count > 0 : sized.Count > 0, StateBytes(load, model),
            load.Prices is { } prices ? (double)prices.CostOf(prompt ?? 0, tokens ?? 0) : null);
        Earlier.Expected(name, forecast);
        return forecast;
    }

    /// <summary>What a stage that ended is remembered as.</summary>
    public static WorkRecord RecordOf(
        IStage stage, string recipe, StageLoad load, WorkingModel? model, WorkDone done, Storage.Artifact artifact,
        double seconds) => new(
        stage.Declaration.Name, recipe, load.Kind, model?.Digest ?? "", model?.Parameters ?? load.Parameters, DeviceOf(stage.Declaration),
        load.Setting, load.Rows, done.Rows, stage.RowsOf(artifact), done.PromptTokens, done.Tokens, done.Steps,
        stage.BytesOf(artifact), done.Units, seconds);

    private static string DeviceOf(StageDeclaration stage) => stage.Options["device"]?.ToString() ?? "cpu";

    private IEnumerable<WorkRecord> Like(string stage, StageLoad? load)
    {
        string digest = load?.Model is { } name ? modelOf(name)?.Digest ?? "" : "";
        var all = measured.Where(record => record.Stage == stage && record.Kind == load?.Kind && record.Model == digest).ToList();
        return all.Exists(record => record.Recipe == recipe) ? all.Where(record => record.Recipe == recipe) : all;
    }

    private static double? TokensPerRow(StageLoad load, IReadOnlyList<WorkRecord> like)
    {
        if (load.Kind is WorkKind.Rows or WorkKind.Export or WorkKind.Parity) return null;
        if (load.SampledTokens is { } sampled) return sampled;
        if (like.Where(record => record.Tokens > 0).ToList() is { Count: > 0 } lengths)
            return Bounded(WorkTimes.Median(lengths.Select(record => record.TokensPerRow)), load);
        return load.LikelyTokens ?? (load.MaxTokens * LikelyShare);
    }

    private static double Bounded(double tokens, StageLoad load) => load.MaxTokens > 0 ? Math.Min(tokens, load.MaxTokens) : tokens;

    private static double UnitsOf(StageLoad load, double rows, long? tokens, WorkingModel? model) => load.Kind switch
    {
        WorkKind.Rows or WorkKind.Parity => rows,
        WorkKind.Export => model?.Parameters ?? 0,
        _ => tokens ?? 0,
    };

    private (double Seconds, ForecastBasis Basis) Seconds(
        string stage, string device, StageLoad load, WorkingModel? model, double units)
    {
        string digest = model?.Digest ?? "";
        long parameters = model?.Parameters ?? load.Parameters;
        var kind = measured.Where(record => record.HasSpeed && record.Kind == load.Kind && record.Device == device).ToList();
        var same = kind.Where(record => record.Stage == stage && record.Model == digest).ToList();
        // How fast it is does not depend on the recipe; how much there is to do does.
        if (same.Where(record => record.Setting == load.Setting).ToList() is { Count: > 0 } exact)
            return (WorkTimes.Predict(exact, units),
                exact.Exists(record => record.Recipe == recipe) ? ForecastBasis.Measured : ForecastBasis.Similar);
        if (same.Count > 0) return (WorkTimes.Predict(same, units * Times(same)), ForecastBasis.Similar);
        if (kind.Where(record => record.Model == digest).ToList() is { Count: > 0 } others)
            return (WorkTimes.Predict(others, units * Times(others)), ForecastBasis.Similar);
        if (parameters > 0 && kind.Where(record => record.Parameters > 0).ToList() is { Count: > 0 } models)
            return (WorkTimes.Predict(models, units * Times(models)), ForecastBasis.Similar);
        return (estimate.Seconds(load, units, parameters, device), ForecastBasis.Estimated);

        // Another model is as much slower as it is larger; 1 where that is not known.
        double Times(IEnumerable<WorkRecord> records) => parameters > 0
            && records.Where(record => record.Parameters > 0).Select(record => (double)record.Parameters).ToList() is { Count: > 0 } known
            ? parameters / WorkTimes.Median(known) : 1;
    }

    private static int? StepsOf(double rows, IReadOnlyList<WorkRecord> like) =>
        like.Where(record => record.Steps > 0).ToList() is { Count: > 0 } stepped
            ? (int)Math.Round(rows * WorkTimes.Median(stepped.Select(record => (double)record.Steps / record.Rows))) : null;

    // An export of other numbers is of another size: there the parameters tell more than such a record.
    private static IReadOnlyList<WorkRecord> Sized(StageLoad load, IReadOnlyList<WorkRecord> like)
    {
        var same = like.Where(record => record.Setting == load.Setting).TakeLast(Latest).ToList();
        return same.Count > 0 || load.BytesPerParameter is not null ? same : [.. like.TakeLast(Latest)];
    }

    private static long Bytes(StageLoad load, IReadOnlyList<WorkRecord> like, double rows, long? tokens, WorkingModel? model)
    {
        if (load.BytesPerParameter is { } each)
            return like.Count > 0 ? like[^1].Bytes : (long)(each * (model?.Parameters ?? 0)) + FirstEstimate.SmallFiles;
        double likely = FirstEstimate.BytesOfRow(rows > 0 ? (tokens ?? 0) / rows : 0);
        double perRow = MedianOr(like, record => (double)record.Bytes / record.Rows, likely);
        return (long)(rows * perRow);
    }

    private static long StateBytes(StageLoad load, WorkingModel? model) => (long)(load.StateBytesPerParameter * (model?.Parameters ?? 0));

    private static double MedianOr(IEnumerable<WorkRecord> records, Func<WorkRecord, double> of, double otherwise) =>
        records.Select(of).ToList() is { Count: > 0 } values ? WorkTimes.Median(values) : otherwise;
}

/// <summary>A model of the recipe, as far as predictions need it.</summary>
/// <param name="Parameters">0 where its configuration does not say.</param>
internal sealed record WorkingModel(string Digest, long Parameters);
