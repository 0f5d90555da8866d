using Distill.Pipeline.Recipes;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;

namespace Distill.Pipeline.Tests.Service;

/// <summary>Schedules beside a recipe that is never opened, for tests of when and whether.</summary>
internal static class SampleSchedules
{
    public const string Text = """
        time_zone: Europe/Berlin
        notifiers:
          - { name: team, webhook_env: TEAM_HOOK, style: slack }
        schedules:
          - name: nightly
            recipe: nightly.yaml
            cron: "30 2 * * *"
            set: { seed: "{date:yyyyMMdd}", sft.epochs: 2, traces.from: "data/{date-1}" }
            then: { notify: team }
        """;

    public static TemporaryFolder Folder()
    {
        var folder = new TemporaryFolder();
        folder.File("nightly.yaml", "name: nightly\n");
        return folder;
    }

    public static ScheduleDocument Parse(TemporaryFolder folder, string text = Text) =>
        ScheduleFile.Parse(text, "schedules.yaml", folder.Path);

    public static IReadOnlyList<RecipeProblem> Problems(TemporaryFolder folder, string text) =>
        Should.Throw<InvalidRecipeException>(() => Parse(folder, text)).Problems;

    public static ScheduleSection Schedule(
        string cron, string zone = "UTC", OverlapPolicy overlap = OverlapPolicy.Skip, CatchUpPolicy catchUp = CatchUpPolicy.One) =>
        new() { Name = "nightly", Recipe = "/nightly.yaml", Cron = cron, TimeZone = zone, Overlap = overlap, CatchUp = catchUp };

    public static DateTimeOffset Utc(string text) =>
        DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal);

    public static Occurrence Waiting(string due) => new(
        Occurrence.CurrentFormat, "nightly", Utc(due), OccurrenceCause.Schedule, OccurrenceState.Waiting, "cpu", Utc(due));
}
