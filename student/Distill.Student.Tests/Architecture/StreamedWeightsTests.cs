using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

/// <summary>Weights that are read when they are asked for are the same weights, and few of them are in memory.</summary>
public sealed class StreamedWeightsTests
{
    [Theory]
    [InlineData("storage-bf16-sharded")]
    [InlineData("storage-fp16")]
    [InlineData("storage-fp32-sharded")]
    public void They_are_those_of_the_whole_set_in_any_order(string name)
    {
        var checkpoint = Checkpoint.Open(FixtureFolder.Require("hf", name));
        var whole = checkpoint.LoadWeights();
        using var opened = checkpoint.OpenWeights();
        var names = ParameterMap.For(checkpoint.Architecture).Select(spec => spec.Name).ToList();
        foreach (string each in names.Concat(Enumerable.Reverse(names)))
            opened.Weights[each].Span.SequenceEqual(whole[each].Span).ShouldBeTrue(each);
        Should.Throw<KeyNotFoundException>(() => opened.Weights["absent"]);
    }

    [Fact]
    public void Saving_them_gives_the_bytes_that_saving_the_whole_set_gives()
    {
        var checkpoint = Checkpoint.Open(FixtureFolder.Require("hf", "storage-bf16-sharded"));
        using TemporaryFolder one = new(), two = new();
        var storage = new CheckpointStorage(SafeTensorType.BFloat16);
        Checkpoint.Save(one.Path, checkpoint.LoadWeights(), checkpoint.Tokenizer, storage);
        using (var opened = checkpoint.OpenWeights()) Checkpoint.Save(two.Path, opened.Weights, checkpoint.Tokenizer, storage);
        foreach (string file in Directory.GetFiles(one.Path))
            File.ReadAllBytes(Path.Combine(two.Path, Path.GetFileName(file))).ShouldBe(File.ReadAllBytes(file));
    }

    [Fact]
    public void The_last_three_are_read_once_and_others_again()
    {
        var architecture = TinyDecoder.Architecture();
        List<string> read = [];
        var weights = WeightSet.Streamed(architecture, spec =>
        {
            read.Add(spec.Name);
            return new float[spec.Count];
        });
        string[] names = [.. ParameterMap.For(architecture).Take(4).Select(spec => spec.Name)];
        foreach (int place in (int[])[0, 1, 2, 0, 1, 3, 0, 2]) _ = weights[names[place]];
        read.ShouldBe([names[0], names[1], names[2], names[3], names[2]]);
    }
}
