using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Tests;

/// <summary>Small random decoders and sequences shared by tests.</summary>
internal static class TinyDecoder
{
    public static DecoderArchitecture Architecture(bool queryKeyNorm = true, bool tied = true) => new()
    {
        ModelType = "qwen3",
        VocabularySize = 61,
        HiddenSize = 48,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 16,
        IntermediateSize = 80,
        MaxPositions = 128,
        QueryKeyNorm = queryKeyNorm,
        TieEmbeddings = tied,
        EosTokenId = 1,
    };

    /// <summary>Larger than the usual start, so that every path carries a gradient worth comparing.</summary>
    /// <param name="byTensors">Trained as on any device: by tensor operations and autograd, not by the processor's own passes.</param>
    public static FlatParameters Parameters(DecoderArchitecture architecture, ulong seed = 1, bool byTensors = false)
    {
        var parameters = byTensors ? new FlatParameters(architecture, TorchSharp.torch.CPU, TensorPasses.Instance)
            : new FlatParameters(architecture);
        parameters.Initialize(seed);
        var normal = new NormalStream(seed + 1);
        foreach (ref float value in parameters.Span) value = value * 1.5f + (float)(0.02 * normal.Next());
        return parameters;
    }

    public static List<TrainingSequence> Sequences(DecoderArchitecture architecture, params int[] lengths)
    {
        var random = new CsCheckFreeRandom(7);
        return [.. lengths.Select(
            length => new TrainingSequence(
            [.. Enumerable.Range(0, length).Select(_ => random.Next(architecture.VocabularySize))], Math.Max(1, length / 3)))];
    }

    private sealed class CsCheckFreeRandom(uint state)
    {
        public int Next(int bound)
        {
            state = state * 1664525 + 1013904223;
            return (int)((ulong)state * (ulong)bound >> 32);
        }
    }
}
