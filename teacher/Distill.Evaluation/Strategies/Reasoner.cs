using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Evaluation.Strategies;

/// <summary>
/// A model as strategies see it: prompts in, completions and answers out. One caller at a time; the generator stays the caller's.
/// </summary>
internal sealed class Reasoner
{
    private readonly BatchGenerator generator;
    private readonly Func<Problem, IVerifier> verifierOf;
    private readonly ReasoningParser parser;
    private readonly PromptPrefix prefix;
    private readonly Action<GenerationProgress>? progress;
    private readonly CancellationToken cancellation;
    private GenerationProgress finished;

    /// <param name="verifierOf">Default: the verifier of the problem's family.</param>
    /// <param name="progress">Sees the totals of all rounds so far.</param>
    /// <exception cref="InvalidDataException">The tokenizer has ids that the model does not know.</exception>
    public Reasoner(
        BatchGenerator generator,
        ChatEncoder encoder,
        Func<Problem, IVerifier>? verifierOf = null,
        Action<GenerationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        VocabularyCheck.Require(encoder.Tokenizer, generator.Model);
        this.generator = generator;
        this.verifierOf = verifierOf ?? ProblemVerifiers.Standard.Of;
        this.progress = progress;
        this.cancellation = cancellation;
        Encoder = encoder;
        prefix = new PromptPrefix(encoder);
        parser = new ReasoningParser(encoder.Tokenizer);
    }

    public ChatEncoder Encoder { get; }

    /// <summary>Longest sequence that the model reads.</summary>
    public int MaxLength => generator.Model.MaxLength;

    /// <summary>Of all rounds.</summary>
    public GenerationProgress Totals => finished;

    public int[] PromptOf(Problem problem) => ProblemPrompt.Encode(Encoder, problem, MaxLength);

    /// <summary>A request that ends at the end of the reply.</summary>
    public GenerationRequest Request(
        IReadOnlyList<int> prompt, int maxNewTokens, SamplingOptions sampling, IEnumerable<ulong> seeds) => new()
    {
        Prompt = prompt, SharedPrefix = prefix.LengthIn([.. prompt]), MaxNewTokens = maxNewTokens, Sampling = sampling,
        StopTokens = Encoder.EndTokens, Seeds = [.. seeds],
    };

    /// <returns>[request][seed]</returns>
    public IReadOnlyList<Completion[]> Complete(IReadOnlyList<GenerationRequest> requests)
    {
        GenerationProgress before = finished;
        return generator.Complete(requests, now =>
        {
            finished = before + now;
            progress?.Invoke(finished);
        }, cancellation);
    }

    /// <summary>Null when the completion was cut off or has no answer.</summary>
    public string? AnswerOf(Completion completion) => parser.Parse(completion).Answer;

    /// <summary>The same for the tokens of a whole reply, marks included.</summary>
    public string? AnswerOf(IReadOnlyList<int> reply) => parser.Parse([.. reply]).Answer;

    /// <inheritdoc cref="IVerifier.ClassOf"/>
    public string? ClassOf(string? answer, Problem problem) => verifierOf(problem).ClassOf(answer, problem);

    public bool IsCorrect(string? answer, Problem problem) => verifierOf(problem).Verify(answer, problem) == Verdict.Correct;

    /// <summary>Seed of a problem's sample, the same as <see cref="Evaluator"/>'s.</summary>
    public static ulong SeedOf(Problem problem, int sample, StrategyOptions options) =>
        SeedSequence.Derive(options.Seed, SeedSequence.Hash(problem.Id), (ulong)sample);
}
