using System.Text;
using Distill.Data.Problems;
using Distill.Data.Sources.Formats;

namespace Distill.Data.Sources;

/// <summary>
/// What a row says → a problem of a source: id, signature, split and verifier. Stateless but for the source it makes them for.
/// </summary>
/// <param name="source">Its name.</param>
/// <param name="verifier">Who grades its problems; null: as the format or the answer suggests.</param>
/// <param name="needsAnswer">False where only the questions count.</param>
internal sealed class ProblemMaker(string source, string? verifier, bool needsAnswer = true)
{
    /// <summary>Bytes of a problem's texts together: a problem file's longest line holds them, however they are escaped.</summary>
    public const int MostBytes = 256 << 10;

    /// <summary>Decides problem by problem, by the reference answer.</summary>
    public const string Auto = "auto";

    private const int LongestId = 120;

    /// <exception cref="FormatException">It cannot be asked; the message says why, in half a sentence.</exception>
    public Problem Make(ProblemDraft draft)
    {
        if (draft.Whole is { } whole) return verifier is null ? whole : whole with { Verifier = verifier };
        string text = Clean(draft.Text), answer = draft.Answer.Trim();
        if (text.Length == 0) throw new FormatException("the question is empty");
        if (answer.Length == 0 && needsAnswer) throw new FormatException("the answer is empty");
        RequireSize(draft);
        string signature = ProblemText.SignatureOf(text);
        string domain = draft.Domain?.Trim() is { Length: > 0 } given ? given : source;
        string? solution = draft.Solution is { } steps ? Clean(steps) : null;
        return new Problem(
            $"{source}/{IdOf(draft.Id, signature)}", source, domain, SplitRule.Of(signature), draft.Level, text, answer,
            solution is { Length: > 0 } ? solution : null, signature)
        {
            Verifier = verifier ?? draft.Verifier ?? Auto,
            System = draft.System?.Trim() is { Length: > 0 } system ? system : null,
            Choices = draft.Choices,
        };
    }

    private static string IdOf(string? own, string signature)
    {
        if (own?.Trim() is not { Length: > 0 } id) return ProblemText.IdOf(signature);
        if (id.Length > LongestId) throw new FormatException($"an id of {id.Length:N0} characters; at most {LongestId} can be kept");
        return id.Any(char.IsControl) ? throw new FormatException("the id holds control characters") : id;
    }

    private static void RequireSize(ProblemDraft draft)
    {
        long bytes = Bytes(draft.Text) + Bytes(draft.Answer) + Bytes(draft.Solution) + Bytes(draft.System) + draft.Choices.Sum(Bytes);
        if (bytes > MostBytes) throw new FormatException($"{bytes:N0} bytes of text; at most {MostBytes:N0} can be asked");
    }

    private static long Bytes(string? text) => text is null ? 0 : Encoding.UTF8.GetByteCount(text);

    // Files of other systems end their lines by two characters, of which models learn the first as a part of the text.
    private static string Clean(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Trim();
}
