using Distill.Service.Schedules;
using Json.Schema;

namespace Distill.Pipeline.Tests.Service;

public sealed class ScheduleFileTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleSchedules.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_left_out_has_its_default_and_paths_are_relative_to_the_file()
    {
        var schedule = SampleSchedules.Parse(folder).Schedules.ShouldHaveSingleItem();
        schedule.TimeZone.ShouldBe("Europe/Berlin");
        schedule.Recipe.ShouldBe(folder.File("nightly.yaml"));
        (schedule.Overlap, schedule.CatchUp, schedule.Resource).ShouldBe((OverlapPolicy.Skip, CatchUpPolicy.One, "cpu"));
        schedule.Then.Notified.ShouldBe(["team"]);
        schedule.Retries.Covers(RetryReason.Fault).ShouldBeTrue();
        schedule.Retries.Covers(RetryReason.Gate).ShouldBeFalse();
    }

    [Fact]
    public void Values_of_the_recipe_hold_the_day_of_the_occurrence() =>
        SampleSchedules.Parse(folder).Schedules[0].OverridesOn(new DateTime(2026, 3, 1))
            .ShouldBe(["seed=20260301", "sft.epochs=2", "traces.from=data/2026-02-28"]);

    [Theory]
    [InlineData("a {date} b", "a 2026-03-01 b")]
    [InlineData("{date+1}", "2026-03-02")]
    [InlineData("{date-1:yyyy/MM/dd}", "2026/02/28")]
    [InlineData("{ name: words }", "{ name: words }")]
    public void Dates_are_filled_in_and_other_braces_stay(string text, string filled) =>
        DatedText.Fill(text, new DateTime(2026, 3, 1)).ShouldBe(filled);

    [Fact]
    public void Every_problem_is_said_at_once_with_path_value_and_remedy()
    {
        const string Text = """
            time_zone: Mars/Olympus
            notifiers:
              - { name: team }
              - { name: bot, webhook_env: "https://hooks.example.com/secret" }
            schedules:
              - { name: Nightly!, recipe: none.yaml, cron: "61 2 * * *", overlap: skipp }
              - { name: b, recipe: nightly.yaml, cron: "0 0 30 2 *", resource: "GPU 0", limit_hours: -1 }
              - { name: b, recipe: nightly.yaml, cron: "@daily", set: { seed: "{date:H}" }, then: { push: me/x, notify: all } }
            """;
        var problems = SampleSchedules.Problems(folder, Text);
        string[] expected =
        [
            "line 1: time_zone = Mars/Olympus: no time zone of this machine",
            "notifiers[0].webhook_env: nothing says how it is told",
            "line 4: notifiers[1].webhook_env: not the name of an environment variable",
            "line 6: schedules[0].name = Nightly!: not usable",
            "line 6: schedules[0].recipe = none.yaml: there is no file",
            "line 6: schedules[0].cron = \"61 2 * * *\": not a time that comes",
            "line 6: schedules[0].overlap = skipp: not one of skip, queue, cancel; did you mean 'skip'?",
            "line 7: schedules[1].cron = \"0 0 30 2 *\": not a time that comes",
            "line 7: schedules[1].resource = \"GPU 0\": not usable as a label",
            "line 7: schedules[1].limit_hours = -1: out of range; allowed: 0..8,784",
            "schedules[2].set = {...}: seed: '{date:H}' is no date",
            "schedules[2].then.push = me/x: no place on the Hub",
            "'b' is there twice",
            "'b' notifies 'all', which is no notifier; known: team, bot",
        ];
        string all = string.Join('\n', problems);
        foreach (string problem in expected) all.ShouldContain(problem);
        all.ShouldNotContain("hooks.example.com");
    }

    [Theory]
    [InlineData("schedules: []", "nothing is scheduled")]
    [InlineData("", "schedules: missing")]
    [InlineData("schedule: []", "did you mean 'schedules'?")]
    public void A_file_without_schedules_is_refused(string text, string message) =>
        string.Join('\n', SampleSchedules.Problems(folder, text)).ShouldContain(message);

    [Fact]
    public void The_schema_accepts_the_sample_and_refuses_what_the_reader_refuses()
    {
        var schema = JsonSchema.FromText(ScheduleFile.Schema());
        Valid(
            """{ "schedules": [ { "name": "a", "recipe": "r.yaml", "cron": "0 2 * * *", "set": { "seed": 1 }, "then": {} } ] }""")
            .ShouldBeTrue();
        Valid("""{ "schedules": [] }""").ShouldBeFalse();
        Valid("""{ "schedules": [ { "name": "a", "cron": "0 2 * * *" } ] }""").ShouldBeFalse();
        Valid("""{ "schedules": [ { "name": "a", "recipe": "r.yaml", "cron": "0 2 * * *", "overlap": "often" } ] }""").ShouldBeFalse();

        bool Valid(string json) => schema.Evaluate(System.Text.Json.JsonDocument.Parse(json).RootElement).IsValid;
    }
}
