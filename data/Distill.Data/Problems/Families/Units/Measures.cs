namespace Distill.Data.Problems.Families.Units;

/// <summary>A unit of a ladder of units.</summary>
/// <param name="Name">In the plural.</param>
/// <param name="One">In the singular.</param>
/// <param name="Ladder">Units of one ladder can be converted.</param>
/// <param name="Rung">Its place, from the smallest.</param>
/// <param name="OfNextSmaller">How many of the next smaller one it is; 1 for the smallest.</param>
internal sealed record Unit(string Name, string One, Ladder Ladder, int Rung, int OfNextSmaller)
{
    public Unit Below => Ladder.Units[Rung - 1];

    public Unit Above => Ladder.Units[Rung + 1];
}

/// <summary>Units of one measure, from the smallest; each is a whole number of the one before.</summary>
internal sealed class Ladder
{
    private Ladder(string measure, params IReadOnlyList<(string Name, string One, int Factor)> rungs)
    {
        Measure = measure;
        Units = [.. rungs.Select((rung, i) => new Unit(rung.Name, rung.One, this, i, rung.Factor))];
    }

    /// <summary>What the units measure; two ladders may measure the same.</summary>
    public string Measure { get; }

    public IReadOnlyList<Unit> Units { get; }

    public static Ladder Time { get; } = new(
        "time", ("seconds", "second", 1), ("minutes", "minute", 60), ("hours", "hour", 60), ("days", "day", 24), ("weeks", "week", 7));

    public static Ladder Length { get; } = new(
        "length", ("millimeters", "millimeter", 1), ("centimeters", "centimeter", 10), ("meters", "meter", 100),
        ("kilometers", "kilometer", 1000));

    public static IReadOnlyList<Ladder> All { get; } =
    [
        Time,
        Length,
        new("length", ("inches", "inch", 1), ("feet", "foot", 12), ("yards", "yard", 3)),
        new("weight", ("grams", "gram", 1), ("kilograms", "kilogram", 1000), ("tons", "ton", 1000)),
        new("weight", ("ounces", "ounce", 1), ("pounds", "pound", 16)),
        new("volume", ("milliliters", "milliliter", 1), ("liters", "liter", 1000)),
        new("volume", ("cups", "cup", 1), ("pints", "pint", 2), ("quarts", "quart", 2), ("gallons", "gallon", 4)),
        new("money", ("cents", "cent", 1), ("dollars", "dollar", 100)),
    ];

    public static Unit? Find(string name) =>
        All.SelectMany(ladder => ladder.Units).FirstOrDefault(unit => unit.Name == name || unit.One == name);
}

/// <summary>Counted in one unit, or in one unit per another.</summary>
internal sealed record Measure(Unit Unit, Unit? Per)
{
    public string Text => Per is null ? Unit.Name : $"{Unit.Name} per {Per.One}";

    public bool Fits(Measure other) => Unit.Ladder == other.Unit.Ladder && Per?.Ladder == other.Per?.Ladder;

    /// <returns>Null when the words name no measure.</returns>
    public static Measure? Read(string words) => words.Split(" per ") switch
    {
        [var unit] => Ladder.Find(unit) is { } found ? new Measure(found, null) : null,
        [var unit, var per] => Ladder.Find(unit) is { } found && Ladder.Find(per) is { } time ? new Measure(found, time) : null,
        _ => null,
    };
}
