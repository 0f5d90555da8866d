namespace Distill.Tokenization.Models;

/// <summary>Everything a byte-pair model needs besides vocabulary and merges.</summary>
/// <param name="UnknownToken">Stands for characters without a token; null lets them vanish.</param>
/// <param name="FuseUnknown">A run of unknown characters becomes one unknown token.</param>
/// <param name="ByteFallback">A character without a token becomes its UTF-8 bytes, as tokens <c>&lt;0x00&gt;</c> …
/// <c>&lt;0xFF&gt;</c>.</param>
/// <param name="IgnoreMerges">A word that is a token as a whole is that token, whatever the merges say.</param>
internal sealed record BytePairOptions(string? UnknownToken, bool FuseUnknown, bool ByteFallback, bool IgnoreMerges);
