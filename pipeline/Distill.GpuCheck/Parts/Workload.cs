using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;
using Distill.Tokenization;
using static TorchSharp.torch;

namespace Distill.GpuCheck.Parts;

/// <summary>What is trained and decoded: the committed base, and a shape of 135 million parameters with random weights.</summary>
internal static class Workload
{
    public static Checkpoint Base => Checkpoint.Open(CheckContext.Base);

    /// <summary>
    /// The shape of SmolLM2-135M; with the vocabulary and everything else of a small one where only the program is shown.
    /// </summary>
    public static DecoderArchitecture Shape(bool small) => new()
    {
        ModelType = "llama",
        VocabularySize = small ? 512 : 49_152,
        HiddenSize = small ? 64 : 576,
        Layers = small ? 2 : 30,
        Heads = small ? 4 : 9,
        KeyValueHeads = small ? 2 : 3,
        HeadSize = small ? 16 : 64,
        IntermediateSize = small ? 128 : 1536,
        MaxPositions = 2048,
        QueryKeyNorm = false,
        TieEmbeddings = true,
    };

    /// <summary>Random weights of a shape in the processor's memory; the caller disposes them.</summary>
    public static FlatParameters RandomWeights(DecoderArchitecture shape)
    {
        var parameters = new FlatParameters(shape);
        parameters.Initialize(seed: 1);
        return parameters;
    }

    /// <summary>Weights that are trained as on any device, also on the processor, where trainings take other passes.</summary>
    public static FlatParameters WeightsForAnyDevice(DecoderArchitecture shape, Device device) => new(shape, device, TensorPasses.Instance);

    /// <summary>The gradient as on any device.</summary>
    public static IGradientModel PassesForAnyDevice(
        FlatParameters parameters, MatmulPrecision precision, int? microBatchTokens = null, bool allowTf32 = false)
    {
        var options = AutogradOptions.Of(
            parameters.Architecture, new TrainingOptions { Precision = precision, AllowTf32 = allowTf32 }, parameters.Device.type);
        return new AutogradGradientModel(
            parameters, precision, roundingSeed: 1, options with { Capacity = microBatchTokens ?? options.Capacity });
    }

    /// <summary>Prompts with step-by-step solutions.</summary>
    public static IReadOnlyList<TrainingSequence> Examples(int count)
    {
        var encoder = ChatEncoder.Load(CheckContext.Base);
        return
        [
            .. ProblemSet.Generate([new("arithmetic", 2), new("words", 2)], seed: 1, Split.Train, count).Select(problem =>
            {
                var example = encoder.EncodeExample(
                    [ChatMessage.User(problem.Text)], problem.ReferenceSolution ?? "", problem.ReferenceAnswer);
                return new TrainingSequence(example.Tokens, example.PromptLength);
            }),
        ];
    }

    /// <summary>Sequences of one length whose tokens say nothing, learned from the second on.</summary>
    public static IReadOnlyList<TrainingSequence> Random(int count, int length, int vocabulary) =>
    [
        .. Enumerable.Range(0, count).Select(row =>
            new TrainingSequence([.. Enumerable.Range(0, length).Select(i => ((row * 7919) + (i * 104_729)) % vocabulary)], 1)),
    ];
}
