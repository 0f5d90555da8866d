using Distill.Student.Autograd;
using System.Text.Json;
using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fixtures;

/// <summary>Steps of PyTorch's AdamW, repeated by the training loop: schedule, accumulation, clipping, decay, update.</summary>
public sealed class TrainingTrajectoryTests(ITestOutputHelper output)
{
    public static TheoryData<string, bool> Cases
    {
        get
        {
            var rows = new TheoryData<string, bool>();
            foreach (string name in FixtureFolder.Rows("training", folder => File.Exists(Path.Combine(folder, "trajectory.json")))
                .Select(row => row.Data))
                foreach (bool fused in new[] { false, true }) rows.Add(name, fused);
            return rows;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Every_step_is_that_of_PyTorch(string name, bool fused)
    {
        string folder = FixtureFolder.Require("training", name);
        var trajectory = new TrajectoryCase(folder);
        using var parameters = new FlatParameters(DecoderConfigJson.Read(Path.Combine(folder, "config.json")));
        Load(parameters, Path.Combine(folder, "initial.safetensors"));
        // A small capacity makes micro-batches, as the reference has.
        using IGradientModel model = fused ? new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, Math.Max(48, trajectory.Longest))
            : new AutogradGradientModel(parameters);
        var worst = new Dictionary<string, double>();
        SupervisedFineTuning.RunSteps(
            model, new AdamW(parameters, trajectory.Optimizer), trajectory.Schedule, trajectory, TimeProvider.System,
            report => Compare(report, trajectory.Results[report.Step - 1], worst), TestContext.Current.CancellationToken);
        CompareWeights(parameters, Path.Combine(folder, "final.safetensors"), Path.Combine(folder, "trajectory.json"));
        output.WriteLine($"worst: {string.Join(", ", worst.Select(pair => $"{pair.Key} {pair.Value:E1}"))}");
    }

    public static TheoryData<string> FirstSteps =>
        FixtureFolder.Rows("training", folder => File.Exists(Path.Combine(folder, "after-step-1.safetensors")));

    [Theory, MemberData(nameof(FirstSteps))]
    public void One_step_moves_every_weight_as_PyTorch_does(string name)
    {
        string folder = FixtureFolder.Require("training", name);
        var trajectory = new TrajectoryCase(folder);
        using var parameters = new FlatParameters(DecoderConfigJson.Read(Path.Combine(folder, "config.json")));
        Load(parameters, Path.Combine(folder, "initial.safetensors"));
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, Math.Max(48, trajectory.Longest));
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => SupervisedFineTuning.RunSteps(
            model, new AdamW(parameters, trajectory.Optimizer), trajectory.Schedule, trajectory, TimeProvider.System,
            _ => stop.Cancel(), stop.Token));
        float[] differences = Differences(parameters, Path.Combine(folder, "after-step-1.safetensors"));
        double way = trajectory.Schedule.At(0, trajectory.Steps); // of Adam's first step, whatever the gradient
        ((double)differences[(int)(0.99 * differences.Length)]).ShouldBeLessThan(Math.Max(1e-6, 2e-3 * way));
    }

    private static void Compare(StepReport report, JsonElement expected, Dictionary<string, double> worst)
    {
        void Relative(string name, double actual, double tolerance)
        {
            double error = Math.Abs(actual / expected.GetProperty(name).GetDouble() - 1);
            error.ShouldBeLessThan(tolerance, $"{name} of step {report.Step}");
            worst[name] = Math.Max(error, worst.GetValueOrDefault(name));
        }

        report.LearnedTokens.ShouldBe(expected.GetProperty("supervisedTokens").GetInt64());
        report.LearningRate.ShouldBe(expected.GetProperty("learningRate").GetDouble(), 1e-12);
        Relative("loss", report.Loss, 1e-4);
        Relative("gradientNorm", report.GradientNorm, 1e-3);
    }

    // By quantile: an element whose gradient is nearly zero moves by whole Adam steps, which rounding decides. PyTorch's fp32 against its
    // own fp64 gives the same picture; ten times that is allowed.
    private void CompareWeights(FlatParameters parameters, string expected, string trajectory)
    {
        float[] differences = Differences(parameters, expected);
        foreach (var quantile in JsonDocument.Parse(File.ReadAllBytes(trajectory)).RootElement.GetProperty("weightDifferenceQuantiles")
            .EnumerateObject())
        {
            double share = double.Parse(quantile.Name, System.Globalization.CultureInfo.InvariantCulture),
                allowed = Math.Max(1e-6, 10 * quantile.Value.GetDouble());
            double found = differences[(int)(share * (differences.Length - 1))];
            output.WriteLine($"weights, quantile {share}: {found:E1} (fp32 against fp64 {quantile.Value.GetDouble():E1})");
            found.ShouldBeLessThan(allowed, $"quantile {share}");
        }
    }

    private static float[] Differences(FlatParameters parameters, string expected)
    {
        using var file = SafeTensorsFile.Open(expected);
        var differences = new List<float>();
        foreach (var (name, _, _) in parameters.Places)
            differences.AddRange(file.ReadSingles(name).Zip(parameters.SpanOf(name).ToArray(), (a, b) => MathF.Abs(a - b)));
        return [.. differences.Order()];
    }

    private static void Load(FlatParameters parameters, string path)
    {
        using var file = SafeTensorsFile.Open(path);
        foreach (var (name, _, _) in parameters.Places) file.ReadSingles(name).CopyTo(parameters.SpanOf(name));
    }
}
