using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Tests.Results;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// The committed results of the quickstart against the report of a real run of it, which continuous integration names in
/// DISTILL_QUICKSTART_REPORT. Models, sizes, columns and the number of votes must be the run's. Figures need not be: another
/// processor rounds differently and so trains another student of the recipe, as another seed does; each figure may differ from that of
/// one of the committed runs by what chance explains: that of problems and that between students.
/// That README says what the committed results say is another test's subject.
/// </summary>
public sealed partial class ReadmeResultTests
{
    private const string Variable = "DISTILL_QUICKSTART_REPORT", Recipe = "quickstart";

    [Fact]
    public void The_table_of_results_is_that_of_the_quickstart()
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(path), $"No run to compare with: {Variable} names no report.json.");
        string run = ReportTable.Of(ReportJson.Read(File.ReadAllText(path!))).ToMarkdown();
        Differences(Written(), run).ShouldBeEmpty($"The committed tables are not this run's, which is:\n{run}");
    }

    [Fact]
    public void The_table_as_it_is_written_can_be_compared()
    {
        Written()[0].Split('\n').Length.ShouldBeGreaterThan(5);
        foreach (string table in Written()) Differences(Written(), table).ShouldBeEmpty();
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
        Differences([Table("sft", "449 k", written)], Table("sft", "449 k", measured)).Any().ShouldBe(!agree);

    [Theory]
    [InlineData("97.0 % [94.8–98.3]", true)]   // as a lucky seed
    [InlineData("94.0 % [91.2–95.9]", true)]   // between them
    [InlineData("88.0 % [84.4–90.8]", true)]   // as they lie apart
    [InlineData("86.0 % [82.3–89.1]", false)]
    [InlineData("100.0 % [99.0–100.0]", false)]
    public void A_figure_may_be_that_of_any_seed(string measured, bool agree) => Differences(
        [Table("sft", "449 k", "92.5 % [89.5–94.7]"), Table("sft", "449 k", "96.5 % [94.2–97.9]")], Table("sft", "449 k", measured))
        .Any().ShouldBe(!agree);

    [Fact]
    public void Models_sizes_and_columns_may_not_differ()
    {
        string table = Table("sft", "449 k", "41.7");
        Differences([table], Table("rl", "449 k", "41.7")).ShouldNotBeEmpty();
        Differences([table], Table("sft", "1.89 M", "41.7")).ShouldNotBeEmpty();
        Differences([table], table.Replace("tokens", "words", StringComparison.Ordinal)).ShouldNotBeEmpty();
        Differences([table], table + "| rl | 449 k | 41.7 |\n").ShouldNotBeEmpty();
    }

    private static string Table(string model, string size, string cell) =>
        $"| model | parameters | tokens |\n| --- | ---: | ---: |\n| {model} | {size} | {cell} |\n";

    // The runs of the recipe as it is: every seed, and what a processor without products of bf16 makes of it.
    private static List<string> Written() =>
    [
        .. ResultFiles.Committed.Seeds(Recipe).Runs.Append(ResultFiles.Committed.Run(Recipe + "/fp32"))
            .Select(report => ReportTable.Of(report).ToMarkdown()),
    ];

    /// <param name="written">Tables of runs of one recipe: equal but for their figures.</param>
    private static IEnumerable<string> Differences(IReadOnlyList<string> written, string measured)
    {
        var tables = written.Select(table => table.TrimEnd().Split('\n')).ToList();
        string[] first = tables[0], newer = measured.TrimEnd().Split('\n');
        if (first.Length != newer.Length || !first.Take(2).SequenceEqual(newer.Take(2))) yield return "rows or columns are others";
        for (int row = 2; row < Math.Min(first.Length, newer.Length); row++)
        {
            string[] cells = Cells(first[row]), newerCells = Cells(newer[row]);
            if (!cells.Take(2).SequenceEqual(newerCells.Take(2))) yield return $"'{first[row]}' is of another model than '{newer[row]}'";
            for (int column = 2; column < Math.Min(cells.Length, newerCells.Length); column++)
            {
                string[] known = [.. tables.Select(table => Cells(table[row])[column])];
                double spread = Spread([.. known.Select(Estimate.Find).OfType<Estimate>().Select(estimate => estimate.Value)]);
                if (!known.Any(cell => Agree(cell, newerCells[column], spread)))
                    yield return $"{cells[0]}: '{string.Join("', '", known)}' and '{newerCells[column]}'";
            }
        }
    }

    // Standard deviation between students.
    private static double Spread(IReadOnlyList<double> values) => values.Count < 2 ? 0
        : Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Count - 1));

    private static bool Agree(string written, string measured, double spread)
    {
        if (Figure().Replace(written, "0") != Figure().Replace(measured, "0")) return false;
        if (Estimate.Find(written) is not { } one || Estimate.Find(measured) is not { } other) return true;
        // Equal shares of as many problems have equal intervals.
        return one.Value == other.Value ? one == other : one.AgreesWith(other, spread);
    }

    private static string[] Cells(string row) => [.. row.Trim('|').Split('|').Select(cell => cell.Trim())];

    // Any number but that of the votes.
    [GeneratedRegex(@"(?<!k = \d*)(?:&lt;|>)?\d[\d,.]*")]
    private static partial Regex Figure();

    /// <summary>A share with its interval, in percent: <c>64.8 % [59.9–69.3]</c>.</summary>
    private sealed partial record Estimate(double Value, double Low, double High)
    {
        // Two students' shares differ by more than one share does from the truth: the halves of both intervals count.
        public bool AgreesWith(Estimate other, double spread) =>
            Math.Abs(Value - other.Value) <= double.Hypot(double.Hypot((High - Low) / 2, (other.High - other.Low) / 2), spread);

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
