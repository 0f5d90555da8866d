namespace Distill.Tokenization.Files;

/// <summary>Bounds on what a tokenizer file may hold; well above any published one.</summary>
internal static class TokenizerLimits
{
    public const long FileBytes = 128L << 20;
    public const int Depth = 32;
    public const int Tokens = 4 << 20;
    public const int TokenLength = 4096;
    public const int Steps = 64;
}
