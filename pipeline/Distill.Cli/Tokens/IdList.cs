using System.Globalization;

namespace Distill.Cli.Tokens;

/// <summary>Token ids as people paste them: separated by blanks or commas, with or without brackets.</summary>
internal static class IdList
{
    private static readonly char[] s_separators = [' ', '\t', '\r', '\n', ',', '[', ']'];

    /// <exception cref="InvalidDataException">A word is no id.</exception>
    public static int[] Parse(string text) =>
        [.. text.Split(s_separators, StringSplitOptions.RemoveEmptyEntries).Select((word, index) =>
            int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id
            : throw new InvalidDataException($"Word {index + 1} of the ids, '{Shortened(word)}', is not a token id; ids are whole numbers, separated by blanks or commas."))];

    private static string Shortened(string word) => word.Length <= 20 ? word : word[..20] + "…";
}
