namespace Distill.Export.Graph;

/// <summary>What an <see cref="ExportPrecision"/> means for a graph: the type that flows, and the form of the large matrices.</summary>
internal sealed record GraphPrecision(FloatFormat Floats, ProjectionFormat Projections)
{
    public static GraphPrecision Of(ExportPrecision precision) => precision switch
    {
        ExportPrecision.Single => new(FloatFormat.Single, new FloatProjection(FloatFormat.Single)),
        _ => throw new ArgumentOutOfRangeException(nameof(precision)),
    };
}
