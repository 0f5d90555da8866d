using System.Globalization;

namespace Distill.Tokenization.Normalization;

/// <summary>
/// What Unicode says about decomposing and composing characters. The runtime's own normalisation is not used: with invariant
/// globalization it leaves text as it is.
/// </summary>
internal sealed class NormalizationTables
{
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<int, byte> _classes = [];
    private readonly Dictionary<(int, int), int> _compositions = [];

    private NormalizationTables()
    {
        using var stream = typeof(NormalizationTables).Assembly.GetManifestResourceStream("unicode-normalization.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (!line.StartsWith('#')) Add(line, line.IndexOfAny(['=', '*', '~', '-']));
    }

    private static Lazy<NormalizationTables> Lazy { get; } = new(() => new NormalizationTables());

    public static NormalizationTables Instance => Lazy.Value;

    /// <summary>Canonical combining class; 0 for starters.</summary>
    public byte ClassOf(int code) => _classes.GetValueOrDefault(code);

    /// <summary>One step of decomposition; null where there is none.</summary>
    public int[]? Decomposition(int code, bool compatible) =>
        _canonical.TryGetValue(code, out int[]? parts) || (compatible && _compatible.TryGetValue(code, out parts)) ? parts : null;

    public bool TryCompose(int first, int second, out int composed) => _compositions.TryGetValue((first, second), out composed);

    private void Add(string line, int mark)
    {
        int code = Hexadecimal(line.AsSpan(0, mark));
        if (line[mark] == '-')
        {
            int colon = line.IndexOf(':');
            byte combiningClass = byte.Parse(line.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture);
            for (int end = Hexadecimal(line.AsSpan(mark + 1, colon - mark - 1)); code <= end; code++) _classes.Add(code, combiningClass);
            return;
        }
        int[] parts = [.. line[(mark + 1)..].Split(' ').Select(p => Hexadecimal(p))];
        (line[mark] == '~' ? _compatible : _canonical).Add(code, parts);
        if (line[mark] == '=') _compositions.Add((parts[0], parts[1]), code);
    }

    private static int Hexadecimal(ReadOnlySpan<char> digits) =>
        int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
