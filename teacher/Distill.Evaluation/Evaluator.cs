using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Evaluation;

/// <summary>
/// The one evaluation for every model: teacher, base, students in memory, exported file. Each problem is asked once, with a greedy
/// answer and samples from one reading of the prompt; twins get a greedy answer. A problem's samples depend on its id and the seed,
/// so models are compared on the same random numbers.
/// </summary>
public sealed class Evaluator
{
    private readonly BatchGenerator generator;
    private readonly ChatEncoder encoder;
    private readonly Func<Problem, IVerifier> verifierOf;
    private readonly ReasoningParser parser;
    private readonly PromptPrefix prefix;

    /// <param name="verifierOf">Default: the verifier of the problem's family.</param>
    /// <exception cref="InvalidDataException">The tokenizer has ids that the model does not know.</exception>
    public Evaluator(BatchGenerator generator, ChatEncoder encoder, Func<Problem, IVerifier>? verifierOf = null)
    {
        VocabularyCheck.Require(encoder.Tokenizer, generator.Model);
        this.generator = generator;
        this.encoder = encoder;
        this.verifierOf = verifierOf ?? ProblemVerifiers.Standard.Of;
        prefix = new PromptPrefix(encoder);
        parser = new ReasoningParser(encoder.Tokenizer);
    }

    /// <summary>What the model can do on problems whose answers are known.</summary>
    /// <inheritdoc cref="Run"/>
    public EvaluationReport Evaluate(
        string model, IReadOnlyList<Problem> problems, EvaluationOptions options, CancellationToken cancellation = default) =>
        Run(model, problems, [], options, null, cancellation).Report;

    /// <param name="model">Name in the report.</param>
    /// <param name="problems">At least one.</param>
    /// <param name="twins">Twins of those problems (ids as <see cref="ProblemId"/> spells them), or none.</param>
    /// <exception cref="ArgumentException">No problem, or a twin whose original is not among the problems.</exception>
    internal EvaluationResult Run(
        string model,
        IReadOnlyList<Problem> problems,
        IReadOnlyList<Problem> twins,
        EvaluationOptions options,
        Action<GenerationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        GenerationProgress totals = default;
        var completions = Answer(problems, twins, 0, problems.Count + twins.Count, options, report =>
        {
            totals = report;
            progress?.Invoke(report);
        }, cancellation);
        return Grade(model, problems, twins, completions, options) with { Totals = totals };
    }

    /// <summary>
    /// The model's completions of some of the problems and twins, which are counted through: what grading needs, in parts.
    /// </summary>
    /// <param name="first">First of them, the twins after the problems.</param>
    /// <returns>Of each, the greedy completion first, then the samples. They do not depend on which others are asked beside them.</returns>
    internal IReadOnlyList<Completion[]> Answer(
        IReadOnlyList<Problem> problems, IReadOnlyList<Problem> twins, int first, int count, EvaluationOptions options,
        Action<GenerationProgress>? progress, CancellationToken cancellation)
    {
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(first, count).Select(index => index < problems.Count
                ? RequestFor(problems[index], options, options.Samples)
                : RequestFor(twins[index - problems.Count], options, 0)),
        ];
        return generator.Complete(requests, progress, cancellation);
    }

    /// <summary>What is graded: every answer with its problem.</summary>
    /// <param name="completions">Of every problem and every twin, as <see cref="Answer"/> gives them.</param>
    internal IEnumerable<(Problem Problem, string? Answer)> AnswersOf(
        IReadOnlyList<Problem> problems, IReadOnlyList<Problem> twins, IReadOnlyList<Completion[]> completions) =>
        problems.Concat(twins).SelectMany((problem, i) => completions[i].Select(completion => (problem, parser.Parse(completion).Answer)));

    /// <param name="completions">Of every problem and every twin, as <see cref="Answer"/> gives them.</param>
    /// <exception cref="ArgumentException">No problem, or a twin whose original is not among the problems.</exception>
    internal EvaluationResult Grade(
        string model, IReadOnlyList<Problem> problems, IReadOnlyList<Problem> twins, IReadOnlyList<Completion[]> completions,
        EvaluationOptions options)
    {
        if (problems.Count == 0) throw new ArgumentException("There is no problem to evaluate.", nameof(problems));
        var pairs = TwinPairs.Match(problems, twins);
        ProblemResult[] results = [.. problems.Select((problem, i) => Grade(problem, completions[i]))];
        ProblemResult[] twinResults = [.. twins.Select((twin, i) => Grade(twin, completions[problems.Count + i]))];
        return new EvaluationResult(ReportSummary.Summarize(model, results, twinResults, pairs, options), results, twinResults, default);
    }

    /// <summary>Greedy first, then the samples.</summary>
    private GenerationRequest RequestFor(Problem problem, EvaluationOptions options, int samples)
    {
        ulong id = SeedSequence.Hash(problem.Id);
        var sampled = new SamplingOptions { Temperature = options.Temperature };
        int[] prompt = ProblemPrompt.Encode(encoder, problem, generator.Model.MaxLength);
        return new GenerationRequest
        {
            Prompt = prompt,
            SharedPrefix = prefix.LengthIn(prompt),
            MaxNewTokens = options.MaxNewTokens,
            StopTokens = encoder.EndTokens,
            Seeds = [0, .. Enumerable.Range(0, samples).Select(sample => SeedSequence.Derive(options.Seed, id, (ulong)sample))],
            SamplingBySeed = [SamplingOptions.Greedy, .. Enumerable.Repeat(sampled, samples)],
        };
    }

    private ProblemResult Grade(Problem problem, Completion[] completions)
    {
        IVerifier verifier = verifierOf(problem);
        CompletionResult[] graded = [.. completions.Select(completion =>
        {
            ParsedCompletion parsed = parser.Parse(completion);
            return new CompletionResult(
                verifier.Verify(parsed.Answer, problem), parsed.Reasoning, parsed.Answer, verifier.ClassOf(parsed.Answer, problem),
                completion);
        })];
        return new ProblemResult(problem, graded[0], graded[1..]);
    }
}

/// <summary>What an evaluation generates; all of it decides the result.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Seed of the sampled completions. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>Sampled completions per problem besides the greedy one; 0 draws none. Default 4.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>Of the sampled completions. Default 1: the model's own distribution.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Default 256.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Greedy completions shown in the report. Default 2.</summary>
    public int SampleTraces { get; init; } = 2;
}
