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

    public required AnswerOnlySection AnswerOnly { get; init; }

    public required ReinforcementSection Rl { get; init; }

    public required ExportSection Export { get; init; }

    public required ParitySection Parity { get; init; }

    public required EvaluationSection Evaluation { get; init; }

    internal static DistillationRecipe Bind(SectionReader root)
    {
        var sft = TrainingSection.Bind(root.Section("sft"), TrainingSection.Default);
        var problems = ProblemSection.Bind(root.Section("problems"));
        var recipe = new DistillationRecipe
        {
            Name = ReadName(root),
            Seed = ReadSeed(root),
            Teacher = TeacherSection.Bind(root.Section("teacher")),
            Problems = problems,
            Curation = CurationSection.Bind(root.Section("curation")),
            Student = StudentSection.Bind(root.Section("student")),
            Sft = sft,
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
