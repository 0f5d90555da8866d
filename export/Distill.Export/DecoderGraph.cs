using System.Reflection;
using Distill.Architecture;
using Distill.Export.Adapters;
using Distill.Export.Formats;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export;

/// <summary>
/// The ONNX graph of an architecture, waiting for weights: described once, then written to files or made into bytes as often as
/// the weights change. Inputs input_ids and attention_mask [batch, time], past and present keys and values [batch, kv, time, headSize];
/// output logits [batch, time, vocab]. Rows are padded on the right. Immutable; safe from any thread.
/// </summary>
internal sealed class DecoderGraph
{
    private readonly OnnxModel model;
    private readonly Lazy<OnnxTemplate> template;

    /// <exception cref="InvalidDataException">The architecture cannot be expressed; the message says why.</exception>
    public DecoderGraph(DecoderArchitecture architecture, ExportOptions? options = null)
        : this(architecture, FormatOf(options ?? ExportOptions.Default)) => Options = options ?? ExportOptions.Default;

    internal DecoderGraph(DecoderArchitecture architecture, WeightFormat format)
    {
        Architecture = architecture;
        var built = DecoderGraphBuilder.Build(architecture, format);
        model = format is AdaptedFormat adapted ? built with { Inputs = [.. built.Inputs, .. adapted.Inputs] } : built;
        template = new(() => new OnnxTemplate(model, ProducerVersion));
    }

    /// <summary>The graph of <see cref="ExportOptions.DynamicInt8"/>.</summary>
    /// <inheritdoc cref="DecoderGraph(DecoderArchitecture, ExportOptions?)" path="/exception"/>
    public static DecoderGraph DynamicInt8(DecoderArchitecture architecture, ExportOptions options) =>
        new(architecture, new DynamicInt8Format(options.Portable));

    public DecoderArchitecture Architecture { get; }

    public ExportOptions Options { get; } = ExportOptions.Default;

    /// <summary>The constants that are made from weights.</summary>
    internal IReadOnlyList<OnnxInitializer> Weights => [.. model.Initializers.Where(initializer => initializer.IsWeight)];

    /// <summary>Bytes of all constants, as they are written; less than a page more is lost to alignment for each.</summary>
    internal long ByteCount => model.Initializers.Sum(initializer => initializer.ByteCount);

    internal static string ProducerVersion { get; } =
        typeof(DecoderGraph).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>
    /// A whole model in memory, weights inside: for handing changed weights to an inference session without touching a disk.
    /// </summary>
    /// <exception cref="InvalidDataException">Other architecture, or too large for one ONNX message (2 GiB).</exception>
    public byte[] ToBytes(WeightSet weights)
    {
        RequireSame(weights);
        return template.Value.ToBytes(weights);
    }

    /// <summary>Writes the model file and its data files beside it, flushed to disk. The same weights give the same bytes.</summary>
    /// <returns>The names of the data files.</returns>
    public IReadOnlyList<string> Write(string path, WeightSet weights)
    {
        RequireSame(weights);
        return OnnxWriter.Write(path, model, weights, ProducerVersion);
    }

    private static WeightFormat FormatOf(ExportOptions options) =>
        options.Adapted.Count == 0 ? WeightFormat.Of(options) : new AdaptedFormat(WeightFormat.Of(options), options.Adapted);

    private void RequireSame(WeightSet weights)
    {
        if (weights.Architecture != Architecture)
            throw new InvalidDataException("The weights belong to another architecture than the graph.");
    }
}
