namespace Distill.Architecture;

/// <summary>Frequencies as they are: Su et al. 2021 (arXiv 2104.09864).</summary>
public sealed record DefaultRotary : RotaryScaling
{
    private DefaultRotary()
    {
    }

    public static DefaultRotary Instance { get; } = new();

    public override string TypeName => "default";

    public override void Apply(Span<float> frequencies, double theta)
    {
    }

    public override IEnumerable<string> Problems() => [];
}
