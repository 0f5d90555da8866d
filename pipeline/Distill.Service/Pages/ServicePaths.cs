using System.Globalization;
using Distill.Storage;

namespace Distill.Service.Pages;

/// <summary>Addresses within the service, and what the menu calls its pages. Names in them are escaped.</summary>
internal static class ServicePaths
{
    public const string Overview = "overview", Runs = "runs", Models = "models", Compare = "compare", Store = "store", Fleet = "fleet";

    /// <summary>Hangfire's own pages.</summary>
    public const string Queue = "/queue";

    public const string SignIn = "/sign-in";

    /// <summary>Shows the form that ends a browser's session; there is one where somebody signed in with a provider.</summary>
    public const string SignOut = "/sign-out";

    /// <summary>For Prometheus.</summary>
    public const string Metrics = "/metrics";

    public const string Style = "/style.css", Script = "/service.js";

    public static string Run(string name) => $"/runs/{Escaped(name)}";

    public static string Of(string run, string part) => $"{Run(run)}/{part}";

    public static string Schedule(string name) => $"/schedules/{Escaped(name)}";

    /// <summary>Where a form asks for a run of it now.</summary>
    public static string RunNow(string schedule) => $"{Schedule(schedule)}/run";

    public static string Pause(string schedule, bool pause) => $"{Schedule(schedule)}/{(pause ? "pause" : "resume")}";

    public static string Log(string schedule, string occurrence) => $"{Schedule(schedule)}/{Escaped(occurrence)}/log";

    public static string CompareWith(string before, string? after) =>
        $"/compare?a={Escaped(before)}" + (after is null ? "" : $"&b={Escaped(after)}");

    /// <summary>Of an artefact; a version beyond the first follows the key as commands spell it.</summary>
    public static string Artefact(StoreKey key, int version) => $"/artefacts/{key.Kind}/{key.Digest}{VersionOf(version)}";

    public static string File(StoreKey key, int version, string path) =>
        $"{Artefact(key, version)}/{string.Join('/', path.Split('/').Select(Escaped))}";

    public static string Escaped(string text) => Uri.EscapeDataString(text);

    /// <summary>Key and version as <see cref="Artefact"/> spells them; null for anything else.</summary>
    public static (StoreKey Key, int Version)? Parse(string kind, string reference)
    {
        string[] parts = reference.Split('~');
        bool isPlain = parts.Length <= 2 && FileDigest.IsValid(parts[0]) && kind.Length is > 0 and <= 40
            && kind.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
        if (!isPlain) return null;
        int version = 1;
        bool isVersion = parts.Length == 1
            || (int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out version) && version > 1);
        return isVersion ? (new StoreKey(kind, parts[0]), version) : null;
    }

    private static string VersionOf(int version) => version > 1 ? $"~{version.ToString(CultureInfo.InvariantCulture)}" : "";
}
