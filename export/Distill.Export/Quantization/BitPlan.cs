using System.Collections.Immutable;
using Distill.Architecture;

namespace Distill.Export.Quantization;

/// <summary>
/// Which layout every matrix of a decoder gets: a size that is kept, and within it 8 bits for the matrices that gain most by a byte.
/// Immutable.
/// </summary>
internal sealed class BitPlan
{
    private readonly ImmutableDictionary<string, BlockLayout> layouts; // by parameter

    private BitPlan(ImmutableDictionary<string, BlockLayout> layouts, long bytes) => (this.layouts, Bytes) = (layouts, bytes);

    /// <summary>Bytes of codes and scales.</summary>
    public long Bytes { get; }

    public BlockLayout this[string parameter] => layouts[parameter];

    /// <summary>Groups of 8 bits where the others have 4.</summary>
    public int Widened(DecoderArchitecture architecture) =>
        MatrixGroup.Of(architecture).Count(group => !group.IsTable && layouts[group.Parts[0].Name].Bits == 8);

    /// <summary>Every projection in one layout; tables in 8 bits, in the largest blocks up to 64 that their rows fill.</summary>
    public static BitPlan Even(DecoderArchitecture architecture, BlockLayout body) =>
        Of(MatrixGroup.Of(architecture), group => group.IsTable ? Table(group.Columns, 8) : body);

    /// <summary>
    /// From <see cref="Even"/> on, the groups with the largest gain by a byte get 8 bits as long as they fit; what does not fit is passed
    /// over, so that smaller ones still can.
    /// </summary>
    /// <param name="gains">By parameter: what the loss would fall by if its matrix were exact.</param>
    /// <param name="maxBytes">Of codes and scales.</param>
    /// <exception cref="InvalidDataException">Not even the smallest layout fits; says the least size.</exception>
    public static BitPlan Within(
        DecoderArchitecture architecture, BlockLayout body, IReadOnlyDictionary<string, double> gains, long maxBytes)
    {
        var groups = MatrixGroup.Of(architecture);
        long left = maxBytes - Even(architecture, body).Bytes;
        var wide = new HashSet<string>();
        var narrowTables = false;
        if (left < 0)
        {
            // Tables in 4 bits are felt most, and so are the last resort.
            var least = Of(groups, group => group.IsTable ? Table(group.Columns, 4) : body);
            narrowTables = true;
            left = maxBytes - least.Bytes;
            if (left < 0)
                throw new InvalidDataException($"Codes and scales take {least.Bytes / 1e6:F1} MB in 4 bits throughout; "
                    + $"{maxBytes / 1e6:F1} MB are left for them.");
        }

        double Gain(MatrixGroup group) => group.Parts.Sum(part => Math.Max(0, gains.GetValueOrDefault(part.Name)));
        long Cost(MatrixGroup group) => group.BytesIn(Wide(group.Columns)) - group.BytesIn(body);
        var ranked = groups.Where(group => !group.IsTable && Cost(group) > 0)
            .OrderByDescending(group => Gain(group) / Cost(group)).ThenBy(group => group.Name, StringComparer.Ordinal);
        foreach (var group in ranked)
        {
            if (Cost(group) > left) continue;
            left -= Cost(group);
            wide.Add(group.Name);
        }

        return Of(groups, group => group.IsTable ? Table(group.Columns, narrowTables ? 4 : 8)
            : wide.Contains(group.Name) ? Wide(group.Columns) : body);
    }

    private static BitPlan Of(IReadOnlyList<MatrixGroup> groups, Func<MatrixGroup, BlockLayout> layoutOf)
    {
        var layouts = ImmutableDictionary.CreateBuilder<string, BlockLayout>();
        long bytes = 0;
        foreach (var group in groups)
        {
            var layout = layoutOf(group);
            bytes += group.BytesIn(layout);
            foreach (var part in group.Parts) layouts.Add(part.Name, layout);
        }

        return new(layouts.ToImmutable(), bytes);
    }

    // With 8 bits a block of 64 loses nothing that could be measured, and its scales take half.
    private static BlockLayout Wide(int columns) => new(8, columns % 64 == 0 ? 64 : 32);

    // Rows of a table must fill whole blocks: it is read as it is stored.
    private static BlockLayout Table(int columns, int bits) =>
        new(bits, bits == 8 && columns % 64 == 0 ? 64 : columns % 32 == 0 ? 32 : 16);
}
