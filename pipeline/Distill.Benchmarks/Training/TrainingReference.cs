using System.Text.Json;
using Distill.Benchmarks.Workloads;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

/// <summary>The reference training that lies beside the large model: a source of batches and the values to reach.</summary>
internal sealed class TrainingReference(string file, int most) : IExampleSource
{
    private readonly JsonElement root = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;

    public int Steps => Math.Min(most, root.GetProperty("batches").GetArrayLength());

    public IReadOnlyList<TrainingSequence> HeldOut => Sequences(root.GetProperty("held_out"));

    public IEnumerable<JsonProperty> WeightsAfter => root.GetProperty("fp32").GetProperty("weights_after").EnumerateObject();

    public LearningRateSchedule Schedule =>
        new(Setting("lr"), Settings.GetProperty("decay").GetString() == "constant" ? Decay.Constant
            : Decay.Linear) { WarmupSteps = (int)Setting("warmup") };

    public AdamWOptions Optimizer => new(
        Settings.GetProperty("betas")[0].GetDouble(), Settings.GetProperty("betas")[1].GetDouble(), Setting("eps"),
            Setting("weight_decay"), Setting("clip"));

    private JsonElement Settings => root.GetProperty("settings");

    /// <summary>Loss of a step of autocast, bf16 over fp32 weights.</summary>
    public double AutocastLoss(int step) => root.GetProperty("mixed").GetProperty("steps")[step].GetProperty("loss").GetDouble();

    public double Number(string name) => root.GetProperty("fp32").GetProperty(name).GetDouble();

    public JsonElement Step(int step) => root.GetProperty("fp32").GetProperty("steps")[step];

    public IReadOnlyList<TrainingSequence> At(int step) => Sequences(root.GetProperty("batches")[step]);

    /// <exception cref="WorkloadAbsentException">The model comes without one.</exception>
    public static TrainingReference Open(string folder, int most)
    {
        string file = Path.Combine(folder, "reference-training.json");
        return File.Exists(file) ? new TrainingReference(file, most)
            : throw new WorkloadAbsentException("the model has no reference-training.json");
    }

    private double Setting(string name) => Settings.GetProperty(name).GetDouble();

    // What follows the supervised stretch changes nothing and is cut.
    private static TrainingSequence[] Sequences(JsonElement batch) =>
    [
        .. batch.EnumerateArray().Select(example => new TrainingSequence(
            [.. example.GetProperty("ids").EnumerateArray().Take(example.GetProperty("supervised")[1].GetInt32())
                .Select(id => id.GetInt32())],
            example.GetProperty("supervised")[0].GetInt32())),
    ];
}
