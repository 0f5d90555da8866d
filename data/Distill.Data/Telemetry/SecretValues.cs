using System.Collections;
using System.Text.RegularExpressions;

namespace Distill.Data.Telemetry;

/// <summary>
/// Takes secrets out of text that is logged, kept, shown or sent: values that are known to be secret, and what looks like a secret wherever
/// it came from (bearer tokens, tokens of the Hub, passwords within addresses and connection strings). Immutable.
/// </summary>
internal sealed partial class SecretValues
{
    public const string Mark = "[secret]";

    private const int Shortest = 6; // a shorter value would take innocent words with it

    private static readonly string[] Words =
        ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "POSTGRES", "WEBHOOK", "HOOK", "HEADERS", "CONNECTION_STRING"];

    private static readonly Lazy<SecretValues> Process = new(() => new SecretValues(OfEnvironment(new HashSet<string>())));

    private readonly string[] values;

    public SecretValues(IEnumerable<string> values) =>
        this.values = [.. values.Where(value => value.Length >= Shortest).Distinct().OrderByDescending(value => value.Length)];

    /// <summary>The secrets of this process's environment when this was first asked for.</summary>
    public static SecretValues OfProcess => Process.Value;

    /// <summary>Values of environment variables whose names say that they are secret.</summary>
    /// <param name="named">Other variables that hold secrets, whatever they are called.</param>
    public static IEnumerable<string> OfEnvironment(IReadOnlySet<string> named) => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .Where(variable => named.Contains((string)variable.Key)
            || Words.Any(word => ((string)variable.Key).Contains(word, StringComparison.OrdinalIgnoreCase)))
        .SelectMany(variable => Parts((string)variable.Key, (string?)variable.Value ?? ""));

    public SecretValues With(IEnumerable<string> more) => new(values.Concat(more));

    public string Without(string text)
    {
        foreach (string value in values) text = text.Replace(value, Mark, StringComparison.Ordinal);
        text = Bearer().Replace(text, "$1 " + Mark);
        text = Hub().Replace(text, Mark);
        text = Password().Replace(text, "$1" + Mark);
        return UserInfo().Replace(text, "$1" + Mark + "@");
    }

    // OTEL_EXPORTER_OTLP_HEADERS is a list of name=value, of which each value may be met alone.
    private static IEnumerable<string> Parts(string name, string value) =>
        name.Contains("HEADERS", StringComparison.OrdinalIgnoreCase)
            ? value.Split(',').Select(pair => pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim())
                .SelectMany(part => part.Split(' ').Prepend(part)).Where(part => !part.Equals("Bearer", StringComparison.Ordinal))
            : [value];

    // A word follows "basic" in many sentences: what has no digit or sign in it, and changes to no upper case, is one.
    [GeneratedRegex(@"\b(Bearer|Basic)\s+(?!realm)(?=[A-Za-z0-9._~+/=-]*(?:[0-9+=_~]|(?-i:[a-z][A-Z])))[A-Za-z0-9._~+/=-]{8,}",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Bearer();

    [GeneratedRegex(@"\b(?:hf_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{16,})")]
    private static partial Regex Hub();

    [GeneratedRegex(@"\b((?:password|pwd)\s*=\s*)[^;\s""']+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Password();

    [GeneratedRegex(@"\b([a-z][a-z0-9+.-]*://)[^\s/@""']+@", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex UserInfo();
}
