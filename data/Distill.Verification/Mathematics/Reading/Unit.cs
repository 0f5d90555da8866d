namespace Distill.Verification.Mathematics.Reading;

/// <summary>What is counted or measured: <c>kg</c>, <c>mi / h</c>, <c>red apple</c>. Immutable.</summary>
/// <param name="Text">In one spelling: <c>kg</c> also for <c>kilograms</c>, things in the singular.</param>
/// <param name="IsMeasure">Whether all of it is known here; else it names things.</param>
internal sealed record Unit(string Text, bool IsMeasure)
{
    public static Unit Percent { get; } = new("%", true);

    public static Unit Degree { get; } = new("°", true);

    /// <summary>"10 units" and "10 square units" name none.</summary>
    public bool IsAny => Text is "unit" or "unit ^2" or "unit ^3";

    /// <summary>Measures must be the same; of things, one may be told more of than the other, as with "red apples" and "apples".</summary>
    public bool Fits(Unit other)
    {
        if (Text == other.Text || IsAny || other.IsAny) return true;
        if (IsMeasure || other.IsMeasure) return false;
        var (mine, theirs) = (Text.Split(' '), other.Text.Split(' '));
        return mine[^1] == theirs[^1] && (mine.All(theirs.Contains) || theirs.All(mine.Contains));
    }
}

/// <summary>Units at the end of a number.</summary>
internal static class Units
{
    private static readonly Dictionary<string, string> Abbreviations = new(StringComparer.Ordinal);

    private static readonly Dictionary<string, string> Words = new(StringComparer.Ordinal)
    {
        ["feet"] = "ft", ["inches"] = "in", ["pounds"] = "lb", ["lbs"] = "lb", ["sec"] = "s", ["secs"] = "s", ["mins"] = "min",
        ["hr"] = "h", ["hrs"] = "h", ["yrs"] = "yr", ["mph"] = "mi / h", ["kph"] = "km / h", ["kmh"] = "km / h", ["usd"] = "$",
        ["eur"] = "€", ["gbp"] = "£",
        ["deg"] = "°", ["rad"] = "rad", ["am"] = "am", ["pm"] = "pm", ["mod"] = "mod", ["ml"] = "mL", ["l"] = "L", ["people"] = "person",
        ["persons"] = "person", ["children"] = "child", ["men"] = "man", ["women"] = "woman",
        ["th"] = "th", ["st"] = "th", ["nd"] = "th", ["rd"] = "th",
    };

    private const int MaxTokens = 12;

    private static readonly char[] Marks = ['.', ',', '!', '?', ':'];

    // "709 is not it" and "5 or so" hedge, or say the opposite: no answer is read into them. Of "2 thirds" the
    // second word is half of the number.
    private static readonly HashSet<string> NoUnits =
    [
        "not", "no", "is", "isn't", "are", "was", "be", "or", "and", "but", "if", "wrong", "incorrect", "maybe", "cannot", "can't", "may",
        "might", "should", "instead", "than", "less", "fewer", "more", "least", "most", "without", "i", "we", "it", "that", "think", "so",
        "answer", "minus", "plus", "times", "over", "divided", "thousand", "million", "billion", "trillion", "hundred", "dozen", "half",
        "halves", "third", "thirds", "fourths", "fifth", "fifths", "sixths", "sevenths", "eighths", "ninths", "tenth", "tenths",
        "hundredths", "thousandths", "factorial", "negative", "below",
    ];

    // Name, plural with an s, and abbreviation.
    private const string Known =
        "meter m,metre m,centimeter cm,centimetre cm,millimeter mm,millimetre mm,kilometer km,kilometre km,inch in,foot ft,yard yd,mile mi,"
        + "gram g,kilogram kg,milligram mg,pound lb,ounce oz,ton ton,tonne t,second s,minute min,hour h,day day,week week,month month,"
        + "year yr,"
        + "liter L,litre L,milliliter mL,millilitre mL,gallon gal,joule J,kilojoule kJ,watt W,kilowatt kW,newton N,volt V,ampere A,amp A,"
        + "hertz Hz,kelvin K,pascal Pa,kilopascal kPa,mole mol,dollar $,euro €,cent cent,rupee ₹,yen ¥,percent %,degree °,radian rad,"
        + "unit unit";

