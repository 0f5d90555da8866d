using System.Diagnostics.CodeAnalysis;

namespace Distill.Student.Training;

/// <summary>Takes sequences with equal prompts for equal. Thread-safe.</summary>
internal sealed class PromptComparer : IEqualityComparer<TrainingSequence>
{
    public static PromptComparer Instance { get; } = new();

    public bool Equals(TrainingSequence? x, TrainingSequence? y)
    {
        if (ReferenceEquals(x, y)) return true;
        if (x is null || y is null || x.FirstSupervised != y.FirstSupervised) return false;
        for (int i = 0; i < x.FirstSupervised; i++)
        {
            if (x.Tokens[i] != y.Tokens[i]) return false;
        }

        return true;
    }

    public int GetHashCode([DisallowNull] TrainingSequence obj)
    {
        var hash = default(HashCode);
        for (int i = 0; i < obj.FirstSupervised; i++) hash.Add(obj.Tokens[i]);
        return hash.ToHashCode();
    }
}
