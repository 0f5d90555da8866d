using Distill.Data.Traces;
using Distill.Generation;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>The kept traces as examples: to learn from, and held out where a share is asked for. Immutable.</summary>
/// <param name="TooLong">Left out because of their length.</param>
internal sealed record SupervisedExamples(IReadOnlyList<TrainingSequence> Training, IReadOnlyList<TrainingSequence> HeldOut, int TooLong)
{
    /// <param name="steps">Whether the steps are learned, or answers alone.</param>
    /// <param name="teacher">Makes examples with soft labels; null learns the tokens alone.</param>
    /// <param name="heldOut">Share of the problems held out with all their traces; null holds out none.</param>
    /// <exception cref="InvalidDataException">Nothing is left to learn from, or nothing held out.</exception>
    public static SupervisedExamples Read(string traces, ChatEncoder encoder, bool steps, TeacherExamples? teacher, int sequenceLength, double? heldOut, ulong seed)
    {
        List<TrainingSequence> training = [], held = [];
        int tooLong = 0;
        foreach (var graded in TraceFile.ReadGraded(traces).Where(graded => graded.Keep))
        {
            var example = teacher?.Of(graded.Trace) ?? Encode(encoder, graded.Trace, steps);
            if (example.Tokens.Count > sequenceLength) tooLong++;
            else (IsHeldOut(graded.Trace.Problem.Id, heldOut, seed) ? held : training).Add(example);
        }

        if (training.Count == 0) throw new InvalidDataException($"No example has at most {sequenceLength} tokens: raise sft.sequence_length.");
        if (heldOut is not null && held.Count == 0) throw new InvalidDataException($"A share of {heldOut} of the problems holds out none of the {training.Count:N0} examples: raise sft.held_out.share or problems.train.");
        return new SupervisedExamples(training, held, tooLong);
    }

    // By the problem, so that no trace of a held-out problem is learned from.
    private static bool IsHeldOut(string problem, double? share, ulong seed) =>
        share is { } part && SeedSequence.Derive(seed, 0x686F_6C64, SeedSequence.Hash(problem)) < part * ulong.MaxValue;

    private static TrainingSequence Encode(ChatEncoder encoder, Trace trace, bool steps)
    {
        var example = steps
            ? encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Reasoning, trace.Answer!)
            : encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Answer!);
        return new TrainingSequence(example.Tokens, example.PromptLength);
    }
}
