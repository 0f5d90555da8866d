using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// README's table of results against the report of a real run of the quickstart, which continuous integration names in
/// DISTILL_QUICKSTART_REPORT. Models, sizes, columns and the number of votes must be the run's. Figures need not be: another
/// processor rounds differently and so trains a slightly different student; each must lie within the other's 95 % interval.
/// </summary>
public sealed partial class ReadmeResultTests
{
    private const string Variable = "DISTILL_QUICKSTART_REPORT";

    [Fact]
    public void The_table_of_results_is_that_of_the_quickstart()
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(path), $"No run to compare with: {Variable} names no report.json.");
        string markdown = ReportTable.Of(ReportJson.Read(File.ReadAllText(path!))).ToMarkdown();
        string[] run = markdown.TrimEnd().Split('\n');
        string[] readme = [.. File.ReadAllLines(Path.Combine(RepositoryFolder.Root, "README.md")).SkipWhile(line => line != run[0])
            .TakeWhile(line => line.StartsWith('|'))];
        string remedy = $"README's table is not this run's, which is:\n{markdown}";
        readme.Length.ShouldBe(run.Length, remedy);
        readme[1].ShouldBe(run[1], remedy);
        foreach (var (written, measured) in readme.Zip(run).Skip(2)) Compare(Cells(written), Cells(measured), remedy);
    }

    private static void Compare(string[] written, string[] measured, string remedy)
    {
        written.Length.ShouldBe(measured.Length, remedy);
        written[..2].ShouldBe(measured[..2], remedy); // the model and its size
        foreach (var (one, other) in written.Zip(measured).Skip(2))
        {
            Shape(one).ShouldBe(Shape(other), remedy);
            var (a, b) = (Estimate.Find(one), Estimate.Find(other));
            if (a is null || b is null) continue;
            b.Contains(a.Value).ShouldBeTrue(remedy);
            a.Contains(b.Value).ShouldBeTrue(remedy);
            // Equal shares of as many problems have equal intervals.
            if (a.Value == b.Value) a.ShouldBe(b, remedy);
        }
    }

    // Figures left out, but for the number of votes in brackets.
    private static string Shape(string cell) => Figure().Replace(cell, "0");

    private static string[] Cells(string row) => [.. row.Trim('|').Split('|').Select(cell => cell.Trim())];

    [GeneratedRegex(@"(?<!k = \d*)(?:&lt;|>)?\d[\d,.]*")]
    private static partial Regex Figure();

    /// <summary>A share with its interval, in percent: <c>64.8 % [59.9–69.3]</c>.</summary>
    private sealed partial record Estimate(double Value, double Low, double High)
    {
        public bool Contains(double value) => value >= Low && value <= High;

        public static Estimate? Find(string cell)
        {
            var match = Pattern().Match(cell);
            double Number(string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
            return match.Success ? new(Number("value"), Number("low"), Number("high")) : null;
        }

        [GeneratedRegex(@"^(?:&lt;|>)?(?<value>[\d.]+) % \[(?<low>[\d.]+)–(?<high>[\d.]+)\]$")]
        private static partial Regex Pattern();
    }
}
