namespace Distill.Pipeline.Recipes;

/// <summary>What has no meaning beside <c>rl.teacher_weight</c>: it learns from no reward, so from no advantage, ratio or reference.</summary>
internal static class TeacherChoice
{
    private static readonly string[] Others =
        ["surrogate", "ratio", "ratio_cap", "aggregation", "advantage", "reference_weight", "top_entropy", "resample_rounds"];

    public static void Check(SectionReader reader, ReinforcementSection section, TeacherSection teacher)
    {
        if (section.TeacherWeight is null) return;
        reader.Require(
            teacher.Remote is null, "teacher_weight", "an endpoint does not tell what it thinks of given tokens", "take a teacher from a model folder, or learn from rewards");
        foreach (string key in Others)
            reader.Require(!reader.IsGiven(key), key, "has no effect beside teacher_weight, which learns from the teacher and not from rewards", "leave one of the two out");
    }
}
