namespace Distill.Pipeline.Recipes;

/// <summary>What the precisions of a recipe mean to the exporter.</summary>
internal static class ExportPrecisions
{
    public static Export.ExportPrecision ToExport(this ExportPrecision precision) => precision switch
    {
        ExportPrecision.Fp32 => Export.ExportPrecision.Single,
        ExportPrecision.Fp16 => Export.ExportPrecision.Half,
        ExportPrecision.Int8 => Export.ExportPrecision.Int8,
        ExportPrecision.Int4 => Export.ExportPrecision.Int4,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, null),
    };
}
