using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Tracking;

/// <summary>Which trackers a run tells: those that its recipe names, or the environment by the variables of their own clients.</summary>
internal sealed record TrackerChoice
{
    public const string MlflowVariable = "MLFLOW_TRACKING_URI", WandbVariable = "WANDB_MODE";

    private const string Default = "distill", Offline = "offline";

    /// <summary>Address of MLflow; null for none.</summary>
    public Uri? Mlflow { get; private init; }

    public string Experiment { get; private init; } = Default;

    /// <summary>Whether files for Weights &amp; Biases are written.</summary>
    public bool Wandb { get; private init; }

    public string Project { get; private init; } = Default;

    public string? Entity { get; private init; }

    /// <summary>What of the environment cannot be followed, a sentence each.</summary>
    public IReadOnlyList<string> Faults { get; private init; } = [];

    public IReadOnlyList<string> Names =>
        [.. ((string[])[Mlflow is null ? "" : MlflowTracker.Title, Wandb ? WandbTracker.Title : ""]).Where(name => name.Length > 0)];

    /// <param name="variable">Value of an environment variable.</param>
    public static TrackerChoice Of(Recipe recipe, Func<string, string?> variable)
    {
        var section = (recipe as DistillationRecipe)?.Tracking;
        var faults = new List<string>();
        Uri? address = section?.Mlflow is { } given ? new Uri(given) : null;
        if (address is null && Value(MlflowVariable) is { } text && !IsWebAddress(text, out address))
            faults.Add($"{MlflowVariable} is no address of a server (http or https), so nothing is sent to MLflow.");
        string? mode = Value(WandbVariable);
        if (mode is not (null or Offline or "disabled") && section?.Wandb != true)
            faults.Add($"{WandbVariable}={mode} is not done here: {Offline} writes files, which 'wandb sync' uploads.");
        return new()
        {
            Mlflow = address, Experiment = section?.Experiment ?? Value("MLFLOW_EXPERIMENT_NAME") ?? Default,
            Wandb = section?.Wandb ?? mode == Offline, Project = section?.Project ?? Value("WANDB_PROJECT") ?? Default,
            Entity = Value("WANDB_ENTITY"), Faults = faults,
        };

        string? Value(string name) => variable(name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>A server's address: no name, password or query in it, since it is written into files.</summary>
    public static bool IsWebAddress(string text, out Uri? address)
    {
        bool isGood = Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is "http" or "https"
            && address.UserInfo.Length == 0 && address.Query.Length == 0;
        if (!isGood) address = null;
        return isGood;
    }

    /// <summary>The caller disposes them.</summary>
    public IEnumerable<ITracker> Open()
    {
        if (Mlflow is { } address) yield return new MlflowTracker(address, Experiment);
        if (Wandb) yield return new WandbTracker(Project, Entity);
    }
}
