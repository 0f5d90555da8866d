using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Tracking;

/// <summary><c>tracking</c>: who else is told what the run measures. Changes no result.</summary>
internal sealed record TrackingSection : Section
{
    [Option("address of an MLflow server, e.g. `http://localhost:5000`; name, password or token come from the environment variables of "
        + "MLflow's own clients", Default = "`MLFLOW_TRACKING_URI`, or none", DecidesResult = false)]
    public string? Mlflow { get; init; }

    [Option("MLflow's experiment that the run belongs to; made where it does not exist", Default = "`MLFLOW_EXPERIMENT_NAME`, or distill",
        DecidesResult = false)]
    public string? Experiment { get; init; }

    [Option("write a folder `wandb/offline-run-…` into the run's, which `wandb sync` uploads to Weights & Biases; nothing is sent from "
        + "here",
        Default = "whether `WANDB_MODE` is `offline`", DecidesResult = false)]
    public bool? Wandb { get; init; }

    [Option("project of Weights & Biases", Default = "`WANDB_PROJECT`, or distill", DecidesResult = false)]
    public string? Project { get; init; }

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return new Rule(nameof(Mlflow), Mlflow is null || TrackerChoice.IsWebAddress(Mlflow, out _), "no address of a server",
            "write one such as http://localhost:5000, without a name, a password or a query") { ShowsValue = false };
    }
}
