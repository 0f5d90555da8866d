using Distill.Data.Problems;
using Distill.Export.Parity;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Cli.Commands.Exporting;

/// <summary>
/// What the parity gate runs when no run's problems are at hand: held-out problems of every family, put as they are put to a model.
/// </summary>
internal static class ParityPrompts
{
    private const int WholeSequences = 8;

    /// <summary>Those that leave room for an answer.</summary>
    /// <exception cref="InvalidDataException">The model's context has no room for any of them.</exception>
    public static IReadOnlyList<Problem> Problems(ChatEncoder encoder, int maxLength, int count)
    {
        ProblemSetPart[] parts = [.. ProblemFamilies.All.Select(family => new ProblemSetPart(family.Name, LevelOf(family)))];
        Problem[] fitting = [.. ProblemSet.Generate(parts, 0, Split.Test, count)
            .Where(problem => encoder.EncodePrompt(ProblemPrompt.Messages(problem)).Length < maxLength)];
        return fitting.Length > 0 ? fitting
            : throw new InvalidDataException($"The model reads {maxLength} tokens; no prompt of the problem families fits.");
    }

    public static ParityInputs Make(ChatEncoder encoder, int maxLength, IReadOnlyList<Problem> problems, int newTokens)
    {
        int[][] prompts = [.. problems.Select(problem => encoder.EncodePrompt(ProblemPrompt.Messages(problem)))];
        IEnumerable<int> Whole(Problem problem, int[] prompt) =>
            prompt.Concat(encoder.Tokenizer.Encode(SolutionText.Of(problem) ?? problem.ReferenceAnswer))
                .Take(Math.Min(maxLength, MeasuredText.Longest));
        return new ParityInputs
        {
            Sequences = [.. problems.Zip(prompts).Take(WholeSequences).Select(pair => Whole(pair.First, pair.Second).ToArray())],
            Prompts = prompts,
            MaxNewTokens = newTokens,
            StopTokens = encoder.EndTokens,
        };
    }

    // The first level with enough different problems: of two people, say, little can be asked.
    private static int LevelOf(IProblemFamily family) => family.AmpleProblems(1) >= 200 ? 1 : 2;
}
