using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Student.Adapters;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Adapters;

/// <summary>Adapters against peft: the same logits, the same steps, the same merged weights.</summary>
public sealed class LowRankGoldenTests
{
    private readonly string folder = FixtureFolder.Require("training", "lora");
    private readonly JsonNode reference;

    public LowRankGoldenTests() => reference = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")))!;

    [Theory]
    [InlineData("adapter-initial", "logits.initial")]
    [InlineData("adapter-final", "logits.final")]
    public void Merged_weights_give_the_logits_of_unmerged_adapters(string adapter, string logits)
    {
        using var parameters = Base();
        Adapters(parameters, adapter).Merge();
        using var tensors = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        using var decoder = new TorchDecoder(parameters, differentiable: false);
        using var scope = NewDisposeScope();
        float[] found =
            [.. decoder.Forward(tensor(tensors.ReadIntegers("input_ids"), [.. tensors.Entry("input_ids").Shape])).data<float>()],
            expected = tensors.ReadSingles(logits);
        // peft's own merge differs by 3e-5 of logits of this size
        found.Zip(expected, (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(1e-4f * Math.Max(1, expected.Max(MathF.Abs)));
    }

    [Fact]
    public void Merged_weights_are_those_of_peft()
    {
        using var parameters = Base();
        Adapters(parameters, "adapter-final").Merge();
        using var merged = SafeTensorsFile.Open(Path.Combine(folder, "merged.safetensors"));
        foreach (var (name, _, _) in parameters.Places)
        {
            float[] expected = merged.ReadSingles(name);
            expected.Zip(parameters.SpanOf(name).ToArray(), (a, b) => MathF.Abs(a - b)).Max()
                .ShouldBeLessThan(1e-6f * Math.Max(1, expected.Max(MathF.Abs)), name);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_step_is_that_of_peft(bool byTensors)
    {
        using var parameters = Base(byTensors);
        float[] start = parameters.Span.ToArray();
        using var adapters = Adapters(parameters, "adapter-initial");
        var sequences = Sequences();
        using var model = GradientModels.Create(
            parameters, adapters, FrozenForm.Float, new TrainingOptions { Precision = MatmulPrecision.Fp32, Threads = 1 });
        var settings = reference["settings"]!;
        double Setting(string name) => settings[name]!.GetValue<double>();
        using var optimizer =
            new AdamW(adapters, new AdamWOptions(Setting("beta1"), Setting("beta2"), Setting("epsilon"), 0, MaxGradientNorm: 0));
        foreach (var (step, expected) in reference["losses"]!.AsArray().Index())
        {
            double loss = model.Differentiate(sequences, new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount))).Loss;
            loss.ShouldBe(expected!.GetValue<double>(), 1e-4 * expected.GetValue<double>(), $"step {step}");
            optimizer.Update(model.Gradient, Setting("learningRate"));
        }

        using var final = new FlatParameters(parameters.Architecture);
        start.CopyTo(final.Span);
        float[] reached = adapters.Values.Host().ToArray(), golden = Adapters(final, "adapter-final").Values.Host().ToArray();
        float[] differences = [.. reached.Zip(golden, (a, b) => MathF.Abs(a - b)).Order()];
        float way = (float)Setting("learningRate") * reference["losses"]!.AsArray().Count; // as far as Adam can go
        differences[(int)(0.99 * differences.Length)].ShouldBeLessThan(0.02f * way);
        differences[differences.Length / 2].ShouldBeLessThan(0.002f * way);
        parameters.Span.SequenceEqual(start).ShouldBe(byTensors); // beside the base, not merged into it
        adapters.Merge();
        foreach (var (name, offset, spec) in parameters.Places.Where(
            place => !place.Name.EndsWith("_proj.weight", StringComparison.Ordinal)))
            parameters.SpanOf(name).SequenceEqual(start.AsSpan((int)offset, (int)spec.Count)).ShouldBeTrue(name); // frozen
    }

    private FlatParameters Base(bool byTensors = false)
    {
        var parameters = new FlatParameters(
            DecoderConfigJson.Read(Path.Combine(folder, "config.json")), CPU, byTensors ? TensorPasses.Instance : null);
        using var file = SafeTensorsFile.Open(Path.Combine(folder, "initial.safetensors"));
        foreach (var (name, _, _) in parameters.Places) file.ReadSingles(name).CopyTo(parameters.SpanOf(name));
        return parameters;
    }

    private LowRankAdapters Adapters(FlatParameters parameters, string name)
    {
        var settings = reference["settings"]!;
        var options = new LowRankOptions(
            settings["rank"]!.GetValue<int>(), settings["alpha"]!.GetValue<double>(),
            [.. settings["targets"]!.AsArray().Select(target => target!.GetValue<string>())], settings["rslora"]!.GetValue<bool>());
        var adapters = new LowRankAdapters(parameters, options, seed: 1);
        using var file = SafeTensorsFile.Open(Path.Combine(folder, name, "adapter_model.safetensors"));
        adapters.Load(file);
        return adapters;
    }

    private List<TrainingSequence> Sequences()
    {
        using var tensors = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        long[] ids = tensors.ReadIntegers("input_ids"), labels = tensors.ReadIntegers("labels");
        int time = (int)tensors.Entry("input_ids").Shape[1];
        var sequences = new List<TrainingSequence>();
        foreach (var (tokens, learned) in ids.Chunk(time).Zip(labels.Chunk(time)))
        {
            int first = Array.FindIndex(learned, 1, label => label >= 0), last = Array.FindLastIndex(learned, label => label >= 0);
            learned[first..(last + 1)].ShouldBe(tokens[first..(last + 1)]);
            sequences.Add(new TrainingSequence([.. tokens[..(last + 1)].Select(id => (int)id)], first));
        }

        return sequences;
    }
}
