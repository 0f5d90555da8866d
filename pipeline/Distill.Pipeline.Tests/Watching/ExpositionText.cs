using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>One line of what Prometheus reads.</summary>
internal sealed record ExposedSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// Reads the text format of Prometheus, version 0.0.4, and is stricter than Prometheus: HELP and TYPE come first and once, samples of a
/// metric stand together, no series comes twice, counters end with _total, escapes are the three that there are.
/// </summary>
internal static partial class ExpositionText
{
    public static IReadOnlyList<ExposedSample> Parse(string text)
    {
        text.ShouldEndWith("\n");
        text.ShouldNotContain("\r");
        var types = new Dictionary<string, string>();
        var samples = new List<ExposedSample>();
        var series = new HashSet<string>();
        string current = "", helped = "";
        foreach (string line in text[..^1].Split('\n'))
        {
            line.ShouldNotBeEmpty();
            if (Help().Match(line) is { Success: true } help)
            {
                helped = help.Groups[1].Value;
                types.ShouldNotContainKey(helped);
            }
            else if (Type().Match(line) is { Success: true } type)
            {
                (current, string kind) = (type.Groups[1].Value, type.Groups[2].Value);
                current.ShouldBe(helped);
                types.Add(current, kind);
                (kind == "counter").ShouldBe(current.EndsWith("_total", StringComparison.Ordinal));
            }
            else
            {
                var sample = Sample().Match(line);
                sample.Success.ShouldBeTrue(line);
                string name = sample.Groups["name"].Value;
                name.ShouldBe(current);
                series.Add(name + sample.Groups["labels"].Value).ShouldBeTrue(line);
                samples.Add(new(name, Labels(sample.Groups["labels"].Value), Number(sample.Groups["value"].Value)));
            }
        }

        return samples;
    }

    private static Dictionary<string, string> Labels(string text)
    {
        var labels = new Dictionary<string, string>();
        foreach (Match label in Label().Matches(text))
            labels.Add(label.Groups[1].Value, Escape().Replace(label.Groups[2].Value, found =>
                found.Value switch { "\\n" => "\n", "\\\\" => "\\", _ => "\"" }));
        return labels;
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\]|\\[\\n])+$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$")]
    private static partial Regex Type();

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\})? """
        + """(?<value>[-+]?(?:\d[\d.eE+-]*|Inf)|NaN)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("""([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)[",]""")]
    private static partial Regex Label();

    [GeneratedRegex("""\\["\\n]""")]
    private static partial Regex Escape();
}
