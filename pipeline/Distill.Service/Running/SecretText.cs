using System.Text.Encodings.Web;
using System.Text.Json;
using Distill.Data.Telemetry;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Schedules;

namespace Distill.Service.Running;

/// <summary>
/// Takes the values of secrets out of text that is logged, kept, shown or sent. Secrets are the values of environment variables that are
/// named by the schedules in force or those before, or whose names say so, what it is given, and what looks like one. Thread-safe.
/// </summary>
internal sealed class SecretText
{
    private readonly ScheduleBook? book;

    private volatile Known known;

    private sealed record Known(ScheduleDocument? Document, SecretValues Values);

    public SecretText(IEnumerable<string> values) => known = new(null, new SecretValues(values.SelectMany(Spellings)));

    /// <param name="book">Names variables that hold secrets whatever they are called.</param>
    /// <param name="given">Other secrets; those that are null are none.</param>
    public SecretText(ScheduleBook book, params IEnumerable<string?> given)
        : this(given.OfType<string>()) => this.book = book;

    public string Without(string text) => Values().Without(text);

    private SecretValues Values()
    {
        var now = known;
        if (book?.Document is not { } document || ReferenceEquals(document, now.Document)) return now.Values;
        // What was a secret stays one: a run may have been told it.
        var named = document.Notifiers.SelectMany(notifier => (string?[])[notifier.WebhookEnv, notifier.SecretEnv]).OfType<string>()
            .ToHashSet(StringComparer.Ordinal);
        known = now = new(document, now.Values.With(SecretValues.OfEnvironment(named).SelectMany(Spellings)));
        return now.Values;
    }

    // As pages and JSON escape them: files of either are shown.
    private static IEnumerable<string> Spellings(string value) =>
        [value, Html.Of($"{value}").ToString(), JsonEncodedText.Encode(value).ToString(),
            JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString()];
}
