using Distill.Architecture;
using Distill.Generation.Onnx;

namespace Distill.Export.Parity.Localisation;

/// <summary>The block-quantized matrices of a graph against the weights they were made of.</summary>
internal sealed class StoredMatrices(ModelFolder folder, GraphOutline graph)
{
    // A matrix whose worst block is so many times as far off as the usual matrix's worst one is damaged, not rounded.
    private const double TimesUsual = 2.5;

    // Where there are too few of a kind to say what is usual: more than any block loses by rounding to 8 bits, and to 4.
    private const double MostFine = 0.05, MostCoarse = 0.6;

    private const int Fewest = 3;

    // Rounding to nearest leaves no code that is not the nearest, but those that a range cuts off.
    private const double MostOthers = 0.1;

    /// <returns>For each matrix that could be read, its worst block.</returns>
    /// <exception cref="InvalidDataException">The file is broken.</exception>
    public IReadOnlyList<MatrixError> Compare(WeightSet weights, IReadOnlyList<DecoderStep> steps)
    {
        if (ExternalFiles.Of(Path.GetDirectoryName(folder.GraphPath)!, graph) is not { } files) return [];
        using var stream = File.OpenRead(folder.GraphPath);
        var makers = graph.Nodes.Where(node => node is { Operator: "MatMulNBits", Domain: "com.microsoft" })
            .DistinctBy(node => node.Outputs[0]).ToDictionary(node => node.Outputs[0], StringComparer.Ordinal);
        var errors = new List<MatrixError>();
        foreach (var step in steps)
        {
            // A bias is added to the product, which has the name without it.
            if (!makers.TryGetValue(step.Output.Replace(".biased", "", StringComparison.Ordinal), out var node)) continue;
            if (BlockMatrix.Read(stream, folder.GraphPath, graph, files, node) is not { } matrix) continue;
            if (step.Tensors.Any(tensor => tensor.Parameter is null) || step.Tensors.Sum(tensor => tensor.Width) != matrix.Rows) continue;
            int row = 0;
            foreach (var tensor in step.Tensors)
            {
                errors.Add(Compare(step, tensor, matrix, row, weights[tensor.Parameter!].Span));
                row += tensor.Width;
            }
        }

        return errors;
    }

    /// <summary>
    /// Whether codes were chosen over texts, or scales moved after that: in most of the matrices many weights do not have the nearest code.
    /// Told by the codes themselves, so that it holds for files without a record; damage to a few matrices does not look like it.
    /// </summary>
    public static bool AreChosen(IReadOnlyList<MatrixError> errors) =>
        errors.Count > 0 && errors.Select(error => error.Others).Order().ElementAt(errors.Count / 2) > MostOthers;

    /// <summary>Those that no choice of codes explains, whatever is usual.</summary>
    public static IEnumerable<FaultLocation> BeyondChoice(IReadOnlyList<MatrixError> errors) =>
        errors.Where(error => error.IsBeyondChoice).Select(error => Location(error, usual: 0));

    /// <summary>Those that rounding to nearest does not explain.</summary>
    public static IEnumerable<FaultLocation> Outliers(IReadOnlyList<MatrixError> errors)
    {
        if (errors.Count == 0) return [];
        // Matrices of 8 bits are nearer than those of 4: each is held against its own kind of rounding.
        return errors.GroupBy(error => error.IsFine).SelectMany(alike =>
        {
            double[] sorted = [.. alike.Select(error => error.Error).Order()];
            double usual = sorted[sorted.Length / 2];
            double limit = sorted.Length >= Fewest ? TimesUsual * usual : alike.Key ? MostFine : MostCoarse;
            return alike.Where(error => !(error.Error <= limit)).Select(error => Location(error, usual));
        });
    }

    private static FaultLocation Location(MatrixError error, double usual) => new(
        error.Step.Layer, error.Step.Part, error.Tensor.Kind, error.Tensor.Parameter,
        double.IsFinite(error.Error) ? error.Error : double.MaxValue, usual, $"row {error.Row}, block {error.Block}");

    private static MatrixError Compare(DecoderStep step, StepTensor tensor, BlockMatrix matrix, int firstRow, ReadOnlySpan<float> weights)
    {
        float[] work = new float[matrix.Columns];
        var worst = new MatrixError(step, tensor, -1, 0, 0, matrix.Bits == 8);
        for (int row = 0; row < tensor.Width; row++)
        {
            var expected = weights.Slice(row * matrix.Columns, matrix.Columns);
            var (error, block) = matrix.WorstBlock(firstRow + row, expected, work);
            if (error > worst.Error) worst = worst with { Error = error, Row = row, Block = block };
            worst = worst with
            {
                IsBeyondChoice = matrix.IsBeyondChoice(firstRow + row, expected, work, out double share) || worst.IsBeyondChoice,
                Others = worst.Others + (share / tensor.Width),
            };
        }

        return worst;
    }
}

/// <summary>The block of a stored matrix that is farthest from the weights, relative to their size.</summary>
/// <param name="Row">Of the parameter, not of the matrix it lies in.</param>
/// <param name="IsFine">8 bits a weight.</param>
internal sealed record MatrixError(DecoderStep Step, StepTensor Tensor, double Error, int Row, int Block, bool IsFine)
{
    /// <summary>Some block holds what no choice of codes and scales explains.</summary>
    public bool IsBeyondChoice { get; init; }

    /// <summary>Share of codes that are not the nearest to their weight.</summary>
    public double Others { get; init; }
}
