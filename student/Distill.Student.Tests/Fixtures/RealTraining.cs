using System.Text.Json;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fixtures;

/// <summary>The reference training of a real model: its batches, its settings as our options, what every step gave.</summary>
internal sealed class RealTraining : IExampleSource
{
    private readonly List<TrainingSequence[]> steps;
    private readonly JsonElement root;

    public RealTraining(string file)
    {
        root = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        steps = [.. root.GetProperty("batches").EnumerateArray().Select(Sequences)];
        HeldOut = Sequences(root.GetProperty("held_out"));
    }

    public IReadOnlyList<TrainingSequence> HeldOut { get; }

    public JsonElement Expected => root.GetProperty("fp32");

    public int Steps => steps.Count;

    public LearningRateSchedule Schedule
    {
        get
        {
            var decay = Settings.GetProperty("decay").GetString() == "constant" ? Decay.Constant : Decay.Linear;
            return new(Setting("lr"), decay) { WarmupSteps = (int)Setting("warmup") };
        }
    }

    public AdamWOptions Optimizer => new(
        Settings.GetProperty("betas")[0].GetDouble(), Settings.GetProperty("betas")[1]
        .GetDouble(), Setting("eps"), Setting("weight_decay"), Setting("clip"));

    private JsonElement Settings => root.GetProperty("settings");

    public IReadOnlyList<TrainingSequence> At(int step) => steps[step];

    private double Setting(string name) => Settings.GetProperty(name).GetDouble();

    // What follows the supervised stretch changes nothing and is cut.
    private static TrainingSequence[] Sequences(JsonElement batch) =>
    [
        .. batch.EnumerateArray().Select(example =>
        {
            var supervised = example.GetProperty("supervised");
            return new TrainingSequence(
                [.. example.GetProperty("ids").EnumerateArray().Take(supervised[1].GetInt32()).Select(id => id.GetInt32())], supervised[0]
                .GetInt32());
        }),
    ];
}
