using Distill.Data.Traces;
using Distill.Generation;
using Distill.Student.Distillation;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages.Training;

/// <summary>The kept traces as examples: to learn from, and held out where a share is asked for. Immutable.</summary>
/// <param name="TooLong">Left out because of their length.</param>
internal sealed record SupervisedExamples(IReadOnlyList<TrainingSequence> Training, IReadOnlyList<TrainingSequence> HeldOut, int TooLong)
{
    /// <param name="traces">Files of graded traces, in any order.</param>
    /// <param name="steps">Whether the steps are learned, or answers alone.</param>
    /// <param name="teacher">Makes examples with soft labels; null learns the tokens alone.</param>
    /// <param name="heldOut">Share of the problems held out with all their traces; null holds out none.</param>
    /// <exception cref="InvalidDataException">Nothing is left to learn from, or nothing held out.</exception>
    public static SupervisedExamples Read(
        IEnumerable<string> traces, ChatEncoder encoder, bool steps, TeacherExamples? teacher, int sequenceLength, double? heldOut,
        ulong seed)
    {
        List<TrainingSequence> training = [], held = [];
        int tooLong = 0;
        foreach (var (trace, example) in Of(traces, encoder, steps, teacher))
        {
            if (example.Tokens.Count > sequenceLength) tooLong++;
            else (IsHeldOut(trace.Problem.Id, heldOut, seed) ? held : training).Add(example);
        }

        if (training.Count == 0)
            throw new InvalidDataException($"No example has at most {sequenceLength} tokens: raise sft.sequence_length.");
        if (heldOut is not null && held.Count == 0)
            throw new InvalidDataException(
                $"A share of {heldOut} of the problems holds out none of the {training.Count:N0} examples: "
                + "raise sft.held_out.share or problems.train.");
        return new SupervisedExamples(training, held, tooLong);
    }

    /// <summary>
    /// Every kept trace with what is learned of it, by problem and sample, so that training does not depend on which file a trace lies in.
    /// </summary>
    /// <inheritdoc cref="Read"/>
    public static IEnumerable<(Trace Trace, TrainingSequence Example)> Of(
        IEnumerable<string> traces, ChatEncoder encoder, bool steps, TeacherExamples? teacher) => traces
        .SelectMany(file => teacher is null ? TraceFile.ReadGradedTexts(file) : TraceFile.ReadGraded(file)).Where(graded => graded.Keep)
        .Select(graded => (graded.Trace, Example: teacher?.Of(graded.Trace) ?? Encode(encoder, graded.Trace, steps)))
        .OrderBy(kept => kept.Trace.Problem.Id, StringComparer.Ordinal).ThenBy(kept => kept.Trace.SampleIndex)
        .ThenBy(kept => kept.Trace.Seed);

    // By the problem, so that no trace of a held-out problem is learned from.
    public static bool IsHeldOut(string problem, double? share, ulong seed) =>
        share is { } part && SeedSequence.Derive(seed, 0x686F_6C64, SeedSequence.Hash(problem)) < part * ulong.MaxValue;

    // A teacher that does not think in marks writes its steps into the answer, and so does a student without marks.
    private static TrainingSequence Encode(ChatEncoder encoder, Trace trace, bool steps)
    {
        if (steps && trace.Reasoning.Length > 0 && !encoder.MarksThinking)
        {
            throw new InvalidDataException(
                $"The traces of '{trace.Teacher}' hold reasoning, and the student's tokenizer has no {ThinkMarks.Open} and "
                + $"{ThinkMarks.Close} to mark it with. Set student.add_tokens to true, which gives it both.");
        }

        var example = steps && encoder.MarksThinking
            ? encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Reasoning, trace.Answer!)
            : encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Answer!);
        return new TrainingSequence(example.Tokens, example.PromptLength);
    }
}

/// <summary>
/// Traces as examples with soft labels: the teacher's own tokens, since only they have the teacher's alternatives beside them. That
/// works only where both have one tokenizer.
/// </summary>
internal sealed class TeacherExamples(ChatEncoder encoder, int vocabularySize)
{
    /// <exception cref="InvalidDataException">The trace holds no alternatives, or ids that mean something else to the student.</exception>
    public TrainingSequence Of(Trace trace)
    {
        if (trace.TokenizerFingerprint != encoder.Tokenizer.Fingerprint)
            throw new InvalidDataException(
                $"Soft labels need one tokenizer: the traces of '{trace.Teacher}' were made with {Short(trace.TokenizerFingerprint)}, "
                + $"the student has {Short(encoder.Tokenizer.Fingerprint)}. "
                + "Leave soft_labels out, or take a teacher or a student with the other's tokenizer.");
        if (trace.TopIds.Count == 0)
            throw new InvalidDataException(
                "Soft labels need the teacher's alternatives, which the traces do not hold: set teacher.top_log_probabilities.");
        if (trace.TopIds.Max() >= vocabularySize)
            throw new InvalidDataException(
                $"The teacher's alternatives have ids up to {trace.TopIds.Max()}; the student knows {vocabularySize}.");
        int[] prompt = encoder.EncodePrompt(ProblemPrompt.Messages(trace.Problem));
        return TeacherSequence.Of([.. prompt, .. trace.TokenIds], prompt.Length, trace.TopIds, trace.TopLogProbabilities);
    }

    private static string Short(string fingerprint) => fingerprint.Length <= 12 ? fingerprint : fingerprint[..12] + "…";
}
