namespace Distill.Pipeline.Recipes;

/// <summary>
/// problems → teacher traces → curation → student (answers only; steps; reinforcement) → ONNX → parity → evaluation:
/// what <c>distill run</c> runs. One record per section; every value has its default documented where it is declared.
/// </summary>
public sealed record DistillationRecipe : Recipe
{
    public required TeacherSection Teacher { get; init; }

    public required ProblemSection Problems { get; init; }

    public required CurationSection Curation { get; init; }

    public required StudentSection Student { get; init; }

    public required TrainingSection Sft { get; init; }

    /// <summary>Null: hard labels alone.</summary>
    public SoftLabelSection? SoftLabels { get; init; }

    public required AnswerOnlySection AnswerOnly { get; init; }

    public required ReinforcementSection Rl { get; init; }

    public required ExportSection Export { get; init; }

    public required ParitySection Parity { get; init; }

    public required EvaluationSection Evaluation { get; init; }

    internal static DistillationRecipe Bind(SectionReader root)
    {
        var sft = TrainingSection.Bind(root.Section("sft"), TrainingSection.Default);
        var problems = ProblemSection.Bind(root.Section("problems"));
        var teacher = TeacherSection.Bind(root.Section("teacher"));
        var softLabels = SoftLabelSection.Bind(root.Section("soft_labels"));
        root.Require(
            softLabels is null || teacher.TopLogProbabilities is not null, "soft_labels", "the teacher records no alternatives to its tokens",
            teacher.Remote is not null ? "take a teacher from a model folder: an endpoint's traces hold no tokens" : "set teacher.top_log_probabilities, e.g. to 16");
        var recipe = new DistillationRecipe
        {
            Name = ReadName(root),
            Seed = ReadSeed(root),
            Teacher = teacher,
            Problems = problems,
            Curation = CurationSection.Bind(root.Section("curation")),
            Student = StudentSection.Bind(root.Section("student")),
            Sft = sft,
            SoftLabels = softLabels,
            AnswerOnly = AnswerOnlySection.Bind(root.Section("answer_only"), sft),
            Rl = ReinforcementSection.Bind(root.Section("rl"), problems),
            Export = ExportSection.Bind(root.Section("export")),
            Parity = ParitySection.Bind(root.Section("parity"), problems),
            Evaluation = EvaluationSection.Bind(root.Section("evaluation")),
        };
        root.Close();
        return recipe;
    }
}
