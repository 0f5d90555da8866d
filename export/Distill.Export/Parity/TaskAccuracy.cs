using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Export.Parity;

/// <summary>Greedy answers of the model and of its export to the same problems.</summary>
/// <param name="Model">Share that the model solves.</param>
/// <param name="Exported">Share that the export solves.</param>
/// <param name="OnlyModel">Problems that the model alone solves.</param>
/// <param name="OnlyExported">Problems that the export alone solves.</param>
/// <param name="Difference">Of the shares, the export's less the model's.</param>
/// <param name="DifferenceInterval95">Over resampled problems, paired.</param>
/// <param name="McNemarP">Exact, two-sided.</param>
public sealed record TaskAccuracy(
    int Problems, double Model, double Exported, int OnlyModel, int OnlyExported, double Difference, Interval DifferenceInterval95,
    double McNemarP)
{
    private const ulong ResamplingSeed = 16;

    // Of fewer than six discordant pairs, even if all fall to one side, McNemar's test at 5 % says nothing: 2 · 0.5⁵ = 0.06.
    private const int FewestSolved = 6;

    /// <summary>Whether the model solves enough that a loss could be told from chance.</summary>
    internal bool IsTested => Math.Round(Model * Problems) >= FewestSolved;

    /// <param name="model">Of the model, problem by problem.</param>
    /// <param name="exported">Of the export, of the same problems.</param>
    internal static TaskAccuracy Of(IReadOnlyList<ProblemResult> model, IReadOnlyList<ProblemResult> exported)
    {
        double[] before = [.. model.Select(result => result.Greedy.IsCorrect ? 1.0 : 0)];
        double[] after = [.. exported.Select(result => result.Greedy.IsCorrect ? 1.0 : 0)];
        int onlyModel = before.Zip(after).Count(pair => pair is (1, 0)), onlyExported = before.Zip(after).Count(pair => pair is (0, 1));
        var bootstrap = PairedBootstrap.Run(before, after, ResamplingSeed, resamples: 2000);
        return new(before.Length, before.Average(), after.Average(), onlyModel, onlyExported, bootstrap.Mean, bootstrap.Interval,
            McNemar.ExactP(onlyModel, onlyExported));
    }
}
