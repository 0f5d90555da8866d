using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>
/// Which pairs each optimiser step compares, as a pure function of the step's number: shuffled anew for every epoch and cut into steps of equally
/// many; what is left of an epoch is a step of its own if it has at least half of that, else it joins the last. Immutable.
/// </summary>
public sealed class PairSource
{
    private readonly List<int[]> steps = [];

    public PairSource(int pairs, int epochs, int pairsPerStep, ulong seed)
    {
        if (pairs == 0) throw new ArgumentException("There is nothing to train on: the list of pairs is empty.");
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            var cut = Permutation.Of(pairs, seed + (ulong)epoch * 0x9E3779B97F4A7C15).Chunk(pairsPerStep).ToList();
            if (cut.Count > 1 && cut[^1].Length * 2 < pairsPerStep)
            {
                cut[^2] = [.. cut[^2], .. cut[^1]];
                cut.RemoveAt(cut.Count - 1);
            }

            steps.AddRange(cut);
        }
    }

    public int Steps => steps.Count;

    /// <param name="step">0 to <see cref="Steps"/> − 1.</param>
    public IReadOnlyList<int> At(int step) => steps[step];
}
