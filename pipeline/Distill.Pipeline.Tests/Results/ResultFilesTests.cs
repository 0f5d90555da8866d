using Distill.Pipeline.Reporting;
using Distill.Pipeline.Tests.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>
/// What README and docs say of results is what the committed reports give. DISTILL_REWRITE=1 writes it instead; DISTILL_RESULT_RUN, a
/// run's folder, and DISTILL_RESULT_NAME put that run among them. tools/results sets these.
/// </summary>
public sealed class ResultFilesTests
{
    private static readonly bool Rewrites = Environment.GetEnvironmentVariable("DISTILL_REWRITE") == "1";

    public static TheoryData<string> Documents =>
    [
        "README.md",
        .. Directory.GetFiles(Path.Combine(RepositoryFolder.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(RepositoryFolder.Root, file)).Order(StringComparer.Ordinal),
    ];

    [Fact]
    public void A_report_that_is_kept_has_every_number_and_no_text_of_a_model()
    {
        var slim = SlimReport.Of(SampleReport.Full);
        string text = ReportJson.Write(slim);
        ReportTable.Of(slim).ToMarkdown().ShouldBe(ReportTable.Of(SampleReport.Full).ToMarkdown());
        slim.Comparisons.ShouldBe(SampleReport.Full.Comparisons);
        slim.Verdicts.ShouldBe(SampleReport.Full.Verdicts);
        string[] texts = ["Ann has 12 apples", "apples apples", "3 * 4 = 12"];
        foreach (string said in texts) text.ShouldNotContain(said);
        Keep(Environment.GetEnvironmentVariable("DISTILL_RESULT_RUN"), Environment.GetEnvironmentVariable("DISTILL_RESULT_NAME"));
    }

    [Theory]
    [InlineData("student:\n  base: /tmp/some/where/base-a\n", "student:\n  base: …/base-a\n")]
    [InlineData("student:\n  base: ../../elsewhere/base-a\n", "student:\n  base: …/base-a\n")]
    [InlineData("model: teacher/models/tiny-reasoner", "model: teacher/models/tiny-reasoner")]
    [InlineData("files: [\"/a/b\", c/d]", "files: [\"…/b\", c/d]")]
    [InlineData("endpoint: https://api.example.com/v1", "endpoint: https://api.example.com/v1")]
    [InlineData("rate 3 / 4", "rate 3 / 4")]
    public void Folders_of_a_machine_keep_their_name_alone(string recipe, string kept)
    {
        var report = SampleReport.Full with { Recipe = new RecipeReport([new("teacher.model", "/home/somebody/teacher", null)], recipe) };
        var slim = SlimReport.Of(report);
        slim.Recipe!.Text.ShouldBe(kept);
        ReportJson.Write(slim).ShouldNotContain("somebody");
    }

    [Theory, MemberData(nameof(Documents))]
    public void What_is_said_of_results_is_what_they_give(string document)
    {
        string path = Path.Combine(RepositoryFolder.Root, document), written = File.ReadAllText(path);
        var results = new ResultText(ResultFiles.Committed);
        string made = MarkedText.Fill(written, results.Block, results.Number);
        if (Rewrites) File.WriteAllText(path, made);
        else made.ShouldBe(written, $"{document} is not what docs/results gives: tools/results write makes it so.");
    }

    private static void Keep(string? run, string? name)
    {
        if (string.IsNullOrEmpty(run)) return;
        string path = ResultFiles.Committed.PathOf(
            name ?? throw new InvalidOperationException("DISTILL_RESULT_NAME says what the result is called."));
        var report = SlimReport.Of(ReportJson.Read(File.ReadAllText(Path.Combine(run, "report.json"))));
        _ = new SeedRuns([report], [path]); // it has what is asked of results
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, ReportJson.Write(report));
    }
}
