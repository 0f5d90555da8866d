namespace Distill.Pipeline.Recipes;

/// <summary>Number format of an exported model's weights.</summary>
public enum ExportPrecision
{
    Fp32,
    Fp16,
    Int8,
    Int4,
}

/// <summary><c>export</c>: the ONNX folder that apps load.</summary>
public sealed record ExportSection
{
    /// <summary>fp32, fp16, int8 or int4. Default fp32.</summary>
    public ExportPrecision Precision { get; init; }

    internal static ExportSection Bind(SectionReader reader)
    {
        var section = new ExportSection { Precision = reader.Choice("precision", ExportPrecision.Fp32) };
        reader.Close();
        return section;
    }
}
