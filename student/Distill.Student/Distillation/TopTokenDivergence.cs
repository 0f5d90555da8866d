using System.Numerics;
using System.Numerics.Tensors;
using Distill.Student.Training;

namespace Distill.Student.Distillation;

/// <summary>
/// What is made of the probability that a teacher's k best tokens leave out. The three give different numbers for the same data.
/// </summary>
public enum TokenSupport
{
    /// <summary>
    /// One more class holds all other tokens, for teacher and student (TRL's <c>loss_add_tail</c>, DistillKit's <c>symmetric_uniform</c>).
    /// </summary>
    TailBucket,

    /// <summary>Both are renormalised over the k tokens: what the student gives to others goes unpunished (TRL without tail).</summary>
    RenormalisedBoth,

    /// <summary>
    /// The teacher is renormalised over the k tokens, the student keeps its whole softmax (DistillKit's <c>missing: zero</c>).
    /// </summary>
    TeacherRenormalised,
}

/// <summary>
/// A divergence between a teacher known by its k best tokens and a student known by all its logits. Both are softened by a temperature T:
/// the teacher's recorded probabilities, and what they leave over, are raised to 1/T and renormalised; the student's logits are divided
/// by T. Immutable, thread-safe.
/// </summary>
/// <param name="temperature">T, more than 0.</param>
/// <param name="squareTemperature">
/// Multiply value and gradient by T², so that the gradient's size does not depend on T (Hinton et al. 2015). TRL does not.
/// </param>
public sealed class TopTokenDivergence(IDivergence divergence, TokenSupport support, double temperature = 1, bool squareTemperature = false)
{
    /// <summary>Least probability of the tail: TRL's clamp of the log-sum to −1e-7. Below it the tail has no slope.</summary>
    internal const double TailFloor = 1e-7;

    private const int ClassesOnStack = 256;

    internal IDivergence Divergence => divergence;

    internal TokenSupport Support => support;

    internal double Temperature => temperature;

    /// <summary>Factor of value and gradient.</summary>
    internal double Scale => squareTemperature ? temperature * temperature : 1;

    /// <param name="ids">[k]: the teacher's best tokens, all different.</param>
    /// <param name="teacher">[k]: their log-probabilities at temperature 1.</param>
    /// <param name="logits">[vocabulary]</param>
    /// <param name="gradient">[vocabulary]: overwritten with the derivative by each logit, times <paramref name="weight"/>.</param>
    /// <param name="weight">Factor of value and gradient.</param>
    public double Evaluate<T>(
        ReadOnlySpan<int> ids, ReadOnlySpan<float> teacher, ReadOnlySpan<T> logits, Span<T> gradient, double weight = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int classes = ids.Length + (support == TokenSupport.TailBucket ? 1 : 0);
        Span<double> buffer = classes <= ClassesOnStack ? stackalloc double[3 * classes] : new double[3 * classes];
        Span<double> target = buffer[..classes], student = buffer.Slice(classes, classes), slopes = buffer[(2 * classes)..];
        Soften(teacher, target);
        double total = Gather(ids, logits, gradient, student);
        double scale = weight * Scale;
        double value = scale * Differentiate(target, student, slopes, out double inside, out double outside);

        // gradient holds the student's exponentials: d log Q(j) / d logit(v) = (1 if v = j) − Q(v), whatever the class.
        TensorPrimitives.Multiply(gradient, T.CreateTruncating(outside / total * scale / temperature), gradient);
        for (int i = 0; i < ids.Length; i++)
            gradient[ids[i]] = T.CreateTruncating((slopes[i] + Math.Exp(student[i]) * inside) * scale / temperature);
        return value;
    }

    /// <summary>The teacher's classes at temperature T, summing to one.</summary>
    private void Soften(ReadOnlySpan<float> teacher, Span<double> target)
    {
        double kept = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            kept += Math.Exp((double)teacher[i]);
            target[i] = teacher[i] / temperature;
        }

