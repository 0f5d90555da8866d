using Distill.Data.Problems;
using Distill.Evaluation;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Export.Parity;

/// <summary>What rounding is measured on: a model's own answers, and the reference solutions, both behind the prompt they answer.</summary>
internal static class AnswerTexts
{
    /// <param name="answers">Of the model before rounding.</param>
    /// <param name="longest">Tokens that the model reads.</param>
    public static IReadOnlyList<MeasuredText> Of(IReadOnlyList<ProblemResult> answers, ChatEncoder encoder, int longest)
    {
        var texts = new List<MeasuredText>();
        for (int i = 0; i < answers.Count; i++)
        {
            var answer = answers[i];
            int[] prompt = ProblemPrompt.Encode(encoder, answer.Problem, longest);
            Add(i, prompt, answer.Greedy.Completion.Tokens);
            Add(i, prompt, encoder.Tokenizer.Encode(SolutionText.Of(answer.Problem) ?? answer.Problem.ReferenceAnswer));
        }

        return texts;

        void Add(int group, int[] prompt, IReadOnlyList<int> reply)
        {
            if (reply.Count > 0 && prompt.Length > 0) texts.Add(MeasuredText.Of(prompt, reply, longest) with { Group = group });
        }
    }
}
