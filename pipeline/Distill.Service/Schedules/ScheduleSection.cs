using System.Text.Json;
using Distill.Data.Sources.Files;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Service.Schedules;

/// <summary>What becomes of an occurrence that comes while an earlier one of its schedule waits or runs.</summary>
internal enum OverlapPolicy
{
    Skip,
    Queue,
    Cancel,
}

/// <summary>What becomes of occurrences that nobody was there to start.</summary>
internal enum CatchUpPolicy
{
    None,
    One,
    All,
}

/// <summary>An entry of <c>schedules</c>: a recipe and when it runs. Times are wall clock times of <see cref="TimeZone"/>.</summary>
internal sealed record ScheduleSection : Section
{
    /// <summary>A run's name is this and the time, which together have at most 64 characters.</summary>
    public const int LongestName = 46;

    public const int LongestLabel = 20;

    [Option("name of the schedule, at most 46 of a-z, 0-9, `-`, `_` and `.`; its runs are called by it and their time", Required = true)]
    public string Name { get; init; } = "";

    [Option("recipe file, relative to this one", Required = true, Path = PathUse.Files, Remedy = "give the path of a recipe")]
    public string Recipe { get; init; } = "";

    [Option("minute, hour, day of the month, month and day of the week, e.g. `0 2 * * *`; `@daily` and the like too", Required = true)]
    public string Cron { get; init; } = "";

    [Option("IANA name of the time zone that `cron` speaks of, e.g. `Europe/Berlin`", From = "time_zone")]
    public string TimeZone { get; init; } = "UTC";

    [Option("false: it is kept and never starts by itself")]
    public bool Enabled { get; init; } = true;

    [Option("while an earlier run of it waits or runs: `skip` the new one, `queue` it behind, or `cancel` the earlier one")]
    public OverlapPolicy Overlap { get; init; } = OverlapPolicy.Skip;

    [Option("what was missed because nothing ran to start it: `none` of it, `one` run for all of it, or `all`, the newest 100 at most")]
    public CatchUpPolicy CatchUp { get; init; } = CatchUpPolicy.One;

    [Option("what happens after a failure")]
    public RetrySection Retries { get; init; } = new();

    [Option("what the run needs, as a label of your own: of all runs with the same label only one is at work")]
    public string Resource { get; init; } = "cpu";

    [Option("true: `distill worker`s do its runs, on this machine or others (docs/many-machines.md); needs the queue in PostgreSQL")]
    public bool Fleet { get; init; }

    [Option("a run that takes longer is stopped and counts as failed; 0: no limit", Minimum = 0, Maximum = 8784, Unit = "hours")]
    public int LimitHours { get; init; }

    [Option("which of its run folders are removed; what they made stays in the store until `distill artefacts gc`")]
    public RetentionSection Retention { get; init; } = new();

    [Option("values of the recipe, as after `--set`; `{date}` is the day of the occurrence, `{date-7}` a week before, `{date:yyyyMMdd}` "
        + "the day in that form, `{date:MMddHHmm}` the time too", Default = "none")]
    public IReadOnlyDictionary<string, JsonElement> Set { get; init; } = new Dictionary<string, JsonElement>();

    [Option("what happens after a run")]
    public FollowUpSection Then { get; init; } = new();

    internal CronTimes Times() => CronTimes.Parse(Cron, TimeZone);

    /// <summary><see cref="Set"/> as the command line spells it.</summary>
    /// <param name="day">Of the occurrence, in the schedule's time zone.</param>
    internal IReadOnlyList<string> OverridesOn(DateTime day) =>
        [.. Set.Select(pair => $"{pair.Key}={DatedText.Fill(TextOf(pair.Value), day)}")];

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return Rule.Require(RunName.IsValid(Name) && Name.Length <= LongestName, nameof(Name), "not usable in a run's name",
            $"use 1 to {LongestName} of a-z 0-9 - _ . and begin with a letter or digit");
        yield return Rule.Require(!SourceFile.IsPattern(Recipe), nameof(Recipe), "a pattern, not a file", "give one recipe");
        yield return Rule.Require(CronTimes.IsCron(Cron), nameof(Cron), "not a time that comes",
            "write minute hour day month weekday, e.g. '0 2 * * *' for two in the morning");
        yield return Rule.Require(CronTimes.IsZone(TimeZone), nameof(TimeZone), "no time zone of this machine",
            "write its IANA name, e.g. Europe/Berlin or UTC");
        yield return Rule.Require(IsLabel(Resource), nameof(Resource), "not usable as a label",
            $"use 1 to {LongestLabel} of a-z 0-9 - _ and begin with a letter");
        foreach (var (key, value) in Set)
        {
            yield return Rule.Require(DatedText.Fault(TextOf(value)) is null, nameof(Set),
                $"{key}: {DatedText.Fault(TextOf(value))}", "write {date}, {date-7}, {date:yyyyMMdd} or {date:MMddHHmm}");
        }
    }

    private static bool IsLabel(string text) => text.Length is > 0 and <= LongestLabel && char.IsAsciiLetterLower(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };
}

