using System.Collections;
using Distill.Service.Schedules;

namespace Distill.Service.Running;

/// <summary>
/// Takes the values of secrets out of text that is logged, kept, shown or sent. Secrets are the values of environment variables that are
/// named by the schedules in force or those before, or whose names say so, and what it is given. Thread-safe.
/// </summary>
internal sealed class SecretText
{
    private const int Shortest = 6; // a shorter value would take innocent words with it

    private const string Mark = "[secret]";

    private static readonly string[] Words = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "POSTGRES", "WEBHOOK", "HOOK"];

    private readonly ScheduleBook? book;

    private volatile Known known;

    private sealed record Known(ScheduleDocument? Document, string[] Values);

    public SecretText(IEnumerable<string> values) => known = new(null, Ordered(values));

    /// <param name="book">Names variables that hold secrets whatever they are called.</param>
    /// <param name="given">Other secrets; those that are null are none.</param>
    public SecretText(ScheduleBook book, params IEnumerable<string?> given)
        : this(given.OfType<string>()) => this.book = book;

    private string[] Values()
    {
        var now = known;
        if (book?.Document is not { } document || ReferenceEquals(document, now.Document)) return now.Values;
        // What was a secret stays one: a run may have been told it.
        known = now = new(document, Ordered(now.Values.Concat(OfEnvironment(document.Notifiers))));
        return now.Values;
    }

    private static string[] Ordered(IEnumerable<string> values) =>
        [.. values.Where(value => value.Length >= Shortest).Distinct().OrderByDescending(value => value.Length)];

    private static IEnumerable<string> OfEnvironment(IEnumerable<NotifierSection> notifiers)
    {
        var names = notifiers.SelectMany(notifier => (string?[])[notifier.WebhookEnv, notifier.SecretEnv]).ToHashSet();
        return Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(variable => names.Contains((string)variable.Key)
                || Words.Any(word => ((string)variable.Key).Contains(word, StringComparison.OrdinalIgnoreCase)))
            .Select(variable => (string?)variable.Value ?? "");
    }

    public string Without(string text)
    {
        foreach (string value in Values()) text = text.Replace(value, Mark, StringComparison.Ordinal);
        return text;
    }
}
