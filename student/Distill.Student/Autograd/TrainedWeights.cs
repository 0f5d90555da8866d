using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>All weights of a decoder, each of them trained. One thread; the creator disposes it before the parameters.</summary>
internal sealed class TrainedWeights : IDecoderWeights
{
    private readonly FlatParameters parameters;
    private readonly MatmulWeights products;
    private readonly Dictionary<string, Tensor> weights = [];
    private readonly List<WeightProjection> projections = [];

    /// <param name="roundingSeed">Of the bf16 copy of the weights; null rounds it to nearest. Unused in fp32 and fp16.</param>
    /// <param name="threads">That share the rounding.</param>
    public TrainedWeights(FlatParameters parameters, MatmulPrecision precision, ulong? roundingSeed, int threads)
    {
        this.parameters = parameters;
        products = new MatmulWeights(parameters, precision, roundingSeed, threads);
        Gradient = new FlatGradient(parameters);
        using var scope = NewDisposeScope();
        foreach (var (name, _, spec) in parameters.Places.Where(place => !place.Name.Contains("_proj.", StringComparison.Ordinal)))
            weights.Add(name, parameters.ValuesOf(name).view([.. spec.Shape]).DetachFromDisposeScope());
    }

    public DecoderArchitecture Architecture => parameters.Architecture;

    public Device Device => parameters.Device;

    public ScalarType Precision => products.Values.dtype;

    public FlatGradient Gradient { get; }

    public IFlatPasses Passes => parameters.Passes;

    public void Refresh() => products.Refresh();

    public IProjection Projection(int layer, string name)
    {
        string weight = ParameterMap.Layer(layer, name + ".weight"), bias = ParameterMap.Layer(layer, name + ".bias");
        var spec = parameters.Places.First(place => place.Name == weight).Spec;
        bool biased = parameters.Places.Any(place => place.Name == bias);
        projections.Add(new WeightProjection(
            products.Values, Gradient, parameters.OffsetOf(weight), spec.Shape[0], spec.Shape[1],
            biased ? parameters.OffsetOf(bias) : null));
        return projections[^1];
    }

    public Tensor Weight(string name) => weights[name];

    public long? GradientOffset(string name) => parameters.OffsetOf(name);

    public void Dispose()
    {
        foreach (var projection in projections) projection.Dispose();
        foreach (var weight in weights.Values) weight.Dispose();
        Gradient.Dispose();
        products.Dispose();
    }
}

/// <summary>A trained matrix, with its bias if there is one: views of the flat layout.</summary>
internal sealed class WeightProjection : IProjection
{
    private readonly FlatGradient gradient;
    private readonly long offset;
    private readonly long? biasOffset;
    private readonly Tensor matrix; // [out, in]
    private readonly Tensor? bias;  // [out]

    /// <param name="values">[parameters] in the products' precision.</param>
    /// <param name="biasOffset">Null without a bias.</param>
    public WeightProjection(Tensor values, FlatGradient gradient, long offset, long rows, long columns, long? biasOffset)
    {
        (this.gradient, this.offset, this.biasOffset) = (gradient, offset, biasOffset);
        using var scope = NewDisposeScope();
        matrix = values.narrow(0, offset, rows * columns).view(rows, columns).DetachFromDisposeScope();
        if (biasOffset is { } start) bias = values.narrow(0, start, rows).DetachFromDisposeScope();
    }

    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var transposed = matrix.t();
        return (bias is null ? input.mm(transposed) : addmm(bias, input, transposed, beta: 1, alpha: 1)).MoveToOuterDisposeScope();
    }

    public Tensor Backward(Tensor input, Tensor outputGradient, Tensor? others)
    {
        using var scope = NewDisposeScope();
        gradient.AddProduct(offset, outputGradient.t(), input);
        if (biasOffset is { } start) gradient.Add(start, outputGradient.sum(0, keepdim: false, ScalarType.Float32));
        if (others is null) return outputGradient.mm(matrix).MoveToOuterDisposeScope();
        others.addmm_(outputGradient, matrix, beta: 1, alpha: 1);
        return others;
    }

    public void Dispose()
    {
        matrix.Dispose();
        bias?.Dispose();
    }
}
