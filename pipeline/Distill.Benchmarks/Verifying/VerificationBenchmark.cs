using Distill.Benchmarks.Measuring;
using Distill.Verification;

namespace Distill.Benchmarks.Verifying;

internal sealed class VerificationBenchmark : IBenchmark
{
    private static readonly IVerifier Mathematics = Verifiers.TryGet("math")!;

    public string Name => "verification";

    public string Summary => "answers judged a second on one core, and the slowest of hostile ones";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var numeric = AnswerWorkload.Numeric(context.Quick ? 200 : 20_000);
        var latex = AnswerWorkload.Latex(context.Quick ? 40 : 4_000);
        var rates = Interleaving.Run<double>(context.Rounds, () => Rate(context, numeric), () => Rate(context, latex));
        var hostile = Interleaving.Run(
            context.Rounds, [.. AnswerWorkload.Hostile.Select(answer => (Func<double>)(() => Milliseconds(context, answer)))]);
        var slowest = hostile.Select(rounds => new Series(rounds)).MaxBy(series => series.Median)!;
        return
        [
            Figure.AtLeast("numeric answers a second and core", 20_000, new(rates[0]), "/s", $"{numeric.Count} answers, half right"),
            Figure.AtLeast("LaTeX answers a second and core", 2_000, new(rates[1]), "/s", $"{latex.Count} answers, half right"),
            Figure.AtMost("the slowest hostile answer", 50, slowest, "ms", $"of {hostile.Count}: towers, brackets, a million digits"),
        ];
    }

    private static double Rate(BenchmarkContext context, IReadOnlyList<JudgedAnswer> answers)
    {
        int right = 0;
        double seconds = context.Seconds(() => right = answers.Count(answer => Mathematics.Verify(answer.Text, answer) == Verdict.Correct));
        return right == answers.Count / 2
            ? answers.Count / seconds
            : throw new InvalidOperationException($"{right} of {answers.Count} answers were judged right, not half of them.");
    }

    private static double Milliseconds(BenchmarkContext context, JudgedAnswer answer) =>
        1_000 * context.Seconds(() => Mathematics.Verify(answer.Text, answer));
}
