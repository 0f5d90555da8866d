using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon/): a layer's matrix moves along its momentum with all singular values made
/// alike, so that rare directions are learned as fast as common ones. Updates are scaled to the size of AdamW's (Liu et al. 2025, arXiv
/// 2502.16982), so that its rates and decay serve both. Embeddings, output projection, norms and biases are AdamW's. Departs from Jordan
/// in computing in fp32. The first moment holds the momentum; the second of matrices stays zero. One thread.
/// </summary>
internal sealed class MuonUpdate : IFlatUpdate
{
    private const double Momentum = 0.95, SizeOfAdamW = 0.2, Least = 1e-7;
    private const int Iterations = 5;

    // What pulls singular values towards 1 in five rounds, to between 0.7 and 1.2: x ← ax + b(xxᵀ)x + c(xxᵀ)²x.
    private static readonly (double A, double B, double C) s_quintic = (3.4445, -4.7750, 2.0315);

    private readonly ITrainedValues trained;
    private readonly IFlatUpdate rest;
    private readonly IReadOnlyList<TrainedBlock[]> stacks;

    public MuonUpdate(ITrainedValues trained)
    {
        this.trained = trained;
        rest = trained.Passes.UpdatesOf(trained, [.. trained.Blocks.Where(block => block.Hidden is null)]);
        stacks = [.. trained.Blocks.Where(block => block.Hidden is not null).GroupBy(block => Sides(block.Hidden!.Value))
            .SelectMany(alike => alike.Chunk((int)Math.Max(1, TensorPasses.Piece / alike.First().Count)))];
    }

    public void Apply(Tensor gradient, Tensor first, Tensor second, in AdamWStep step)
    {
        rest.Apply(gradient, first, second, step);
        using var without = no_grad();
        foreach (var stack in stacks) Apply(stack, gradient, first, step);
    }

    public void Dispose() => rest.Dispose();

    /// <summary>Of each matrix m = usvᵀ nearly uvᵀ: singular values between 0.7 and 1.2, those far below the largest less.</summary>
    /// <param name="matrices">[matrices, rows, columns] with no more rows than columns; left as they are.</param>
    /// <returns>[matrices, rows, columns] in the caller's dispose scope.</returns>
    internal static Tensor Orthogonalized(Tensor matrices)
    {
        using var scope = NewDisposeScope();
        var (a, b, c) = s_quintic;
        var x = matrices / matrices.square().sum([1, 2], keepdim: true).sqrt().clamp_min(Least);
        for (int i = 0; i < Iterations; i++)
        {
            using var before = x;
            using var round = NewDisposeScope();
            var square = x.bmm(x.transpose(1, 2)); // [matrices, rows, rows]
            x = ((x * a) + ((square * b) + (square.bmm(square) * c)).bmm(x)).MoveToOuterDisposeScope();
        }

        return x.MoveToOuterDisposeScope();
    }

    private void Apply(TrainedBlock[] stack, Tensor gradient, Tensor first, in AdamWStep step)
    {
        using var scope = NewDisposeScope();
        double clip = step.Clip;
        var directions = Orthogonalized(torch.stack(stack.Select(block => Lying(Direction(block, gradient, first, clip)))));
        foreach (var (index, block) in stack.Index())
        {
            var (rows, columns) = block.Hidden!.Value;
            var values = Matrix(trained.Values, block);
            var direction = directions[index];
            if (step.Shrink != 1) values.mul_(step.Shrink);
            values.add_(rows > columns ? direction.t() : direction, -step.Rate * SizeOfAdamW * Math.Sqrt(Math.Max(rows, columns)));
        }
    }

    // Nesterov's: the momentum with this gradient, and this gradient once more. [rows, columns]
    private static Tensor Direction(TrainedBlock block, Tensor gradient, Tensor first, double clip)
    {
        var slope = Matrix(gradient, block) * (clip * (1 - Momentum));
        var momentum = Matrix(first, block);
        return slope.add_(momentum.mul_(Momentum).add_(slope), Momentum);
    }

    private static Tensor Matrix(Tensor whole, TrainedBlock block) =>
        whole.narrow(0, block.Offset, block.Count).view(block.Hidden!.Value.Rows, block.Hidden.Value.Columns);

    private static Tensor Lying(Tensor matrix) => matrix.shape[0] > matrix.shape[1] ? matrix.t() : matrix;

    private static (long Short, long Long) Sides(MatrixShape shape) =>
        (Math.Min(shape.Rows, shape.Columns), Math.Max(shape.Rows, shape.Columns));
}
