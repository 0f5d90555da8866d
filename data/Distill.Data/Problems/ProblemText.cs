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

    /// <summary>
    /// Equal for texts that differ in the case of ASCII letters, in white space and in invisible marks only: what every machine and every
    /// version of Unicode agrees on.
    /// </summary>
    public static string Normalized(string text)
    {
        var normalized = new StringBuilder(text.Length);
        bool gap = false;
        foreach (char unit in text)
        {
            if (IsGap(unit))
            {
                gap = true;
                continue;
            }

            if (unit is '\u200B' or '\u200C' or '\u200D' or '\uFEFF' or '\u00AD') continue;
            if (gap && normalized.Length > 0) normalized.Append(' ');
            gap = false;
            normalized.Append(char.IsAsciiLetterUpper(unit) ? (char)(unit | 0x20) : unit);
        }

        return normalized.ToString();
    }

    /// <summary><see cref="Problem.Signature"/> of a question that somebody wrote.</summary>
    public static string SignatureOf(string text) =>
        Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Normalized(text))))[..Digits];

    /// <summary>Id of a question by its content, within its source: it stays when the file grows or is sorted anew.</summary>
    public static string IdOf(string signature) => signature.Substring(Prefix.Length, IdDigits);

    private static bool IsGap(char unit) =>
        unit is ' ' or (>= '\t' and <= '\r') or '\u0085' or '\u00A0' or (>= '\u2000' and <= '\u200A') or '\u2028' or '\u2029' or '\u202F'
            or '\u3000';
}
