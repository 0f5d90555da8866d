using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>How the large matrices are stored and which operators read them: the part of a graph that precision changes.</summary>
internal abstract class WeightFormat
{
    /// <exception cref="InvalidDataException">The options exclude each other; the message says why.</exception>
    public static WeightFormat Of(ExportOptions options) => options.Portable ? Portable(options) : options.Precision switch
    {
        ExportPrecision.Single => new FloatFormat(OnnxElementType.Float),
        ExportPrecision.Half => new FloatFormat(OnnxElementType.Float16),
        ExportPrecision.BFloat16 => new FloatFormat(OnnxElementType.BFloat16),
        ExportPrecision.Int8 => new BlockFormat(body: 8, chosen: options.Quantization),
        ExportPrecision.Int4 => new BlockFormat(body: 4, chosen: options.Quantization),
        _ => throw new ArgumentOutOfRangeException(nameof(options)),
    };

    private static WeightFormat Portable(ExportOptions options) => options.Precision switch
    {
        _ when options.Quantization is not null => throw new InvalidDataException(
            "Codes that were chosen over texts are written for ONNX Runtime's own operators: leave portable out, or the texts."),
        ExportPrecision.Single => new FloatFormat(OnnxElementType.Float, isPortable: true),
        ExportPrecision.Half => new FloatFormat(OnnxElementType.Float16, isPortable: true),
        ExportPrecision.BFloat16 => throw new InvalidDataException(
            "A portable bf16 graph would run nowhere but on a card, which the usual graph is for: export fp16, or leave portable out."),
        ExportPrecision.Int8 => new DequantizedFormat(8),
        ExportPrecision.Int4 => new DequantizedFormat(4),
        _ => throw new ArgumentOutOfRangeException(nameof(options)),
    };

    /// <summary>
    /// Type of what flows between the operators, of the cache, norms, biases and rotary tables; the logits are fp32 always.
    /// </summary>
    public virtual OnnxElementType Flow => OnnxElementType.Float;

    /// <summary>Type of keys, values and rotary tables, and of what attention computes with them.</summary>
    public virtual OnnxElementType Attention => Flow;

    /// <summary>Whether the whole graph, and so what this format adds, is of operators of the ONNX standard alone.</summary>
    public virtual bool IsPortable => false;

    /// <summary>Adds <paramref name="output"/> = <paramref name="input"/> · weightsᵀ, [batch, time, in] → [batch, time, out].</summary>
    public abstract string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights);

    /// <summary>Adds <paramref name="output"/> = rows of the embedding, [batch, time] → [batch, time, hidden].</summary>
    public abstract string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding);

    /// <summary>Adds the logits, from the embedding itself where the model ties them, so that the matrix is stored once.</summary>
    /// <param name="head">The output projection, or the embedding when <paramref name="tied"/>.</param>
    public abstract string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied);
}

/// <summary>
/// The matrix of one MatMul: one projection, or several that read the same input side by side (queries, keys, values). Torch stores
/// [out, in]; <see cref="Rows"/> = all outputs together, <see cref="Columns"/> = inputs.
/// </summary>
internal sealed class ProjectionWeights(params IReadOnlyList<ParameterSpec> parts)
{
    private const int Tile = 32;

    public IReadOnlyList<ParameterSpec> Parts => parts;

    public int Columns { get; } = checked((int)parts[0].Shape[1]);

    public int Rows { get; } = checked((int)parts.Sum(part => part.Shape[0]));

    /// <summary>The weights of one output, [in].</summary>
    public ReadOnlySpan<float> Row(WeightSet weights, int row)
    {
        foreach (var part in parts)
        {
            if (row < part.Shape[0]) return weights[part.Name].Span.Slice(row * Columns, Columns);
            row -= (int)part.Shape[0];
        }

        throw new ArgumentOutOfRangeException(nameof(row));
    }

    /// <summary>
    /// Rows of the transpose, [in, out], from input <paramref name="firstColumn"/> on, into <paramref name="target"/> until it is full.
    /// </summary>
    public void CopyTransposed(WeightSet weights, int firstColumn, Span<float> target)
    {
        int columns = target.Length / Rows, offset = 0;
        foreach (var part in parts)
        {
            int rows = (int)part.Shape[0];
            Transpose(weights[part.Name].Span, rows, firstColumn, columns, target[offset..]);
            offset += rows;
        }
    }

    // source [rows, Columns] → target [columns, stride Rows], tile by tile so that both sides stay in the cache
    private void Transpose(ReadOnlySpan<float> source, int rows, int firstColumn, int columns, Span<float> target)
    {
        for (int rowTile = 0; rowTile < rows; rowTile += Tile)
            for (int columnTile = 0; columnTile < columns; columnTile += Tile)
                for (int column = columnTile, columnEnd = Math.Min(columnTile + Tile, columns); column < columnEnd; column++)
                    for (int row = rowTile, rowEnd = Math.Min(rowTile + Tile, rows); row < rowEnd; row++)
                        target[(column * Rows) + row] = source[(row * Columns) + firstColumn + column];
    }
}
