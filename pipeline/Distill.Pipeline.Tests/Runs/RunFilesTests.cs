using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>The files around the artefacts, after kills and bad input.</summary>
public sealed class RunFilesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_metric_is_not_glued_to_a_line_that_a_kill_cut_off()
    {
        string path = folder.File("metrics.jsonl", "{\"step\":1}\n{\"step\":2,\"lo");
        using (var metrics = new RunMetrics(path, TimeProvider.System))
            metrics.Add("sft", 3, new Dictionary<string, double> { ["loss"] = 0.5, ["broken"] = double.NaN });
        string last = File.ReadAllLines(path)[^1];
        JsonNode.Parse(last)!["step"]!.GetValue<int>().ShouldBe(3);
        JsonNode.Parse(last)!["broken"].ShouldBeNull();
    }

    [Fact]
    public void Two_writers_of_one_file_of_metrics_lose_no_line()
    {
        string path = folder.File("metrics.jsonl");
        using (var one = new RunMetrics(path, TimeProvider.System))
        using (var other = new RunMetrics(path, TimeProvider.System))
        {
            RunMetrics[] writers = [one, other];
            Parallel.For(0, 400, step =>
                writers[step % 2].Add("sft", step, new Dictionary<string, double> { [new string('x', 1 + (step * 7))] = step }));
        }

        File.ReadLines(path).Select(line => JsonNode.Parse(line)!["step"]!.GetValue<int>()).Order().ShouldBe(Enumerable.Range(0, 400));
    }

    [Fact]
    public void Two_processes_cannot_work_on_one_run()
    {
        var run = new RunFolder(folder.Path, "one");
        using (run.Lock())
        {
            run.IsLocked().ShouldBeTrue();
            Should.Throw<RunRefusedException>(() => run.Lock()).Message.ShouldContain("Another process");
        }

        run.IsLocked().ShouldBeFalse();
    }

    [Fact]
    public void What_does_not_fit_the_models_is_said_before_anything_is_written()
    {
        var fault = Should.Throw<InvalidRecipeException>(() => SmallRun.Run(
            folder, null, "sft.sequence_length=513", "sft.batch_tokens=1024", "answer_only.sequence_length=600"));
        fault.Problems.Select(problem => problem.Path).ShouldBe(["sft.sequence_length", "answer_only.sequence_length"]);
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void A_corrupt_base_is_named_before_the_teacher_works()
    {
        string source = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base"), copy = Path.Combine(folder.Path, "base");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.EnumerateFiles(source)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        using (var stream = File.OpenWrite(Path.Combine(copy, "model.safetensors"))) stream.SetLength(1000);
        var problem = Should.Throw<InvalidRecipeException>(() => SmallRun.Run(folder, null, $"student.base={copy}"))
            .Problems.ShouldHaveSingleItem();
        problem.Path.ShouldBe("student.base");
        problem.Fault.ShouldContain("model.safetensors");
        Directory.Exists(Path.Combine(folder.Path, "small")).ShouldBeFalse();
    }
}
