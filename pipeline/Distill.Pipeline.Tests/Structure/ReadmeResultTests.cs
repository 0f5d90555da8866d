using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Tests.Results;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// The committed results of the quickstart against the report of a real run of it, which continuous integration names in
/// DISTILL_QUICKSTART_REPORT. Models, sizes, columns and the number of votes must be the run's. Figures need not be: another
/// processor rounds differently and so trains a slightly different student; they may differ by what is likely of two such students.
/// That README says what the committed results say is another test's subject.
/// </summary>
public sealed partial class ReadmeResultTests
{
    private const string Variable = "DISTILL_QUICKSTART_REPORT", FirstRun = "quickstart/seed-1";

    [Fact]
    public void The_table_of_results_is_that_of_the_quickstart()
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(path), $"No run to compare with: {Variable} names no report.json.");
        string run = ReportTable.Of(ReportJson.Read(File.ReadAllText(path!))).ToMarkdown();
        Differences(Written(), run).ShouldBeEmpty($"The committed table is not this run's, which is:\n{run}");
    }

    [Fact]
    public void The_table_as_it_is_written_can_be_compared()
    {
        Written().Split('\n').Length.ShouldBeGreaterThan(5);
        Differences(Written(), Written()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("64.8 % [59.9–69.3]", "62.1 % [57.2–66.7]", true)]    // another student
    [InlineData("64.8 % [59.9–69.3]", "72.2 % [67.6–76.4]", false)]   // a better one
    [InlineData("64.8 % [59.9–69.3]", "64.8 % [61.1–68.2]", false)]   // asked more problems
    [InlineData("64.8 % [59.9–69.3]", "64.8 %", false)]
    [InlineData("62.8 % (k = 4)", "61.0 % (k = 4)", true)]
    [InlineData("62.8 % (k = 4)", "62.8 % (k = 16)", false)]
    [InlineData("64.7 → 58.9 %", "65.3 → 60.1 %", true)]
    [InlineData("0.0 %", "&lt;0.1 %", true)]
    [InlineData("41.7", "—", false)]
    public void Figures_may_differ_by_what_chance_explains(string written, string measured, bool agree) =>
        Differences(Table("sft", "449 k", written), Table("sft", "449 k", measured)).Any().ShouldBe(!agree);

    [Fact]
    public void Models_sizes_and_columns_may_not_differ()
    {
        string table = Table("sft", "449 k", "41.7");
        Differences(table, Table("rl", "449 k", "41.7")).ShouldNotBeEmpty();
        Differences(table, Table("sft", "1.89 M", "41.7")).ShouldNotBeEmpty();
        Differences(table, table.Replace("tokens", "words", StringComparison.Ordinal)).ShouldNotBeEmpty();
        Differences(table, table + "| rl | 449 k | 41.7 |\n").ShouldNotBeEmpty();
    }

    private static string Table(string model, string size, string cell) =>
        $"| model | parameters | tokens |\n| --- | ---: | ---: |\n| {model} | {size} | {cell} |\n";

    // The run of the recipe as it is; until one is committed, the first table of README whose rows are models.
    private static string Written() => ResultFiles.Committed.Has(FirstRun)
        ? ReportTable.Of(ResultFiles.Committed.Run(FirstRun)).ToMarkdown()
        : string.Join('\n', File.ReadAllLines(Path.Combine(RepositoryFolder.Root, "README.md"))
        .SkipWhile(line => !line.StartsWith("| model |", StringComparison.Ordinal)).TakeWhile(line => line.StartsWith('|')));

    private static IEnumerable<string> Differences(string written, string measured)
    {
        string[] one = written.TrimEnd().Split('\n'), other = measured.TrimEnd().Split('\n');
        if (one.Length != other.Length || !one.Take(2).SequenceEqual(other.Take(2))) yield return "rows or columns are others";
        foreach (var (row, newer) in one.Zip(other).Skip(2))
        {
            string[] cells = Cells(row), newerCells = Cells(newer);
            if (!cells.Take(2).SequenceEqual(newerCells.Take(2))) yield return $"'{row}' is of another model than '{newer}'";
            foreach (var (cell, newerCell) in cells.Zip(newerCells).Skip(2).Where(pair => !Agree(pair.First, pair.Second)))
                yield return $"{cells[0]}: '{cell}' and '{newerCell}'";
        }
    }

    private static bool Agree(string written, string measured)
    {
        if (Figure().Replace(written, "0") != Figure().Replace(measured, "0")) return false;
        if (Estimate.Find(written) is not { } one || Estimate.Find(measured) is not { } other) return true;
        // Equal shares of as many problems have equal intervals.
        return one.Value == other.Value ? one == other : one.AgreesWith(other);
    }

    private static string[] Cells(string row) => [.. row.Trim('|').Split('|').Select(cell => cell.Trim())];

    // Any number but that of the votes.
    [GeneratedRegex(@"(?<!k = \d*)(?:&lt;|>)?\d[\d,.]*")]
    private static partial Regex Figure();

    /// <summary>A share with its interval, in percent: <c>64.8 % [59.9–69.3]</c>.</summary>
    private sealed partial record Estimate(double Value, double Low, double High)
    {
        // Two students' shares differ by more than one share does from the truth: the halves of both intervals count.
        public bool AgreesWith(Estimate other) =>
            Math.Abs(Value - other.Value) <= double.Hypot((High - Low) / 2, (other.High - other.Low) / 2);

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
