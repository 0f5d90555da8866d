using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>
/// The adapters of a decoder in one vector on the model's device, A before B for each adapted weight in storage order, over frozen copies
/// of those weights. The model reads merged weights W + scale·B·A, so any <see cref="IGradientModel"/> serves; gradients follow by the
/// chain rule: ∂A = scale·Bᵀ·∂W and ∂B = scale·∂W·Aᵀ. One thread; dispose it.
/// </summary>
internal sealed class LowRankAdapters : ITrainedValues, IDisposable
{
    private readonly FlatParameters parameters;
    private readonly List<LowRankPlace> places = [];
    private readonly Tensor[] frozen; // the adapted weights, [out, in] by place
    private readonly int rank;
    private readonly float scale;

    /// <summary>
    /// Starts as peft does where nothing is asked for: A random with variance 1/(3·in), B zero, so that the model is unchanged.
    /// </summary>
    /// <param name="parameters">
    /// The base; the adapted weights are copied, and overwritten by <see cref="Merge"/>. Stays the caller's.
    /// </param>
    /// <exception cref="ArgumentException">Impossible options.</exception>
    public LowRankAdapters(FlatParameters parameters, LowRankOptions options, ulong seed)
    {
        options.Validate();
        (this.parameters, rank, scale) = (parameters, options.Rank, (float)options.Scale);
        foreach (var (name, offset, spec) in parameters.Places.Where(
            place => options.Targets.Any(target => place.Name.EndsWith($".{target}.weight", StringComparison.Ordinal))))
        {
            places.Add(new LowRankPlace(name, offset, spec.Shape[0], spec.Shape[1], Count));
            Count += rank * places[^1].In + places[^1].Out * rank;
        }

        using var scope = NewDisposeScope();
        using var without = no_grad();
        Values = zeros([Count], ScalarType.Float32, parameters.Device).DetachFromDisposeScope();
        frozen = [.. places.Select(place => Matrix(parameters.ValuesOf(place.Name), place.Out, place.In).DetachFromDisposeScope())];
        var normal = new NormalStream(seed);
        foreach (var place in places)
        {
            float[] start = new float[rank * place.In];
            for (int i = 0; i < start.Length; i++) start[i] = (float)(normal.Next() / Math.Sqrt(3.0 * place.In));
            ValuesOfA(place).copy_(tensor(start));
        }
    }

    public long Count { get; }

    /// <summary>[<see cref="Count"/>]</summary>
    public Tensor Values { get; }

    /// <summary>The merged weights are what is rounded.</summary>
    public int Updates
    {
        get => parameters.Updates;
        set => parameters.Updates = value;
    }

    public LossScale LossScale => parameters.LossScale;

    public IEnumerable<TrainedBlock> Blocks => places.SelectMany(place => (TrainedBlock[])
        [new(place.Start, rank * place.In, Decays: true), new(place.Start + rank * place.In, place.Out * rank, Decays: true)]);

    /// <summary>Writes W + scale·B·A into the parameters. The same adapters always give the same weights.</summary>
    public void Merge()
    {
        using var without = no_grad();
        foreach (var (index, place) in places.Index())
        {
            using var scope = NewDisposeScope();
            var (a, b) = Factors(place);
            parameters.ValuesOf(place.Name).copy_(frozen[index].addmm(b, a, 1, scale).view(-1));
        }
    }

    /// <summary>Turns a gradient by the merged weights into one by the adapters.</summary>
    /// <param name="whole">[parameters]</param>
    /// <param name="gradient">[<see cref="Count"/>], overwritten.</param>
    internal void Project(Tensor whole, Tensor gradient)
    {
        using var without = no_grad();
        foreach (var place in places)
        {
            using var scope = NewDisposeScope();
            var (a, b) = Factors(place);
            var slope = Matrix(whole.narrow(0, place.Offset, place.Out * place.In), place.Out, place.In);
            PartOfA(gradient, place).copy_(b.t().mm(slope).mul_(KeptScalar.Of(scale)).view(-1));
            PartOfB(gradient, place).copy_(slope.mm(a.t()).mul_(KeptScalar.Of(scale)).view(-1));
        }
    }

    /// <summary>The adapters with the names and shapes of peft's <c>adapter_model.safetensors</c>.</summary>
    public IEnumerable<SafeTensor> ToTensors() => places.SelectMany(place => (SafeTensor[])
        [
            TensorBytes.ToStore(place.PeftName("A"), ValuesOfA(place)) with { Shape = [rank, place.In] },
            TensorBytes.ToStore(place.PeftName("B"), ValuesOfB(place)) with { Shape = [place.Out, rank] },
        ]);

    /// <summary>Takes adapters out of peft's <c>adapter_model.safetensors</c>.</summary>
    /// <exception cref="InvalidDataException">One is missing or has another shape.</exception>
    public void Load(SafeTensorsFile file)
    {
        using var scope = NewDisposeScope();
        foreach (var place in places)
        {
            TensorBytes.Read(file, place.PeftName("A"), ValuesOfA(place));
            TensorBytes.Read(file, place.PeftName("B"), ValuesOfB(place));
        }
    }

    public void Dispose()
    {
        Values.Dispose();
        foreach (var weight in frozen) weight.Dispose();
    }

    private Tensor ValuesOfA(LowRankPlace place) => PartOfA(Values, place);

    private Tensor ValuesOfB(LowRankPlace place) => PartOfB(Values, place);

    private Tensor PartOfA(Tensor all, LowRankPlace place) => all.narrow(0, place.Start, rank * place.In);

    private Tensor PartOfB(Tensor all, LowRankPlace place) => all.narrow(0, place.Start + rank * place.In, place.Out * rank);

    private (Tensor A, Tensor B) Factors(LowRankPlace place) =>
        (Matrix(ValuesOfA(place), rank, place.In), Matrix(ValuesOfB(place), place.Out, rank));

    // Copied into memory of its own, which libtorch aligns: on some processors the last bits of a product depend on where its factors lie.
    private static Tensor Matrix(Tensor values, long rows, long columns) => values.clone().view(rows, columns);
}
