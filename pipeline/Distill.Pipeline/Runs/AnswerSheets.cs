using System.Globalization;
using System.Text.Json;
using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages;
using Distill.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>Every model's answers to the same problems, side by side.</summary>
internal sealed class AnswerSheets
{
    private const ulong BootstrapSeed = 1;
    private const int Resamples = 2_000;

    private readonly Dictionary<string, List<SheetAnswer>> sheets;

    private AnswerSheets(Dictionary<string, List<SheetAnswer>> sheets) => this.sheets = sheets;

    public static AnswerSheets Read(IEnumerable<FinishedStage> stages) =>
        new(stages.Where(stage => stage.Stage is EvaluationStage)
            .ToDictionary(stage => EvaluationStage.ModelOf(stage.Declaration.Name), stage => Read(stage.Artifact)));

    /// <summary>One model's answers to the problems, twins aside, in their order; null where it was not evaluated.</summary>
    public IReadOnlyList<SheetAnswer>? Of(string model) =>
        sheets.TryGetValue(model, out var sheet) ? [.. sheet.Where(answer => answer.IsOriginal)] : null;

    /// <param name="pairs">Names of models; those that were not evaluated are left out.</param>
    public IReadOnlyList<ModelComparison> Compare(IEnumerable<(string Before, string After)> pairs) => [.. pairs
        .Where(pair => sheets.ContainsKey(pair.Before) && sheets.ContainsKey(pair.After))
        .Select(pair => new ModelComparison(
            pair.After, pair.Before, Originals(pair.After).Count(),
            Difference(pair, answer => answer.Greedy ? 1 : 0),
            Difference(pair, answer => answer.Sampled)))];

    /// <summary>Every model's verdicts, problem by problem; null where none was evaluated.</summary>
    /// <param name="evaluations">What was made of these answers.</param>
    public ProblemVerdicts? Verdicts(IEnumerable<EvaluationReport> evaluations) => ProblemVerdicts.Of(
        [.. evaluations.Select(row => (row.Model, row.Samples, (IReadOnlyList<SheetAnswer>)sheets[row.Model]))]);

    /// <summary>One model's answers in two runs, over the problems that both asked.</summary>
    public static SheetDifference Difference(Artifact before, Artifact after)
    {
        Dictionary<string, SheetAnswer> old = Sheet(before), current = Sheet(after);
        string[] common = [.. old.Keys.Where(current.ContainsKey)];
        bool[] greedyOld = [.. common.Select(id => old[id].Greedy)], greedy = [.. common.Select(id => current[id].Greedy)];
        string[] both = [.. common.Where(id => old[id].Sampled is not null && current[id].Sampled is not null)];
        int lost = greedyOld.Zip(greedy).Count(pair => pair is (true, false));
        int won = greedyOld.Zip(greedy).Count(pair => pair is (false, true));
        return new SheetDifference(
            common.Length, old.Count - common.Length, current.Count - common.Length,
            MeasureDifference.Of(
                [.. greedyOld.Select(Number)], [.. greedy.Select(Number)],
                McNemar.ExactP(lost, won), BootstrapSeed, Resamples),
            MeasureDifference.Of(
                [.. both.Select(id => old[id].Sampled!.Value)], [.. both.Select(id => current[id].Sampled!.Value)],
                null, BootstrapSeed, Resamples));
        static double Number(bool isRight) => isRight ? 1 : 0;
    }

    /// <summary>Whether a model solves each problem greedily, by the problem's id; twins aside.</summary>
    /// <param name="file">Answers of an evaluation.</param>
    public static IReadOnlyDictionary<string, bool> Greedy(string file) =>
        File.ReadLines(file).Select(Parse).Where(answer => answer.IsOriginal)
            .ToDictionary(answer => answer.ProblemId, answer => answer.Greedy);

