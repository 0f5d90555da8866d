using Distill.Data.Problems;
using Distill.Tokenization;

namespace Distill.Teacher;

/// <summary>How a problem is put to a model: one user message holding its text. Training, collection and evaluation all ask this way.</summary>
public static class ProblemPrompt
{
    public static IReadOnlyList<ChatMessage> Messages(Problem problem) => [ChatMessage.User(problem.Text)];

    /// <param name="maxLength">Longest sequence of the model.</param>
    /// <exception cref="InvalidDataException">The problem leaves no room for an answer.</exception>
    public static int[] Encode(ChatEncoder encoder, Problem problem, int maxLength)
    {
        int[] prompt = encoder.EncodePrompt(Messages(problem));
        return prompt.Length < maxLength
            ? prompt
            : throw new InvalidDataException($"Problem '{problem.Id}' takes {prompt.Length} tokens; the model reads {maxLength} with the answer. Leave it out or take a model with a longer context.");
    }
}
