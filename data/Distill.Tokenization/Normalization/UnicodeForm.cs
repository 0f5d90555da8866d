namespace Distill.Tokenization.Normalization;

/// <summary>The normalisation forms of Unicode (UAX 15).</summary>
internal enum UnicodeForm
{
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}
