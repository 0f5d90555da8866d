using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Distill.Data.Problems;

/// <summary>
/// What is the same question and what is not, for problems that somebody wrote: their splits, ids and duplicates hang on it, so it must
/// never change.
/// </summary>
internal static class ProblemText
{
    private const string Prefix = "text:";

    /// <summary>Hexadecimal digits: 128 bits, which no two questions of any file share by chance.</summary>
    private const int Digits = 32;

    /// <summary>Hexadecimal digits of an id.</summary>
    private const int IdDigits = 16;

    /// <summary>Equal for texts that differ in letter case, white space and the composition of accents only.</summary>
    public static string Normalized(string text)
    {
        // Half a surrogate pair cannot be composed; it stays as it is.
        string composed = IsWellFormed(text) ? text.Normalize(NormalizationForm.FormC) : text;
        var normalized = new StringBuilder(composed.Length);
        bool gap = false;
        foreach (char unit in composed)
        {
            if (char.IsWhiteSpace(unit) || char.GetUnicodeCategory(unit) == UnicodeCategory.Format)
            {
                gap |= char.IsWhiteSpace(unit);
                continue;
            }

            if (gap && normalized.Length > 0) normalized.Append(' ');
            gap = false;
            normalized.Append(char.ToLowerInvariant(unit));
        }

        return normalized.ToString();
    }

    /// <summary><see cref="Problem.Signature"/> of a question that somebody wrote.</summary>
    public static string SignatureOf(string text) =>
        Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Normalized(text))))[..Digits];

    /// <summary>Id of a question by its content, within its source: it stays when the file grows or is sorted anew.</summary>
    public static string IdOf(string signature) => signature.Substring(Prefix.Length, IdDigits);

    private static bool IsWellFormed(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }

        return true;
    }
}
