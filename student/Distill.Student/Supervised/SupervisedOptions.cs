using Distill.Student.Adapters;
using Distill.Student.Distillation;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Supervised;

/// <summary>Options of supervised fine-tuning.</summary>
public sealed record SupervisedOptions
{
    public int Epochs { get; init; } = 2;

    /// <summary>Tokens per optimiser step, prompts included.</summary>
    public int BatchTokens { get; init; } = 8192;

    /// <summary>Null learns the examples' tokens alone; else every example must be a <see cref="TeacherSequence"/>.</summary>
    public SoftLabelOptions? SoftLabels { get; init; }

    /// <summary>Null: plain cross-entropy. Not together with <see cref="SoftLabels"/>.</summary>
    public SupervisedLossOptions? Loss { get; init; }

    /// <summary>Decay of the moving average of the weights that is the result; null gives the last weights.</summary>
    public double? WeightAverage { get; init; }

    /// <summary>When held-out examples are looked at; the best weights seen there are the result. Null: the last weights are.</summary>
    public HeldOutOptions? HeldOut { get; init; }

    /// <summary>Trains adapters over frozen weights instead of the weights. Null trains the weights.</summary>
    public LowRankOptions? LowRank { get; init; }

    /// <summary>
    /// Where adapters are trained, with frozen copies of the weights; the base itself may stay in the computer's memory. Null: where the
    /// base lies. Without adapters the weights are trained where they lie.
    /// </summary>
    public Device? AdapterDevice { get; init; }

    public TrainingOptions Training { get; init; } = new();

    public ulong Seed { get; init; } = 1;
}

/// <summary>How much of the loss is soft, and how it is taken.</summary>
/// <param name="Weight">0..1; the rest is cross-entropy.</param>
public sealed record SoftLabelOptions(TopTokenDivergence Divergence, double Weight);

/// <summary>
/// What is learned of examples besides plain cross-entropy averaged over tokens, which is what all defaults together give.
/// </summary>
public sealed record SupervisedLossOptions
{
    public TokenAverage Average { get; init; } = TokenAverage.Token;

    /// <summary>Whether each token is weighted by its own probability: see <see cref="RectifiedTargetTerm"/>.</summary>
    public bool Rectified { get; init; }

    /// <summary>Share of the uniform distribution in the target, 0..1: see <see cref="UniformTargetTerm"/>.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Of <see cref="PartitionTerm"/>.</summary>
    public double PartitionWeight { get; init; }

    /// <summary>Of the entropy, which is rewarded: see <see cref="EntropyTerm"/>.</summary>
    public double EntropyBonus { get; init; }

    /// <param name="tokens">Learned tokens of the optimiser step.</param>
    /// <param name="sequences">Its examples.</param>
    internal RowLoss ToLoss(long tokens, int sequences)
    {
        List<WeightedTerm> terms = [new(Rectified ? new RectifiedTargetTerm() : new TargetTerm(), 1 - LabelSmoothing)];
        if (LabelSmoothing > 0) terms.Add(new(new UniformTargetTerm(), LabelSmoothing));
        if (PartitionWeight > 0) terms.Add(new(new PartitionTerm(), PartitionWeight));
        if (EntropyBonus > 0) terms.Add(new(new EntropyTerm(), -EntropyBonus));
        return new RowLoss(terms, new StepAverage(Average, tokens, sequences));
    }

    internal void AddTo(TrainingDigest digest) =>
        digest.Add("loss").Add((long)Average, Rectified ? 1 : 0).Add(LabelSmoothing, PartitionWeight, EntropyBonus);
}

/// <summary>How a supervised training ended.</summary>
/// <param name="Steps">Updates made: fewer than planned when patience ended it.</param>
/// <param name="Tokens">Read by all updates, prompts included.</param>
/// <param name="LearnedTokens">Of these, learned.</param>
/// <param name="Best">The look whose weights are the result; null without held-out data.</param>
public sealed record SupervisedResult(int Steps, int PlannedSteps, long Tokens, long LearnedTokens, HeldOutLook? Best);
