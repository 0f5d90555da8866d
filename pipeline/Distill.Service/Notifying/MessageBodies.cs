using System.Text;
using System.Text.Json.Nodes;
using Distill.Service.Schedules;

namespace Distill.Service.Notifying;

/// <summary>
/// A notice as the usual chat tools take it (Slack and Mattermost: incoming webhooks; Discord: webhooks; Teams: a workflow that posts an
/// adaptive card). What a run said stands where nothing of it is read as markup or as a mention.
/// </summary>
internal static class MessageBodies
{
    private const int LongestText = 2800, LongestDiscord = 1900;

    public static JsonObject Of(RunNotice notice, MessageStyle style) => style switch
    {
        MessageStyle.Json => notice.ToJson(),
        MessageStyle.Slack => Slack(notice),
        MessageStyle.Mattermost => new JsonObject { ["text"] = Cut(Markdown(notice, "**"), LongestText) },
        MessageStyle.Discord => new JsonObject
        {
            ["content"] = Cut(Markdown(notice, "**"), LongestDiscord),
                ["allowed_mentions"] = new JsonObject { ["parse"] = new JsonArray() },
        },
        MessageStyle.Teams => Teams(notice),
        _ => throw new ArgumentOutOfRangeException(nameof(style), style, "Unknown style."),
    };

    private static JsonObject Slack(RunNotice notice) => new()
    {
        ["text"] = SlackEscaped(Plain(notice.Headline)), // what a notification on a phone shows
        ["blocks"] = new JsonArray(new JsonObject
        {
            ["type"] = "section",
            ["text"] = new JsonObject { ["type"] = "mrkdwn", ["text"] = Cut(SlackEscaped(Markdown(notice, "*")), LongestText) },
        }),
    };

    private static JsonObject Teams(RunNotice notice)
    {
        var body = new JsonArray(
            new JsonObject { ["type"] = "TextBlock", ["text"] = Plain(notice.Headline), ["weight"] = "bolder", ["wrap"] = true },
            new JsonObject
            {
                ["type"] = "FactSet",
                ["facts"] = new JsonArray([.. notice.Facts().Select(fact =>
                    (JsonNode)new JsonObject { ["title"] = fact.Name, ["value"] = Plain(fact.Value) })]),
            });
        if (notice.LastLines.Count > 0)
        {
            body.Add((JsonNode)new JsonObject
            {
                ["type"] = "TextBlock", ["text"] = Cut(Plain(string.Join("\n\n", notice.LastLines)), LongestText), ["wrap"] = true,
                ["fontType"] = "monospace",
            });
        }

        var card = new JsonObject
        {
            ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json", ["type"] = "AdaptiveCard", ["version"] = "1.4",
                ["body"] = body,
        };
        return new JsonObject
        {
            ["type"] = "message",
            ["attachments"] = new JsonArray(new JsonObject
            {
                ["contentType"] = "application/vnd.microsoft.card.adaptive", ["content"] = card,
            }),
        };
    }

    private static string Markdown(RunNotice notice, string bold)
    {
        var text = new StringBuilder($"{bold}{Plain(notice.Headline)}{bold}");
        foreach (var (name, value) in notice.Facts()) text.Append($"\n{name}: `{Plain(value)}`");
        if (notice.LastLines.Count > 0) text.Append("\n```\n").AppendJoin('\n', notice.LastLines.Select(Plain)).Append("\n```");
        return text.ToString();
    }

    // Backticks would end the code that the words stand in; a word joiner keeps '@' from calling anybody.
    private static string Plain(string text) =>
        text.Replace('`', '\'').Replace("*", "∗", StringComparison.Ordinal).Replace("@", "@\u2060", StringComparison.Ordinal);

    private static string SlackEscaped(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    private static string Cut(string text, int longest) => text.Length <= longest ? text : text[..longest] + "…";
}
