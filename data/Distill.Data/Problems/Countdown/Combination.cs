using System.Globalization;

namespace Distill.Data.Problems.Countdown;

/// <summary>A value made from numbers, and how: <c>( 3 + 5 ) * 2</c> with the steps that compute it.</summary>
internal sealed record Combination(int Value, string Text, IReadOnlyList<string> Steps)
{
    public static Combination Of(int number) => new(number, number.ToString(CultureInfo.InvariantCulture), []);

    /// <summary>Sum, difference and product, in the order in which traces list them; differences are never negative.</summary>
    public static IReadOnlyList<Combination> All(Combination a, Combination b) =>
        [Join(a, '+', b), a.Value >= b.Value ? Join(a, '-', b) : Join(b, '-', a), Join(a, '*', b)];

    /// <summary>
    /// What has to be found so that together with <paramref name="last"/> it makes <paramref name="target"/>: |target − last|,
    /// target + last, and target ÷ last or null when that is not whole.
    /// </summary>
    public static IReadOnlyList<int?> Needs(int target, int last) =>
        [Math.Abs(target - last), target + last, last != 0 && target % last == 0 ? target / last : null];

    /// <summary>Completes a match for the need at <paramref name="need"/> of <see cref="Needs"/>.</summary>
    public static Combination Complete(Combination found, Combination last, int target, int need) => need switch
    {
        0 when target >= last.Value => Join(found, '+', last),
        0 => Join(last, '-', found),
        1 => Join(found, '-', last),
        _ => Join(found, '*', last),
    };

    private static Combination Join(Combination a, char op, Combination b)
    {
        var value = op switch { '+' => a.Value + b.Value, '-' => a.Value - b.Value, _ => a.Value * b.Value };
        var step = string.Create(CultureInfo.InvariantCulture, $"{a.Value} {op} {b.Value} = {value}");
        return new Combination(value, $"{a.Nested} {op} {b.Nested}", [.. a.Steps, .. b.Steps, step]);
    }

    private string Nested => Steps.Count == 0 ? Text : $"( {Text} )";
}
