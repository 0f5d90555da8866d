using Distill.Evaluation;

namespace Distill.Pipeline.Reporting;

/// <summary>The models of a run: their order, what they are called in a sentence, and their colour.</summary>
internal static class ModelNames
{
    public const string Teacher = "teacher", Base = "base", AnswerOnly = "answer-only", Sft = "sft", Preference = "preference", Rl = "rl", Onnx = "onnx";

    private static readonly string[] Order = [Teacher, Base, AnswerOnly, Sft, Preference, Rl, Onnx];

    /// <summary>From the teacher to the exported file; models of other names follow as they were given.</summary>
    public static IReadOnlyList<EvaluationReport> Sorted(RunReport report) =>
        [.. report.Evaluations.OrderBy(row => Array.IndexOf(Order, row.Model) is >= 0 and var place ? place : Order.Length)];

    /// <summary>The word for a model in a sentence: what it learned from, where its name does not say.</summary>
    public static string Word(string model) => model switch
    {
        Sft => "steps",
        Preference => "preferences",
        Rl => "RL",
        Onnx => "ONNX",
        _ => model,
    };

    /// <summary>What the row is, for a reader who sees the names for the first time.</summary>
    public static string Meaning(string model) => model switch
    {
        Teacher => "only run: the model that wrote the traces",
        Base => "the student before training",
        AnswerOnly => "trained on answers alone",
        Sft => "trained on the teacher’s steps",
        Preference => "then tuned to prefer right completions",
        Rl => "then rewarded for right answers",
        Onnx => "the exported file",
        _ => "",
    };

    /// <summary>A style class, always one of ours whatever the model is called.</summary>
    public static string Color(string model) => Order.Contains(model) ? $"m-{model}" : "m-other";

    public static EvaluationReport? Find(RunReport report, string model) => report.Evaluations.FirstOrDefault(row => row.Model == model);

    public static ModelSize? SizeOf(RunReport report, string model) => report.ModelSizes.FirstOrDefault(size => size.Model == model);
}
