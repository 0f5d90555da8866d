using Distill.Architecture;
using Distill.Student.Preference;
using Distill.Student.Training;

namespace Distill.Student.Tests.Preference;

/// <summary>Pairs of random completions, each pair with a prompt of its own.</summary>
internal static class TinyPairs
{
    public static List<PreferencePair> Of(DecoderArchitecture architecture, int count)
    {
        var sequences =
            TinyDecoder.Sequences(architecture, [.. Enumerable.Range(0, count).SelectMany(i => (int[])[14 + (i % 5), 6 + (i % 4)])]);
        return [.. Enumerable.Range(0, count).Select(i => Pair(sequences[2 * i], sequences[(2 * i) + 1]))];
    }

    private static PreferencePair Pair(TrainingSequence chosen, TrainingSequence other) =>
        new(chosen, new TrainingSequence([.. chosen.Tokens.Take(chosen.FirstSupervised), .. other.Tokens], chosen.FirstSupervised));
}
