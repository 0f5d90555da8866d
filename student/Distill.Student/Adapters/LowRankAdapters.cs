using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>
/// The adapters of a decoder in one vector, A before B for each adapted weight in storage order, over frozen copies of those weights. The
/// model reads merged weights W + scale·B·A, so any <see cref="IGradientModel"/> serves; gradients follow by the chain rule:
/// ∂A = scale·Bᵀ·∂W and ∂B = scale·∂W·Aᵀ. One thread.
/// </summary>
internal sealed class LowRankAdapters : ITrainedValues
{
    private readonly FlatParameters parameters;
    private readonly List<LowRankPlace> places = [];
    private readonly float[] values;
    private readonly float[][] frozen; // the adapted weights, by place
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
            places.Add(new LowRankPlace(name, offset, (int)spec.Shape[0], (int)spec.Shape[1], Count));
            Count += rank * places[^1].In + places[^1].Out * rank;
        }

        values = new float[Count];
        frozen = [.. places.Select(place => parameters.SpanOf(place.Name).ToArray())];
        var normal = new NormalStream(seed);
        foreach (var place in places)
            foreach (ref float value in ValuesOfA(place)) value = (float)(normal.Next() / Math.Sqrt(3.0 * place.In));
    }

    public int Count { get; }

    public Span<float> Span => values;

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
        using var scope = NewDisposeScope();
        using var without = no_grad();
        foreach (var (index, place) in places.Index())
        {
            using var each = NewDisposeScope();
            var (a, b) = Factors(place);
            var merged = Matrix(frozen[index], place.Out, place.In).addmm(b, a, 1, scale);
            Copy(merged, parameters.Span.Slice(place.Offset, place.Out * place.In));
        }
    }

    /// <summary>Turns a gradient by the merged weights into one by the adapters.</summary>
    /// <param name="whole">[parameters]</param>
    /// <param name="gradient">[<see cref="Count"/>], overwritten.</param>
    internal void Project(ReadOnlySpan<float> whole, Span<float> gradient)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        foreach (var place in places)
        {
            using var each = NewDisposeScope();
            var (a, b) = Factors(place);
            var slope = Matrix(whole.Slice(place.Offset, place.Out * place.In), place.Out, place.In);
            Copy(b.t().mm(slope).mul_(KeptScalar.Of(scale)), gradient.Slice(place.Start, rank * place.In));
            Copy(slope.mm(a.t()).mul_(KeptScalar.Of(scale)), gradient.Slice(place.Start + rank * place.In, place.Out * rank));
        }
    }

    /// <summary>The adapters with the names and shapes of peft's <c>adapter_model.safetensors</c>.</summary>
    public IEnumerable<SafeTensor> ToTensors() => places.SelectMany(place => (SafeTensor[])
        [
            SafeTensor.Singles(place.PeftName("A"), [rank, place.In], ValuesOfA(place).ToArray()),
            SafeTensor.Singles(place.PeftName("B"), [place.Out, rank], ValuesOfB(place).ToArray()),
        ]);

    /// <summary>Takes adapters out of peft's <c>adapter_model.safetensors</c>.</summary>
    /// <exception cref="InvalidDataException">One is missing or has another shape.</exception>
    public void Load(SafeTensorsFile file)
    {
        foreach (var place in places)
        {
            TrainingState.Read(file, place.PeftName("A"), rank * place.In).CopyTo(ValuesOfA(place));
            TrainingState.Read(file, place.PeftName("B"), place.Out * rank).CopyTo(ValuesOfB(place));
        }
    }

    private static void Copy(Tensor source, Span<float> target) =>
        MemoryMarshal.Cast<byte, float>(source.contiguous().bytes).CopyTo(target);

    private Span<float> ValuesOfA(LowRankPlace place) => values.AsSpan(place.Start, rank * place.In);

    private Span<float> ValuesOfB(LowRankPlace place) => values.AsSpan(place.Start + rank * place.In, place.Out * rank);

    private (Tensor A, Tensor B) Factors(LowRankPlace place) =>
        (Matrix(ValuesOfA(place), rank, place.In), Matrix(ValuesOfB(place), place.Out, rank));

    // Copied into memory that libtorch aligned: a tensor over a managed array lies anywhere, and on some processors the last bits of a
    // product depend on where its factors lie.
    private static unsafe Tensor Matrix(ReadOnlySpan<float> values, long rows, long columns)
    {
        var matrix = empty([rows, columns]);
        values.CopyTo(new Span<float>(NativeRows.PointerOf(matrix), values.Length));
        return matrix;
    }
}
