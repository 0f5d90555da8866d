using Distill.Architecture;
using Distill.Student.Adapters;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Adapters.Peft;

/// <summary>Adapters that peft saved: merged as peft merges, with the logits that its unmerged model has.</summary>
public sealed class PeftGoldenTests
{
    private readonly string folder = FixtureFolder.Require("training", "lora");

    [Theory]
    [InlineData("adapter-initial", "logits.initial")]
    [InlineData("adapter-final", "logits.final")]
    public void The_merged_model_has_the_logits_of_the_unmerged_one(string name, string logits)
    {
        var weights = Base();
        using var adapter = PeftAdapter.Open(Path.Combine(folder, name), weights.Architecture);
        adapter.Architecture.ShouldBe(weights.Architecture);
        using var parameters = new FlatParameters(weights.Architecture);
        parameters.Load(adapter.Merge(weights));
        using var tensors = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        using var decoder = new TorchDecoder(parameters, differentiable: false);
        using var scope = NewDisposeScope();
        float[] found =
            [.. decoder.Forward(tensor(tensors.ReadIntegers("input_ids"), [.. tensors.Entry("input_ids").Shape])).data<float>()],
            expected = tensors.ReadSingles(logits);
        found.Zip(expected, (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(1e-4f * Math.Max(1, expected.Max(MathF.Abs)));
    }

    [Fact]
    public void The_merged_weights_are_those_of_peft()
    {
        var weights = Base();
        using var adapter = PeftAdapter.Open(Path.Combine(folder, "adapter-final"), weights.Architecture);
        adapter.Targets.Count.ShouldBe(7 * weights.Architecture.Layers);
        var merged = adapter.Merge(weights);
        using var expected = SafeTensorsFile.Open(Path.Combine(folder, "merged.safetensors"));
        foreach (var spec in ParameterMap.For(weights.Architecture))
        {
            float[] values = expected.ReadSingles(spec.Name);
            values.Zip(merged[spec.Name].ToArray(), (a, b) => MathF.Abs(a - b)).Max()
                .ShouldBeLessThan(1e-6f * Math.Max(1, values.Max(MathF.Abs)), spec.Name);
        }
    }

    [Fact]
    public void Own_adapters_are_read_by_the_names_they_are_saved_under()
    {
        var architecture = TinyDecoder.Architecture();
        using var parameters = TinyDecoder.Parameters(architecture);
        var options = new LowRankOptions(3, 6, ["q_proj", "down_proj"], RankStabilized: true);
        using var adapters = new LowRankAdapters(parameters, options, seed: 5);
        using (no_grad()) adapters.Values.add_(0.01);
        using var made = new AdapterFolder();
        foreach (var tensor in adapters.ToTensors())
        {
            using var bytes = new MemoryStream();
            tensor.WriteData(bytes);
            made.Add(tensor.Name, [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.ToArray())], [.. tensor.Shape]);
        }

        made.Config["r"] = 3;
        made.Config["lora_alpha"] = 6;
        made.Config["use_rslora"] = true;
        made.Config["target_modules"] = new System.Text.Json.Nodes.JsonArray("q_proj", "down_proj");
        using var opened = made.Open(architecture);
        var before = Copy(parameters);
        var merged = opened.Merge(before);
        adapters.Merge();
        foreach (var spec in ParameterMap.For(architecture))
            merged[spec.Name].ToArray().Zip(parameters.SpanOf(spec.Name).ToArray(), (a, b) => MathF.Abs(a - b)).Max()
                .ShouldBeLessThan(2e-6f, spec.Name);
    }

    private static WeightSet Copy(FlatParameters parameters) => new(
        parameters.Architecture, parameters.Places.ToDictionary(place => place.Name, place => parameters.SpanOf(place.Name).ToArray()));

    private WeightSet Base()
    {
        var architecture = DecoderConfigJson.Read(Path.Combine(folder, "config.json"));
        using var file = SafeTensorsFile.Open(Path.Combine(folder, "initial.safetensors"));
        return new WeightSet(
            architecture, ParameterMap.For(architecture).ToDictionary(spec => spec.Name, spec => file.ReadSingles(spec.Name)));
    }
}
