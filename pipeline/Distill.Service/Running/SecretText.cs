using System.Collections;

namespace Distill.Service.Running;

/// <summary>
/// Takes the values of secrets out of text that is logged, kept, shown or sent. Secrets are the values of environment variables that are
/// named as such, or whose names say so. Immutable, thread-safe.
/// </summary>
internal sealed class SecretText
{
    private const int Shortest = 6; // a shorter value would take innocent words with it

    private const string Mark = "[secret]";

    private static readonly string[] Words = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "POSTGRES", "WEBHOOK", "HOOK"];

    private readonly string[] values;

    public SecretText(IEnumerable<string> values) =>
        this.values = [.. values.Where(value => value.Length >= Shortest).Distinct().OrderByDescending(value => value.Length)];

    /// <param name="named">Variables that hold secrets whatever they are called.</param>
    public static SecretText OfEnvironment(IEnumerable<string> named)
    {
        var names = named.ToHashSet(StringComparer.Ordinal);
        return new(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(variable => names.Contains((string)variable.Key)
                || Words.Any(word => ((string)variable.Key).Contains(word, StringComparison.OrdinalIgnoreCase)))
            .Select(variable => (string?)variable.Value ?? ""));
    }

    public string Without(string text)
    {
        foreach (string value in values) text = text.Replace(value, Mark, StringComparison.Ordinal);
        return text;
    }
}
