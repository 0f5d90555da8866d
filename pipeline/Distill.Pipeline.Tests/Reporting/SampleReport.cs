using Distill.Verification;
using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Export.Parity;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Reporting;

/// <summary>A report as a run would give it; the figures are made up, in the range of the design's measurements.</summary>
internal static class SampleReport
{
    public const int Problems = 500, Twins = 200;

    public static RunReport Full { get; } = new()
    {
        Run = "quickstart-2026",
        RecipeDigest = Digest("recipe"),
        Stages =
        [
            Stage("problems", StageState.Cached, "finished already: same recipe, same code", null, [], ["problems"]),
            Stage("traces", StageState.Done, "the teacher changed", 92.4, ["problems", "teacher-model"], ["traces"]),
            Stage("curated", StageState.Done, "an input changed: traces", 1.2, ["traces"], ["curated"]),
            Stage("sft", StageState.Done, "an input changed: curated", 75.7, ["curated", "base-model"], ["sft"]),
            Stage("rl", StageState.Done, "an input changed: sft", 4021, ["problems", "sft"], ["rl"]),
            Stage("onnx", StageState.Done, "an input changed: rl", 2.4, ["rl"], ["onnx"]),
            Stage("parity", StageState.Done, "an input changed: onnx", 12, ["problems", "rl", "onnx"], ["parity"]),
        ],
        Evaluations =
        [
            Row("onnx", 401, 0.749, 0.795, 0.76), Row("base", 2, 0.0031, 0.004, 0.005), Row("teacher", 486, 0.958, 0.978, 0.955),
            Row("answer-only", 105, 0.192, 0.226, 0.08), Row("sft", 392, 0.671, 0.792, 0.752), Row("rl", 401, 0.748, 0.796, 0.76),
        ],
        Parity = new ParityReport(5.1e-5, 25.897, 10_030, 6_400, 0, 0, ParityTolerance.Exact, true),
        Throughput = new Dictionary<string, double>
        {
            ["teacherTokensPerSecond"] = 5234.7, ["sft/trainingTokensPerSecond"] = 28_412.2, ["rl/completionTokensPerSecond"] = 21_033.4,
        },
        Comparisons =
        [
            new("sft", "answer-only", Problems, new(0.574, new(0.529, 0.618), 0.0225, 0.0002),
                new(0.479, new(0.444, 0.513), 0.0176, 0.0002)),
            new("rl", "sft", Problems, new(0.018, new(-0.012, 0.046), 0.0148, 0.2328), new(0.077, new(0.055, 0.099), 0.0113, 0.0002)),
            new("onnx", "rl", Problems, new(0, new(0, 0), 0, 1), new(0.001, new(-0.004, 0.006), 0.0026, 0.7412)),
        ],
        OnnxGreedyAnswersEqual = new AnswerEquality(true, Problems, Problems),
        ModelSizes =
        [
            new("teacher", 1_812_672, 7_250_688), new("base", 402_336, 1_609_344), new("answer-only", 402_336, 1_609_344),
            new("sft", 402_336, 1_609_344), new("rl", 402_336, 1_609_344), new("onnx", 402_336, 1_624_101),
        ],
        Curation = new CurationReport(15_210, new Dictionary<string, long> { ["wrong"] = 602, ["truncated"] = 41, ["duplicate"] = 147 }),
        Models =
        [
            new("teacher", ModelRole.Teacher, "teacher", "only run"), new("base", ModelRole.Base, "base", "the student before training"),
            new("answer-only", ModelRole.Student, "answer-only", "trained on answers alone") { IsAside = true },
            new("sft", ModelRole.Student, "steps", "trained on steps"),
            new("rl", ModelRole.Student, "RL", "then rewarded"), new("onnx", ModelRole.Exported, "ONNX", "the exported file"),
        ],
        Recipe = new RecipeReport([new("sft.epochs", "3", "2"), new("teacher.model", "../teacher", null)], "kind: distill\nseed: 1\n"),
        Machine = new MachineReport("AMD EPYC", 2, 8L << 30, "Linux, X64", new Dictionary<string, string>
        {
            ["Distill"] = "0.1.0+abc", ["TorchSharp"] = "0.107.0",
        }),
        Accuracies =
        [
            Point("teacher", "greedy", 0.972, 40), Point("teacher", "one sample", 0.958, 43), Point("teacher", "vote of 4", 0.975, 172),
            Point("rl", "greedy", 0.802, 41), Point("rl", "one sample", 0.748, 42), Point("rl", "vote of 4", 0.81, 168),
            Point("onnx", "self-consistency, 4 samples", 0.82, 170),
        ],
        ExportPrecision = "int8",
        Lengths =
        [
            new("big-teacher", true, 16_000, 43.2, 40, 190, 10, [new(4_000, 20, 0), new(11_000, 500, 3), new(300, 100, 77)]),
            new("rl", false, Problems, 41, 38, 140, 10, [new(180, 10, 0), new(200, 60, 0), new(21, 29, 0)]),
        ],
        SideBySide =
        [
            new("words:test:7", "words", "Ann has 12 apples.\nHow many has she?", "12", "wrong by base, right after steps",
            [
                new("rl", true, 31, "She has 12.", "12"), new("base", false, 190, "apples apples", null),
                new("teacher", true, 29, "12.", "12"),
            ]),
        ],
        Verdicts = SampleVerdicts.Of(
        [
            ("onnx", 401, 0.795, 0.76), ("base", 2, 0.004, 0.005), ("teacher", 486, 0.978, 0.955), ("answer-only", 105, 0.226, 0.08),
            ("sft", 392, 0.792, 0.752), ("rl", 401, 0.796, 0.76),
        ]),
        Notes = ["The base model was trained for this recipe on problem texts without solutions; see its model card."],
    };

