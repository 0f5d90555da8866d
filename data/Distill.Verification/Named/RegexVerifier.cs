using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Distill.Verification.Named;

/// <summary>
/// The reference answer is a regular expression of .NET that the whole answer must match. Matching takes time proportional to the
/// answer: what needs backtracking (look-around, back references) is refused.
/// </summary>
internal sealed class RegexVerifier : IVerifier
{
    private const int MaxPattern = 1_000;
    private const int MaxRemembered = 256;

    // What is matched without backtracking is built as if every repetition were written out.
    private const int MaxSize = 10_000;

    private readonly ConcurrentDictionary<string, (Regex? Pattern, string? Fault)> known = new(StringComparer.Ordinal);

    public string Name => "regex";

    public int Version => AnswerExtraction.Version + 1;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (AnswerText.Of(answer) is not { } text || PatternOf(problem.ReferenceAnswer).Pattern is not { } pattern)
            return Verdict.Undecidable;
        return pattern.IsMatch(text) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Of(answer);

    public string? FaultOf(IVerifiable problem) => PatternOf(problem.ReferenceAnswer).Fault;

    private (Regex? Pattern, string? Fault) PatternOf(string text)
    {
        if (known.TryGetValue(text, out var found)) return found;
        // A data set with a pattern for each of a million rows must not fill the memory.
        if (known.Count >= MaxRemembered) known.Clear();
        return known[text] = Compiled(text);
    }

    private static (Regex? Pattern, string? Fault) Compiled(string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return (null, "the pattern is empty");
        if (text.Length > MaxPattern) return (null, $"the pattern has {text.Length} characters, more than {MaxPattern}");
        try
        {
            // Alone first: a pattern that closes the bracket around it would match what it likes.
            _ = new Regex(text, RegexOptions.CultureInvariant);
            if (PatternSize.Of(text) > MaxSize)
                return (null, $"the pattern stands for more than {MaxSize} characters when its repetitions are written out");
            return (new Regex($@"\A(?:{text})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), null);
        }
        catch (ArgumentException fault)
        {
            return (null, $"the pattern is not a regular expression: {fault.Message}");
        }
        catch (NotSupportedException)
        {
            return (null, "the pattern needs backtracking, or is too large without it");
        }
    }
}