    private static readonly string[] ShortWords =
        ["lbs", "sec", "hr", "hrs", "mins", "mph", "kph", "kmh", "USD", "EUR", "deg", "AM", "PM", "ml", "l", "mod", "th", "st", "nd", "rd"];

    static Units()
    {
        foreach (string pair in Known.Split(','))
        {
            var (word, unit) = (pair.Split(' ')[0], pair.Split(' ')[1]);
            Words[word] = Words[word + "s"] = unit;
            Abbreviations[unit] = unit;
        }

        foreach (string word in ShortWords) Abbreviations[word] = Words[word.ToLowerInvariant()];
    }

    /// <summary>Whether a word that nothing marks as text is a unit, seen on its own: "kg" and "apples", and not "ab".</summary>
    /// <param name="isApart">Whether a blank is before it: "5 m" is a length, "5m" a product.</param>
    public static bool IsUnit(string word, bool isApart)
    {
        if (Abbreviations.ContainsKey(word)) return word.Length > 1 || (isApart && word != "A" && word != "t");
        // "seconds" begins like the secant, and is none.
        if (word.Length > 4 && Words.ContainsKey(word.ToLowerInvariant())) return true;
        if (word.Length < 3 || !word.All(char.IsAsciiLetter) || Functions.At(word, 0) is not null) return word == "°";
        return !IsAlphabetical(word);
    }

    /// <summary>Letters in the order of the alphabet, as in "abc" and "xyz", are variables.</summary>
    public static bool IsAlphabetical(string word) => word.Length <= 4 && word.Zip(word.Skip(1)).All(pair => pair.Second == pair.First + 1);

    /// <returns>Null when the tokens are none, such as a slash alone.</returns>
    public static Unit? Of(ReadOnlySpan<Token> tokens)
    {
        if (tokens.Length > MaxTokens) return null;
        var parts = new List<string>();
        bool isMeasure = true;
        string? power = null;
        foreach (var token in tokens)
        {
            foreach (string word in token.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Trim(Marks)))
            {
                string lower = word.ToLowerInvariant();
                if (NoUnits.Contains(lower) || NoUnits.Contains(Canonical(word))) return null;
                if (PowerWord(lower) is { } before) power = before;
                else if (Mark(token.Kind, lower, parts) is { } mark)
                {
                    // "5 squared" is 25, and no measure.
                    if (mark[0] == '^' && parts is [] or [.., "/"]) return null;
                    parts.Add(mark);
                }
                else if (word.Length > 0 && (char.IsLetter(word[0]) || Abbreviations.ContainsKey(word)))
                {
                    isMeasure &= IsKnown(word);
                    parts.Add(Canonical(word));
                    if (power is not null) parts.Add(power);
                    power = null;
                }
            }
        }

        return parts.Count == 0 || parts[^1] == "/" ? null : new(string.Join(' ', parts), isMeasure);
    }

    private static string? Mark(TokenKind kind, string word, List<string> before) => word switch
    {
        "squared" => "^2",
        "cubed" => "^3",
        "per" or "/" => "/",
        "$" or "€" or "£" or "¥" or "₹" => word,
        "¢" => "cent",
        _ when word.Length == 0 || !word.All(char.IsAsciiDigit) => null,
        _ => kind == TokenKind.Number && before is not ["mod"] ? $"^{word}" : word,
    };

    private static string? PowerWord(string word) => word switch
    {
        "square" or "sq" => "^2",
        "cubic" or "cu" => "^3",
        _ => null,
    };

    private static bool IsKnown(string word) => Abbreviations.ContainsKey(word) || Words.ContainsKey(Lower(word));

    private static string Canonical(string word)
    {
        if (Abbreviations.TryGetValue(word, out string? unit)) return unit;
        string lower = Lower(word);
        if (Words.TryGetValue(lower, out unit)) return unit;
        if (lower.Length > 4 && lower.EndsWith("ies", StringComparison.Ordinal)) return lower[..^3] + "y";
        bool isPlural = lower.Length > 3 && lower.EndsWith('s') && !lower.EndsWith("ss", StringComparison.Ordinal);
        return isPlural ? lower[..^1] : lower;
    }

    // "a.m." is "am".
    private static string Lower(string word) => word.ToLowerInvariant().Replace(".", "", StringComparison.Ordinal);
}