    /// <summary>Losses that fall over decades, rewards that rise, held-out accuracy every twenty steps.</summary>
    public static IReadOnlyList<MetricSeries> Curves { get; } =
    [
        Curve("answer-only", "loss", 300, 1, i => 0.3 + (9 * Math.Exp(-i / 9.0)) + Wobble(i, 0.08)),
        Curve("sft", "loss", 600, 1, i => 0.02 + (7 * Math.Exp(-i / 12.0)) + (0.5 * Math.Exp(-i / 110.0)) + Wobble(i, 0.008)),
        Curve("rl", "reward", 226, 1, i => 0.67 + (0.09 * (1 - Math.Exp(-i / 60.0))) + Wobble(i, 0.03)),
        Curve("rl", "held_out", 12, 20, i => 0.66 + (0.085 * (1 - Math.Exp(-i / 3.0))) + Wobble(i, 0.004)),
        Curve("rl", "entropy", 226, 1, i => 0.22 - (0.0005 * i) + Wobble(i, 0.01)),
        Curve("rl", "gradient_norm", 226, 1, i => 0.8 + Wobble(i, 0.2)),
        Curve("rl", "learning_rate", 226, 1, i => 1.5e-4 * (1 - (i / 226.0))),
    ];

    /// <summary>The same run with a seed of its own, in which the last students solve so many problems.</summary>
    public static RunReport OfSeed(int seed, int solved, int epochs = 5) => Full with
    {
        Recipe = new RecipeReport([], $"name: sample\nseed: {seed}\nsft:\n  epochs: {epochs}\n"),
        Evaluations =
        [
            .. Full.Evaluations.Select(row => row.Model is "onnx" or "rl"
                ? Row(row.Model, solved, (double)solved / Problems, row.Twins!.Original, row.Twins.Perturbed) : row),
        ],
        Verdicts = SampleVerdicts.Of(
        [
            ("onnx", solved, (double)solved / Problems, 0.5), ("rl", solved, (double)solved / Problems, 0.5),
            ("base", 2, 0.004, 0.005), ("teacher", 486, 0.978, 0.955),
            ("answer-only", 105, 0.226, 0.08), ("sft", 392, 0.792, 0.752),
        ]),
    };

    public static EvaluationReport Row(string model, int solved, double sampled, double original, double perturbed) => new(
        model, Problems, 4, (double)solved / Problems, Proportion.Wilson(solved, Problems),
        sampled, Proportion.Wilson(sampled * Problems, Problems), Math.Min(1, sampled * 1.04), 41.35, model == "base" ? 0.124 : 0.006, 0.01,
        new TwinReport(
            original, perturbed, Proportion.Wilson(original * Twins, Twins), Proportion.Wilson(perturbed * Twins, Twins), Twins, Twins * 2,
            [Kind("renamed", original, original - 0.005 < 0 ? 0 : original - 0.005), Kind("irrelevant", original, perturbed)]),
        [.. new[] { "arithmetic", "knights", "words" }.Select((domain, i) =>
            Domain(domain, solved / (double)Problems * (1 - (0.07 * i)), sampled * (1 - (0.07 * i))))],
        [
            new SampleTrace(
                $"words:test:{model}", "Ann has 12 apples and buys 3 boxes of 4.\nHow many apples has she?", "24",
                    "3 * 4 = 12\n12 + 12 = 24", "24", Verdict.Correct),
            new SampleTrace($"arithmetic:test:{model}", "Compute ((7 + 5) * 3) - 9.", "27", "7 + 5 = 12\n12 * 3 = 35\n35 - 9 = 26", "26",
                Verdict.Incorrect),
        ]);

    private static AccuracyPoint Point(string model, string way, double share, double tokens) =>
        new(model, way, share, Proportion.Wilson(share * Problems, Problems), Problems, tokens);

    private static DomainReport Domain(string name, double greedy, double sampled) =>
        new(name, 160, greedy, Proportion.Wilson(greedy * 160, 160), sampled, Proportion.Wilson(sampled * 160, 160), sampled);

    private static TwinKindReport Kind(string kind, double original, double perturbed)
    {
        int onlyOriginal = (int)Math.Round(Math.Max(0, original - perturbed) * Twins) + 2;
        return new(kind, Twins, original, perturbed, Proportion.Wilson(perturbed * Twins, Twins), onlyOriginal, 2,
            McNemar.ExactP(onlyOriginal, 2));
    }

    private static StageReport Stage(string name, StageState state, string reason, double? seconds, string[] inputs, string[] outputs) =>
        new(name, state, reason, seconds, inputs.ToDictionary(input => input, Digest), outputs.ToDictionary(output => output, Digest))
        {
            Amounts = seconds is null ? null
                : new StageAmounts(16_000, 900_000, 640_000, name is "sft" or "rl" ? 226 : null, 640_000 / seconds.Value, 4_000_000, null),
        };

    public static string Digest(string name) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)));

    private static MetricSeries Curve(string stage, string name, int count, int every, Func<int, double> value) =>
        new(stage, name, [.. Enumerable.Range(0, count).Select(i => ((double)(i * every), value(i)))]);

    private static double Wobble(int i, double size) => size * Math.Sin(i * 12.9898) * Math.Cos(i * 7.233);
}
