using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Service.Occurrences;
using Distill.Service.Running;

namespace Distill.Service.Notifying;

/// <summary>How a scheduled run ended, for whoever wants to know: what, why, and what to type. Holds no secrets.</summary>
/// <param name="Outcome"><c>finished</c>, <c>failed</c> or <c>refused</c>.</param>
/// <param name="Stage">At work when it failed; null otherwise.</param>
/// <param name="Reason">Why it failed; null when it did not.</param>
/// <param name="LastLines">What a failed run said last, oldest first.</param>
/// <param name="Continue">Command that goes on with a failed run; null for one that came to its end.</param>
/// <param name="Report">Path of the report; null when there is none.</param>
/// <param name="Trouble">What went wrong after the run; null when nothing did.</param>
internal sealed record RunNotice(
    string Schedule, string Run, string Outcome, DateTimeOffset Due, DateTimeOffset? Started, DateTimeOffset? Ended, int Attempts,
    string? Stage, string? Reason, IReadOnlyList<string> LastLines, string? Continue, string? Report, string? Trouble)
{
    public const string Finished = "finished", Failed = "failed", Refused = "refused";

    private const int MostLines = 10;

    /// <param name="words">What the last attempt said; null where only the run's folder knows.</param>
    public static RunNotice Of(Occurrence occurrence, string runsFolder, RunWords? words, string? trouble)
    {
        var last = occurrence.Attempts is [.., var newest] ? newest : null;
        bool isFinished = occurrence.State == OccurrenceState.Finished;
        string report = new RunFolder(runsFolder, occurrence.Run).ReportPath;
        bool isDone = last?.End == AttemptEnd.Finished; // whatever was refused afterwards
        string? command = isDone ? null : words?.Continuation ?? $"distill resume {occurrence.Run} --runs {runsFolder}";
        return new RunNotice(
            occurrence.Schedule, occurrence.Run, isFinished ? Finished : occurrence.State == OccurrenceState.Refused ? Refused : Failed,
            occurrence.Due, occurrence.Attempts is [var first, ..] ? first.Started : null, last?.Ended, occurrence.Attempts.Count,
            isFinished ? null : last?.Stage, isFinished ? null : occurrence.Reason,
            isDone ? [] : [.. (words?.LastLines ?? []).TakeLast(MostLines)], command, File.Exists(report) ? report : null, trouble);
    }

    /// <summary><c>nightly failed in sft: the disk is full</c>.</summary>
    public string Headline
    {
        get
        {
            string where = Stage is null ? "" : $" in {Stage}", why = Reason is null ? "" : $": {Reason}";
            string then = Trouble is null ? "" : $", but then {Trouble}";
            return $"{Schedule} {Outcome}{where}{why}{then}";
        }
    }

    /// <summary>Name and value of everything else worth a line, in order.</summary>
    public IEnumerable<(string Name, string Value)> Facts()
    {
        yield return ("run", Run);
        if (Ended - Started is { } time) yield return ("time", $"{(int)time.TotalHours}:{time:mm\\:ss}");
        if (Attempts > 1) yield return ("attempts", $"{Attempts}");
        if (Report is { } report) yield return ("report", report);
        if (Continue is { } command) yield return ("continue", command);
    }

    /// <summary>Every fact, in snake case; what a program is given.</summary>
    public JsonObject ToJson()
    {
        var json = (JsonObject)JsonSerializer.SerializeToNode(this, CanonicalJson.Spelling)!;
        json["event"] = "run_ended";
        return json;
    }
}
