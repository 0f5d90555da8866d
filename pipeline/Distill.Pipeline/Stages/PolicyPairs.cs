using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Student.Preference;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>A student's own completions, graded and paired, right with wrong. Immutable.</summary>
/// <param name="Problems">That were sampled.</param>
/// <param name="Paired">Of these, solved sometimes and sometimes not.</param>
/// <param name="Right">Share of right completions.</param>
/// <param name="Completions">All of them.</param>
internal sealed record PolicyPairs(IReadOnlyList<PreferencePair> Pairs, int Problems, int Paired, double Right, int Completions)
{
    /// <param name="files">Traces of the student.</param>
    /// <param name="longest">Tokens that the student reads.</param>
    public static PolicyPairs Read(IEnumerable<string> files, ChatEncoder encoder, int longest, int perProblem, ulong seed)
    {
        var verifiers = ProblemFamilies.All.ToDictionary(family => family.Name, family => family.Verifier);
        var graded = TraceCuration.Run(files.SelectMany(TraceFile.Read), verifiers, new CurationOptions { Rules = ["verdict"] });
        var pairs = PreferencePairing.Of(graded.Traces, perProblem, seed);
        return new PolicyPairs(
            [.. pairs.Select(pair => new PreferencePair(Encode(pair.Chosen), Encode(pair.Rejected)))], graded.Traces.Select(trace => trace.Trace.Problem.Id).Distinct().Count(),
            pairs.Select(pair => pair.Chosen.Problem.Id).Distinct().Count(), (double)graded.Kept / graded.Traces.Count, graded.Traces.Count);

        // The very tokens that were sampled: what the text would be encoded as again may differ.
        TrainingSequence Encode(Trace trace)
        {
            int[] prompt = ProblemPrompt.Encode(encoder, trace.Problem, longest);
            return new TrainingSequence([.. prompt, .. trace.TokenIds], prompt.Length);
        }
    }
}
