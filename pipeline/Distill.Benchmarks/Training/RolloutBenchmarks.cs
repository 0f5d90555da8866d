using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Benchmarks.Training;

internal sealed class GroupRelativeStepBenchmark : IBenchmark
{
    private const int ProblemsPerStep = 8, Samples = 8;

    public string Name => "rl-step";

    public string Summary => "GRPO steps of the tiny student: 64 completions of up to 64 tokens";

    public IReadOnlyList<Figure> Run(BenchmarkContext context) =>
        [.. Run(context, MatmulPrecision.Fp32, "fp32"), .. Run(context, MatmulPrecision.Mixed, "mixed")];

    private static Figure[] Run(BenchmarkContext context, MatmulPrecision precision, string word)
    {
        var student = new StudentWorkload();
        var options = Options(context, precision);
        var problems = StudentWorkload.Problems(ProblemsPerStep * options.Steps);
        using var parameters = student.Parameters();
        Prepare(context, student, parameters);
        using var server = new TimedPolicyServer(ServedModel.PolicyServer(parameters), context.Clock);
        var reports = new List<ReinforcementStepReport>();
        var rollouts = new RolloutCollection(student.Encoder, Judge(student), options);
        new GroupRelativePolicyOptimization(server, rollouts, options, context.Clock).Run(
            parameters, (step, place) => problems[(step * ProblemsPerStep) + place], [problems[0]], statePath: null, report =>
            {
                context.Log(
                    $"  step {report.Step}: {report.CompletionTokens} tokens, sampling {1000 * report.GenerationSeconds:F0} ms of which "
                    + $"hand-over {1000 * server.Seconds[^1]:F1} ms, update {1000 * report.TrainingSeconds:F0} ms");
                reports.Add(report);
            }, CancellationToken.None);

        // The first hand-over is for the held-out problems, and so is the one after the last step. The first steps warm up: code is
        // compiled anew while it runs.
        int warm = context.Quick ? 1 : 10;
        return Figures([.. reports.Skip(warm)], new Series(server.Seconds.Skip(1 + warm).Take(reports.Count - warm)), word);
    }

    private static Figure[] Figures(IReadOnlyList<ReinforcementStepReport> steps, Series handovers, string precision)
    {
        var seconds = Series.Of(steps, step => step.GenerationSeconds + step.TrainingSeconds);
        var tokens = Series.Of(steps, step => step.CompletionTokens);
        return
        [
            Figure.AtLeast($"{precision}: completion tokens, sampling and update together", 20_000, tokens.Over(seconds), "tokens/s",
                $"{steps.Count} steps, {steps.Average(step => step.MeanTokens):F0} tokens a completion on average; sampling is fp32"),
            Figure.AtMost($"{precision}: handing over the weights, share of the step", 2, handovers.Over(seconds)
                .Select(share => 100 * share), "%", "no disk: copied into the constants of one open session"),
            Figure.Plain($"{precision}: step", seconds.Select(value => 1000 * value), "ms"),
            Figure.Plain($"{precision}: update, share of the step",
                Series.Of(steps, step => 100 * step.TrainingSeconds / (step.GenerationSeconds + step.TrainingSeconds)), "%"),
            Figure.Plain($"{precision}: trainer against sampler, mean difference of log-probabilities",
                Series.Of(steps, step => step.Mismatch), "nats"),
        ];
    }

    /// <summary>
    /// A little fine-tuning: the base ends after a dozen tokens, and completions shall be as long as those that are trained on.
    /// </summary>
    private static void Prepare(BenchmarkContext context, StudentWorkload student, FlatParameters parameters)
    {
        var options =
            new SupervisedOptions { Epochs = 1, BatchTokens = 2048,
                Training = new TrainingOptions { Threads = Environment.ProcessorCount } };
        var examples = student.Examples(context.Quick ? 200 : 6000);
        SupervisedFineTuning.Run(parameters, examples, options, context.Clock, statePath: null, _ => { }, CancellationToken.None);
    }

    private static GroupRelativeOptions Options(BenchmarkContext context, MatmulPrecision precision) => new()
    {
        Steps = context.Quick ? 2 : 50,
        ProblemsPerStep = ProblemsPerStep,
        Samples = Samples,
        MaxTokens = 64,
        Slots = ProblemsPerStep * Samples,
        MaskTruncated = false, // every completion is learned from, so that the update has all its work
        EvaluateEvery = int.MaxValue,
        EvaluationSamples = 1,
        Training = new TrainingOptions
        {
            LearningRate = 1e-6, // the policy shall stay what it is while it is measured
            Decay = Decay.Constant,
            Precision = precision,
            Threads = Environment.ProcessorCount,
        },
    };

    // Groups of equal rewards are not learned from, which would leave the update with less work. So the verifier does its work, and the
    // seed decides.
    private static CompletionJudge Judge(StudentWorkload student)
    {
        var parser = new ReasoningParser(student.Encoder.Tokenizer);
        return (problem, completion) =>
        {
            var verdict = ProblemVerifiers.Standard.Of(problem).Verify(parser.Parse(completion).Answer, problem);
            return verdict == Verdict.Correct || completion.Seed % 2 == 0 ? Verdict.Correct : Verdict.Incorrect;
        };
    }
}

/// <summary>Notes how long handing over the weights took, each time. Disposes the server it wraps.</summary>
internal sealed class TimedPolicyServer(IPolicyServer server, TimeProvider clock) : IPolicyServer
{
    public List<double> Seconds { get; } = [];

    public ITokenModel Serve(FlatParameters parameters)
    {
        long began = clock.GetTimestamp();
        var model = server.Serve(parameters);
        Seconds.Add(clock.GetElapsedTime(began).TotalSeconds);
        return model;
    }

    public void Dispose() => server.Dispose();
}

/// <summary>
/// The same completions from the student that is being trained, its weights handed over each time, and from its exported folder as a
/// teacher would be run.
/// </summary>
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
        using var parameters = student.Parameters();
        using var server = ServedModel.PolicyServer(parameters);
        var requests = Requests(student, context.Quick ? 2 : 16, context.Quick ? 8 : 64);
        var rates = Interleaving.Run<double>(
            context.Rounds,
            () => Rate(context, () => Rollouts(server, parameters, requests)),
            () => Rate(context, () => teacher.Generator.Complete(requests)));
        Series rollouts = new(rates[0]), engine = new(rates[1]);
        return
        [
            Figure.Plain("rollouts, hand-over included", rollouts, "tokens/s",
                $"{requests.Count * Samples} completions of {requests[0].MaxNewTokens} tokens, {Slots} slots"),
            Figure.Plain("teacher engine, exported folder", engine, "tokens/s"),
            Figure.AtLeast("rollouts ÷ teacher engine", 80, rollouts.Over(engine).Select(share => 100 * share), "%"),
        ];
    }

    private static IReadOnlyList<Completion[]> Rollouts(IPolicyServer server, FlatParameters parameters,
        IReadOnlyList<GenerationRequest> requests)
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
