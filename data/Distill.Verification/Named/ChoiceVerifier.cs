namespace Distill.Verification.Named;

/// <summary>
/// Accepts the letter of an option: <c>B</c>, <c>(b)</c>, <c>B.</c>, <c>Option B</c>, <c>B) its text</c>, or the option's text alone.
/// The reference answer is a letter or an option's text. Without options only letters are read.
/// </summary>
internal sealed class ChoiceVerifier : IVerifier
{
    private const int Letters = 26;

    private static readonly string[] Labels = ["option ", "choice ", "answer ", "answer: "];

    public string Name => "choice";

    public int Version => AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (OptionOf(answer, problem.Choices) is not { } given || FaultOf(problem) is not null) return Verdict.Undecidable;
        return given == OptionOf(problem.ReferenceAnswer, problem.Choices) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) =>
        OptionOf(answer, problem.Choices) is { } option ? ((char)('A' + option)).ToString() : null;

    public string? FaultOf(IVerifiable problem)
    {
        int options = problem.Choices.Count;
        if (OptionOf(problem.ReferenceAnswer, problem.Choices) is not { } gold)
            return "the reference answer is " + (options == 0 ? "not a letter" : "neither a letter nor one of the choices");
        return options > 0 && gold >= options ? $"the reference answer names option {(char)('A' + gold)}, and there are {options}" : null;
    }

    /// <returns>The number of the option, from 0; null when none, or more than one, can be read.</returns>
    private static int? OptionOf(string? answer, IReadOnlyList<string> choices)
    {
        if (AnswerText.Of(answer) is not { } text) return null;
        string folded = AnswerText.Folded(text);
        var letter = Letter(folded);
        // A text that is the letter of an option is that, even where another option's text is this letter.
        if (letter is { } named && (choices.Count == 0 || named < choices.Count)) return named;
        return OptionWithText(folded, choices) ?? letter ?? LetterWithText(folded, choices);
    }

    private static int? Letter(string text)
    {
        foreach (string label in Labels)
            if (text.StartsWith(label, StringComparison.Ordinal)) text = text[label.Length..].TrimStart();
        var bare = text.AsSpan().TrimStart('(').TrimEnd(").: ");
        return bare.Length == 1 && char.IsAsciiLetterLower(bare[0]) && text.Length <= 5 ? bare[0] - 'a' : null;
    }

    private static int? OptionWithText(string text, IReadOnlyList<string> choices)
    {
        int? found = null;
        for (int i = 0; i < Math.Min(choices.Count, Letters); i++)
        {
            if (text != Normal(choices[i])) continue;
            // Two options with one text cannot be told apart by it.
            if (found is not null) return null;
            found = i;
        }

        return found;
    }

    private static int? LetterWithText(string text, IReadOnlyList<string> choices)
    {
        foreach (string label in Labels)
            if (text.StartsWith(label, StringComparison.Ordinal)) text = text[label.Length..].TrimStart();
        bool parenthesis = text.StartsWith('(');
        int at = parenthesis ? 1 : 0;
        if (at + 2 >= text.Length || !char.IsAsciiLetterLower(text[at]) || text[at + 1] is not (')' or '.' or ':')) return null;
        int option = text[at] - 'a';
        string rest = AnswerCleaning.Of(text[(at + 2)..].TrimStart('.', ':', ' ')) ?? "";
        return option < choices.Count && Normal(choices[option]) == rest ? option : null;
    }

    private static string Normal(string choice) => AnswerText.Folded(AnswerCleaning.Of(choice) ?? "");
}
