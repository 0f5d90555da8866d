using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Reporting;

/// <summary>Verdicts by problem that add up to what <see cref="SampleReport"/> says of its models.</summary>
internal static class SampleVerdicts
{
    private const int Samples = 4, TwinsOfEach = 2;

    /// <summary>A better model solves all that a worse one does.</summary>
    public static ProblemVerdicts Of(IEnumerable<(string Model, int Solved, double Original, double Perturbed)> models) => new(
        SampleReport.Problems, SampleReport.Digest("problems"),
        string.Join(' ', Enumerable.Range(0, SampleReport.Twins * TwinsOfEach)
            .Select(twin => SampleReport.Problems - SampleReport.Twins + (twin / TwinsOfEach))),
        SampleReport.Digest("twins"),
        [
            .. models.Select(model => new ModelVerdicts(
                model.Model, Greedy(model.Solved, (int)Math.Round(model.Original * SampleReport.Twins)), Samples,
                string.Join(' ', Enumerable.Range(0, SampleReport.Problems).Select(i => i < model.Solved ? Samples : 0)),
                Ones((int)Math.Round(model.Perturbed * SampleReport.Twins) * TwinsOfEach, SampleReport.Twins * TwinsOfEach))),
        ]);

    // Those without twins first.
    private static string Greedy(int solved, int twinned) =>
        Ones(solved - twinned, SampleReport.Problems - SampleReport.Twins) + Ones(twinned, SampleReport.Twins);

    private static string Ones(int count, int length) => new string('1', count).PadRight(length, '0');
}
