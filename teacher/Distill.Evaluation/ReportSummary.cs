using Distill.Data.Problems;
using Distill.Evaluation.Statistics;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Evaluation;

/// <summary>Results → report: sums and intervals, nothing else.</summary>
internal static class ReportSummary
{
    public static EvaluationReport Summarize(
        string model, IReadOnlyList<ProblemResult> results, IReadOnlyList<ProblemResult> twins, IReadOnlyList<TwinPair> pairs,
        EvaluationOptions options)
    {
        DomainReport all = Summarize("", results);
        CompletionResult[] completions = [.. results.SelectMany(result => result.Samples.Prepend(result.Greedy))];
        return new EvaluationReport(
            model,
            results.Count,
            options.Samples,
            all.Greedy,
            all.GreedyInterval95,
            all.PassAt1,
            all.Interval95,
            all.MajAtK,
            completions.Average(completion => completion.Completion.Tokens.Count),
            Share(completions, completion => completion.IsTruncated),
            Share(completions, completion => completion.Verdict == Verdict.Undecidable),
            pairs.Count == 0 ? null : Compare(results, twins, pairs),
            [.. results.GroupBy(result => result.Problem.Domain).OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => Summarize(group.Key, [.. group]))],
            ChooseTraces(results, options.SampleTraces));
    }

    private static DomainReport Summarize(string domain, IReadOnlyList<ProblemResult> results)
    {
        int solved = results.Count(result => result.Greedy.IsCorrect);
        double[] shares = [.. results.Select(result => result.SampledShare).OfType<double>()];
        bool sampled = shares.Length == results.Count;
        bool voted = sampled && results.All(result => result.Samples.Count > 1);
        return new DomainReport(
            domain,
            results.Count,
            (double)solved / results.Count,
            Proportion.Wilson(solved, results.Count),
            sampled ? shares.Average() : null,
            sampled ? Proportion.Clustered(shares) : null,
            voted ? results.Average(Majority) : null);
    }

    /// <summary>A class of equal answers is right when one of its members is.</summary>
    private static double Majority(ProblemResult result)
    {
        var right = result.Samples.Where(sample => sample.IsCorrect).Select(sample => sample.AnswerClass).ToHashSet();
        return MajorityVote.ExpectedCorrect(result.Samples.Select(sample => sample.AnswerClass), right.Contains);
    }

    private static TwinReport Compare(
        IReadOnlyList<ProblemResult> results, IReadOnlyList<ProblemResult> twins, IReadOnlyList<TwinPair> pairs)
    {
        int[] originals = [.. pairs.Select(pair => pair.Original).Distinct()];
        int solvedOriginals = originals.Count(i => results[i].Greedy.IsCorrect);
        // Every problem counts once, however many twins it has: the share and its interval then speak of the same thing.
        double[] solvedShares =
            [.. pairs.GroupBy(pair => pair.Original).Select(group => group.Average(pair => twins[pair.Twin].Greedy.IsCorrect ? 1.0 : 0))];
        return new TwinReport(
            (double)solvedOriginals / originals.Length,
            solvedShares.Average(),
            Proportion.Wilson(solvedOriginals, originals.Length),
            Proportion.Clustered(solvedShares),
            originals.Length,
            twins.Count,
            [.. pairs.GroupBy(pair => pair.Kind).OrderBy(group => group.Key)
                .Select(group => CompareKind(group.Key, [.. group], results, twins))]);
    }

    private static TwinKindReport CompareKind(
        TwinKind kind, TwinPair[] pairs, IReadOnlyList<ProblemResult> results, IReadOnlyList<ProblemResult> twins)
    {
        bool OriginalSolved(TwinPair pair) => results[pair.Original].Greedy.IsCorrect;
        bool TwinSolved(TwinPair pair) => twins[pair.Twin].Greedy.IsCorrect;
        int onlyOriginal = pairs.Count(pair => OriginalSolved(pair) && !TwinSolved(pair)),
            onlyTwin = pairs.Count(pair => !OriginalSolved(pair) && TwinSolved(pair));
        int solvedTwins = pairs.Count(TwinSolved);
        return new TwinKindReport(
            ProblemId.Word(kind),
            pairs.Length,
            Share(pairs, OriginalSolved),
            (double)solvedTwins / pairs.Length,
            Proportion.Wilson(solvedTwins, pairs.Length),
            onlyOriginal,
            onlyTwin,
            McNemar.ExactP(onlyOriginal, onlyTwin));
    }

    /// <summary>The first solved and the first unsolved problem, then the rest in order.</summary>
    private static SampleTrace[] ChooseTraces(IReadOnlyList<ProblemResult> results, int count)
    {
        ProblemResult?[] first =
        [
            results.FirstOrDefault(result => result.Greedy.IsCorrect), results.FirstOrDefault(result => !result.Greedy.IsCorrect),
        ];
        return [.. first.OfType<ProblemResult>().Concat(results).Distinct().Take(count).Select(result => new SampleTrace(
            result.Problem.Id, result.Problem.Text, result.Problem.ReferenceAnswer, result.Greedy.Reasoning, result.Greedy.Answer,
            result.Greedy.Verdict))];
    }

    private static double Share<T>(IReadOnlyCollection<T> items, Func<T, bool> counts) => (double)items.Count(counts) / items.Count;
}

/// <summary>Finds each twin's original by its id.</summary>
internal static class TwinPairs
{
    /// <exception cref="ArgumentException">A problem is no twin, or its original is missing.</exception>
    public static IReadOnlyList<TwinPair> Match(IReadOnlyList<Problem> problems, IReadOnlyList<Problem> twins)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < problems.Count; i++) places.TryAdd(problems[i].Id, i);
        var pairs = new List<TwinPair>(twins.Count);
        for (int i = 0; i < twins.Count; i++)
        {
            if (ProblemId.TryParseTwin(twins[i].Id) is not var (original, kind))
                throw new ArgumentException($"{Printable.Quote(twins[i].Id)} is not the id of a twin.", nameof(twins));
            if (!places.TryGetValue(original, out int place))
                throw new ArgumentException(
                    $"The original {Printable.Quote(original)} of twin {Printable.Quote(twins[i].Id)} is not among the problems.",
                    nameof(twins));
            pairs.Add(new TwinPair(kind, place, i));
        }

        return pairs;
    }
}

/// <summary>A twin and its original, by index.</summary>
internal readonly record struct TwinPair(TwinKind Kind, int Original, int Twin);
