using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;
using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Several teachers in one recipe, by domain and on the same problems.</summary>
public sealed class SeveralTeachersRunTests : IDisposable
{
    private const string Variable = "DISTILL_TEST_SEVERAL_TEACHERS_KEY";

    private readonly TemporaryFolder folder = new();
    private readonly string other;

    public SeveralTeachersRunTests()
    {
        other = folder["other-reasoner"];
        SmallRun.Copy(Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner"), other);
        // Another model by its digest, which nothing vouches for.
        File.Delete(Path.Combine(other, "distill.json"));
        File.AppendAllText(Path.Combine(other, "generation_config.json"), "\n");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void By_domain_and_on_the_same_problems_all_traces_are_one_set()
    {
        string[] recipe = ByDomain("0.9");
        var (result, observer) = Run(recipe);
        observer.Summaries["traces"].ShouldBe("24 of tiny-reasoner, 24 of other-reasoner, 24 of other-reasoner");
        var traces = Read(Path.Combine(result.Folder, "2-traces")).ToList();
        traces.Where(trace => trace.Problem.Domain == "words").ShouldAllBe(trace => trace.Teacher == "other-reasoner");
        var sums = traces.Where(trace => trace.Problem.Domain == "arithmetic").GroupBy(trace => trace.Problem.Id).ToList();
        sums.Count.ShouldBe(24);
        sums.ShouldAllBe(each => each.Select(trace => trace.SampleIndex).SequenceEqual(new[] { 0, 1 })
            && each.Select(trace => trace.Teacher).SequenceEqual(new[] { "tiny-reasoner", "other-reasoner" })
            && each.Select(trace => trace.TeacherDigest).Distinct().Count() == 2);
        // The traces of a problem follow one another, in the order of the problems.
        var order = ProblemFile.Read(Path.Combine(result.Folder, "1-problems", "train", "problems.jsonl")).Select(problem => problem.Id);
        traces.Select(trace => trace.Problem.Id).Distinct().ShouldBe(order);
        traces.Zip(traces.Skip(1)).Count(pair => pair.First.Problem.Id == pair.Second.Problem.Id).ShouldBe(24);

        Run(recipe).Observer.Done.ShouldBeEmpty();
        // What one teacher is asked is no business of the others.
        Run(ByDomain("0.8")).Observer.Done.ShouldBe(["traces/3", "traces", "curated"]);
        Run([.. ByDomain("0.8"), "teachers.0.domains=arithmetic"]).Observer.Done.ShouldBe(["traces/2", "traces", "curated"]);
        Run([.. ByDomain("0.8"), "teachers.0.domains=words, words"]).Observer.Done.ShouldBeEmpty();
        string resolved = Path.Combine(folder.Path, "small", "recipe.yaml");
        ((DistillationRecipe)RecipeFile.Load(resolved, ["teachers=[]", "teacher.domains="])).Teachers.ShouldBeEmpty();
        ((DistillationRecipe)RecipeFile.Load(resolved)).Teachers.Select(teacher => (teacher.Model, teacher.Domains))
            .ShouldBe([(other, "words, words"), (other, "arithmetic")]);
    }

    [Fact]
    public void A_whole_run_says_who_taught()
    {
        string[] brief = ["problems.train=24", "sft.epochs=1", "answer_only.enabled=false", "rl.steps=0", "evaluation.samples=0",
            "parity.prompts=2", "problems.twins=0", "teacher.licence=mit", $"teachers=[ {{ model: {other}, licence: apache-2.0 }} ]"];
        var (result, _) = SmallRun.Run(folder, null, brief);
        var report = result.Report.ShouldNotBeNull();
        report.Evaluations.Select(row => row.Model).ShouldBe(["teacher", "base", "sft", "onnx"]);
        report.Notes.ShouldContain(
            "Traces of several teachers were learned: 24 of tiny-reasoner, 24 of other-reasoner. The table's teacher is the first.");
        string card = File.ReadAllText(Path.Combine(result.ModelFolder!, "README.md"));
        card.ShouldContain("tiny-reasoner and other-reasoner");
        card.ShouldContain("apache-2.0");
        CommandLineRun.Of("lineage", "small", "--runs", folder.Path).Out.ShouldContain(other);
    }

    [Fact]
    public void What_an_interrupted_joining_left_is_set_aside_and_no_row_is_lost()
    {
        string[] recipe = TwiceSixHundred;
        var (result, _) = Run(recipe);
        string whole = SmallRun.LockOf(folder), traces = Path.Combine(result.Folder, "2-traces");
        string made = Path.GetFullPath(new DirectoryInfo(traces).LinkTarget!, result.Folder);
        Directory.GetFiles(Path.Combine(made, "data")).Length.ShouldBe(3); // 1,200 traces, two of each problem
        File.Delete(ManifestFile.Newest(made)!.Value.Path);
        string part = Path.Combine(made, "data", "train-00001.parquet");
        SmallRun.Unprotect(part);
        File.WriteAllText(part, "of another version");
        Run(recipe).Observer.Done.ShouldContain("traces");
        SmallRun.LockOf(folder).ShouldBe(whole);
        Read(traces).Count().ShouldBe(1200);
    }

    /// <summary>A budget is each teacher's own: the local one costs nothing and is not cut off.</summary>
    [Fact]
    public async Task A_folder_and_an_endpoint_teach_together()
    {
        Environment.SetEnvironmentVariable(Variable, Answers.Key);
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12", "5 + 7 = 12"));
        string remote = $"{{ model: thinker, endpoint: '{server.Address}', network: loopback, api_key_env: {Variable}, domains: words, "
            + "concurrency: 4, prompt_price: 1, completion_price: 10, max_tokens: 96 }";
        string[] recipe = ["problems.train=48", $"teachers=[ {remote} ]"];
        var (result, observer) = Run(recipe);
        server.Calls.Count.ShouldBe(24);
        observer.Summaries["traces"].ShouldBe("48 of tiny-reasoner, 24 of thinker");
        Read(Path.Combine(result.Folder, "2-traces")).Where(trace => trace.Teacher == "thinker")
            .ShouldAllBe(trace => trace.Problem.Domain == "words" && trace.SampleIndex == 1);
        var cut = Run([.. recipe, "traces.max_cost=0.002"]).Observer;
        cut.Warnings.ShouldContain(warning => warning.Contains("traces.max_cost", StringComparison.Ordinal));
        cut.Summaries["traces/1"].ShouldContain("48 traces");
        server.Calls.Count.ShouldBe(24); // what was paid for is found again
    }

    /// <summary>Two processes make what one makes, each its part of every teacher's two units.</summary>
    [Fact]
    public void Shards_of_several_teachers_are_joined_to_the_same_set()
    {
        string[] recipe = TwiceSixHundred;
        var parsed = SmallRun.Parse(recipe);
        using var shards = new TemporaryFolder();
        Run(recipe);
        // The models have answered before: then only who does what is looked at, and in no time.
        string kept = Path.Combine(ArtifactStore.FolderName, ".completions");
        SmallRun.Copy(folder[kept], shards[kept]);
        for (int index = 1; index >= 0; index--)
        {
            bool isLast = index == 0;
            var observer = new RecordingObserver();
            var part = ShardRun.Run(
                parsed, new RunOptions { RunsFolder = shards.Path, Until = "curated" }, new ShardNumber(index, 2), observer,
                TimeProvider.System, TestContext.Current.CancellationToken);
            (part.EndedEarly is null).ShouldBe(isLast);
            observer.Summaries["traces/1"].ShouldStartWith(isLast ? "600 traces" : "1 of 2 units");
            observer.Summaries["traces/2"].ShouldStartWith(isLast ? "600 traces" : "1 of 2 units");
        }

        SmallRun.LockOf(shards).ShouldBe(SmallRun.LockOf(folder));
    }

    [Theory]
    [InlineData("teachers", "soft_labels", "soft_labels.weight=0.5", "teacher.top_log_probabilities=4")]
    [InlineData("teachers", "traces.preflight", "traces.preflight={}")]
    [InlineData("teachers[0].domains", "no family is of poetry", "teachers.0.domains=poetry")]
    [InlineData("teacher.domains", "no family is of poetry", "teacher.domains=[ words, poetry ]")]
    [InlineData("teacher.domains", "no other teacher", "teacher.domains=words", "teachers=[]")]
    [InlineData("teachers[0].samples", "greedy samples", "teachers.0.samples=2", "teachers.0.temperature=0")]
    [InlineData("traces.accepted_per_problem", "more than are ever asked", "traces.accepted_per_problem=2", "teacher.samples=4")]
    [InlineData("traces.max_cost", "no price", "traces.max_cost=5", "teacher.endpoint=https://api.example.com/v1",
        "teacher.prompt_price=1", "teacher.completion_price=2", "teachers.0.endpoint=https://api.example.com/v1")]
    public void What_several_teachers_cannot_do_is_refused(string path, string fault, params string[] overrides)
    {
        var refused = Should.Throw<InvalidRecipeException>(() => SmallRun.Parse([$"teachers=[ {{ model: {other} }} ]", .. overrides]));
        refused.Problems.ShouldContain(problem => problem.Path == path && problem.Fault.Contains(fault, StringComparison.Ordinal));
    }

    [Fact]
    public void What_every_teacher_is_told_is_told_an_endpoint_too()
    {
        const string Endpoint = "https://api.example.com/v1";
        var recipe = SmallRun.Parse("prompt.system=Be brief.", $"teachers=[ {{ model: big, endpoint: \"{Endpoint}\" }} ]");
        recipe.Teachers.Single().Instructions.ShouldBe("Be brief.");
        recipe.Teachers.Single().Seed.ShouldBe(3);
    }

    [Fact]
    public void There_are_at_most_sixteen_and_none_beside_existing_traces()
    {
        string[] given = [$"traces.from={folder.File("traces.jsonl", "{}")}", .. ((string[])["samples", "max_tokens", "slots"])
            .Select(key => $"teacher.{key}=")];
        SmallRun.Parse([.. given, "teachers=[]"]).Teachers.ShouldBeEmpty(); // as where a recipe that is extended had some
        Should.Throw<InvalidRecipeException>(() => SmallRun.Parse([.. given, $"teachers=[ {{ model: {other} }} ]"]))
            .Problems.ShouldContain(problem => problem.Path == "teachers" && problem.Fault.StartsWith("traces.from"));
        string many = string.Join(", ", Enumerable.Repeat($"{{ model: {other} }}", 17));
        Should.Throw<InvalidRecipeException>(() => SmallRun.Parse($"teachers=[ {many} ]"))
            .Problems.ShouldHaveSingleItem().Remedy.ShouldBe("allowed: 1..16");
    }

    [Fact]
    public void A_further_teacher_is_looked_at_before_anything_is_done()
    {
        File.Delete(Path.Combine(other, "chat_template.jinja"));
        File.Delete(Path.Combine(other, "tokenizer_config.json"));
        var refused = Should.Throw<InvalidRecipeException>(() => Run([$"teachers=[ {{ model: {other} }} ]"]));
        refused.Problems.ShouldContain(problem => problem.Path == "teachers[0].model");
    }

    [Fact]
    public void A_domain_that_no_problem_of_a_file_has_is_named_with_those_there_are()
    {
        string file = folder.File("sums.jsonl", string.Join('\n', Enumerable.Range(0, 40).Select(
            i => $$"""{"question": "What is {{i}} + 1?", "answer": "{{i + 1}}"}""")));
        var refused = Should.Throw<InvalidRecipeException>(() => Run([
            "problems={ sources: [ { file: " + file + " } ], train: 20, test: 4, validation: 8 }", "rl.steps=0",
            $"teachers=[ {{ model: {other}, domains: poetry }} ]"])).Problems.ShouldHaveSingleItem();
        (refused.Path, refused.Fault, refused.Remedy)
            .ShouldBe(("teachers[0].domains", "no training problem is of poetry", "write some of sums"));
    }

    // Two units for each teacher.
    private string[] TwiceSixHundred =>
        ["problems.train=600", "problems.families=[ { name: arithmetic, level: 2 } ]", $"teachers=[ {{ model: {other} }} ]"];

    private string[] ByDomain(string temperature) =>
    [
        "problems.train=48", "teacher.domains=arithmetic",
        $"teachers=[ {{ model: {other}, domains: [ words ], max_tokens: 96 }}, "
            + $"{{ model: {other}, domains: arithmetic, temperature: {temperature}, max_tokens: 96 }} ]",
    ];

    private (RunResult Result, RecordingObserver Observer) Run(string[] overrides) =>
        SmallRun.Run(folder, new RunOptions { Until = "curated" }, overrides);

    private static IEnumerable<Trace> Read(string artifact) =>
        Artifact.Open(artifact).Manifest.Files.Where(file => file.Path.EndsWith(".parquet", StringComparison.Ordinal))
            .SelectMany(file => TraceFile.Read(Path.Combine(artifact, file.Path)));
}
