using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Student.Model;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Benchmarks.Workloads;

/// <summary>The committed base and the problems it is trained on: the sizes and lengths of the quickstart.</summary>
internal sealed class StudentWorkload
{
    private static readonly ProblemSetPart[] Mixture =
    [
        new("arithmetic", 2), new("words", 2), new("countdown", 1), new("knights", 2), new("contradiction", 2),
    ];

    private readonly Checkpoint checkpoint = Checkpoint.Open(Repository.PathOf("student/models/tiny-base"));

    public DecoderArchitecture Architecture => checkpoint.Architecture;

    public ChatEncoder Encoder { get; } = ChatEncoder.Load(Repository.PathOf("student/models/tiny-base"));

    /// <summary>A fresh copy of the base's weights; the caller disposes it.</summary>
    /// <param name="architecture">Another reach of positions, which no weight depends on; null for the base's own.</param>
    public FlatParameters Parameters(DecoderArchitecture? architecture = null)
    {
        var parameters = new FlatParameters(architecture ?? Architecture);
        parameters.Load(checkpoint.LoadWeights());
        return parameters;
    }

    /// <summary>Writes the base as an ONNX folder.</summary>
    public void Export(string folder) => LargeModel.Export(checkpoint, folder);

    public static IReadOnlyList<Problem> Problems(int count) => ProblemSet.Generate(Mixture, seed: 1, Split.Train, count);

    /// <summary>Prompts with step-by-step solutions, as supervised fine-tuning reads them.</summary>
    public IReadOnlyList<TrainingSequence> Examples(int count) => [.. Problems(count).Select(Example)];

    private TrainingSequence Example(Problem problem)
    {
        var example = Encoder.EncodeExample([ChatMessage.User(problem.Text)], problem.ReferenceSolution ?? "", problem.ReferenceAnswer);
        return new TrainingSequence(example.Tokens, example.PromptLength);
    }
}
