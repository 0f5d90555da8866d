using Distill.Data.Problems;
using Distill.Storage;
using Distill.Tokenization;

namespace Distill.Teacher;

/// <summary>
/// How a problem is put to a model: its own system message where it has one, then a user message with its text. Training, collection,
/// rollouts and evaluation all ask this way.
/// </summary>
public static class ProblemPrompt
{
    /// <summary>
    /// The chat that ends with the question. An encoder puts the recipe's system message before a chat without one, so that the problem's
    /// own goes before it.
    /// </summary>
    public static IReadOnlyList<ChatMessage> Messages(Problem problem) => problem.System is { Length: > 0 } system
        ? [ChatMessage.System(system), ChatMessage.User(problem.Text)]
        : [ChatMessage.User(problem.Text)];

    /// <param name="maxLength">Longest sequence of the model.</param>
    /// <exception cref="InvalidDataException">The problem leaves no room for an answer.</exception>
    public static int[] Encode(ChatEncoder encoder, Problem problem, int maxLength)
    {
        int[] prompt = encoder.EncodePrompt(Messages(problem));
        return prompt.Length < maxLength
            ? prompt
            : throw new InvalidDataException(
                $"Problem {Printable.Quote(problem.Id)} takes {prompt.Length} tokens; the model reads {maxLength} with the answer. Leave "
                    + "it out or take a "
                    + "model with a longer context.");
    }
}

/// <summary>
/// What every problem's prompt begins with, by the template alone (a default system message, say): its cache is copied from prompt to
/// prompt. Immutable and thread-safe.
/// </summary>
internal sealed class PromptPrefix
{
    // Reading so few tokens costs less than copying them.
    private const int Shortest = 16;

    private readonly int[] tokens;

    public PromptPrefix(ChatEncoder encoder)
    {
        int[] one = encoder.EncodePrompt([ChatMessage.User("a")]), other = encoder.EncodePrompt([ChatMessage.User("7 b")]);
        tokens = one[..one.AsSpan().CommonPrefixLength(other)];
    }

    /// <summary>Tokens of the prompt that belong to the prefix; 0 when sharing them would not pay.</summary>
    public int LengthIn(ReadOnlySpan<int> prompt)
    {
        int length = prompt.CommonPrefixLength(tokens);
        return length < Shortest ? 0 : length;
    }
}
