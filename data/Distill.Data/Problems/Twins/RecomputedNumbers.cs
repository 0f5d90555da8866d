using System.Text;
using System.Text.RegularExpressions;

namespace Distill.Data.Problems.Twins;

/// <summary>
/// Changes one number of the text and works out again what follows, where the worked solution is a program for that: each of its
/// calculations is exact, each of their numbers is one of the text, an earlier result or something the words explain (2 for "twice"), every
/// number of the text and every result is used, and the last result is the reference answer. Whole results stay whole and above zero, and
/// the others keep their places after the point. Anything that could mean two things ends the attempt.
/// </summary>
internal static partial class RecomputedNumbers
{
    /// <summary>Smaller ones are often a count of what the text lists.</summary>
    private const int Smallest = 5;

    private const int Largest = 1_000_000;

    public static Twin? Make(Problem problem, RandomSource random)
    {
        if (problem.Choices.Count > 0 || problem.ReferenceSolution is not { } solution || Conditions().IsMatch(problem.Text)
            || Program(problem, solution) is not { } program)
            return null;
        var inputs = TextNumber.ReadAll(problem.Text).Where(number => IsInput(problem.Text, number, program)).ToList();
        random.Shuffle(inputs);
        foreach (var input in inputs)
        {
            foreach (var value in Values(input, random))
            {
                if (Changed(problem, solution, program, input, value) is { } twin)
                    return new Twin(TwinKind.Recomputed, twin);
            }
        }

        return null;
    }

    /// <summary>The steps, with all numbers that do not come from a calculation.</summary>
    private sealed record Steps(IReadOnlyList<CalculationStep> Chain, HashSet<Fraction> Text, HashSet<Fraction> Words);

    private static Steps? Program(Problem problem, string solution)
    {
        var chain = CalculationChain.Read(solution);
        if (chain.Count == 0 || TextNumber.TryRead(problem.ReferenceAnswer)?.Value != chain[^1].Result)
            return null;
        var text = TextNumber.ReadAll(problem.Text).Select(number => number.Value).ToHashSet();
        var words = NumberWords.In(problem.Text);
        HashSet<Fraction> known = [.. text, .. words], used = [];
        foreach (var step in chain)
        {
            var numbers = Calculation.Numbers(step.Expression);
            if (numbers.Any(number => !known.Contains(number)) || step.Result.Sign <= 0)
                return null;
            used.UnionWith(numbers);
            known.Add(step.Result);
        }

        return text.IsSubsetOf(used) && chain.SkipLast(1).All(step => used.Contains(step.Result)) ? new Steps(chain, text, words) : null;
    }

    private static bool IsInput(string text, TextNumber number, Steps program)
    {
        if (!number.Value.IsInteger || number.Value.Numerator < Smallest || number.Value.Numerator > Largest || number.Decimals > 0
            || program.Words.Contains(number.Value) || (number.Value.Numerator >= 1900 && number.Value.Numerator < 2100)
            || TextNumber.ReadAll(text).Count(other => other.Value == number.Value) > 1
            || program.Chain.Any(step => step.Result == number.Value)
            || IsNextToOrdinal(number.Value, program))
            return false;
        var (before, after) = (text[..number.Start], text[number.End..]);
        return !Inside().IsMatch(before) && !Goes().IsMatch(after);
    }

    // "For 6 weeks … on the seventh week": the words count on from the number.
    private static bool IsNextToOrdinal(Fraction value, Steps program) =>
        value.Numerator <= 12 && (program.Words.Contains(value + 1) || program.Words.Contains(value - 1));

    /// <summary>Values nearby; of round numbers round ones first.</summary>
    private static IEnumerable<Fraction> Values(TextNumber input, RandomSource random)
    {
        var old = (int)input.Value.Numerator;
        var step = old % 100 == 0 ? old >= 1000 ? 100 : 20 : old % 10 == 0 && old >= 50 ? 10 : old % 5 == 0 && old >= 20 ? 5 : 1;
        var reach = Math.Max(3, old * 2 / 5);
        foreach (var size in new[] { step, 1 }.Distinct())
        {
            var changes = Enumerable.Range(1, Math.Min(reach / size, 20)).SelectMany(i => new[] { i * size, -i * size }).ToList();
            random.Shuffle(changes);
            foreach (var change in changes.Where(change => old + change >= Smallest - 1))
                yield return old + change;
        }
    }

