using Distill.Data.Problems;
using Distill.Generation;
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
    /// <param name="verifiers">Likewise.</param>
    public static HeldOutAccuracy Of(
        StageContext context, RecipeVerifiers verifiers, ChatEncoder encoder, IPolicyServer server, int problems, int maxTokens,
        int threads, long seed)
    {
        Problem[] heldOut = [.. ProblemsStage.Read(context, ProblemsStage.Validation).Take(problems)];
        var options = new GroupRelativeOptions { MaxTokens = maxTokens, Training = new TrainingOptions { Threads = threads } };
        var collection = new RolloutCollection(
            encoder, JudgeOf(encoder.Tokenizer, verifiers), options, prepare: PreparationOf(encoder.Tokenizer, verifiers));
        return new HeldOutAccuracy(server, collection, heldOut, options.EvaluationSamples, (ulong)seed);
    }

    /// <summary>Judges a student's completions by the verifiers of their problems.</summary>
    public static CompletionJudge JudgeOf(Tokenizer tokenizer, RecipeVerifiers verifiers)
    {
        var parser = new ReasoningParser(tokenizer);
        return (problem, completion) => verifiers.All.Of(problem).Verify(parser.Parse(completion).Answer, problem);
    }

    /// <summary>
    /// What is done with completions before they are judged one by one: a model that judges is asked for all of them at once.
    /// </summary>
    public static Action<IEnumerable<(Problem Problem, Completion Completion)>> PreparationOf(
        Tokenizer tokenizer, RecipeVerifiers verifiers)
    {
        var parser = new ReasoningParser(tokenizer);
        return completions => verifiers.Prepare(
            completions.Select(pair => (pair.Problem, parser.Parse(pair.Completion).Answer)), most: 0);
    }
}
