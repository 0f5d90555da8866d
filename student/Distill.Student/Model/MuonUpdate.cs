using Distill.Architecture;
using Distill.Libtorch;
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
    private const double SizeOfAdamW = 0.2, OfMomentum = 0.95;
    private const int Iterations = 5;

    private static readonly Scalar s_momentum = KeptScalar.Of(OfMomentum), s_least = KeptScalar.Of(1e-7);

    // What pulls singular values towards 1 in five rounds, to between 0.7 and 1.2: x ← ax + b(xxᵀ)x + c(xxᵀ)²x.
    private static readonly (Scalar A, Scalar B, Scalar C) s_quintic =
        (KeptScalar.Of(3.4445), KeptScalar.Of(-4.7750), KeptScalar.Of(2.0315));

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

    /// <summary>Most bytes that an update takes beside the moments: some copies of the largest stack, of gates, ups and downs.</summary>
    public static long MemoryOf(DecoderArchitecture a)
    {
        const int Copies = 6;
        long matrix = (long)a.HiddenSize * a.IntermediateSize;
        return Copies * sizeof(float) * Math.Max(matrix, Math.Min(TensorPasses.Piece, 3L * a.Layers * matrix));
    }

    /// <summary>Of each matrix m = usvᵀ nearly uvᵀ: singular values between 0.7 and 1.2, those far below the largest less.</summary>
    /// <param name="matrices">[matrices, rows, columns] with no more rows than columns; left as they are.</param>
    /// <returns>[matrices, rows, columns] in the caller's dispose scope.</returns>
    internal static Tensor Orthogonalized(Tensor matrices)
    {
        using var scope = NewDisposeScope();
        var (a, b, c) = s_quintic;
        var x = Divided(matrices);
        for (int i = 0; i < Iterations; i++)
        {
            using var before = x;
            using var round = NewDisposeScope();
            var square = x.bmm(x.transpose(1, 2)); // [matrices, rows, rows]
            var factor = square.bmm(square).mul_(c).add_(square.mul_(b), KeptScalar.One);
            x = factor.bmm(x).add_(x.mul(a), KeptScalar.One).MoveToOuterDisposeScope();
        }

        return x.MoveToOuterDisposeScope();
    }

    // By their Frobenius norms.
    private static Tensor Divided(Tensor matrices)
    {
        using var scope = NewDisposeScope();
        return matrices.div(matrices.square().sum([1, 2], keepdim: true).sqrt().clamp_min(s_least)).MoveToOuterDisposeScope();
    }

    private void Apply(TrainedBlock[] stack, Tensor gradient, Tensor first, in AdamWStep step)
    {
        using var scope = NewDisposeScope();
        using Scalar share = step.Clip * (1 - OfMomentum), shrink = step.Shrink;
        var directions = Orthogonalized(torch.stack(stack.Select(block => Lying(Direction(block, gradient, first, share)))));
        foreach (var (index, block) in stack.Index())
        {
            var (rows, columns) = block.Hidden!.Value;
            var values = Matrix(trained.Values, block);
            var direction = directions[index];
            using Scalar size = -step.Rate * SizeOfAdamW * Math.Sqrt(Math.Max(rows, columns));
            if (step.Shrink != 1) values.mul_(shrink);
            values.add_(rows > columns ? direction.t() : direction, size);
        }
    }

    // Nesterov's: the momentum with this gradient, and this gradient once more. [rows, columns]
    private static Tensor Direction(TrainedBlock block, Tensor gradient, Tensor first, Scalar share)
    {
        var slope = Matrix(gradient, block).mul(share);
        var momentum = Matrix(first, block);
        return slope.add_(momentum.mul_(s_momentum).add_(slope, KeptScalar.One), s_momentum);
    }

    private static Tensor Matrix(Tensor whole, TrainedBlock block) =>
        whole.narrow(0, block.Offset, block.Count).view(block.Hidden!.Value.Rows, block.Hidden.Value.Columns);

    private static Tensor Lying(Tensor matrix) => matrix.shape[0] > matrix.shape[1] ? matrix.t() : matrix;

    private static (long Short, long Long) Sides(MatrixShape shape) =>
        (Math.Min(shape.Rows, shape.Columns), Math.Max(shape.Rows, shape.Columns));
}
