using System.Text.Json.Nodes;
using Distill.Data.Traces;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>
/// The teacher run by ONNX Runtime GenAI: the same traces, told apart in the store, and refused before any work where it cannot.
/// </summary>
public sealed class TeacherEngineRunTests : IDisposable
{
    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
    private static readonly string Reasoner = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Both_engines_collect_the_same_greedy_traces_and_neither_takes_the_others_for_its_own()
    {
        string[] asked = ["problems.train=16", "teacher.temperature=0", "teacher.top_log_probabilities=2"];
        var until = new RunOptions { Until = "traces" };
        SmallRun.Run(folder, until, asked);
        var expected = Traces();
        var (_, observer) = SmallRun.Run(folder, until, [.. asked, "teacher.engine=genai"]);
        observer.Cached.ShouldNotContain("traces");
        var actual = Traces();
        actual.Count.ShouldBe(16);
        actual.Select(trace => trace.Answer).ShouldBe(expected.Select(trace => trace.Answer));
        actual.SelectMany(trace => trace.TokenIds).ShouldBe(expected.SelectMany(trace => trace.TokenIds));
        actual.SelectMany(trace => trace.TopIds).ShouldBe(expected.SelectMany(trace => trace.TopIds));
        actual.Select(trace => trace.TeacherDigest).Distinct().ShouldBe(expected.Select(trace => trace.TeacherDigest).Distinct());

        // Completions are kept under a name of their own.
        Directory.GetDirectories(Path.Combine(folder.Path, ".store", ".completions")).Length.ShouldBe(2);
        SmallRun.Run(folder, until, asked).Observer.Cached.ShouldContain("traces");
    }

    [Fact]
    public void A_plan_says_what_is_slow_with_it()
    {
        string note = Plan("teacher.engine=genai", "teacher.samples=4", "teacher.slots=64").ShouldHaveSingleItem();
        note.ShouldStartWith("teacher.engine: ");
        note.ShouldContain("64 slots are no faster than one");
        note.ShouldContain("Each of the 4 samples reads its prompt again");
        Plan("teacher.engine=genai", "teacher.slots=1").ShouldBeEmpty();
        Plan("teacher.engine=onnx", "teacher.samples=4").ShouldBeEmpty();
    }

    [Fact]
    public void What_it_cannot_run_is_a_problem_of_the_recipe()
    {
        var problem = Problem("teacher.engine=genai", $"teacher.model={Base}");
        (problem.Path, problem.Value).ShouldBe(("teacher.engine", "genai"));
        problem.Fault.ShouldContain("is a checkpoint");
        problem.Remedy.ShouldContain("the engine onnx runs it");

        string copy = Path.Combine(folder.Path, "copy");
        SmallRun.Copy(Reasoner, copy);
        string file = Path.Combine(copy, "genai_config.json");
        var root = JsonNode.Parse(File.ReadAllText(file))!;
        root["model"]!["decoder"]!["session_options"]!["optimized_model_filepath"] = "out.onnx";
        File.WriteAllText(file, root.ToJsonString());
        Problem("teacher.engine=genai", $"teacher.model={copy}").Fault
            .ShouldContain("model.decoder.session_options.optimized_model_filepath");
        Plan($"teacher.model={copy}"); // the own backend does not read it

        File.Delete(file);
        Problem("teacher.engine=genai", $"teacher.model={copy}").Fault.ShouldContain("needs genai_config.json");
        Plan($"teacher.model={copy}");
    }

    [Theory]
    [InlineData("teacher.engine=other", "teacher.engine")]
    [InlineData("teacher.engine=genai teacher.endpoint=http://localhost:1/v1 teacher.model=gpt", "teacher.engine")]
    public void Words_and_places_that_mean_nothing_are_refused(string overrides, string path) =>
        Should.Throw<InvalidRecipeException>(() => SmallRun.Parse(overrides.Split(' '))).Problems.Select(problem => problem.Path)
            .ShouldContain(path);

    private static IReadOnlyList<string> Plan(params string[] overrides) =>
        RecipePreflight.Require(SmallRun.Parse(overrides), makesStudent: false);

    private static RecipeProblem Problem(params string[] overrides) =>
        Should.Throw<InvalidRecipeException>(() => Plan(overrides)).Problems.ShouldHaveSingleItem();

    private List<Trace> Traces() =>
        [.. Directory.GetFiles(Path.Combine(folder.Path, "small", "2-traces", "data"), "*.parquet").Order().SelectMany(TraceFile.Read)];
}
