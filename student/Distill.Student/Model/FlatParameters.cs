using System.Buffers;
using Distill.Architecture;
using Distill.Libtorch;
using Distill.Student.Fused;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// All weights of a decoder in one contiguous fp32 vector on a device, laid out in <see cref="ParameterMap"/> order, so that the query,
/// key and value projections (and gate and up) of a layer are one matrix without a copy and the optimizer walks one array.
/// Owns its memory; whoever created it disposes it. Reading from several threads is safe while nobody writes.
/// </summary>
public sealed unsafe class FlatParameters : ITrainedValues, IDisposable
{
    private const int Piece = 1 << 24; // values between a device and the computer at once; 64 MB

    private readonly Dictionary<string, (long Offset, ParameterSpec Spec)> places = [];

    /// <param name="device">Where they lie; null: in the computer's memory.</param>
    /// <exception cref="InvalidDataException">An impossible architecture.</exception>
    /// <exception cref="DllNotFoundException">libtorch cannot be loaded; says why.</exception>
    public FlatParameters(DecoderArchitecture architecture, Device? device = null)
        : this(architecture, device, passes: null)
    {
    }

    /// <param name="passes">
    /// What a training of these weights works by; null: the device's own. On the CPU <see cref="TensorPasses"/> makes it one as on any
    /// other device: by tensor operations and autograd alone.
    /// </param>
    internal FlatParameters(DecoderArchitecture architecture, Device? device, IFlatPasses? passes)
    {
        LibtorchLoading.Require();
        architecture.Validate();
        Architecture = architecture;
        foreach (var spec in ParameterMap.For(architecture))
        {
            places.Add(spec.Name, (Count, spec));
            Count += spec.Count;
        }

        Values = Zeros(Count, device);
        Passes = passes ?? FlatPasses.Of(Device);
    }

    public DecoderArchitecture Architecture { get; }

    public long Count { get; }

    public Device Device => Values.device;

    /// <summary>
    /// Updates that an optimizer made so far; chooses the random bits of stochastic rounding, so that a resumed training goes on exactly.
    /// </summary>
    public int Updates { get; set; }

    internal LossScale LossScale { get; } = new();

    LossScale ITrainedValues.LossScale => LossScale;

    /// <summary>[<see cref="Count"/>] fp32 on <see cref="Device"/>.</summary>
    public Tensor Values { get; }

    internal IFlatPasses Passes { get; }

    IFlatPasses ITrainedValues.Passes => Passes;

    /// <summary>The first value, for the passes on the processor.</summary>
    /// <exception cref="InvalidOperationException">The values lie on another device.</exception>
    internal float* Pointer => HostValues.PointerOf(Values);

    /// <summary>The values as a span over the tensor's own memory.</summary>
    /// <exception cref="InvalidOperationException">They lie on another device, or are more than a span holds.</exception>
    public Span<float> Span => HostValues.Of(Values);

    public long OffsetOf(string name) => places[name].Offset;

    /// <summary>[the parameter's count]: a view; the caller's dispose scope owns it.</summary>
    internal Tensor ValuesOf(string name) => Values.narrow(0, places[name].Offset, places[name].Spec.Count);

    /// <inheritdoc cref="Span"/>
    public Span<float> SpanOf(string name) => new(Pointer + places[name].Offset, checked((int)places[name].Spec.Count));

    /// <summary>True for matrices, which weight decay shrinks; false for norms and biases.</summary>
    public static bool Decays(ParameterSpec spec) => spec.Shape.Count > 1;

    internal IEnumerable<(string Name, long Offset, ParameterSpec Spec)> Places =>
        places.Select(place => (place.Key, place.Value.Offset, place.Value.Spec));

    internal IEnumerable<TrainedBlock> Blocks =>
        Places.Select(place => new TrainedBlock(place.Offset, place.Spec.Count, Decays(place.Spec), Hidden(place.Name, place.Spec)));

    IEnumerable<TrainedBlock> ITrainedValues.Blocks => Blocks;

