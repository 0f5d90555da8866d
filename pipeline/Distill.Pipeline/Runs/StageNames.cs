namespace Distill.Pipeline.Runs;

/// <summary>The stages of a run by the words used on the command line, in order.</summary>
public static class StageNames
{
    public const string Problems = "problems", Traces = "traces", Curated = "curated", AnswerOnly = "answer-only", Sft = "sft", Samples = "samples", Preference = "preference",
        Rl = "rl", Onnx = "onnx", Parity = "parity", Evaluation = "evaluation";

    public static IReadOnlyList<string> All { get; } = [Problems, Traces, Curated, AnswerOnly, Sft, Samples, Preference, Rl, Onnx, Parity, Evaluation];
}
