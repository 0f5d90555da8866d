using Distill.Student.Training;

namespace Distill.Student.Distillation;

/// <summary>
/// (w · divergence from the teacher + (1 − w) · −log Q(token)) / N over the learned tokens of <see cref="TeacherSequence"/>s. N counts the
/// learned tokens of the whole optimiser step. The hard part is at temperature 1.
/// </summary>
/// <param name="softWeight">w, 0..1.</param>
/// <param name="learnedTokens">N.</param>
public sealed class SoftLabelLoss(TopTokenDivergence soft, double softWeight, long learnedTokens) : IDistributionLoss
{
    public double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient)
    {
        var labels = (TeacherSequence)sequence;
        double value = 0;
        if (softWeight > 0) value = soft.Evaluate(labels.IdsAt(position), labels.LogProbabilitiesAt(position), logits, gradient, softWeight / learnedTokens);
        else gradient.Clear();
        if (softWeight < 1) value += HardLabel.Add(labels.Tokens[labels.FirstSupervised + position], logits, gradient, (1 - softWeight) / learnedTokens);
        return value;
    }
}
