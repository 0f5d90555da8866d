using Distill.Data.Problems;
using Distill.Student.Reinforcement;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>Judges a student's completions by the verifiers of their problem families.</summary>
internal static class StudentJudge
{
    public static CompletionJudge Of(Tokenizer tokenizer)
    {
        var parser = new ReasoningParser(tokenizer);
        return (problem, completion) => ProblemFamilies.Get(problem.Family).Verifier.Verify(parser.Parse(completion).Answer, problem);
    }
}