    private static Problem? Changed(Problem problem, string solution, Steps program, TextNumber input, Fraction value)
    {
        if (!Fits(problem.Text, input, value) || Recompute(program, input.Value, value) is not { } results)
            return null;
        var old = TextNumber.TryRead(problem.ReferenceAnswer)!;
        if (input.Spell(value) is not { } spelled
            || old.Spell(results[old.Value]) is not { } answer
            || Rewritten(solution, program, results) is not { } steps)
            return null;
        // The new solution is read anew: it must be a program for the new answer.
        var chain = CalculationChain.Read(steps);
        return chain.Count == program.Chain.Count && chain[^1].Result == results[old.Value] && results[old.Value] != old.Value
            ? problem with
            {
                Id = ProblemId.OfTwin(problem.Id, TwinKind.Recomputed),
                Text = problem.Text[..input.Start] + spelled + problem.Text[input.End..],
                ReferenceAnswer = problem.ReferenceAnswer.Replace(
                    problem.ReferenceAnswer.Substring(old.Start, old.Length), answer, StringComparison.Ordinal),
                ReferenceSolution = steps,
                Signature = ProblemId.OfTwin(problem.Signature, TwinKind.Recomputed),
            }
            : null;
    }

    /// <returns>By old value the new one; null when an old value would have two, or a result changes its kind.</returns>
    private static Dictionary<Fraction, Fraction>? Recompute(Steps program, Fraction input, Fraction value)
    {
        var now = program.Text.Concat(program.Words).Distinct().ToDictionary(number => number, number => number);
        if (now.ContainsKey(value))
            return null;
        now[input] = value;
        foreach (var step in program.Chain)
        {
            if (Calculation.Evaluate(step.Expression, number => now[number]) is not { Sign: > 0 } result
                || step.Result.IsInteger != result.IsInteger
                || (now.TryGetValue(step.Result, out var before) && before != result))
                return null;
            now[step.Result] = result;
        }

        return now;
    }

    /// <summary>Every number of the solution is one that is known, in digits and in words.</summary>
    private static string? Rewritten(string solution, Steps program, Dictionary<Fraction, Fraction> now)
    {
        var said = NumberWords.In(solution).Except(program.Words);
        if (said.Any(value => now.TryGetValue(value, out var changed) && changed != value))
            return null;
        var text = new StringBuilder();
        var at = 0;
        foreach (var number in TextNumber.ReadAll(solution))
        {
            if (!now.TryGetValue(number.Value, out var value) && number.Value != 1)
                return null;
            text.Append(solution, at, number.Start - at);
            if (number.Value == 1 || value == number.Value)
                text.Append(solution, number.Start, number.Length);
            else if (number.Spell(value) is { } spelled)
                text.Append(spelled);
            else
                return null;
            at = number.End;
        }

        return text.Append(solution, at, solution.Length - at).ToString();
    }

    /// <summary>Percentages stay below a hundred, and "an 8" does not become "an 9".</summary>
    private static bool Fits(string text, TextNumber input, Fraction value)
    {
        var after = text[input.End..];
        if (Percent().IsMatch(after) && value.Numerator >= 100)
            return false;
        return !Article().IsMatch(text[..input.Start]) || SaysAn(input.Value) == SaysAn(value);
    }

    private static bool SaysAn(Fraction value) => value.ToString() is ['8', ..] or "11" or "18";

    // What a change of a number may turn round, round off or make impossible.
    [GeneratedRegex(
        @"\b(?:round\w*|nearest|at least|at most|minimum|maximum|fewest|whichever|cheap\w+|enough|exceed\w*|unless|"
        + @"otherwise|only if|primes?|remainder|consecutive|digits?|even numbers?|odd numbers?|leap|respectively|ratio|"
        + @"equally|evenly|limit\w*|capacity|up to|rest of|another|o'clock|a\.m\.?|p\.m\.?|[ap]m)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Conditions();

    // Part of something larger: a time, a fraction, a date, a code.
    [GeneratedRegex(
        @"(?:[\w.,:/^#-]|\b(?:January|February|March|April|May|June|July|August|September|October|November|December|"
        + @"No\.|number|page|chapter|room|grade|level|route|aged?|first|last|every|other) )$", RegexOptions.IgnoreCase)]
    private static partial Regex Inside();

    [GeneratedRegex(
        @"^(?:[\w:/^]|[.,][0-9]|-?\s?(?:cents?|dollars?)\b|\s?(?:dollar\s)?(?:bills?|coins?)\b|\s?[-–]\s?[0-9]|(?:th|"
        + @"st|nd|rd)\b|\s(?:out of|in every|of every|of the)\b|[- ](?:hours?|days?|months?|weeks?)\b[^.]{0,12}\b(?:a|"
        + @"per|each|every|the|in|that)\b|[- ]years?[- ]old)", RegexOptions.IgnoreCase)]
    private static partial Regex Goes();

    [GeneratedRegex(@"^\s?(?:%|percent)", RegexOptions.IgnoreCase)]
    private static partial Regex Percent();

    [GeneratedRegex(@"\ban?[ -]$", RegexOptions.IgnoreCase)]
    private static partial Regex Article();
}
