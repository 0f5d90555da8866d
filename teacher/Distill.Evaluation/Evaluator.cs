using Distill.Data.Problems;
using Distill.Data.Verification;
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
    private readonly Generator generator;
    private readonly ChatEncoder encoder;
    private readonly Func<Problem, IVerifier> verifierOf;
    private readonly ReasoningParser parser;
    private readonly PromptPrefix prefix;

    /// <param name="verifierOf">Default: the verifier of the problem's family.</param>
    /// <exception cref="InvalidDataException">The tokenizer has ids that the model does not know.</exception>
    public Evaluator(Generator generator, ChatEncoder encoder, Func<Problem, IVerifier>? verifierOf = null)
    {
        VocabularyCheck.Require(encoder.Tokenizer, generator.Model);
        this.generator = generator;
        this.encoder = encoder;
        this.verifierOf = verifierOf ?? (problem => ProblemFamilies.Get(problem.Family).Verifier);
        prefix = new PromptPrefix(encoder);
        parser = new ReasoningParser(encoder.Tokenizer);
    }

    /// <param name="model">Name in the report.</param>
    /// <param name="problems">At least one.</param>
    /// <param name="twins">Twins of those problems (ids as <see cref="ProblemId"/> spells them), or none.</param>
    /// <exception cref="ArgumentException">No problem, or a twin whose original is not among the problems.</exception>
    public EvaluationResult Run(
        string model,
        IReadOnlyList<Problem> problems,
        IReadOnlyList<Problem> twins,
        EvaluationOptions options,
        Action<GenerationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        if (problems.Count == 0) throw new ArgumentException("There is no problem to evaluate.", nameof(problems));
        var pairs = TwinPairs.Match(problems, twins);
        GenerationRequest[] requests = [.. problems.Select(problem => RequestFor(problem, options, options.Samples)), .. twins.Select(twin => RequestFor(twin, options, 0))];
        GenerationProgress totals = default;
        var completions = generator.Complete(requests, report =>
        {
            totals = report;
            progress?.Invoke(report);
        }, cancellation);
        ProblemResult[] results = [.. problems.Select((problem, i) => Grade(problem, completions[i]))];
        ProblemResult[] twinResults = [.. twins.Select((twin, i) => Grade(twin, completions[problems.Count + i]))];
        return new EvaluationResult(Reporting.Summarize(model, results, twinResults, pairs, options), results, twinResults, totals);
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
            return new CompletionResult(verifier.Verify(parsed.Answer, problem), parsed.Reasoning, parsed.Answer, verifier.ClassOf(parsed.Answer, problem), completion);
        })];
        return new ProblemResult(problem, graded[0], graded[1..]);
    }
}
