using Distill.Data.Traces;
using Distill.Student.Distillation;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

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
                $"Soft labels need one tokenizer: the traces of '{trace.Teacher}' were made with {Short(trace.TokenizerFingerprint)}, the student has {Short(encoder.Tokenizer.Fingerprint)}. Leave soft_labels out, or take a teacher or a student with the other's tokenizer.");
        if (trace.TopIds.Count == 0)
            throw new InvalidDataException("Soft labels need the teacher's alternatives, which the traces do not hold: set teacher.top_log_probabilities.");
        if (trace.TopIds.Max() >= vocabularySize)
            throw new InvalidDataException($"The teacher's alternatives have ids up to {trace.TopIds.Max()}; the student knows {vocabularySize}.");
        int[] prompt = encoder.EncodePrompt(ProblemPrompt.Messages(trace.Problem));
        return TeacherSequence.Of([.. prompt, .. trace.TokenIds], prompt.Length, trace.TopIds, trace.TopLogProbabilities);
    }

    private static string Short(string fingerprint) => fingerprint.Length <= 12 ? fingerprint : fingerprint[..12] + "…";
}