/// <summary>Why an attempt may be made again.</summary>
internal enum RetryReason
{
    /// <summary>The run ended with a fault (exit code 1): a full disk, an endpoint that is down.</summary>
    Fault,

    /// <summary>Its process died without a word.</summary>
    Crash,

    /// <summary>It took longer than <c>limit_hours</c>.</summary>
    Limit,

    /// <summary>A gate refused (exit code 3).</summary>
    Gate,
}

/// <summary><c>retries</c>: a failed run goes on where it stopped, a few times.</summary>
internal sealed record RetrySection : Section
{
    private static readonly string[] Known = [.. Enum.GetValues<RetryReason>().Select(reason => OptionDeclaration.Spell(reason))];

    [Option("further attempts after a failure; a stopped server costs none", Minimum = 0, Maximum = 100)]
    public int Attempts { get; init; } = 2;

    [Option("before the first of them; twice as long before each further one, a day at most", Minimum = 0, Maximum = 1440,
        Unit = "minutes")]
    public int DelayMinutes { get; init; } = 10;

    [Option("after which failures: `fault`, `crash`, `limit`, `gate`. A recipe that is wrong is never tried again", Listed = true)]
    public string On { get; init; } = "fault, crash";

    internal bool Covers(RetryReason reason) => Words().Contains(OptionDeclaration.Spell(reason));

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        string[] unknown = [.. Words().Except(Known)];
        yield return Rule.Require(unknown.Length == 0, nameof(On), $"'{string.Join("', '", unknown)}' is no reason",
            unknown.Length == 0 ? "" : Suggestion.Remedy(unknown[0], Known));
    }

    private string[] Words() => WordList.Of(On);
}

/// <summary><c>retention</c>: how many runs of a schedule stay. A run that waits or is at work always does.</summary>
internal sealed record RetentionSection : Section
{
    [Option("newest runs that stay; 0: all", Minimum = 0, Maximum = 100_000)]
    public int Runs { get; init; }

    [Option("runs that ended longer ago go; 0: never", Minimum = 0, Maximum = 36_500, Unit = "days")]
    public int Days { get; init; }
}

/// <summary><c>then</c>: what follows a finished run, in this order; <c>notify</c> follows a failed one too.</summary>
internal sealed record FollowUpSection : Section
{
    [Option("place that applications load, relative to this file: the run's model goes there if the promotion gate agrees; "
        + "if it does not, nothing is pushed", Default = "nowhere", Path = PathUse.Place)]
    public string? Promote { get; init; }

    [Option("bring the run's model there, e.g. `hf://me/my-student`; may hold `{date}`", Default = "nowhere")]
    public string Push { get; init; } = "";

    [Option("names of notifiers that are told how the run ended", Default = "none", Listed = true)]
    public string Notify { get; init; } = "";

    internal IReadOnlyList<string> Notified => WordList.Of(Notify);

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return Rule.Require(Push.Length == 0 || Push.StartsWith("hf://", StringComparison.Ordinal), nameof(Push),
            "no place on the Hub", "write hf://owner/name, or leave it out");
        yield return Rule.Require(DatedText.Fault(Push) is null, nameof(Push), DatedText.Fault(Push) ?? "",
            "write {date}, {date-7}, {date:yyyyMMdd} or {date:MMddHHmm}");
    }
}

/// <summary>Several words in one option.</summary>
internal static class WordList
{
    public static string[] Of(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
