namespace Distill.Verification.Mathematics.Reading;

/// <summary>Functions by their names.</summary>
internal static class Functions
{
    private static readonly Dictionary<string, Function> Names = new(StringComparer.Ordinal)
    {
        ["sin"] = Function.Sin, ["cos"] = Function.Cos, ["tan"] = Function.Tan, ["cot"] = Function.Cot, ["sec"] = Function.Sec,
        ["csc"] = Function.Csc, ["arcsin"] = Function.Arcsin, ["arccos"] = Function.Arccos, ["arctan"] = Function.Arctan,
        ["sinh"] = Function.Sinh, ["cosh"] = Function.Cosh, ["tanh"] = Function.Tanh, ["ln"] = Function.Ln, ["exp"] = Function.Exp,
    };

    // Longer names go first: "sinh" is not "sin" times "h".
    private static readonly string[] InWords =
        [.. Names.Keys.Append("sqrt").Append("log").Append("pi").OrderByDescending(name => name.Length)];

    /// <returns>Null when no function has the name.</returns>
    public static Function? Named(string name) => Names.TryGetValue(name, out var function) ? function : null;

    public static bool IsName(string word) => word is "log" or "sqrt" || Names.ContainsKey(word);

    /// <returns>The inverse that the exponent -1 stands for; null when that is a power.</returns>
    public static Function? Inverse(Function function) => function switch
    {
        Function.Sin => Function.Arcsin,
        Function.Cos => Function.Arccos,
        Function.Tan => Function.Arctan,
        _ => null,
    };

    /// <returns>The name that a run of letters goes on with; null when the next letter is a variable.</returns>
    public static string? At(string word, int start) =>
        InWords.FirstOrDefault(name => word.AsSpan(start).StartsWith(name));
}
