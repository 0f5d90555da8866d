using Distill.Architecture;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>
/// A decoder of which the adapters alone are trained: only they have a gradient. The base may lie elsewhere, e.g. in the computer's memory
/// beside a device, which then holds it in the precision of the products or in fewer bits. One thread; disposed before base and adapters.
/// </summary>
internal sealed class AdapterWeights : IDecoderWeights
{
    private readonly FlatParameters parameters;
    private readonly LowRankAdapters adapters;
    private readonly FrozenForm form;
    private readonly ulong? roundingSeed;
    private readonly int threads;
    private readonly Tensor working; // [adapters] in the products' precision; the adapters' own memory in fp32
    private readonly Dictionary<string, Tensor> weights = [];
    private readonly List<IProjection> projections = [];

    /// <param name="adapters">Over <paramref name="parameters"/>; their device is the one that is trained on.</param>
    /// <param name="roundingSeed">Of the bf16 copy of the adapters; null rounds it to nearest. Unused in fp32 and fp16.</param>
    /// <param name="threads">That share the rounding.</param>
    public AdapterWeights(
        FlatParameters parameters, LowRankAdapters adapters, MatmulPrecision precision, FrozenForm form, ulong? roundingSeed, int threads)
    {
        (this.parameters, this.adapters, this.form) = (parameters, adapters, form);
        (this.roundingSeed, this.threads) = (roundingSeed, threads);
        Precision = precision switch
        {
            MatmulPrecision.Fp32 => ScalarType.Float32,
            MatmulPrecision.Mixed => ScalarType.BFloat16,
            MatmulPrecision.Fp16 => ScalarType.Float16,
            _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, null),
        };
        Gradient = new FlatGradient(adapters.Count, Device);
        using var scope = NewDisposeScope();
        working = (Precision == ScalarType.Float32 ? adapters.Values.alias() : empty([adapters.Count], Precision, Device))
            .DetachFromDisposeScope();
        foreach (var (name, _, spec) in parameters.Places.Where(place => !place.Name.Contains("_proj.", StringComparison.Ordinal)))
            weights.Add(name, parameters.ValuesOf(name).view([.. spec.Shape]).to(Device).alias().DetachFromDisposeScope());
    }

    public DecoderArchitecture Architecture => parameters.Architecture;

    public Device Device => adapters.Values.device;

    public ScalarType Precision { get; }

    public FlatGradient Gradient { get; }

    public IFlatPasses Passes => adapters.Passes;

    public void Refresh()
    {
        if (Precision == ScalarType.Float32) return;
        using var scope = NewDisposeScope();
        if (Precision == ScalarType.Float16) working.copy_(adapters.Values);
        else Passes.Round(
            adapters.Values, working, 0, roundingSeed is { } seed ? StochasticRounding.Key(seed, adapters.Updates) : null, threads);
    }

    public IProjection Projection(int layer, string name)
    {
        using var scope = NewDisposeScope();
        string weight = ParameterMap.Layer(layer, name + ".weight"), bias = ParameterMap.Layer(layer, name + ".bias");
        var spec = parameters.Places.First(place => place.Name == weight).Spec;
        var matrix = Frozen(parameters.ValuesOf(weight).view([.. spec.Shape]));
        var biases = parameters.Places.Any(place => place.Name == bias) ? parameters.ValuesOf(bias).to(Precision, Device) : null;
        projections.Add(adapters.Places.FirstOrDefault(place => place.Name == weight) is { } place
            ? new AdaptedProjection(matrix, biases, place, working, adapters.Scale, Gradient)
            : new FrozenProjection(matrix, biases));
        return projections[^1];
    }

    public Tensor Weight(string name) => weights[name];

    public long? GradientOffset(string name) => null;

    public void Dispose()
    {
        foreach (var projection in projections) projection.Dispose();
        foreach (var weight in weights.Values) weight.Dispose();
        Gradient.Dispose();
        working.Dispose();
    }

    private IFrozenMatrix Frozen(Tensor matrix) => form switch
    {
        FrozenForm.Float => new FloatMatrix(matrix, Precision, Device),
        FrozenForm.Int8 => new BlockMatrix(matrix, 8, Precision, Device),
        FrozenForm.Int4 => new BlockMatrix(matrix, 4, Precision, Device),
        _ => throw new InvalidOperationException($"Unknown form {form}."),
    };
}