        if (support == TokenSupport.TailBucket) target[^1] = Math.Log(Math.Max(1 - kept, TailFloor)) / temperature;
        Normalise(target);
    }

    /// <summary>
    /// Fills the student's log-probabilities of the classes, and <paramref name="exponentials"/> with exp(logit/T − largest), 0 at the ids.
    /// </summary>
    /// <returns>Sum of the exponentials, those at the ids included.</returns>
    private double Gather<T>(ReadOnlySpan<int> ids, ReadOnlySpan<T> logits, Span<T> exponentials, Span<double> student)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TensorPrimitives.Divide(logits, T.CreateTruncating(temperature), exponentials);
        T largest = TensorPrimitives.Max<T>(exponentials);
        TensorPrimitives.Subtract(exponentials, largest, exponentials);
        for (int i = 0; i < ids.Length; i++) student[i] = double.CreateTruncating(exponentials[ids[i]]);
        TensorPrimitives.Exp<T>(exponentials, exponentials);
        double kept = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            kept += Math.Exp(student[i]);
            exponentials[ids[i]] = T.Zero; // the tail is summed, not taken as 1 − kept, which would cancel
        }

        double rest = double.CreateTruncating(TensorPrimitives.Sum<T>(exponentials)), total = kept + rest, logTotal = Math.Log(total);
        for (int i = 0; i < ids.Length; i++) student[i] -= logTotal;
        if (support == TokenSupport.TailBucket) student[^1] = Math.Log(rest) - logTotal;
        return total;
    }

    /// <param name="slopes">[classes]: derivative by the log-probability of each id's logit itself.</param>
    /// <param name="inside">Factor of Q(v) in the gradient at the ids.</param>
    /// <param name="outside">The same elsewhere.</param>
    private double Differentiate(
        ReadOnlySpan<double> target, Span<double> student, Span<double> slopes, out double inside, out double outside)
    {
        if (support == TokenSupport.RenormalisedBoth) return DifferentiateRenormalised(target, student, slopes, out inside, out outside);
        double tail = 0;
        bool flat = false;
        if (support == TokenSupport.TailBucket)
        {
            tail = Math.Exp(student[^1]);
            flat = tail <= TailFloor;
            if (flat) student[^1] = Math.Log(TailFloor);
        }

        double value = Sum(target, student, slopes);
        if (flat) slopes[^1] = 0;
        inside = -TensorPrimitives.Sum<double>(slopes);
        outside = inside + (tail > 0 && !flat ? slopes[^1] / tail : 0);
        return value;
    }

    // log Q(j) − log Σ Q over the ids: the slopes sum to zero, so nothing reaches the other tokens.
    private double DifferentiateRenormalised(
        ReadOnlySpan<double> target, ReadOnlySpan<double> student, Span<double> slopes, out double inside, out double outside)
    {
        Span<double> shares = student.Length <= ClassesOnStack ? stackalloc double[student.Length] : new double[student.Length];
        student.CopyTo(shares);
        Normalise(shares);
        double value = Sum(target, shares, slopes), sum = TensorPrimitives.Sum<double>(slopes);
        for (int i = 0; i < slopes.Length; i++) slopes[i] -= Math.Exp(shares[i]) * sum;
        (inside, outside) = (0, 0);
        return value;
    }

    /// <param name="slopes">[classes]: by each entry of <paramref name="student"/>, all taken as free; to be filled.</param>
    private double Sum(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> slopes)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            var (value, slope) = Divergence.Of<LossNumber>(new(teacher[i]), new(student[i]));
            sum += value.Value;
            slopes[i] = slope.Value;
        }

        return sum;
    }

    private static void Normalise(Span<double> logarithms)
    {
        double largest = TensorPrimitives.Max<double>(logarithms), sum = 0;
        foreach (double value in logarithms) sum += Math.Exp(value - largest);
        TensorPrimitives.Subtract(logarithms, largest + Math.Log(sum), logarithms);
    }
}
