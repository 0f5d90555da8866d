using Distill.Data.Problems;
using Distill.Data.Traces;

namespace Distill.Data.Tests.Traces;

/// <summary>Traces for tests; each field of each differs from its neighbours.</summary>
internal static class SampleTraces
{
    public static Trace One(int index = 0, string? answer = "12", string reasoning = "7 + 5 = 12") => new()
    {
        Problem = new Problem(
            $"arithmetic/1/train/7/{index:D6}", "arithmetic", "arithmetic", Split.Train, 1,
            $"What is 7 + 5? (#{index})", "12", "7 + 5 = 12", $"7+5#{index}"),
        Reasoning = reasoning,
        Answer = answer,
        PromptTokens = 9 + index % 3,
        CompletionTokens = 14,
        StopReason = answer is null ? "length" : "stop",
        SampleIndex = index % 4,
        Seed = ulong.MaxValue - (ulong)index,
        Sampling = """{"temperature":1}""",
        Teacher = "tiny-reasoner",
        TeacherDigest = new string('a', 64),
        TemplateDigest = new string('b', 64),
        TokenizerFingerprint = new string('c', 64),
        TokenIds = [.. Enumerable.Range(index, index % 5)],
        TokenLogProbabilities = [.. Enumerable.Range(0, index % 5).Select(i => -0.5f * i)],
        CreatedAt = index % 2 == 0 ? null : new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
    };

    public static IReadOnlyList<Trace> Many(int count) => [.. Enumerable.Range(0, count).Select(i => One(i, i % 7 == 3 ? null : "12"))];
}
