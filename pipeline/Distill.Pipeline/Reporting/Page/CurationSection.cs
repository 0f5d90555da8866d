namespace Distill.Pipeline.Reporting.Page;

/// <summary>What the students did not get to see, and why.</summary>
internal static class CurationSection
{
    public static Html Of(RunReport report) => Html.If(report.Curation is not null, () =>
    {
        var curation = report.Curation!;
        long all = curation.Kept + curation.Dropped.Values.Sum();
        int sample = (int)Math.Min(all, int.MaxValue);
        Html row(string name, long count) => Parts.Row(
            Html.Of($"{name}"), Parts.Cell(ReportNumbers.Count(count)), all == 0 ? Parts.Absent : Parts.Share((double)count / all, null, sample));
        return Parts.Section(
            "Curation",
            $"{ReportNumbers.Count(all)} traces of the teacher, {ReportNumbers.Count(curation.Kept)} kept; each dropped for the first reason that applied.",
            Parts.Table(
                ["traces", "count", "share"],
                [
                    row("kept", curation.Kept),
                    .. curation.Dropped.OrderByDescending(drop => drop.Value).Select(drop => row($"dropped: {ReportNumbers.Words(drop.Key)}", drop.Value)),
                ]));
    });
}
