using Distill.Student.Distillation;

namespace Distill.Pipeline.Recipes;

/// <summary>How a student's distribution is compared with the teacher's.</summary>
public enum DivergenceKind
{
    /// <summary>KL(teacher‖student).</summary>
    Forward,

    /// <summary>KL(student‖teacher).</summary>
    Reverse,

    /// <summary>Both against their mixture.</summary>
    JensenShannon,

    /// <summary>KL(teacher‖mixture).</summary>
    SkewForward,

    /// <summary>KL(student‖mixture).</summary>
    SkewReverse,

    /// <summary>Forward KL plus the teacher's entropy: the same gradient.</summary>
    CrossEntropy,
}

/// <summary><c>soft_labels</c>: the <c>sft</c> student learns the teacher's alternatives to each token, not its tokens alone.</summary>
public sealed record SoftLabelSection
{
    /// <summary>Share of the soft part in the loss; the rest is cross-entropy of the teacher's tokens. (0, 1], default 0.5.</summary>
    public double Weight { get; init; }

    /// <summary>forward, reverse, jensen_shannon, skew_forward, skew_reverse or cross_entropy. Default forward.</summary>
    public DivergenceKind Divergence { get; init; }

    /// <summary>Share of the teacher in the mixture of jensen_shannon (default 0.5) and skew_forward (0.1), of the student in skew_reverse (0.1). (0, 0.999].</summary>
    public double? Mixture { get; init; }

    /// <summary>tail_bucket, renormalised_both or teacher_renormalised. Default tail_bucket.</summary>
    public TokenSupport Support { get; init; }

    /// <summary>Softens both distributions. (0, 100], default 1.</summary>
    public double Temperature { get; init; }

    /// <summary>Multiply the soft part by temperature². Default false.</summary>
    public bool SquareTemperature { get; init; }

    /// <returns>Null when the recipe has no such section: hard labels alone.</returns>
    internal static SoftLabelSection? Bind(SectionReader reader)
    {
        if (!reader.IsPresent) return null;
        var divergence = reader.Choice("divergence", DivergenceKind.Forward);
        bool mixed = divergence is DivergenceKind.JensenShannon or DivergenceKind.SkewForward or DivergenceKind.SkewReverse;
        double mixture = reader.Number("mixture", divergence == DivergenceKind.JensenShannon ? 0.5 : 0.1, 0, 0.999, above: true);
        var section = new SoftLabelSection
        {
            Weight = reader.Number("weight", 0.5, 0, 1, above: true),
            Divergence = divergence,
            Mixture = mixed ? mixture : null,
            Support = reader.Choice("support", TokenSupport.TailBucket),
            Temperature = reader.Number("temperature", 1, 0, 100, above: true),
            SquareTemperature = reader.Flag("square_temperature", false),
        };
        reader.Require(mixed || !reader.IsGiven("mixture"), "mixture", $"{divergence} has no mixture", "leave it out, or choose jensen_shannon, skew_forward or skew_reverse");
        // A student that keeps its whole softmax gives probability to tokens of which the teacher's is taken as 0: only what weighs by the teacher is finite.
        reader.Require(
            section.Support != TokenSupport.TeacherRenormalised || divergence is DivergenceKind.Forward or DivergenceKind.CrossEntropy or DivergenceKind.SkewForward,
            "support", "teacher_renormalised leaves the other tokens without a teacher", "choose tail_bucket, or the divergence forward, skew_forward or cross_entropy");
        reader.Close();
        return section;
    }

    internal TopTokenDivergence ToDivergence() => new(
        Divergence switch
        {
            DivergenceKind.Forward => new ForwardDivergence(),
            DivergenceKind.Reverse => new ReverseDivergence(),
            DivergenceKind.JensenShannon => new JensenShannonDivergence(Mixture!.Value),
            DivergenceKind.SkewForward => new SkewForwardDivergence(Mixture!.Value),
            DivergenceKind.SkewReverse => new SkewReverseDivergence(Mixture!.Value),
            DivergenceKind.CrossEntropy => new CrossEntropyDivergence(),
            _ => throw new InvalidOperationException($"Unknown divergence {Divergence}."),
        },
        Support, Temperature, SquareTemperature);
}
