using System.Text.Json;
using Distill.Architecture;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fixtures;

/// <summary>
/// A training of PyTorch to repeat: its batches as a source of examples, its settings as our options, what every step gave.
/// </summary>
internal sealed class TrajectoryCase : IExampleSource
{
    private readonly List<TrainingSequence[]> steps = [];
    private readonly JsonElement settings;

    public TrajectoryCase(string folder)
    {
        using var batches = SafeTensorsFile.Open(Path.Combine(folder, "batches.safetensors"));
        var trajectory = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "trajectory.json"))).RootElement;
        settings = trajectory.GetProperty("settings");
        Results = [.. trajectory.GetProperty("float32").EnumerateArray()];
        for (int step = 0; step < Results.Count; step++)
            steps.Add([.. MicroBatches(batches, step).SelectMany(name => MicroBatch(batches, name))]);
    }

    /// <summary>Per step: learningRate, loss, gradientNorm, supervisedTokens.</summary>
    public IReadOnlyList<JsonElement> Results { get; }

    public int Steps => steps.Count;

    public LearningRateSchedule Schedule =>
        new(Setting("peakLearningRate"), Decay.Cosine) { WarmupSteps = (int)Setting("warmupSteps"), Floor = Setting("floor") };

    public AdamWOptions Optimizer =>
        new(Setting("beta1"), Setting("beta2"), Setting("epsilon"), Setting("weightDecay"), Setting("maxGradientNorm"));

    public IReadOnlyList<TrainingSequence> At(int step) => steps[step];

    /// <summary>Tokens of the longest sequence.</summary>
    public int Longest => steps.Max(step => step.Max(sequence => sequence.Tokens.Count));

    private static IEnumerable<string> MicroBatches(SafeTensorsFile batches, int step) =>
        Enumerable.Range(0, int.MaxValue).Select(micro => $"step{step:D2}.micro{micro}")
        .TakeWhile(name => batches.Contains(name + ".input_ids"));

    private double Setting(string name) => settings.GetProperty(name).GetDouble();

    // A row supervises one stretch; what follows it changes nothing and is cut.
    private static IEnumerable<TrainingSequence> MicroBatch(SafeTensorsFile batches, string name)
    {
        long[] ids = batches.ReadIntegers(name + ".input_ids"), labels = batches.ReadIntegers(name + ".labels");
        int time = (int)batches.Entry(name + ".input_ids").Shape[1];
        for (int row = 0; row * time < ids.Length; row++)
        {
            long[] tokens = ids[(row * time)..((row + 1) * time)], learned = labels[(row * time)..((row + 1) * time)];
            int first = Array.FindIndex(learned, 1, label => label >= 0), last = Array.FindLastIndex(learned, label => label >= 0);
            for (int i = first; i <= last; i++) learned[i].ShouldBe(tokens[i]);
            yield return new TrainingSequence([.. tokens[..(last + 1)].Select(id => (int)id)], first);
        }
    }
}
