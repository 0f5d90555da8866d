using Distill.Tokenization.Decoding;
using Distill.Tokenization.Models;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Files;

/// <summary>What a tokenizer.json says, checked and built.</summary>
internal sealed record TokenizerDefinition
{
    public required BytePairModel Model { get; init; }

    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }

    public required INormalizer? Normalizer { get; init; }

    public required IPreTokenizer? PreTokenizer { get; init; }

    /// <summary>Words go to the model in the byte alphabet (the last pre-tokenizer is ByteLevel).</summary>
    public required bool ByteLevelWords { get; init; }

    public required PostProcessor PostProcessor { get; init; }

    public required IDecoder Decoder { get; init; }

    /// <summary>SHA-256 of all that decides ids; see <see cref="Tokenizer.Fingerprint"/>.</summary>
    public required string Fingerprint { get; init; }
}

/// <summary>What is put around the ids of a text.</summary>
/// <param name="Parts">Ids in order; null stands for the text.</param>
internal sealed record PostProcessor(IReadOnlyList<int?> Parts)
{
    public static PostProcessor None { get; } = new([null]);

    public int[] Apply(int[] ids) => [.. Parts.SelectMany(part => part is { } id ? [id] : ids)];

    /// <summary>This one first, then another around its result.</summary>
    public PostProcessor Then(PostProcessor outer) => new([.. outer.Parts.SelectMany(part => part is null ? Parts : [part])]);
}

/// <summary>Bounds on what a tokenizer file may hold; well above any published one.</summary>
internal static class TokenizerLimits
{
    public const long FileBytes = 128L << 20;
    public const int Depth = 32;
    public const int Tokens = 4 << 20;
    public const int TokenLength = 4096;
    public const int Steps = 64;
}
