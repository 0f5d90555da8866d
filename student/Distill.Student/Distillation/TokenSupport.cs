namespace Distill.Student.Distillation;

/// <summary>What is made of the probability that a teacher's k best tokens leave out. The three give different numbers for the same data.</summary>
public enum TokenSupport
{
    /// <summary>One more class holds all other tokens, for teacher and student (TRL's <c>loss_add_tail</c>, DistillKit's <c>symmetric_uniform</c>).</summary>
    TailBucket,

    /// <summary>Both are renormalised over the k tokens: what the student gives to others goes unpunished (TRL without tail).</summary>
    RenormalisedBoth,

    /// <summary>The teacher is renormalised over the k tokens, the student keeps its whole softmax (DistillKit's <c>missing: zero</c>).</summary>
    TeacherRenormalised,
}
