using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>
/// The adapters of a decoder in one vector on a device, A before B for each adapted weight in storage order: W + scale·B·A is what the
/// model computes with. The base stays as it is until <see cref="Merge"/>. One thread; dispose it.
/// </summary>
internal sealed class LowRankAdapters : ITrainedValues, IDisposable
{
    private readonly FlatParameters parameters;
    private readonly List<LowRankPlace> places = [];
    private Tensor[]? frozen; // the adapted weights, [out, in] by place

    /// <summary>
    /// Starts as peft does where nothing is asked for: A random with variance 1/(3·in), B zero, so that the model is unchanged.
    /// </summary>
    /// <param name="parameters">The base; stays the caller's, and outlives this.</param>
    /// <param name="device">Where they are trained; null: where the base lies.</param>
    /// <exception cref="ArgumentException">Impossible options.</exception>
    public LowRankAdapters(FlatParameters parameters, LowRankOptions options, ulong seed, Device? device = null)
    {
        options.Validate();
        (this.parameters, Rank, Scale) = (parameters, options.Rank, (float)options.Scale);
        Passes = device is null || (device.type, device.index) == (parameters.Device.type, parameters.Device.index) ? parameters.Passes
            : FlatPasses.Of(device);
        foreach (var (name, _, spec) in parameters.Places.Where(place => options.Adapts(place.Name)))
        {
            places.Add(new LowRankPlace(name, spec.Shape[0], spec.Shape[1], Rank, Count));
            Count += places[^1].CountOfA + places[^1].CountOfB;
        }

        using var scope = NewDisposeScope();
        using var without = no_grad();
        Values = zeros([Count], ScalarType.Float32, device ?? parameters.Device).DetachFromDisposeScope();
        var normal = new NormalStream(seed);
        foreach (var place in places)
        {
            float[] start = new float[place.CountOfA];
            for (int i = 0; i < start.Length; i++) start[i] = (float)(normal.Next() / Math.Sqrt(3.0 * place.In));
            place.A(Values).copy_(tensor(start).view(Rank, place.In));
        }
    }

    public int Rank { get; }

    /// <summary>What B·A is multiplied by.</summary>
    public float Scale { get; }

    public long Count { get; }

    /// <summary>[<see cref="Count"/>]</summary>
    public Tensor Values { get; }

    public IFlatPasses Passes { get; }

    public int Updates
    {
        get => parameters.Updates;
        set => parameters.Updates = value;
    }

    public LossScale LossScale => parameters.LossScale;

    public IReadOnlyList<LowRankPlace> Places => places;

    public IEnumerable<TrainedBlock> Blocks => places.SelectMany(place => (TrainedBlock[])
        [new(place.Start, place.CountOfA, Decays: true), new(place.StartOfB, place.CountOfB, Decays: true)]);

    /// <summary>Copies the base's adapted weights: from now on every <see cref="Merge"/> begins with these.</summary>
    public void KeepBase()
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        frozen ??= [.. places.Select(place => Base(place).DetachFromDisposeScope())];
    }

    /// <summary>Writes W + scale·B·A into the parameters: for good, unless the base is kept.</summary>
    public void Merge()
    {
        using var without = no_grad();
        foreach (var (index, place) in places.Index())
        {
            using var scope = NewDisposeScope();
            // Cloned into aligned memory: on some processors a product's last bits depend on where its factors lie.
            Tensor a = place.A(Values).to(parameters.Device).clone(), b = place.B(Values).to(parameters.Device).clone();
            parameters.ValuesOf(place.Name).copy_((frozen?[index] ?? Base(place)).addmm(b, a, 1, Scale).view(-1));
        }
    }

    /// <summary>The parameters hold W + scale·B·A until the result is disposed; longer where the base is kept.</summary>
    public IDisposable? Merged()
    {
        var before = frozen is null ? new ParametersBefore(parameters, places) : null;
        Merge();
        return before;
    }

    /// <summary>The adapters with the names and shapes of peft's <c>adapter_model.safetensors</c>.</summary>
    public IEnumerable<SafeTensor> ToTensors() => places.SelectMany(place => (SafeTensor[])
        [
            TensorBytes.ToStore(place.PeftName("A"), place.A(Values).view(-1)) with { Shape = [Rank, place.In] },
            TensorBytes.ToStore(place.PeftName("B"), place.B(Values).view(-1)) with { Shape = [place.Out, Rank] },
        ]);

    /// <summary>Takes adapters out of peft's <c>adapter_model.safetensors</c>.</summary>
    /// <exception cref="InvalidDataException">One is missing or has another shape.</exception>
    public void Load(SafeTensorsFile file)
    {
        using var scope = NewDisposeScope();
        foreach (var place in places)
        {
            TensorBytes.Read(file, place.PeftName("A"), place.A(Values).view(-1));
            TensorBytes.Read(file, place.PeftName("B"), place.B(Values).view(-1));
        }
    }

    public void Dispose()
    {
        Values.Dispose();
        foreach (var weight in frozen ?? []) weight.Dispose();
    }

    private Tensor Base(LowRankPlace place) => parameters.ValuesOf(place.Name).clone().view(place.Out, place.In);

    /// <summary>The adapted weights as they were, in the computer's memory; disposing puts them back.</summary>
    private sealed class ParametersBefore(FlatParameters parameters, IReadOnlyList<LowRankPlace> places) : IDisposable
    {
        private readonly List<KeptValues> kept = [.. places.Select(place => Of(parameters, place.Name))];

        public void Dispose()
        {
            using var scope = NewDisposeScope();
            foreach (var (place, values) in places.Zip(kept))
            {
                values.CopyTo(parameters.ValuesOf(place.Name));
                values.Dispose();
            }
        }

        private static KeptValues Of(FlatParameters parameters, string name)
        {
            using var scope = NewDisposeScope();
            return KeptValues.Of(parameters.ValuesOf(name));
        }
    }
}

/// <summary>An adapted weight [out, in] and where its adapters lie.</summary>
/// <param name="Name">Of the weight.</param>
/// <param name="Start">Among the adapters.</param>
internal sealed record LowRankPlace(string Name, long Out, long In, int Rank, long Start)
{
    public long CountOfA => Rank * In;

    public long CountOfB => Out * Rank;

    public long StartOfB => Start + CountOfA;

    /// <param name="flat">[adapters], or a gradient of them.</param>
    /// <returns>[rank, in]: a view.</returns>
    public Tensor A(Tensor flat) => flat.narrow(0, Start, CountOfA).view(Rank, In);

    /// <inheritdoc cref="A"/>
    /// <returns>[out, rank]: a view.</returns>
    public Tensor B(Tensor flat) => flat.narrow(0, StartOfB, CountOfB).view(Out, Rank);

    /// <param name="factor">A or B.</param>
    public string PeftName(string factor) => $"base_model.model.{Name[..^".weight".Length]}.lora_{factor}.weight";
}