    /// <summary>Greedy answers, token by token, twins included; null when either model was not evaluated.</summary>
    public AnswerEquality? Equality(string model, string other)
    {
        if (!sheets.TryGetValue(model, out var first) || !sheets.TryGetValue(other, out var second)) return null;
        int identical = first.Zip(second)
            .Count(pair => pair.First.ProblemId == pair.Second.ProblemId && pair.First.Tokens == pair.Second.Tokens);
        int problems = Math.Max(first.Count, second.Count);
        return new AnswerEquality(identical == problems, problems, identical);
    }

    private PairedBootstrap? Difference((string Before, string After) pair, Func<SheetAnswer, double?> value)
    {
        double[] before = [.. Originals(pair.Before).Select(value).OfType<double>()];
        double[] after = [.. Originals(pair.After).Select(value).OfType<double>()];
        return before.Length == 0 || before.Length != after.Length ? null : PairedBootstrap.Run(before, after, BootstrapSeed, Resamples);
    }

    // Twins have no samples; greedy is compared on the originals alone too, so that both measures speak of the same problems.
    private IEnumerable<SheetAnswer> Originals(string model) => sheets[model].Where(answer => answer.IsOriginal);

    private static Dictionary<string, SheetAnswer> Sheet(Artifact evaluation) =>
        Read(evaluation).Where(answer => answer.IsOriginal).ToDictionary(answer => answer.ProblemId, StringComparer.Ordinal);

    private static List<SheetAnswer> Read(Artifact evaluation) =>
        [.. File.ReadLines(evaluation.PathOf(EvaluationStage.AnswersName)).Select(Parse)];

    internal static SheetAnswer Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new SheetAnswer(
            root.GetProperty("problem_id").GetString()!, root.GetProperty("greedy").GetBoolean(),
            root.GetProperty("sampled") is { ValueKind: JsonValueKind.Number } share ? share.GetDouble() : null,
            root.TryGetProperty("answer", out var answer) ? answer.GetString() : null,
            root.GetProperty("tokens").GetString()!);
    }

}

/// <summary>One model's answers to one problem.</summary>
/// <param name="Greedy">Whether the greedy answer is right.</param>
/// <param name="Sampled">Share of right samples; null where none were drawn.</param>
/// <param name="Text">The greedy answer; null where the completion never came to one.</param>
/// <param name="Tokens">Of the greedy completion, ids parted by blanks.</param>
internal sealed record SheetAnswer(string ProblemId, bool Greedy, double? Sampled, string? Text, string Tokens)
{
    /// <summary>Whether it is no twin's.</summary>
    public bool IsOriginal => !ProblemId.Contains('~', StringComparison.Ordinal);

    public int TokenCount => Tokens.Length == 0 ? 0 : Tokens.Count(' ') + 1;

    public int[] TokenIds() => Tokens.Length == 0 ? [] : [.. Tokens.Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
}

/// <summary>One model in two runs.</summary>
/// <param name="Problems">That both runs asked it; twins do not count.</param>
/// <param name="OnlyBefore">Problems that only the first run asked, and that are therefore in no comparison.</param>
/// <param name="OnlyAfter">The same of the second.</param>
/// <param name="Greedy">Null where there is no problem in common.</param>
/// <param name="Sampled">The same; null also where one of them took no samples.</param>
internal sealed record SheetDifference(int Problems, int OnlyBefore, int OnlyAfter, MeasureDifference? Greedy, MeasureDifference? Sampled);

/// <summary>Shares of problems solved, over the same problems.</summary>
/// <param name="Difference">After − before, in shares.</param>
/// <param name="P">Of greedy answers by McNemar's exact test; of samples by the paired bootstrap, which also gives the interval.</param>
internal sealed record MeasureDifference(int Problems, double Before, double After, double Difference, Interval Interval95, double P)
{
    public static MeasureDifference? Of(double[] before, double[] after, double? p, ulong seed, int resamples)
    {
        if (before.Length == 0) return null;
        var paired = PairedBootstrap.Run(before, after, seed, resamples);
        return new(before.Length, before.Average(), after.Average(), paired.Mean, paired.Interval, p ?? paired.P);
    }
}
