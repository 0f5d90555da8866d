using Distill.Tokenization.AddedTokens;
using Distill.Tokenization.Decoding;
using Distill.Tokenization.Models;
using Distill.Tokenization.Normalization;
using Distill.Tokenization.PostProcessing;
using Distill.Tokenization.PreTokenizers;

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
