namespace Distill.Service.Hosting;

/// <summary>Addresses within the service that pages link to.</summary>
internal static class ServicePaths
{
    /// <summary>Hangfire's own pages.</summary>
    public const string Queue = "/queue";

    public const string SignIn = "/sign-in";

    public const string Style = "/style.css";

    public static string Run(string schedule) => $"/schedules/{schedule}/run";

    public static string Pause(string schedule, bool pause) => $"/schedules/{schedule}/{(pause ? "pause" : "resume")}";

    public static string Report(string run) => $"/runs/{run}/report.html";

    public static string Log(string schedule, string occurrence) => $"/schedules/{schedule}/{occurrence}/log";
}
