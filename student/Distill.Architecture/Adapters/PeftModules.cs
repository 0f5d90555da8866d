using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Architecture;

/// <summary>
/// Which modules of a model an adapter's configuration means: target_modules as a list of names, a pattern or <c>all-linear</c>, less
/// exclude_modules, in layers_to_transform only, and never what modules_to_save keeps whole. Source: huggingface/peft,
/// <c>check_target_module_exists</c> and <c>get_pattern_key</c>. Immutable.
/// </summary>
internal sealed class PeftModules
{
    private const string AllLinear = "all-linear";
    private const int LongestPattern = 20_000;
    private const int MostPatterns = 4096;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1); // a pattern from outside may take forever

    private readonly IReadOnlyList<string> targets;
    private readonly IReadOnlyList<string> excluded;
    private readonly Regex? targetPattern; // instead of the list
    private readonly Regex? excludedPattern;
    private readonly IReadOnlyList<int> layers;
    private readonly IReadOnlyList<string> layerLists;
    private readonly bool isAllLinear;

    private PeftModules(ConfigFields fields)
    {
        targets = fields.Strings("target_modules");
        excluded = fields.Strings("exclude_modules");
        layers = fields.TokenIds("layers_to_transform"); // a whole number or a list of them
        layerLists = fields.Strings("layers_pattern");
        Kept = fields.Strings("modules_to_save");
        isAllLinear = fields.IsString("target_modules") && string.Equals(targets[0], AllLinear, StringComparison.OrdinalIgnoreCase);
        targetPattern = fields.IsString("target_modules") && !isAllLinear ? Pattern(fields, "target_modules", targets[0]) : null;
        excludedPattern = fields.IsString("exclude_modules") ? Pattern(fields, "exclude_modules", excluded[0]) : null;
    }

    /// <summary>modules_to_save: trained and stored whole.</summary>
    public IReadOnlyList<string> Kept { get; }

    public static PeftModules Read(ConfigFields fields) => new(fields);

    /// <param name="module">Its name in the model without adapters, e.g. <c>model.layers.0.self_attn.q_proj</c>.</param>
    /// <exception cref="InvalidDataException">The pattern takes too long.</exception>
    public bool Targets(string module)
    {
        if (Kept.Any(name => IsAtOrBelow(name, module))) return false; // what is kept whole is a copy without adapters, inside too
        if (excludedPattern is not null ? Fits(excludedPattern, module) : Names(excluded, module)) return false;
        if (isAllLinear) return module.Contains("_proj", StringComparison.Ordinal); // every linear layer but the head
        if (targetPattern is not null) return Fits(targetPattern, module);
        return Names(targets, module) && (targets.Contains(module) || IsInLayers(module));
    }

    /// <summary>Numbers of modules by pattern, in the file's order.</summary>
    public static IReadOnlyList<(Regex Pattern, double Number)> Numbers(ConfigFields fields, string key)
    {
        var numbers = fields.NumbersByName(key);
        fields.Require(numbers.Count <= MostPatterns, $"{key} has {numbers.Count} patterns; at most {MostPatterns} are read");
        var patterns = new List<(Regex, double)>();
        foreach (var (pattern, number) in numbers.Take(MostPatterns))
        {
            var compiled = Compiled($"^(.*\\.)?({pattern})$");
            fields.Require(compiled is not null, $"'{Short(pattern)}' in {key} is not a pattern");
            if (compiled is not null) patterns.Add((compiled, number));
        }

        return patterns;
    }

    /// <summary>The number that the first fitting pattern gives a module; null when none fits.</summary>
    /// <exception cref="InvalidDataException">A pattern takes too long.</exception>
    public static double? First(IReadOnlyList<(Regex Pattern, double Number)> patterns, string module)
    {
        foreach (var (pattern, number) in patterns)
            if (Fits(pattern, module)) return number;
        return null;
    }

    private static bool Names(IReadOnlyList<string> names, string module) =>
        names.Any(name => module == name || module.EndsWith($".{name}", StringComparison.Ordinal));

    private static bool IsAtOrBelow(string name, string module) =>
        $".{module}.".Contains($".{name}.", StringComparison.Ordinal);

    private bool IsInLayers(string module)
    {
        if (layers.Count == 0) return true;
        string[] parts = module.Split('.');
        for (int i = parts.Length - 1; i > 0; i--)
            if (int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out int layer)
                && (layerLists.Count == 0 || layerLists.Contains(parts[i - 1])))
                return layers.Contains(layer);
        return false;
    }

    private static Regex? Pattern(ConfigFields fields, string key, string pattern)
    {
        var compiled = Compiled($"^(?:{pattern})$");
        fields.Require(compiled is not null, $"{key} '{Short(pattern)}' is neither {AllLinear} nor a pattern that can be read");
        return compiled;
    }

    // Python's spelling of a named group is the only difference that occurs.
    private static Regex? Compiled(string pattern)
    {
        if (pattern.Length > LongestPattern) return null;
        try
        {
            return new Regex(pattern.Replace("(?P<", "(?<", StringComparison.Ordinal), RegexOptions.CultureInvariant, s_patience);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool Fits(Regex pattern, string module)
    {
        try
        {
            return pattern.IsMatch(module);
        }
        catch (RegexMatchTimeoutException slow)
        {
            throw new InvalidDataException($"'{Short(pattern.ToString())}' takes too long to be compared with '{module}'.", slow);
        }
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
