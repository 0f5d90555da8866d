using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Teacher.Remote.Network;

namespace Distill.Service.Schedules;

/// <summary><c>schedules.yaml</c>: what runs by itself, when, and who is told. Immutable, every default filled in.</summary>
internal sealed record ScheduleDocument : Section
{
    [Option("time zone of schedules that name none")]
    public string TimeZone { get; init; } = "UTC";

    [Option("who can be told how a run ended", Minimum = 0, Maximum = 64)]
    public IReadOnlyList<NotifierSection> Notifiers { get; init; } = [];

    [Option("what runs, and when", Required = true, Minimum = 1, Maximum = 64)]
    public IReadOnlyList<ScheduleSection> Schedules { get; init; } = [];

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return Rule.Require(CronTimes.IsZone(TimeZone), nameof(TimeZone), "no time zone of this machine",
            "write its IANA name, e.g. Europe/Berlin or UTC");
        yield return Once(nameof(Notifiers), Notifiers.Select(notifier => notifier.Name));
        yield return Once(nameof(Schedules), Schedules.Select(schedule => schedule.Name));
        string[] names = [.. Notifiers.Select(notifier => notifier.Name)];
        foreach (var schedule in Schedules)
        {
            string[] unknown = [.. schedule.Then.Notified.Except(names)];
            yield return Rule.Require(unknown.Length == 0, nameof(Schedules),
                $"'{schedule.Name}' notifies '{string.Join("', '", unknown)}', which is no notifier",
                unknown.Length == 0 ? "" : names.Length == 0 ? "declare it under notifiers" : Suggestion.Remedy(unknown[0], names));
        }
    }

    private static Rule Once(string property, IEnumerable<string> names)
    {
        string[] twice = [.. names.Where(name => name.Length > 0).GroupBy(name => name).Where(same => same.Count() > 1)
            .Select(same => same.Key)];
        return Rule.Require(twice.Length == 0, property, $"'{string.Join("', '", twice)}' is there twice", "give each a name of its own");
    }
}

/// <summary>How a message is spelled for whoever reads it.</summary>
internal enum MessageStyle
{
    /// <summary>An object with every fact, for programs.</summary>
    Json,

    Slack,

    Mattermost,

    Discord,

    /// <summary>A Microsoft Teams workflow that takes an adaptive card.</summary>
    Teams,
}

internal enum NotifyWhen
{
    Always,
    Failure,
}

/// <summary>An entry of <c>notifiers</c>. Addresses of webhooks are secrets, so the file names environment variables only.</summary>
internal sealed record NotifierSection : Section
{
    [Option("what `then.notify` calls it", Required = true)]
    public string Name { get; init; } = "";

    [Option("environment variable that holds the address of a webhook", Default = "none")]
    public string? WebhookEnv { get; init; }

    [Option("environment variable that holds the key with which requests are signed (HMAC-SHA256)", Default = "none: not signed")]
    public string? SecretEnv { get; init; }

    [Option("what the webhook expects")]
    public MessageStyle Style { get; init; } = MessageStyle.Json;

    [Option("where the webhook lies: `public` (https only), `loopback` or `private`; http is allowed in the last two")]
    public NetworkScope Network { get; init; } = NetworkScope.Public;

    [Option("a program that is started instead, without a shell; it reads the `json` message from its input", Default = "none",
        Path = PathUse.Files, Remedy = "give the path of a program")]
    public string? Command { get; init; }

    [Option("`always`, or after a `failure` only")]
    public NotifyWhen When { get; init; } = NotifyWhen.Always;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return Rule.Require(RunName.IsValid(Name), nameof(Name), "not usable as a name", RunName.Rule);
        yield return Rule.Require((WebhookEnv is null) != (Command is null), nameof(WebhookEnv),
            WebhookEnv is null ? "nothing says how it is told" : "a webhook and a command are two notifiers",
            "write webhook_env or command", nameof(Command));
        yield return Variable(nameof(WebhookEnv), WebhookEnv);
        yield return Variable(nameof(SecretEnv), SecretEnv);
        yield return Rule.Unused(Command is not null, nameof(Style), "a command is given json", "leave it out");
        yield return Rule.Unused(Command is not null, nameof(Network), "a command is started on this machine", "leave it out");
        yield return Rule.Unused(Command is not null, nameof(SecretEnv), "what a command is given is not signed", "leave it out");
    }

    private static Rule Variable(string property, string? name) =>
        Rule.Require(name is null || (name.Length is > 0 and <= 128 && !char.IsAsciiDigit(name[0])
                && name.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_')), property,
            "not the name of an environment variable (not shown, it may be the secret itself)",
            "write a name of capitals, digits and _, and put the secret into that variable") with { ShowsValue = false };
}
