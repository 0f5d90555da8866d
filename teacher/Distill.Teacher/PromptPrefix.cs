using Distill.Tokenization;

namespace Distill.Teacher;

/// <summary>
/// What every problem's prompt begins with, by the template alone (a default system message, say): its cache is copied from prompt to
/// prompt. Immutable and thread-safe.
/// </summary>
public sealed class PromptPrefix
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
