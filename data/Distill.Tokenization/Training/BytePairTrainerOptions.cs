namespace Distill.Tokenization.Training;

/// <summary>What a trained tokenizer shall hold. Immutable.</summary>
public sealed record BytePairTrainerOptions
{
    /// <summary>
    /// Entries in all: special tokens, marks, 256 bytes, merges. Fewer come out if the texts have no more frequent pairs.
    /// </summary>
    public required int VocabularySize { get; init; }

    /// <summary>Control tokens; they get the lowest ids, in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"];

    /// <summary>Added tokens that stay visible in decoded text; they get the ids after the special tokens.</summary>
    public IReadOnlyList<string> Marks { get; init; } = [ThinkMarks.Open, ThinkMarks.Close];

    /// <summary>One of <see cref="SpecialTokens"/>: ends a message.</summary>
    public string EndToken { get; init; } = "<|end|>";

    /// <summary>One of <see cref="SpecialTokens"/>: fills rows.</summary>
    public string PadToken { get; init; } = "<|pad|>";

    /// <summary>Jinja text stored with the tokenizer.</summary>
    public string ChatTemplate { get; init; } =
        "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

    /// <summary>Pairs seen less often than this do not merge.</summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>Longest sequence the model will read; stored for other programs.</summary>
    public int ContextLength { get; init; } = 512;

    /// <exception cref="ArgumentException">The tokens do not fit, repeat, or lack the end or padding token.</exception>
    internal void Validate()
    {
        string[] tokens = [.. SpecialTokens, .. Marks];
        if (tokens.Distinct().Count() != tokens.Length || tokens.Any(t => t.Length < 2))
            throw new ArgumentException("special tokens and marks must be distinct and longer than one character");
        if (!SpecialTokens.Contains(EndToken) || !SpecialTokens.Contains(PadToken))
            throw new ArgumentException($"'{EndToken}' and '{PadToken}' must be special tokens");
        int least = tokens.Length + 256;
        if (VocabularySize < least)
            throw new ArgumentException($"a vocabulary of {VocabularySize} cannot hold added tokens and 256 bytes; at least {least} are needed");
    }
}
