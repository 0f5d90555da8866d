using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Pipeline.Tests.Publishing;

/// <summary>A run with problems, traces and graded traces that no model made: hostile texts, truncated and wrong ones among them.</summary>
internal sealed class SampleTraceStore : IDisposable
{
    public const string Attack = "</script><script>document.title='run'</script><img src=x onerror=alert(1)> \u202e \u001b[31m & \"'";

    private readonly TemporaryFolder folder = new();
    private readonly string? summary;

    /// <param name="summary">What every artefact says came out, and the card of the run's model; without one there is no model.</param>
    public SampleTraceStore(int problems = 30, string recipe = "", string? summary = null)
    {
        this.summary = summary;
        var store = new ArtifactStore(Path.Combine(folder.Path, ArtifactStore.FolderName), TimeProvider.System);
        Traces = [.. Enumerable.Range(0, problems).SelectMany(problem => Enumerable.Range(0, 2).Select(sample => One(problem, sample)))];
        var asked = Make(store, "problems/train", writer =>
        {
            writer.Write("problems.jsonl", stream =>
                ProblemFile.Write(stream, Traces.Where(trace => trace.SampleIndex == 0).Select(trace => trace.Problem)));
            writer.Write("sources.json", """[{"name":"gsm8k","kind":"hub","place":"openai/gsm8k","licence":"mit"}]"""u8.ToArray());
        });
        var raw = Make(store, "traces", writer => TraceFile.Write(writer, "data/train-00000.parquet", Traces), asked);
        var graded = Make(store, "curated", writer => TraceFile.Write(writer, "data/train-00000.parquet", Traces.Select(Graded)), raw);
        var run = new RunFolder(folder.Path, "sample");
        Directory.CreateDirectory(run.Path);
        new RunState(RunState.CurrentFormat, RunProgress.Finished, null, run.Path, null, DateTimeOffset.UtcNow).Write(run.Path);
        File.WriteAllText(run.RecipePath, "name: sample\n" + recipe);
        foreach (var (link, made) in ((string, StoredArtifact)[])[("1-problems/train", asked), ("2-traces", raw), ("3-curated", graded)])
            run.Link(link, made.Artifact.Folder);
        if (summary is null) return;
        var model = Make(store, "model", writer => writer.Write("README.md", System.Text.Encoding.UTF8.GetBytes(summary)), graded);
        run.Link(RunFolder.ModelLink, model.Artifact.Folder);
    }

    public string Runs => folder.Path;

    public IReadOnlyList<Trace> Traces { get; }

    public string this[string name] => folder[name];

    public void Dispose() => folder.Dispose();

    public static GradedTrace Graded(Trace trace) => trace.Answer switch
    {
        null => new GradedTrace(trace, Verdict.Undecidable, "arithmetic", 1, false, "truncated"),
        "12" => new GradedTrace(trace, Verdict.Correct, "arithmetic", 1, true, null),
        _ => new GradedTrace(trace, Verdict.Incorrect, "arithmetic", 1, false, "wrong"),
    };

    private static Trace One(int problem, int sample) => new()
    {
        Problem = new Problem(
            $"arithmetic/1/train/7/{problem:D6}", "arithmetic", problem % 2 == 0 ? "arithmetic" : "words", Split.Train, 1,
            problem % 3 == 1 ? $"{Attack} #{problem}" : $"What is 7 + 5? (#{problem})", "12", "7 + 5 = 12", $"7+5#{problem}"),
        Reasoning = problem % 3 == 2 ? $"{Attack}\n7 + 5 = 12" : "7 + 5 = 12",
        Answer = problem % 10 == 9 ? null : sample == 0 ? "12" : Attack,
        PromptTokens = 9, CompletionTokens = 10 + problem, StopReason = problem % 10 == 9 ? "length" : "stop", SampleIndex = sample,
        Seed = 1, Sampling = """{"temperature":1}""", Teacher = "tiny-reasoner", TeacherDigest = new string('a', 64),
        TemplateDigest = "", TokenizerFingerprint = "", TokenIds = [40, 41, 42],
        TokenLogProbabilities = [-0.1f, -2.5f, float.NegativeInfinity],
    };

    private StoredArtifact Make(ArtifactStore store, string stage, Action<ArtifactWriter> fill, params StoredArtifact[] inputs)
    {
        var key = new StoreKey(stage.Split('/')[0], FileDigest.Of(System.Text.Encoding.UTF8.GetBytes(stage)));
        string work = store.WorkFolder(key);
        Directory.CreateDirectory(work);
        var writer = new ArtifactWriter(work, key.Kind, 1, [.. inputs.Select(input => input.Artifact.Digest)]);
        fill(writer);
        writer.Fact(StageKey.DigestFact, key.Digest);
        if (summary is not null) writer.Fact(StageKey.SummaryFact, summary);
        writer.Fact(StageKey.TextFact, CanonicalJson.Write(new JsonObject
        {
            ["stage"] = stage, ["version"] = 1, ["options"] = new JsonObject(),
            ["inputs"] = new JsonObject(inputs.Select((input, i) => KeyValuePair.Create($"input{i}", (JsonNode?)input.Artifact.Digest))),
        }));
        writer.Commit();
        return store.Finished(work);
    }
}
