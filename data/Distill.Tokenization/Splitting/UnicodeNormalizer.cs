using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Splitting;

/// <summary>The normalisation forms of Unicode (UAX 15).</summary>
internal enum UnicodeForm
{
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

/// <summary>Unicode normalisation: decompose, put marks into canonical order, and compose again for NFC and NFKC (UAX 15).</summary>
internal sealed class UnicodeNormalizer(UnicodeForm form) : INormalizer
{
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int Vowels = 21, Trails = 28, Syllables = 11172;

    private readonly NormalizationTables _tables = NormalizationTables.Instance;
    private readonly bool _compatible = form is UnicodeForm.Nfkc or UnicodeForm.Nfkd;
    private readonly bool _composes = form is UnicodeForm.Nfc or UnicodeForm.Nfkc;

    public string Normalize(string text)
    {
        // Below U+0300 nothing combines, so composed text stays; below U+0080 nothing changes in any form.
        char unchanged = form == UnicodeForm.Nfc ? '\u02FF' : '\u007F';
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', unchanged)) return text;
        var codes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, codes);
        Reorder(codes);
        if (_composes) Compose(codes);
        var result = new StringBuilder(codes.Count);
        foreach (int code in codes) result.Append(new Rune(code).ToString());
        return result.ToString();
    }

    private void Decompose(int code, List<int> output)
    {
        int syllable = code - SyllableBase;
        if (syllable is >= 0 and < Syllables)
        {
            output.Add(LeadBase + syllable / (Vowels * Trails));
            output.Add(VowelBase + syllable % (Vowels * Trails) / Trails);
            if (syllable % Trails > 0) output.Add(TrailBase + syllable % Trails);
        }
        else if (_tables.Decomposition(code, _compatible) is { } parts)
        {
            foreach (int part in parts) Decompose(part, output);
        }
        else output.Add(code);
    }

    /// <summary>Marks between two starters stand in order of their classes, those of one class as they came.</summary>
    private void Reorder(List<int> codes)
    {
        for (int start = 0; start < codes.Count;)
        {
            int end = start;
            while (end < codes.Count && _tables.ClassOf(codes[end]) != 0) end++;
            if (end - start > 1)
            {
                int[] ordered = [.. codes.GetRange(start, end - start).OrderBy(_tables.ClassOf)];
                for (int i = 0; i < ordered.Length; i++) codes[start + i] = ordered[i];
            }
            start = end + 1;
        }
    }

    private void Compose(List<int> codes)
    {
        int starter = -1, kept = 0;
        byte lastClass = 0;
        for (int at = 0; at < codes.Count; at++)
        {
            int code = codes[at];
            byte combiningClass = _tables.ClassOf(code);
            // A mark reaches its starter only past marks of lower classes; a starter only when it stands next to it.
            bool reaches = starter >= 0 && (kept - 1 == starter || (lastClass != 0 && lastClass < combiningClass));
            if (reaches && TryCompose(codes[starter], code, out int composed))
            {
                codes[starter] = composed;
                continue;
            }
            if (combiningClass == 0) starter = kept;
            lastClass = combiningClass;
            codes[kept++] = code;
        }
        codes.RemoveRange(kept, codes.Count - kept);
    }

    private bool TryCompose(int first, int second, out int composed)
    {
        int lead = first - LeadBase, vowel = second - VowelBase;
        if (lead is >= 0 and < 19 && vowel is >= 0 and < Vowels)
        {
            composed = SyllableBase + (lead * Vowels + vowel) * Trails;
            return true;
        }
        int syllable = first - SyllableBase, trail = second - TrailBase;
        if (syllable is >= 0 and < Syllables && syllable % Trails == 0 && trail is > 0 and < Trails)
        {
            composed = first + trail;
            return true;
        }
        return _tables.TryCompose(first, second, out composed);
    }
}

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
