using Distill.Data.Problems;
using Distill.Pipeline.Runs;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Reporting.Gathering;

/// <summary>
/// A few test problems with every model's answer: the first that a training taught, the first that it did not, the first that it lost.
/// First in the order of the test set, so that nobody chose them.
/// </summary>
/// <param name="sheets">Answers by model, in the order of the report.</param>
internal sealed class SideBySide(IReadOnlyList<(string Model, IReadOnlyList<SheetAnswer> Answers)> sheets)
{
    private const int LongestText = 4_000, MostProblems = 5;

    private readonly Dictionary<string, Dictionary<string, SheetAnswer>> answers = sheets.ToDictionary(
        sheet => sheet.Model, sheet => sheet.Answers.ToDictionary(answer => answer.ProblemId, StringComparer.Ordinal));

    /// <param name="pairs">Models before and after a training, and what the training is called.</param>
    /// <param name="last">The student that is exported.</param>
    /// <param name="teacher">Null where it was not evaluated.</param>
    /// <param name="parserOf">Reads a model's tokens; null where its tokenizer is not at hand.</param>
    public IReadOnlyList<AnsweredProblem> Choose(
        IReadOnlyList<Problem> problems, IEnumerable<(string Before, string After, string Name)> pairs, string last, string? teacher,
        Func<string, AnswerReader?> parserOf)
    {
        var chosen = new List<(Problem Problem, string Why)>();
        foreach (var (before, after, name) in pairs)
        {
            First($"wrong by {before}, right after {name}", id => !IsRight(before, id) && IsRight(after, id));
            First($"right by {before}, wrong after {name}", id => IsRight(before, id) && !IsRight(after, id));
        }

        int taught = chosen.Count;
        if (teacher is not null)
            First("right by the teacher, still wrong by the student", id => IsRight(teacher, id) && !IsRight(last, id));
        // What is still to be learned is shown however many trainings there are.
        var beyond = chosen.Skip(taught).ToList();
        return [.. chosen.Take(Math.Min(taught, MostProblems - beyond.Count)).Concat(beyond)
            .Select(each => Shown(each.Problem, each.Why, parserOf))];

        void First(string why, Func<string, bool> holds)
        {
            var asked = problems.Where(problem => sheets.All(sheet => answers[sheet.Model].ContainsKey(problem.Id)));
            if (asked.FirstOrDefault(problem => holds(problem.Id) && chosen.All(each => each.Problem.Id != problem.Id)) is { } found)
                chosen.Add((found, why));
        }
    }

    private bool IsRight(string model, string id) => answers.TryGetValue(model, out var sheet) && sheet[id].Greedy;

    private AnsweredProblem Shown(Problem problem, string why, Func<string, AnswerReader?> parserOf) => new(
        problem.Id, problem.Domain, Bounded(problem.Text), Bounded(problem.ReferenceAnswer), why,
        [.. sheets.Select(sheet => Shown(sheet.Model, answers[sheet.Model][problem.Id], parserOf(sheet.Model)))]);

    private static ShownAnswer Shown(string model, SheetAnswer answer, AnswerReader? reader)
    {
        var parsed = reader?.Read(answer.TokenIds());
        return new(model, answer.Greedy, answer.TokenCount, Bounded(parsed?.Reasoning ?? ""), (parsed?.Answer ?? answer.Text) is { } text
            ? Bounded(text) : null);
    }

    private static string Bounded(string text)
    {
        if (text.Length <= LongestText) return text;
        int length = char.IsHighSurrogate(text[LongestText - 1]) ? LongestText - 1 : LongestText;
        return string.Concat(text.AsSpan(0, length), "…");
    }
}

/// <summary>Reads the tokens of one model's completions.</summary>
internal sealed class AnswerReader(ChatEncoder encoder)
{
    private readonly ReasoningParser parser = new(encoder.Tokenizer);

    // The token that ended the completion says nothing.
    public ParsedCompletion Read(int[] tokens) =>
        parser.Parse(tokens.Length > 0 && encoder.EndTokens.Contains(tokens[^1]) ? tokens.AsSpan(0, tokens.Length - 1) : tokens);
}
