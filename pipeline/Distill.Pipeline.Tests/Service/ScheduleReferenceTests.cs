using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Service.Schedules;

namespace Distill.Pipeline.Tests.Service;

/// <summary>What people and editors read about schedules is what the declarations say, as with recipes. DISTILL_REWRITE=1 writes
/// it.</summary>
public sealed class ScheduleReferenceTests
{
    private static readonly bool Rewrites = Environment.GetEnvironmentVariable("DISTILL_REWRITE") == "1";

    private static readonly Dictionary<string, SectionDeclaration> Kinds =
        new() { ["schedules"] = SectionDeclaration.Of(typeof(ScheduleDocument)) };

    [Fact]
    public void The_tables_are_the_ones_that_are_committed()
    {
        string path = Path.Combine(RepositoryFolder.Root, "docs/schedule.md"), committed = File.ReadAllText(path);
        string made = RecipeReference.Fill(committed, Kinds);
        if (Rewrites) File.WriteAllText(path, made);
        else made.ShouldBe(committed, "docs/schedule.md is made from the declarations: run the tests once with DISTILL_REWRITE=1.");
        foreach (string key in (string[])["time_zone", "recipe", "retries.attempts", "retention.days", "then.notify", "webhook_env"])
            made.ShouldContain($"| `{key}` |");
    }

    [Fact]
    public void The_command_prints_the_schema() => CommandLineRun.Of("schema", "--schedules").Out.ShouldBe(ScheduleFile.Schema());

    [Fact]
    public void The_example_in_the_documentation_is_valid()
    {
        using var folder = new TemporaryFolder();
        folder.File("recipes/gsm8k.yaml", "");
        string page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs/schedule.md"));
        int start = page.IndexOf("    time_zone:", StringComparison.Ordinal);
        string example = page[start..page.IndexOf("\nand leave", start, StringComparison.Ordinal)];
        ScheduleFile.Parse(example, "schedules.yaml", folder.Path).Schedules.ShouldHaveSingleItem().Then.Notified.ShouldBe(["team"]);
    }
}
