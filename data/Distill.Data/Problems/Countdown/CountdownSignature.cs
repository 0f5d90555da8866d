using System.Globalization;

namespace Distill.Data.Problems.Countdown;

/// <summary>The signature of a countdown problem: sorted numbers and the target, e.g. <c>countdown:3 5 8=16</c>.</summary>
internal static class CountdownSignature
{
    private const string Prefix = "countdown:";
    private const int MaxNumbers = 5;
    private const int MaxLength = 60;

    public static string Write(IEnumerable<int> numbers, int target) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{string.Join(' ', numbers.Order())}={target}");

    /// <returns>Null when the text is not such a signature, or has more numbers than can be searched.</returns>
    public static (IReadOnlyList<int> Numbers, int Target)? Read(string signature)
    {
        if (signature.Length > MaxLength || !signature.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var halves = signature[Prefix.Length..].Split('=');
        if (halves.Length != 2 || Number(halves[1]) is not { } target)
            return null;
        var numbers = halves[0].Split(' ').Select(Number).ToArray();
        return numbers.Length <= MaxNumbers && numbers.All(number => number is not null)
            ? (numbers.Select(number => number!.Value).ToArray(), target)
            : null;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 10_000 ? number : null;
}
