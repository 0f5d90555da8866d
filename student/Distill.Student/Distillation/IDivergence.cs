namespace Distill.Student.Distillation;

/// <summary>How far a student's distribution Q lies from a teacher's P over the same few classes. Immutable, thread-safe.</summary>
public interface IDivergence
{
    /// <summary>Sum over the classes, in nats.</summary>
    /// <param name="teacher">[classes]: log P, finite or −∞.</param>
    /// <param name="student">[classes]: log Q.</param>
    /// <param name="derivatives">[classes]: by each entry of <paramref name="student"/>, all taken as free; to be filled.</param>
    double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives);
}
