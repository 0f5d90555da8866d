using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Fixtures;

/// <summary>The decoder against transformers: every family that the configuration reader accepts.</summary>
public sealed class ReferenceDecoderTests(ITestOutputHelper output)
{
    [Fact]
    public void Logits_are_those_of_transformers()
    {
        int compared = 0;
        foreach (string folder in CasesWith("reference.json"))
        {
            if (Load(folder) is not { } checkpoint) continue;
            using var parameters = new FlatParameters(checkpoint.Architecture);
            parameters.Load(checkpoint.LoadWeights());
            using var decoder = new TorchDecoder(parameters, differentiable: false);
            using var reference = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
            using var scope = NewDisposeScope();
            using var without = no_grad();
            long[] shape = [.. reference.Entry("input_ids").Shape];
            float[] expected = reference.ReadSingles("logits");
            float[] actual = [.. decoder.Forward(tensor(reference.ReadIntegers("input_ids")).view(shape)).contiguous().data<float>()];
            double largest = expected.Max(MathF.Abs), difference = expected.Zip(actual, (a, b) => (double)MathF.Abs(a - b)).Max();
            output.WriteLine($"{Path.GetFileName(folder)}: {difference / largest:E1} of the largest logit");
            (difference / largest).ShouldBeLessThan(1e-4, folder);
            compared++;
        }

        compared.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Loss_and_gradients_of_the_fused_passes_are_those_of_transformers()
    {
        int compared = 0;
        foreach (string folder in CasesWith("gradients.safetensors"))
        {
            if (Load(folder) is not { } checkpoint || !FusedGradientModel.Supports(checkpoint.Architecture)) continue;
            CompareGradients(folder, checkpoint);
            compared++;
        }

        compared.ShouldBeGreaterThan(0);
    }

    private static IEnumerable<string> CasesWith(string file) =>
        Directory.GetDirectories(FixtureFolder.Require("hf")).Where(folder => File.Exists(Path.Combine(folder, file))).Order();

    private static void CompareGradients(string folder, Checkpoint checkpoint)
    {
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        using var reference = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        using var gradients = SafeTensorsFile.Open(Path.Combine(folder, "gradients.safetensors"));
        long[] ids = reference.ReadIntegers("input_ids"), labels = reference.ReadIntegers("labels");
        int rows = (int)reference.Entry("input_ids").Shape[0], time = ids.Length / rows;
        var sequences = Enumerable.Range(0, rows).Select(row => new TrainingSequence([.. ids.Skip(row * time).Take(time).Select(id => (int)id)], 1)).ToList();
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Float32, 2, Math.Max(128, checkpoint.Architecture.MaxPositions));

        model.Differentiate(sequences, new MaskedCrossEntropy(sequences, labels, time));

        foreach (var (name, offset, spec) in parameters.Places)
        {
            float[] expected = gradients.ReadSingles(name);
            double norm = Math.Sqrt(expected.Sum(value => (double)value * value)), difference = 0;
            for (int i = 0; i < expected.Length; i++) difference += Math.Pow(model.Gradient[offset + i] - expected[i], 2);
            (Math.Sqrt(difference) / norm).ShouldBeLessThan(1e-4, $"{folder}: {name}");
        }
    }

    private static Checkpoint? Load(string folder)
    {
        try
        {
            return Checkpoint.Open(folder);
        }
        catch (InvalidDataException)
        {
            return null; // a feature the configuration reader names as not implemented
        }
    }

    /// <summary>Cross-entropy over an arbitrary set of positions, as the reference's labels choose them.</summary>
    private sealed class MaskedCrossEntropy(List<TrainingSequence> sequences, long[] labels, int time) : ITokenLoss
    {
        private readonly int supervised = Enumerable.Range(0, labels.Length).Count(i => i % time != 0 && labels[i] >= 0);

        public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
        {
            double sum = 0;
            for (int s = 0; s < batch.Sequences.Count; s++)
            {
                int row = sequences.IndexOf(batch.Sequences[s]);
                for (int i = batch.SupervisedStarts[s]; i < batch.SupervisedStarts[s + 1]; i++)
                {
                    bool learned = labels[row * time + 1 + i - batch.SupervisedStarts[s]] >= 0;
                    derivatives[i] = learned ? -1f / supervised : 0;
                    if (learned) sum -= logProbabilities[i] / supervised;
                }
            }

            return sum;
        }
    }
}
