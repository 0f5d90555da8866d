using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>Options of <see cref="GroupRelativePolicyOptimization"/>. Everything here changes the result.</summary>
public sealed record GroupRelativeOptions
{
    public int Steps { get; init; } = 60;

    public int ProblemsPerStep { get; init; } = 32;

    /// <summary>Completions per problem.</summary>
    public int Samples { get; init; } = 8;

    /// <summary>
    /// How often the rollouts of a step are learned from. From the second update on the ratios are not 1, and what is done about them
    /// matters.
    /// </summary>
    public int UpdatesPerBatch { get; init; } = 1;

    /// <summary>
    /// Of the rollouts. Log-probabilities are those of the unscaled distribution, so 1 is the value for which ratios are exact.
    /// </summary>
    public double Temperature { get; init; } = 1;

    public int MaxTokens { get; init; } = 192;

    /// <summary>What a token costs; null: <see cref="ClippedSurrogate"/> with the bounds below.</summary>
    public IPolicySurrogate? Surrogate { get; init; }

    public double ClipLow { get; init; } = 0.2;

    public double ClipHigh { get; init; } = 0.28;

    /// <summary>Largest importance ratio that counts; infinity for none.</summary>
    public double RatioCap { get; init; } = double.PositiveInfinity;

    public RatioLevel Ratio { get; init; } = RatioLevel.Token;

    public PolicyAggregation Aggregation { get; init; } = PolicyAggregation.Token;

    /// <summary>Weight of the k3 estimate of KL to the weights the policy started from; 0 leaves it out.</summary>
    public double ReferenceWeight { get; init; }

    /// <summary>Whether that estimate is weighted by the token's ratio: see <see cref="ReferenceTerm"/>.</summary>
    public bool CorrectReference { get; init; }

    /// <summary>
    /// Above 0, what is learned is the teacher's opinion of every sampled token in place of rewards: see
    /// <see cref="OnPolicyDistillationLoss"/>, whose coefficient it is. Rewards are still counted.
    /// </summary>
    public double TeacherWeight { get; init; }

    /// <summary>With <see cref="TeacherWeight"/>: how far from the teacher is measured.</summary>
    public TeacherDivergence TeacherDivergence { get; init; }

    /// <summary>
    /// Most tokens at each place of whose probability the teacher tells, for all divergences but <see cref="TeacherDivergence.Token"/>;
    /// as many as the vocabulary has: its whole distribution.
    /// </summary>
    public int TeacherTop { get; init; } = 64;

    /// <summary>Of <see cref="TeacherDivergence.JensenShannon"/>: the teacher's share of the mixture, strictly between 0 and 1.</summary>
    public double TeacherBeta { get; init; } = 0.5;

    /// <summary>
    /// Share of the learned tokens, the most uncertain, that the surrogate counts; null: all. See <see cref="EntropyFloor"/>.
    /// </summary>
    public double? TopEntropy { get; init; }

    /// <summary>
    /// Decay of a moving average of the weights, which then is what is looked at and what is the result; rollouts stay those of the weights
    /// themselves. Null: there is none.
    /// </summary>
    public double? WeightAverage { get; init; }

    /// <summary>How often in a step problems whose groups are dead are replaced by others; 0 keeps them.</summary>
    public int ResampleRounds { get; init; }

    /// <summary>What is watched for; a finding may end the training.</summary>
    public IReadOnlyList<Monitoring.IAlarm> Alarms { get; init; } = [];

    public AdvantageScale Scale { get; init; } = AdvantageScale.Group;

    /// <summary>Truncated completions still count in their group's mean but are not learned from (DAPO's overlong filtering).</summary>
    public bool MaskTruncated { get; init; } = true;

    /// <summary>Steps between two looks at the held-out problems; the best weights seen there are the result.</summary>
    public int EvaluateEvery { get; init; } = 15;

    /// <summary>Completions per held-out problem, sampled at temperature 1; a greedy one comes beside them.</summary>
    public int EvaluationSamples { get; init; } = 4;

    /// <summary>
    /// Tokens of the longest prompt and completion together, which bounds the memory for activations; null: as long as the model reads.
    /// Changes no result.
    /// </summary>
    public int? LongestSequence { get; init; }

    /// <summary>Rows decoded together. Changes nothing but speed and rounding.</summary>
    public int Slots { get; init; } = 128;

    public TrainingOptions Training { get; init; } = new() { LearningRate = 1.5e-4, Decay = Decay.Constant, WarmupShare = 0.05 };

    public ulong Seed { get; init; } = 1;

    internal IPolicySurrogate ToSurrogate() => Surrogate ?? new ClippedSurrogate(ClipLow, ClipHigh, RatioCap);

    internal ReferenceTerm? ToReference() => ReferenceWeight > 0 ? new ReferenceTerm(ReferenceWeight, CorrectReference) : null;

    // What is left at its default adds nothing: states written before it existed stay those of their training.
    internal void AddTo(TrainingDigest digest)
    {
        Surrogate?.AddTo(digest);
        if (UpdatesPerBatch > 1) digest.Add("updates per batch").Add((long)UpdatesPerBatch);
        if (TeacherWeight > 0) digest.Add("teacher").Add(TeacherWeight);
        if (TeacherWeight > 0 && TeacherDivergence != TeacherDivergence.Token)
            digest.Add("teacher divergence").Add((long)TeacherDivergence, TeacherTop).Add(TeacherBeta);
        if (CorrectReference) digest.Add("corrected reference");
        if (TopEntropy is { } share) digest.Add("top entropy").Add(share);
        if (WeightAverage is { } decay) digest.Add("weight average").Add(decay);
    }
}
