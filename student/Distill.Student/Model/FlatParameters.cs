using System.Buffers;
using Distill.Architecture;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// All weights of a decoder in one contiguous fp32 vector, laid out in <see cref="ParameterMap"/> order, so that the query,
/// key and value projections (and gate and up) of a layer are one matrix without a copy and the optimizer walks one array.
/// Owns its memory; whoever created it disposes it. Reading from several threads is safe while nobody writes.
/// </summary>
public sealed unsafe class FlatParameters : ITrainedValues, IDisposable
{
    private readonly Dictionary<string, (long Offset, ParameterSpec Spec)> places = [];

    /// <exception cref="InvalidDataException">An impossible architecture, or more parameters than one vector holds (2³¹ − 1).</exception>
    public FlatParameters(DecoderArchitecture architecture)
    {
        architecture.Validate();
        Architecture = architecture;
        long offset = 0;
        foreach (var spec in ParameterMap.For(architecture))
        {
            places.Add(spec.Name, (offset, spec));
            offset += spec.Count;
        }

        if (offset > int.MaxValue)
            throw new InvalidDataException($"This model has {offset:N0} parameters; at most {int.MaxValue:N0} can be trained.");
        Count = (int)offset;
        Values = zeros([Count], ScalarType.Float32).DetachFromDisposeScope();
        Pointer = NativeRows.PointerOf(Values);
    }

    public DecoderArchitecture Architecture { get; }

    public int Count { get; }

    /// <summary>
    /// Updates that an optimizer made so far; chooses the random bits of stochastic rounding, so that a resumed training goes on exactly.
    /// </summary>
    public int Updates { get; set; }

    internal LossScale LossScale { get; } = new();

    LossScale ITrainedValues.LossScale => LossScale;

    /// <summary>[<see cref="Count"/>] fp32 on the CPU.</summary>
    public Tensor Values { get; }

    internal float* Pointer { get; }

    /// <summary>The values as a span over the tensor's own memory.</summary>
    public Span<float> Span => new(Pointer, Count);

    public long OffsetOf(string name) => places[name].Offset;

    public Span<float> SpanOf(string name) => Span.Slice((int)places[name].Offset, (int)places[name].Spec.Count);

    /// <summary>True for matrices, which weight decay shrinks; false for norms and biases.</summary>
    public static bool Decays(ParameterSpec spec) => spec.Shape.Count > 1;

    internal IEnumerable<(string Name, int Offset, ParameterSpec Spec)> Places =>
        places.Select(place => (place.Key, (int)place.Value.Offset, place.Value.Spec));

    internal IEnumerable<TrainedBlock> Blocks =>
        Places.Select(place => new TrainedBlock(place.Offset, (int)place.Spec.Count, Decays(place.Spec)));

    IEnumerable<TrainedBlock> ITrainedValues.Blocks => Blocks;

    /// <summary>
    /// Random start: normal with deviation 0.02 for matrices (scaled by 1/√(2·layers) where a projection writes to the residual
    /// stream, as in GPT-2), ones for norms, zeros for biases. Box–Muller over SplitMix64, the same on every machine.
    /// </summary>
    public void Initialize(ulong seed)
    {
        var normal = new NormalStream(seed);
        double residual = 0.02 / Math.Sqrt(2.0 * Architecture.Layers);
        foreach (var (name, offset, spec) in Places)
        {
            var target = Span.Slice(offset, (int)spec.Count);
            if (name.EndsWith("norm.weight", StringComparison.Ordinal)) target.Fill(1);
            else if (name.EndsWith(".bias", StringComparison.Ordinal)) target.Clear();
            else
            {
                double deviation = name.EndsWith("o_proj.weight", StringComparison.Ordinal)
                    || name.EndsWith("down_proj.weight", StringComparison.Ordinal) ? residual : 0.02;
                for (int i = 0; i < target.Length; i++) target[i] = (float)(deviation * normal.Next());
            }
        }
    }

    public void Load(WeightSet weights)
    {
        foreach (var (name, offset, spec) in Places) weights[name].Span.CopyTo(Span.Slice(offset, (int)spec.Count));
    }

    /// <summary>A copy of the current values, safe to keep.</summary>
    public WeightSet ToWeightSet() => new(Architecture, Places.ToDictionary(place => place.Name, place => SpanOf(place.Name).ToArray()));

    /// <summary>The values themselves, without a copy: valid while this is not disposed, and changing with it.</summary>
    public WeightSet View() => new(Architecture, Places.Select(place =>
        KeyValuePair.Create(place.Name, (ReadOnlyMemory<float>)new NativeValues(Pointer + place.Offset, (int)place.Spec.Count).Memory)));

    public void Dispose() => Values.Dispose();
}

/// <summary>Native fp32 values as <see cref="Memory{T}"/>. Owns nothing: whoever owns the values outlives it.</summary>
internal sealed unsafe class NativeValues(float* values, int count) : MemoryManager<float>
{
    public override Span<float> GetSpan() => new(values, count);

    public override MemoryHandle Pin(int elementIndex = 0) => new(values + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}

/// <summary>Standard normal values from a seed: SplitMix64 uniforms through the Box–Muller transform. Not thread-safe.</summary>
internal sealed class NormalStream(ulong seed)
{
    private ulong state = seed;
    private double? spare;

    public double Next()
    {
        if (spare is { } kept)
        {
            spare = null;
            return kept;
        }

        double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform())), angle = 2 * Math.PI * Uniform();
        spare = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    private double Uniform()
    {
        state += 0x9E3779B97F4A7C15;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
