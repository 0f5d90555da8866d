using Distill.Pipeline.Reporting.Page;
using Distill.Service.Hosting;
using Microsoft.AspNetCore.Http;

namespace Distill.Service.Pages;

/// <summary>Who looks at a page.</summary>
/// <param name="Name">Of somebody who signed in with a provider and can sign out; null for who has a key, or needs none.</param>
internal sealed record Visitor(bool MayAct, string? Name)
{
    public static Visitor Of(HttpContext context) => new(ServiceAccess.MayAct(context), ServiceAccess.SignedIn(context));
}

/// <summary>What every page has around its content: head, menu, heading. Whole without scripts; ours keeps it up to date.</summary>
/// <param name="Here">The entry of the menu that the page belongs to.</param>
/// <param name="Heading">Markup of the heading.</param>
internal sealed record PageFrame(string Title, string Here, Html Heading, Html Content)
{
    /// <summary>While something is at work that the page shows.</summary>
    public const int AtWork = 3;

    /// <summary>Otherwise.</summary>
    public const int AtRest = 30;

    private static readonly (string Name, string Path)[] Menu =
    [
        (ServicePaths.Overview, "/"), (ServicePaths.Runs, "/runs"), (ServicePaths.Models, "/models"),
        (ServicePaths.Compare, "/compare"), (ServicePaths.Store, "/store"), (ServicePaths.Fleet, "/fleet"),
        ("queue", ServicePaths.Queue),
    ];

    /// <summary>Seconds until it is asked for again.</summary>
    public int Refresh { get; init; } = AtRest;

    /// <summary>Above the heading: where one is.</summary>
    public Html Eyebrow { get; init; }

    public string Render(Visitor visitor, DateTimeOffset now) => Html.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <noscript><meta http-equiv="refresh" content="{Refresh}"></noscript>
        <title>{Title} · Distill</title>
        <link rel="stylesheet" href="{ServicePaths.Style}">
        <link rel="icon" href="data:,">
        <script src="{ServicePaths.Script}" defer></script>
        </head>
        <body data-refresh="{Refresh}">
        <a class="skip" href="#content">Skip to the content</a>
        <nav class="bar" aria-label="Pages"><span class="brand">Distill</span>
        <ul>{Menu.Select(Entry)}</ul>
        {Door(visitor)}
        </nav>
        <main id="content" tabindex="-1">
        <header id="heading" data-live>
        {Eyebrow}
        <h1>{Heading}</h1>
        </header>
        {Content}
        <footer><span id="moment" data-live>As of {PageWords.Second(now)} UTC</span><span id="stale" role="status" hidden></span></footer>
        </main>
        </body>
        </html>

        """).ToString();

    private static Html Door(Visitor visitor) => visitor.Name is { } name
        ? Html.Of($"<a class=\"sign-in\" href=\"{ServicePaths.SignOut}\">{name}: sign out</a>")
        : Html.If(!visitor.MayAct, () => Html.Of($"<a class=\"sign-in\" href=\"{ServicePaths.SignIn}\">sign in to act</a>"));

    private Html Entry((string Name, string Path) entry) => entry.Name == Here
        ? Html.Of($"<li><a href=\"{entry.Path}\" aria-current=\"page\">{entry.Name}</a></li>")
        : Html.Of($"<li><a href=\"{entry.Path}\">{entry.Name}</a></li>");
}
