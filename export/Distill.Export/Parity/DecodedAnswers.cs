using Distill.Data.Problems;
using Distill.Generation;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Export.Parity;

/// <summary>Greedy answers that the gate decoded already, so that nobody decodes them again to grade them.</summary>
internal static class DecodedAnswers
{
    /// <param name="rows">What the export decoded.</param>
    /// <param name="answerTokens">Longest answer.</param>
    /// <param name="context">Tokens that the model reads.</param>
    /// <returns>Of each problem its greedy answer; null where one was not decoded, or not to its end.</returns>
    public static IReadOnlyList<Completion[]>? Of(
        IReadOnlyList<DecodedRow> rows, IReadOnlyList<Problem> problems, ChatEncoder encoder, int answerTokens, int context)
    {
        var byPrompt = new Dictionary<string, DecodedRow>(StringComparer.Ordinal);
        foreach (var row in rows) byPrompt.TryAdd(Key(row.Prompt), row);
        var answers = new List<Completion[]>();
        foreach (var problem in problems)
        {
            int[] prompt = ProblemPrompt.Encode(encoder, problem, context);
            if (!byPrompt.TryGetValue(Key(prompt), out var row)) return null;
            int end = row.Tokens.Take(answerTokens).ToList().FindIndex(encoder.EndTokens.Contains);
            int count = end >= 0 ? end + 1 : Math.Min(answerTokens, row.Tokens.Count);
            if (end < 0 && count < Math.Min(answerTokens, context - prompt.Length)) return null;
            answers.Add([new([.. row.Tokens.Take(count)], [], end >= 0 ? StopReason.StopToken : StopReason.Length, Seed: 0)]);
        }

        return answers;
    }

    private static string Key(IReadOnlyList<int> ids) => string.Join(' ', ids);
}
