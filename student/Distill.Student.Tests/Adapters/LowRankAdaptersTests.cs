using Distill.Architecture;
using Distill.Student.Adapters;

namespace Distill.Student.Tests.Adapters;

public sealed class LowRankAdaptersTests
{
    [Fact]
    public void Fresh_adapters_leave_the_model_as_it_is_and_cover_their_targets_alone()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        float[] before = parameters.Span.ToArray();
        var adapters = new LowRankAdapters(parameters, new LowRankOptions(3, 6, ["q_proj", "down_proj"]), seed: 4);
        adapters.Merge();
        parameters.Span.ToArray().ShouldBe(before);
        var a = parameters.Architecture;
        adapters.Count.ShouldBe(a.Layers * 3 * (a.HiddenSize + a.Heads * a.HeadSize + a.IntermediateSize + a.HiddenSize));
        adapters.Blocks.Sum(block => block.Count).ShouldBe(adapters.Count);
        adapters.Values.Host().Fill(0.1f);
        adapters.Merge();
        foreach (var (name, offset, spec) in parameters.Places)
        {
            bool adapted = name.EndsWith("q_proj.weight", StringComparison.Ordinal)
                || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            float expected = adapted ? 2 * 3 * 0.01f : 0; // scale · rank · 0.1²
            for (int i = (int)offset; i < offset + spec.Count; i++) (parameters.Span[i] - before[i]).ShouldBe(expected, 1e-6f, name);
        }
    }

    [Fact]
    public void Adapters_survive_a_file()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var options = new LowRankOptions(2, 4, LowRankOptions.AllTargets);
        var one = new LowRankAdapters(parameters, options, seed: 4);
        one.Values.Host()[^1] = 7;
        string path = Path.Combine(Directory.CreateTempSubdirectory("distill-adapters").FullName, "adapter_model.safetensors");
        SafeTensorsWriter.Write(path, one.ToTensors());
        var two = new LowRankAdapters(parameters, options, seed: 5);
        two.Values.Host().SequenceEqual(one.Values.Host()).ShouldBeFalse();
        using var file = SafeTensorsFile.Open(path);
        two.Load(file);
        two.Values.Host().SequenceEqual(one.Values.Host()).ShouldBeTrue();
    }

    [Fact]
    public void The_scale_is_alpha_over_rank_or_over_its_root()
    {
        new LowRankOptions(16, 32, []).Scale.ShouldBe(2);
        new LowRankOptions(16, 32, [], RankStabilized: true).Scale.ShouldBe(8);
    }

    [Fact]
    public void Impossible_options_are_refused()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        foreach (var options in (LowRankOptions[])[new(0, 1, ["q_proj"]), new(1, 1, []), new(1, 1, ["embed_tokens"])])
            Should.Throw<ArgumentException>(() => new LowRankAdapters(parameters, options, seed: 1));
    }
}
