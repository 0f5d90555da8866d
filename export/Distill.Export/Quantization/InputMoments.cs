using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Export.Quantization;

/// <summary>
/// Second moments XᵀX of what projections read, summed over texts, [columns, columns] fp32. One thread; dispose it.
/// </summary>
internal sealed class InputMoments : IDisposable
{
    private readonly Dictionary<string, Tensor> sums = [];

    /// <summary>Adds one text.</summary>
    /// <param name="input">[…, columns]: what the projection read.</param>
    public void Add(string part, Tensor input)
    {
        using var scope = NewDisposeScope();
        long columns = input.shape[^1];
        var x = input.view(-1, columns);
        if (!sums.TryGetValue(part, out var sum))
            sums.Add(part, sum = zeros([columns, columns], ScalarType.Float32).DetachFromDisposeScope());
        sum.addmm_(x.t(), x, beta: 1, alpha: 1);
    }

    /// <summary>2·XᵀX, fp64, in the caller's dispose scope.</summary>
    public Tensor Hessian(string part) => sums[part].to(ScalarType.Float64).mul_(KeptScalar.Of(2));

    public void Dispose()
    {
        foreach (var sum in sums.Values) sum.Dispose();
    }
}
