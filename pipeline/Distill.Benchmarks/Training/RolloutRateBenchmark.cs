using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Tokenization;

namespace Distill.Benchmarks.Training;

/// <summary>The same completions from the student that is being trained, its weights handed over each time, and from its exported folder as a teacher would be run.</summary>
internal sealed class RolloutRateBenchmark : IBenchmark
{
    private const int Slots = 64, Samples = 8;

    public string Name => "rollout-rate";

    public string Summary => "rollouts of the tiny student against the teacher engine on the same model";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var student = new StudentWorkload();
        using var folder = new TemporaryFolder();
        student.Export(folder.Path);
        using var teacher = ServedModel.OpenModelFolder(folder.Path, Slots);
        using var server = ServedModel.PolicyServer(student.Architecture);
        using var parameters = student.Parameters();
        var requests = Requests(student, context.Quick ? 2 : 16, context.Quick ? 8 : 64);
        var rates = Interleaving.Run<double>(
            context.Rounds, () => Rate(context, () => Rollouts(server, parameters, requests)), () => Rate(context, () => teacher.Generator.Complete(requests)));
        Series rollouts = new(rates[0]), engine = new(rates[1]);
        return
        [
            Figure.Plain("rollouts, hand-over included", rollouts, "tokens/s", $"{requests.Count * Samples} completions of {requests[0].MaxNewTokens} tokens, {Slots} slots"),
            Figure.Plain("teacher engine, exported folder", engine, "tokens/s"),
            Figure.AtLeast("rollouts ÷ teacher engine", 80, rollouts.Over(engine).Select(share => 100 * share), "%"),
        ];
    }

    private static IReadOnlyList<Completion[]> Rollouts(IPolicyServer server, FlatParameters parameters, IReadOnlyList<GenerationRequest> requests)
    {
        using var policy = server.Serve(parameters);
        return new BatchGenerator(policy, slots: Slots, workers: Environment.ProcessorCount).Complete(requests);
    }

    private static double Rate(BenchmarkContext context, Func<IReadOnlyList<Completion[]>> complete)
    {
        long tokens = 0;
        double seconds = context.Seconds(() => tokens = complete().Sum(group => group.Sum(completion => (long)completion.Tokens.Count)));
        return tokens / seconds;
    }

    // Nothing ends a completion early, so that both sides make the same tokens.
    private static List<GenerationRequest> Requests(StudentWorkload student, int problems, int tokens) =>
    [
        .. StudentWorkload.Problems(problems).Select((problem, index) => new GenerationRequest
        {
            Prompt = student.Encoder.EncodePrompt([ChatMessage.User(problem.Text)]),
            MaxNewTokens = tokens,
            Sampling = new SamplingOptions { Temperature = 1 },
            StopTokens = [],
            Seeds = [.. Enumerable.Range(0, Samples).Select(sample => SeedSequence.Derive(1, (ulong)index, (ulong)sample))],
        }),
    ];
}
