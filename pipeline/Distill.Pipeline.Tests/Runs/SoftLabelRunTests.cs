using Distill.Data.Traces;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Distillation;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Soft labels through the whole pipeline: the teacher records its alternatives, the student learns them.</summary>
public sealed class SoftLabelRunTests : IDisposable
{
    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_student_learns_the_alternatives_that_its_teacher_recorded()
    {
        SmallRun.Run(
            folder, new RunOptions { Until = "sft" },
            "teacher.top_log_probabilities=6", "soft_labels.weight=0.7", "soft_labels.temperature=2",
            "answer_only.enabled=false", "problems.train=24");
        string run = Path.Combine(folder.Path, "small");
        var kept = TraceFile.ReadGraded(Path.Combine(run, "3-curated/data/train-00000.parquet")).First(graded => graded.Keep).Trace;
        kept.TopIds.Count.ShouldBe(6 * kept.CompletionTokens);
        kept.TopLogProbabilities.Take(6).ShouldBeInOrder(SortDirection.Descending);
        kept.TokenIds.Count.ShouldBe(kept.CompletionTokens);
        File.ReadLines(Path.Combine(run, "4-sft/curve.jsonl")).Count().ShouldBeGreaterThan(1);
    }

    [Fact]
    public void A_trace_becomes_its_own_tokens_with_their_alternatives()
    {
        var encoder = ChatEncoder.Load(Base);
        var example = (TeacherSequence)new TeacherExamples(encoder, 1000).Of(Of(encoder, encoder.Tokenizer.Fingerprint, [5, 6, 7, 8]));
        example.Tokens.TakeLast(2).ShouldBe([5, 9]);
        example.IdsAt(1).ToArray().ShouldBe([7, 8]);
        example.LogProbabilitiesAt(0).ToArray().ShouldBe([-0.1f, -3f]);
    }

    [Theory]
    [InlineData("another", new[] { 5, 6, 7, 8 }, "one tokenizer")]
    [InlineData(null, new int[0], "set teacher.top_log_probabilities")]
    [InlineData(null, new[] { 5, 6, 7, 1000 }, "ids up to 1000")]
    public void Traces_that_cannot_be_soft_labels_are_refused(string? fingerprint, int[] top, string reason)
    {
        var encoder = ChatEncoder.Load(Base);
        var trace = Of(encoder, fingerprint ?? encoder.Tokenizer.Fingerprint, top);
        Should.Throw<InvalidDataException>(() => new TeacherExamples(encoder, 1000).Of(trace)).Message.ShouldContain(reason);
    }

    private static Trace Of(ChatEncoder encoder, string fingerprint, int[] top) => new()
    {
        Problem = new("x", "arithmetic", "arithmetic", Distill.Data.Problems.Split.Train, 1, "1 + 1 = ?", "2", null, "1+1"),
        Reasoning = "",
        Answer = "2",
        PromptTokens = 3,
        CompletionTokens = 2,
        StopReason = "stop",
        SampleIndex = 0,
        Seed = 1,
        Sampling = "{}",
        Teacher = "teacher",
        TeacherDigest = "",
        TemplateDigest = encoder.Template.Digest,
        TokenizerFingerprint = fingerprint,
        TokenIds = [5, 9],
        TokenLogProbabilities = [-0.1f, -0.2f],
        TopIds = top,
        TopLogProbabilities = [.. top.Select((_, i) => i % 2 == 0 ? -0.1f : -3f)],
    };
}
