using Distill.Data.Telemetry;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>The page that names the metrics is made from their definitions: <c>DISTILL_REWRITE=1</c> writes it anew.</summary>
public sealed class WatchPageTests
{
    private const string Begin = "<!-- metrics -->\n", End = "<!-- end -->";

    private static readonly string Page = Path.Combine(RepositoryFolder.Root, "docs", "watch.md");

    [Fact]
    public void Its_table_is_that_of_the_code()
    {
        string text = File.ReadAllText(Page);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, end = text.IndexOf(End, begin, StringComparison.Ordinal);
        string made = text[..begin] + Table() + text[end..];
        if (Environment.GetEnvironmentVariable("DISTILL_REWRITE") == "1") File.WriteAllText(Page, made);
        File.ReadAllText(Page).ShouldBe(made, "DISTILL_REWRITE=1 writes it anew");
    }

    private static string Table()
    {
        var rows = Instruments.All.Select(metric => string.Join(" | ",
            $"| `{metric.Name}`", metric.Source == MetricSource.Run ? "a run" : "the service",
            metric.Kind.ToString().ToLowerInvariant(), $"`{metric.Unit}`",
            string.Join(", ", metric.Attributes.Select(attribute => $"`{attribute}`")), $"{metric.Meaning} |"));
        return "| metric | of | kind | unit | attributes | meaning |\n|---|---|---|---|---|---|\n" + string.Join('\n', rows) + "\n";
    }
}