    private static MatrixShape? Hidden(string name, ParameterSpec spec) =>
        spec.Shape is [var rows, var columns] && name is not (ParameterMap.Embedding or ParameterMap.OutputProjection)
            ? new MatrixShape(rows, columns) : null;

    /// <summary>
    /// Random start: normal with deviation 0.02 for matrices (scaled by 1/√(2·layers) where a projection writes to the residual
    /// stream, as in GPT-2), ones for norms, zeros for biases. Box–Muller over SplitMix64, the same on every machine and device.
    /// </summary>
    public void Initialize(ulong seed)
    {
        var normal = new NormalStream(seed);
        double residual = 0.02 / Math.Sqrt(2.0 * Architecture.Layers);
        float[] piece = new float[1 << 16]; // of a large matrix nothing stays behind in the computer's memory
        foreach (var (name, _, spec) in Places)
        {
            bool writesResidual = name.EndsWith("o_proj.weight", StringComparison.Ordinal)
                || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            Func<float> next = name.EndsWith("norm.weight", StringComparison.Ordinal) ? () => 1
                : name.EndsWith(".bias", StringComparison.Ordinal) ? () => 0
                : () => (float)((writesResidual ? residual : 0.02) * normal.Next());
            using var whole = ValuesOf(name);
            for (long first = 0; first < spec.Count; first += piece.Length)
            {
                var part = piece.AsSpan(0, (int)Math.Min(piece.Length, spec.Count - first));
                foreach (ref float value in part) value = next();
                Overwrite(whole, first, part);
            }
        }
    }

    public void Load(WeightSet weights)
    {
        foreach (var (name, _, _) in Places) Set(name, weights[name].Span);
    }

    /// <summary>Overwrites one parameter.</summary>
    /// <param name="values">[the parameter's count]</param>
    internal void Set(string name, ReadOnlySpan<float> values)
    {
        if (values.Length != places[name].Spec.Count)
            throw new ArgumentException($"{values.Length} values for '{name}', which has {places[name].Spec.Count}.", nameof(values));
        using var whole = ValuesOf(name);
        for (long first = 0; first < values.Length; first += Piece)
            Overwrite(whole, first, values.Slice((int)first, (int)Math.Min(Piece, values.Length - first)));
    }

    private static void Overwrite(Tensor target, long first, ReadOnlySpan<float> values)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        var staged = empty([values.Length], ScalarType.Float32);
        values.CopyTo(HostValues.Of(staged));
        target.narrow(0, first, values.Length).copy_(staged);
    }

    /// <summary>A copy of the current values, safe to keep.</summary>
    public WeightSet ToWeightSet() => new(Architecture, Places.ToDictionary(place => place.Name, place => Copy(place.Name)));

    /// <summary>
    /// The values themselves where they lie in the computer's memory, without a copy: valid while this is not disposed, and changing with
    /// it. A copy where they lie elsewhere.
    /// </summary>
    public WeightSet View() => Device.type != TorchSharp.DeviceType.CPU ? ToWeightSet() : new(Architecture, Places.Select(place =>
        KeyValuePair.Create(place.Name, (ReadOnlyMemory<float>)new NativeValues(
            Pointer + place.Offset, checked((int)place.Spec.Count)).Memory)));

    public void Dispose() => Values.Dispose();

    // A method of its own, because TorchSharp may load libtorch as soon as a method that mentions it begins.
    private static Tensor Zeros(long count, Device? device) => zeros([count], ScalarType.Float32, device ?? CPU).DetachFromDisposeScope();

    private float[] Copy(string name)
    {
        using var without = no_grad();
        float[] values = new float[places[name].Spec.Count];
        for (long first = 0; first < values.Length; first += Piece)
        {
            using var scope = NewDisposeScope();
            long count = Math.Min(Piece, values.Length - first);
            HostValues.Of(ValuesOf(name).narrow(0, first, count).cpu()).CopyTo(values.AsSpan((int)first));
        }

        return values;
    }
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
