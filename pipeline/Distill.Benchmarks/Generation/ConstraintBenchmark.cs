using System.Text.Json;
using Distill.Benchmarks.Measuring;
using Distill.Generation;
using Distill.Generation.Constraints;
using Distill.Generation.Onnx;

namespace Distill.Benchmarks.Generation;

/// <summary>
/// What output that must obey a schema costs beside the same model's free output: time outside the backend, of which constraints are a
/// part, per row and step. Every row has a constraint of its own, so that none finds what another has computed.
/// </summary>
internal sealed class ConstraintBenchmark : IBenchmark
{
    // Without an end, so that every row takes every step; of all kinds of values, names that are free among them.
    private const string Schema = """
        {"type": "array", "minItems": 100000, "items": {"type": "object", "required": ["name", "text", "count", "tags", "more"],
         "properties": {"name": {"enum": ["ada", "alan", "grace"]}, "text": {"type": "string", "minLength": 10, "maxLength": 80},
          "count": {"type": "integer", "minimum": 1, "maximum": 5000}, "ratio": {"type": "number"},
          "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
          "more": {"type": "object", "additionalProperties": {"type": ["string", "null"]}}}}}
        """;

    public string Name => "constraint";

    public string Summary => "what output of a JSON Schema adds to the large model's steps at 1, 8 and 32 slots";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        using var loaded = context.Large.Load();
        using var model = new TimedTokenModel(loaded, context.Clock);
        var encoder = ModelFolder.Open(context.Large.OnnxFolder).LoadEncoder();
        var schema = JsonElement.Parse(Schema);
        var figures = new List<Figure>();
        foreach (int slots in (int[])[1, 8, 32])
        {
            int steps = context.Quick ? 4 : 96;
            var runs = Interleaving.Run<StepTimes>(
                context.Rounds,
                () => Measure(context, model, slots, steps, () => null),
                () => Measure(context, model, slots, steps, () => JsonConstraint.OfSchema(schema, encoder.Tokenizer)));
            var pairs = runs[0].Zip(runs[1], (free, bound) => (Added: bound.Outside - free.Outside, free.Step)).ToList();
            figures.Add(Figure.Plain(
                $"{slots} slots: added to a step, per row", new Series(pairs.Select(pair => 1e6 * pair.Added / slots)), "µs",
                $"vocabulary {model.VocabularySize:N0}; first-time walks included"));
            figures.Add(Figure.AtMost(
                $"{slots} slots: added to a step, share of it", 10, new Series(pairs.Select(pair => 100 * pair.Added / pair.Step)), "%"));
        }

        return figures;
    }

    private static StepTimes Measure(
        BenchmarkContext context, TimedTokenModel model, int slots, int steps, Func<JsonConstraint?> constraint)
    {
        var requests = Enumerable.Range(0, slots).Select(i => new GenerationRequest
        {
            Prompt = DecodeRun.PromptOf(model, i), MaxNewTokens = steps + 1, Sampling = new SamplingOptions { Temperature = 1 },
            Seeds = [(ulong)i], Constraint = constraint(), StopTokens = [0],
        }).ToList();
        model.TakeTimes();
        var progress = default(GenerationProgress);
        double all = context.Seconds(() => progress = new BatchGenerator(model, slots).Run(requests, (_, _, _) => { }));
        var times = model.TakeTimes();
        double decoding = all - times.Opening - times.Prefilling;
        return new StepTimes(decoding / progress.Steps, (decoding - times.Stepping - times.Copying) / progress.Steps);
    }

    /// <param name="Step">Seconds a step, all in all.</param>
    /// <param name="Outside">Of which not in the backend.</param>
    private sealed record StepTimes(double Step, double Outside);
}
