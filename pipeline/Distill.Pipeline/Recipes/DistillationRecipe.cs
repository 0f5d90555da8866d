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

    /// <summary>Null: the weights themselves are trained.</summary>
    public LoraSection? Lora { get; init; }

    /// <summary>Null: hard labels alone.</summary>
    public SoftLabelSection? SoftLabels { get; init; }

    public required AnswerOnlySection AnswerOnly { get; init; }

    /// <summary>Null: the student is not tuned by preferences.</summary>
    public PreferenceSection? Preference { get; init; }

    public required ReinforcementSection Rl { get; init; }

    public required ExportSection Export { get; init; }

    public required ParitySection Parity { get; init; }

    public required EvaluationSection Evaluation { get; init; }

    internal static DistillationRecipe Bind(SectionReader root)
    {
        var sft = TrainingSection.Bind(root.Section("sft"), TrainingSection.Default);
        var problems = ProblemSection.Bind(root.Section("problems"));
        var teacher = TeacherSection.Bind(root.Section("teacher"));
        var answerOnly = AnswerOnlySection.Bind(root.Section("answer_only"), sft);
        var softLabels = SoftLabelSection.Bind(root.Section("soft_labels"));
        root.Require(
            softLabels is null || teacher.TopLogProbabilities is not null, "soft_labels", "the teacher records no alternatives to its tokens",
            teacher.Remote is not null ? "take a teacher from a model folder: an endpoint's traces hold no tokens" : "set teacher.top_log_probabilities, e.g. to 16");
        foreach (string key in (string[])["average", "dft", "label_smoothing", "z_loss", "entropy_bonus"])
            root.Section("sft").Require(softLabels is null || !root.Section("sft").IsGiven(key), key, "soft labels are a loss of their own", "leave it out, or take soft_labels out");
        foreach (var (section, training) in ((string, TrainingSection)[])[("sft", sft), ("answer_only", answerOnly.Training)])
        {
            root.Section(section).Section("held_out").Require(
                !root.Section(section).Has("held_out") || training.HeldOut?.Problems is not { } asked || asked <= problems.Validation, "problems",
                $"more than the {problems.Validation:N0} validation problems", "raise problems.validation or lower this");
        }

        var recipe = new DistillationRecipe
        {
            Name = ReadName(root),
            Seed = ReadSeed(root),
            Teacher = teacher,
            Problems = problems,
            Curation = CurationSection.Bind(root.Section("curation")),
            Student = StudentSection.Bind(root.Section("student")),
            Sft = sft,
            Lora = LoraSection.Bind(root.Section("lora")),
            SoftLabels = softLabels,
            AnswerOnly = answerOnly,
            Preference = PreferenceSection.Bind(root.Section("preference"), problems, sft),
            Rl = ReinforcementSection.Bind(root.Section("rl"), problems, teacher),
            Export = ExportSection.Bind(root.Section("export")),
            Parity = ParitySection.Bind(root.Section("parity"), problems),
            Evaluation = EvaluationSection.Bind(root.Section("evaluation")),
        };
        root.Close();
        return recipe;
    }
}
