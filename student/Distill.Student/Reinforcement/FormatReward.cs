using Distill.Data.Verification;
using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Student.Reinforcement;

/// <summary>
/// 1 for a completion that begins with its thinking, closes it, and opens it only once; else 0. TRL's <c>think_format_reward</c>.
/// </summary>
public sealed class FormatReward(Tokenizer tokenizer) : IRewardPart
{
    public string Name => "format";

    public double Of(Verdict verdict, Completion completion) => Of(tokenizer.Decode([.. completion.Tokens], skipSpecial: false));

    public static double Of(string text) =>
        text.StartsWith(ThinkMarks.Open, StringComparison.Ordinal)
        && text.LastIndexOf(ThinkMarks.Open, StringComparison.Ordinal) == 0
        && text.Contains(ThinkMarks.Close, StringComparison.Ordinal)
            ? 1 : 0;
}
