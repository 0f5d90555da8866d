using Distill.Student.Fused;
using Distill.Student.Training;

namespace Distill.Pipeline.Recipes;

/// <summary>What the words of a recipe mean to the trainer.</summary>
internal static class TrainingChoices
{
    public static Decay ToDecay(this ScheduleKind schedule) => schedule switch
    {
        ScheduleKind.Constant => Decay.Constant,
        ScheduleKind.Linear => Decay.Linear,
        ScheduleKind.Cosine => Decay.Cosine,
        ScheduleKind.Trapezoid => Decay.Trapezoid,
        ScheduleKind.Polynomial => Decay.Polynomial,
        ScheduleKind.InverseSquareRoot => Decay.InverseSquareRoot,
        _ => throw new ArgumentOutOfRangeException(nameof(schedule), schedule, null),
    };

    public static MatmulPrecision ToMatmulPrecision(this TrainingPrecision precision) => precision switch
    {
        TrainingPrecision.Fp32 => MatmulPrecision.Fp32,
        TrainingPrecision.Mixed => MatmulPrecision.Mixed,
        TrainingPrecision.Fp16 => MatmulPrecision.Fp16,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, null),
    };
}
