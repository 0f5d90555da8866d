namespace Distill.Architecture;

/// <summary>
/// All weights of a decoder in memory as fp32, in <see cref="ParameterMap"/> order: what the trainer hands to the graph
/// writer and to the checkpoint. The buffers are owned by whoever created the set and must not change while it is read.
/// </summary>
public sealed class WeightSet
{
    private readonly Dictionary<string, ReadOnlyMemory<float>> values;

    /// <exception cref="InvalidDataException">A parameter is missing, surplus, or has the wrong number of values.</exception>
    public WeightSet(DecoderArchitecture architecture, IReadOnlyDictionary<string, float[]> values)
        : this(architecture, values.Select(pair => KeyValuePair.Create(pair.Key, (ReadOnlyMemory<float>)pair.Value)))
    {
    }

    /// <inheritdoc cref="WeightSet(DecoderArchitecture, IReadOnlyDictionary{string, float[]})"/>
    public WeightSet(DecoderArchitecture architecture, IEnumerable<KeyValuePair<string, ReadOnlyMemory<float>>> values)
    {
        Architecture = architecture;
        this.values = new Dictionary<string, ReadOnlyMemory<float>>(values);
        var map = ParameterMap.For(architecture);
        foreach (var parameter in map)
        {
            if (!this.values.TryGetValue(parameter.Name, out var data))
                throw new InvalidDataException($"Weight '{parameter.Name}' is missing.");
            if (data.Length != parameter.Count)
                throw new InvalidDataException($"Weight '{parameter.Name}' has {data.Length} values; the architecture needs {parameter.Count}.");
        }

        if (this.values.Count != map.Count)
            throw new InvalidDataException($"Surplus weights: {string.Join(", ", this.values.Keys.Except(map.Select(p => p.Name)).Order().Take(5))}.");
    }

    public DecoderArchitecture Architecture { get; }

    public ReadOnlyMemory<float> this[string name] => values[name];
}
