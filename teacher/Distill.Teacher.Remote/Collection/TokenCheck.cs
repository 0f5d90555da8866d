using Distill.Tokenization;

namespace Distill.Teacher.Remote.Collection;

/// <summary>
/// Whether token ids spell the text that came with them: where they do not, the tokenizer at hand is not the teacher's, and a student
/// would learn other tokens than the teacher meant. Stateless and thread-safe.
/// </summary>
internal static class TokenCheck
{
    /// <returns>Null when they do.</returns>
    public static string? FaultOf(StoredCompletion completion, StoredTokens tokens, Tokenizer tokenizer)
    {
        int[] ids = tokens.ToIds();
        if (ids.FirstOrDefault(id => id < 0 || id >= tokenizer.VocabularySize, -1) is >= 0 and var foreign)
            return $"the endpoint sent token {foreign}, and the tokenizer has {tokenizer.VocabularySize} ids";
        // Servers leave out what a reasoning parser takes for marks or space, and cut half a character off at the end.
        string said = Plain(completion.Reasoning + completion.Text), spelled = Plain(tokenizer.Decode(ids, skipSpecial: true));
        return said == spelled ? null : "the token ids do not spell the text that came with them";
    }

    private static string Plain(string text) => string.Concat(
        text.Replace(ThinkMarks.Open, "", StringComparison.Ordinal).Replace(ThinkMarks.Close, "", StringComparison.Ordinal)
            .Where(c => !char.IsWhiteSpace(c) && c != '\uFFFD'));
}
