using Distill.Data.Problems;
using Distill.Data.Publishing.Formats;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Tests.Publishing;

/// <summary>Traces to publish: two samples of each problem, truncated ones, odd texts, system messages and reference answers.</summary>
internal static class SamplePublication
{
    /// <summary>What a careless writer of JSON, HTML or SQL trips over.</summary>
    public const string Odd = "</script><script>alert(1)</script> \"quoted\" 'single' \\boxed{4} \u202eabc \u2028 \u001b[31m é 漢 🎉"
        + "\n\ttab, \\ and ,";

    public static IReadOnlyList<Trace> Many(int problems, int samples = 2) =>
        [.. Enumerable.Range(0, problems).SelectMany(problem => Enumerable.Range(0, samples).Select(sample => One(problem, sample)))];

    public static Trace One(int problem, int sample)
    {
        var trace = SampleTraces.One(problem);
        bool isTruncated = (problem + sample) % 5 == 4;
        return trace with
        {
            Problem = trace.Problem with
            {
                Text = problem % 3 == 1 ? $"{Odd} #{problem}" : trace.Problem.Text,
                System = problem % 4 == 2 ? "Think first.\nThen answer." : null,
                Split = problem % 7 == 6 ? Split.Test : Split.Train,
            },
            SampleIndex = sample,
            Reasoning = problem % 3 == 2 ? $"first <b>{Odd}</b>\n\nso 7 + 5 = 12" : "7 + 5 = 12",
            Answer = isTruncated ? null : sample % 2 == 0 ? "12" : "The answer is 13.",
            StopReason = isTruncated ? "length" : "stop",
            CompletionTokens = 10 + problem,
        };
    }

    public static GradedTrace Graded(Trace trace) => trace.Answer switch
    {
        null => new GradedTrace(trace, Verdict.Undecidable, "arithmetic", 1, false, "truncated"),
        "12" => new GradedTrace(trace, Verdict.Correct, "arithmetic", 1, true, null),
        _ => new GradedTrace(trace, Verdict.Incorrect, "arithmetic", 1, false, "wrong"),
    };

    public static IEnumerable<PublishedTrace> Published(IEnumerable<Trace> traces, bool graded) =>
        traces.Select(trace => new PublishedTrace(trace, graded ? Graded(trace) : null));
}
