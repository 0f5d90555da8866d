using Distill.Pipeline.Recipes.Binding;
using Distill.Student.Distillation;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary>How a student's distribution is compared with the teacher's.</summary>
internal enum DivergenceKind
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
internal sealed record SoftLabelSection : Section
{
    [Option("share of the soft part in the loss; the rest is cross-entropy of the teacher's tokens", Minimum = 0, Above = true,
        Maximum = 1)]
    public double Weight { get; init; } = 0.5;

    [Option("how the two distributions are compared")]
    public DivergenceKind Divergence { get; init; } = DivergenceKind.Forward;

    [Option("share of the teacher in the mixture of `jensen_shannon` and `skew_forward`, of the student in that of `skew_reverse`",
        Minimum = 0, Above = true, Maximum = 0.999, Default = "0.5, skew 0.1")]
    public double Mixture { get; init; } = 0.1;

    [Option("what becomes of the probability beyond the recorded tokens: `tail_bucket` (one more class), `renormalised_both` or "
        + "`teacher_renormalised`")]
    public TokenSupport Support { get; init; } = TokenSupport.TailBucket;

    [Option("softens teacher and student", Minimum = 0, Above = true, Maximum = 100)]
    public double Temperature { get; init; } = 1;

    [Option("multiply the soft part by temperature², so that the gradient's size does not depend on it")]
    public bool SquareTemperature { get; init; }

    private bool IsMixed => Divergence is DivergenceKind.JensenShannon or DivergenceKind.SkewForward or DivergenceKind.SkewReverse;

    public override object? DefaultOf(string property, Recipe recipe) =>
        property == nameof(Mixture) && Divergence == DivergenceKind.JensenShannon ? 0.5 : null;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return Rule.Unused(!IsMixed, nameof(Mixture), $"{OptionDeclaration.Spell(Divergence)} has no mixture",
            "leave it out, or choose jensen_shannon, skew_forward or skew_reverse");
        // A student that keeps its whole softmax gives probability to tokens of which the teacher's is taken as 0: only what weighs
        // by the teacher is finite.
        yield return Rule.Require(
            Support != TokenSupport.TeacherRenormalised
                || Divergence is DivergenceKind.Forward or DivergenceKind.CrossEntropy or DivergenceKind.SkewForward,
            nameof(Support), "teacher_renormalised leaves the other tokens without a teacher",
            "choose tail_bucket, or the divergence forward, skew_forward or cross_entropy");
    }

    internal TopTokenDivergence ToDivergence() => new(
        Divergence switch
        {
            DivergenceKind.Forward => new ForwardDivergence(),
            DivergenceKind.Reverse => new ReverseDivergence(),
            DivergenceKind.JensenShannon => new JensenShannonDivergence(Mixture),
            DivergenceKind.SkewForward => new SkewForwardDivergence(Mixture),
            DivergenceKind.SkewReverse => new SkewReverseDivergence(Mixture),
            DivergenceKind.CrossEntropy => new CrossEntropyDivergence(),
            _ => throw new InvalidOperationException($"Unknown divergence {Divergence}."),
        },
        Support, Temperature, SquareTemperature);
}
