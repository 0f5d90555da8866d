using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Stages.Data;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages.Training;

/// <summary>What the trainings look at while they run: sampled accuracy on the first validation problems.</summary>
internal static class StudentAccuracy
{
    /// <param name="server">Of the student in training; stays the caller's.</param>
    public static HeldOutAccuracy Of(
        StageContext context, ChatEncoder encoder, IPolicyServer server, int problems, int maxTokens, int threads, long seed)
    {
        Problem[] heldOut = [.. ProblemsStage.Read(context, ProblemsStage.Validation).Take(problems)];
        var options = new GroupRelativeOptions { MaxTokens = maxTokens, Training = new TrainingOptions { Threads = threads } };
        var collection = new RolloutCollection(encoder, JudgeOf(encoder.Tokenizer), options);
        return new HeldOutAccuracy(server, collection, heldOut, options.EvaluationSamples, (ulong)seed);
    }

    /// <summary>Judges a student's completions by the verifiers of their problems.</summary>
    public static CompletionJudge JudgeOf(Tokenizer tokenizer)
    {
        var parser = new ReasoningParser(tokenizer);
        return (problem, completion) => ProblemVerifiers.Standard.Of(problem).Verify(parser.Parse(completion).Answer, problem);
    }
}
