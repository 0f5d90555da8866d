using System.Text.Json;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>From a file of problems to an exported, evaluated student, and what a growing file costs.</summary>
public sealed class SourceRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Problem[] problems =
        [.. ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 11, Split.Train, 120)];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_alone_gives_a_student_and_a_growing_one_keeps_its_completions()
    {
        Write(problems[..80]);
        var (first, observer) = Run(Text("  on_bad_row: skip"));
        first.Report.ShouldNotBeNull();
        Directory.Exists(first.ModelFolder).ShouldBeTrue();
        observer.Summaries["problems/train"].ShouldContain("1 bad rows");
        var before = Traces("file");
        before.ShouldAllBe(trace => trace.Problem.Source == "own" && trace.Problem.Verifier == "math"
            && trace.Problem.System == "Be right.");

        Write(problems);
        var (_, again) = Run(Text("  on_bad_row: skip"));

        var after = Traces("file");
        after.Count.ShouldBeGreaterThan(before.Count);
        var kept = after.ToDictionary(trace => trace.Problem.Id);
        before.ShouldAllBe(trace => kept[trace.Problem.Id].Answer == trace.Answer
            && kept[trace.Problem.Id].Problem.Split == trace.Problem.Split);
        again.Done.ShouldContain("traces");
    }

    [Fact]
    public void Beside_the_problems_lies_what_each_source_gave_and_what_was_left_out()
    {
        Write(problems[..60]);
        PipelineRun.Run(Parse(Text("  on_bad_row: skip")), new RunOptions { RunsFolder = folder["runs"], Only = "problems" },
            new RecordingObserver(), TimeProvider.System, TestContext.Current.CancellationToken);

        string train = Path.Combine(folder["runs"], "file", "1-problems", "train");
        var source = JsonDocument.Parse(File.ReadAllText(Path.Combine(train, ProblemArtifact.SourcesName))).RootElement[0];
        source.GetProperty("name").GetString().ShouldBe("own");
        source.GetProperty("place").GetString().ShouldBe("own.jsonl");
        source.GetProperty("licence").GetString().ShouldBe("cc0-1.0");
        (source.GetProperty("rows").GetInt32(), source.GetProperty("bad").GetInt32()).ShouldBe((61, 1));
        source.GetProperty("digest").GetString()!.Length.ShouldBe(64);
        string dropped = File.ReadAllLines(Path.Combine(train, ProblemArtifact.DroppedName))[0];
        dropped.ShouldContain("\"place\":\"own.jsonl, line 61\"");
        dropped.ShouldContain("\"reason\":\"bad_row\"");
        File.ReadAllText(Path.Combine(train, ProblemArtifact.SourcesName)).ShouldNotContain(folder.Path);
    }

    private (RunResult Result, RecordingObserver Observer) Run(string text)
    {
        var observer = new RecordingObserver();
        var result = PipelineRun.Run(
            Parse(text), new RunOptions { RunsFolder = folder["runs"] }, observer, TimeProvider.System,
            TestContext.Current.CancellationToken);
        return (result, observer);
    }

    private DistillationRecipe Parse(string text) => (DistillationRecipe)RecipeFile.Parse(text, "file.yaml", folder.Path);

    private List<Trace> Traces(string run) =>
        [.. Directory.EnumerateFiles(Path.Combine(folder["runs"], run, "2-traces"), "*.parquet", SearchOption.AllDirectories)
            .Order().SelectMany(TraceFile.Read)];

    private void Write(IEnumerable<Problem> rows) => File.WriteAllText(folder["own.jsonl"], string.Concat(rows.Select(problem =>
        JsonSerializer.Serialize(new { question = problem.Text, answer = problem.ReferenceAnswer, told = "Be right." }) + "\n"))
        + "{\"question\":\"no answer\"}\n");

    private static string Text(string more) => $$"""
        name: file
        seed: 3
        teacher: { model: {{RepositoryFolder.Root}}/teacher/models/tiny-reasoner, max_tokens: 64, slots: 16 }
        student: { base: {{RepositoryFolder.Root}}/student/models/tiny-base }
        problems:
          sources:
            - { file: own.jsonl, system: told, verifier: math, licence: cc0-1.0 }
          near_duplicates: 1
          shared_words: 0
          train: 1000
        {{more}}
        sft: { epochs: 1, batch_tokens: 1024 }
        answer_only: { enabled: false }
        rl: { steps: 0 }
        parity: { prompts: 2, tokens: 8 }
        evaluation: { samples: 0, max_tokens: 48, slots: 16 }
        """;
}
