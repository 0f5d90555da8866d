using Distill.Data.Problems;
using Distill.Pipeline.Runs;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>What the trainings look at while they run: sampled accuracy on the first validation problems.</summary>
internal static class SampledAccuracy
{
    /// <param name="server">Of the student in training; stays the caller's.</param>
    public static HeldOutAccuracy Of(StageContext context, ChatEncoder encoder, IPolicyServer server, int problems, int maxTokens, int threads, long seed)
    {
        Problem[] heldOut = [.. ProblemFile.Read(context.Input(StageNames.Problems).PathOf(ProblemsStage.Validation)).Take(problems)];
        var options = new GroupRelativeOptions { MaxTokens = maxTokens, Training = new TrainingOptions { Threads = threads } };
        return new HeldOutAccuracy(server, new RolloutCollection(encoder, StudentJudge.Of(encoder.Tokenizer), options), heldOut, options.EvaluationSamples, (ulong)seed);
    }
}
