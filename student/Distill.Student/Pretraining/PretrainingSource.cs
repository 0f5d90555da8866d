using Distill.Data.Problems;
using Distill.Generation;
using Distill.Teacher;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Student.Pretraining;

/// <summary>
/// Endless text from the problem families' training split: sequence i is a function of (seed, i), so a step is a range of
/// indices and nothing is ever repeated or stored. Immutable.
/// </summary>
internal sealed class PretrainingSource : IExampleSource
{
    private readonly PretrainingMixture mixture;
    private readonly ChatEncoder encoder;
    private readonly ulong seed;
    private readonly int sequencesPerStep;

    /// <param name="steps">Optimiser steps in all.</param>
    public PretrainingSource(PretrainingMixture mixture, ChatEncoder encoder, ulong seed, int sequencesPerStep, int steps)
    {
        this.mixture = mixture;
        this.encoder = encoder;
        this.seed = seed;
        this.sequencesPerStep = sequencesPerStep;
        Steps = steps;
    }

    public int Steps { get; }

    public IReadOnlyList<TrainingSequence> At(int step)
    {
        long first = (long)step * sequencesPerStep;
        // The training threads wait meanwhile, so their cores are free for this.
        return [.. Enumerable.Range(0, sequencesPerStep).AsParallel().AsOrdered().Select(i => Sequence(first + i))];
    }

    /// <summary>The texts of the mixture's first sequences, for training a tokenizer on.</summary>
    public static IEnumerable<string> Corpus(PretrainingMixture mixture, ulong seed, int problems)
    {
        for (long index = 0; index < problems; index++)
        {
            var problem = Draw(mixture, seed, index);
            yield return problem.Text;
            yield return problem.ReferenceSolution ?? "";
            yield return problem.ReferenceAnswer;
        }
    }

    private TrainingSequence Sequence(long index)
    {
        double pick = Uniform(SeedSequence.Derive(seed, (ulong)index, 1)) * (mixture.Solutions + mixture.Texts + mixture.Facts);
        if (pick < mixture.Solutions) return Solution(Draw(mixture, seed, index));
        return pick < mixture.Solutions + mixture.Texts ? Text(Draw(mixture, seed, index)) : Facts(index);
    }

    private TrainingSequence Solution(Problem problem)
    {
        var example = encoder.EncodeExample(ProblemPrompt.Messages(problem), problem.ReferenceSolution ?? "", problem.ReferenceAnswer);
        return new TrainingSequence(example.Tokens, example.PromptLength);
    }

    private TrainingSequence Text(Problem problem) => new(encoder.EncodePrompt(ProblemPrompt.Messages(problem)), 1);

    private TrainingSequence Facts(long index)
    {
        var family = Pick(mixture, seed, index).Family;
        var facts = Enumerable.Range(0, mixture.FactsPerSequence).Select(i => family.Fact(seed, index * mixture.FactsPerSequence + i));
        return new TrainingSequence([.. facts.SelectMany(fact => encoder.Tokenizer.Encode(fact).Append(encoder.EndToken))], 1);
    }

    private static Problem Draw(PretrainingMixture mixture, ulong seed, long index)
    {
        var (family, level, _) = Pick(mixture, seed, index);
        return family.Generate(seed, index, Split.Train, level);
    }

    private static ProblemShare Pick(PretrainingMixture mixture, ulong seed, long index)
    {
        double point = Uniform(SeedSequence.Derive(seed, (ulong)index, 2)) * mixture.Problems.Sum(share => share.Weight);
        foreach (var share in mixture.Problems)
        {
            point -= share.Weight;
            if (point < 0) return share;
        }

        return mixture.Problems[^1];
    }

    private static double Uniform(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));
}
