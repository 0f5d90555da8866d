using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Distill.Pipeline.Recipes;

namespace Distill.Cli.Parsing;

/// <summary>Options that say their range and default in the help, and say them again when a value does not fit.</summary>
internal static class CommandOptions
{
    public static Option<T> Number<T>(string name, string description, T least, T most, T otherwise)
        where T : struct, INumber<T> => new(name)
        {
            HelpName = "N",
            Description = $"{description} {Range(least, most)}, default {Text(otherwise)}.",
            DefaultValueFactory = _ => otherwise,
            CustomParser = result => Parse(name, result, least, most, otherwise),
        };

    /// <summary>A number that may be left out for something that is not a number, which the description names.</summary>
    public static Option<T?> OptionalNumber<T>(string name, string description, T least, T most)
        where T : struct, INumber<T> => new(name)
        {
            HelpName = "N",
            Description = $"{description} {Range(least, most)}.",
            CustomParser = result => Parse(name, result, least, most, least),
        };

    /// <summary>One of a few words.</summary>
    public static Option<string> Word(string name, string description, IReadOnlyCollection<string> words, string? otherwise = null)
    {
        var option = new Option<string>(name) { HelpName = string.Join('|', words), Description = description };
        if (otherwise is not null)
        {
            option.DefaultValueFactory = _ => otherwise;
            option.Description += $" Default {otherwise}.";
        }

        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !words.Contains(token.Value))
                result.AddError($"{name} '{token.Value}' is not known; {Suggestion.Remedy(token.Value, words)}");
        });
        return option;
    }

    private static T Parse<T>(string name, ArgumentResult result, T least, T most, T otherwise)
        where T : struct, INumber<T>
    {
        if (result.Tokens is not [var token]) return otherwise;
        if (T.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least
            && value <= most) return value;
        string kind = T.IsInteger(least + (T.One / (T.One + T.One))) ? "whole number" : "number";
        result.AddError($"{name} '{token.Value}' does not fit: give a {kind}, {Range(least, most)}");
        return otherwise;
    }

    private static string Range<T>(T least, T most)
        where T : IFormattable => most is long.MaxValue ? $"{Text(least)} and up" : $"{Text(least)}..{Text(most)}";

    private static string Text<T>(T number)
        where T : IFormattable => number.ToString(number is double ? "0.######" : "N0", CultureInfo.InvariantCulture);
}
