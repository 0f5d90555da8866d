using Distill.Data.Problems;
using Distill.Export.Parity;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Cli.Models;

/// <summary>
/// What the parity gate runs when no run's problems are at hand: held-out problems of every family, put as they are put to a model.
/// </summary>
internal static class ParityPrompts
{
    private const int WholeSequences = 8;

    /// <exception cref="InvalidDataException">The model's context has no room for any of them.</exception>
    public static ParityInputs Make(ChatEncoder encoder, int maxLength, int count, int newTokens)
    {
        ProblemSetPart[] parts = [.. ProblemFamilies.All.Select(family => new ProblemSetPart(family.Name, 1))];
        var problems = ProblemSet.Generate(parts, 0, Split.Test, count);
        List<(int[] Prompt, int[] Whole)> fitting = [];
        foreach (var problem in problems)
        {
            int[] prompt = encoder.EncodePrompt(ProblemPrompt.Messages(problem));
            if (prompt.Length >= maxLength) continue;
            int[] whole = [.. prompt, .. encoder.Tokenizer.Encode(problem.ReferenceSolution ?? problem.ReferenceAnswer)];
            fitting.Add((prompt, whole[..Math.Min(whole.Length, maxLength)]));
        }

        if (fitting.Count == 0)
            throw new InvalidDataException($"The model reads {maxLength} tokens; no prompt of the problem families fits.");
        return new ParityInputs
        {
            Sequences = [.. fitting.Take(WholeSequences).Select(pair => pair.Whole)],
            Prompts = [.. fitting.Select(pair => pair.Prompt)],
            MaxNewTokens = newTokens,
            StopTokens = [encoder.EndToken],
        };
    }
}
