using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class CheckpointStorageTests
{
    private static readonly DecoderArchitecture Tiny = TinyDecoder.Architecture();

    [Theory]
    [InlineData(SafeTensorType.Float32)]
    [InlineData(SafeTensorType.BFloat16)]
    [InlineData(SafeTensorType.Float16)]
    public void Shards_hold_the_rounded_weights_and_an_index_that_places_each(SafeTensorType type)
    {
        using var folder = new TemporaryFolder();
        var weights = Weights();
        Checkpoint.Save(folder.Path, weights, tokenizer: null, new CheckpointStorage(type, MaxShardBytes: 20_000));
        string[] shards = [.. Directory.GetFiles(folder.Path, "model-*.safetensors").Order()];
        shards.Length.ShouldBeGreaterThan(2);
        Path.GetFileName(shards[0]).ShouldBe($"model-00001-of-{shards.Length:D5}.safetensors");
        foreach (string shard in shards)
        {
            using var file = SafeTensorsFile.Open(shard);
            file.Entries.ShouldAllBe(entry => entry.Type == type);
            (file.Entries.Count == 1 || file.Entries.Sum(entry => entry.End - entry.Begin) <= 20_000).ShouldBeTrue();
        }

        File.ReadAllText(folder.File("config.json"))
            .ShouldContain(
                type == SafeTensorType.Float32 ? "\"float32\"" : type == SafeTensorType.Float16 ? "\"float16\"" : "\"bfloat16\"");
        var loaded = Checkpoint.Open(folder.Path).LoadWeights();
        foreach (var parameter in ParameterMap.For(Tiny))
            loaded[parameter.Name].ToArray().ShouldBe(weights[parameter.Name].ToArray().Select(value => Rounded(value, type)));
    }

    [Fact]
    public void Saving_in_another_cut_leaves_nothing_of_the_old_one()
    {
        using var folder = new TemporaryFolder();
        Checkpoint.Save(folder.Path, Weights(), tokenizer: null);
        Checkpoint.Save(folder.Path, Weights(), tokenizer: null, new CheckpointStorage(MaxShardBytes: 20_000));
        File.Exists(folder.File("model.safetensors")).ShouldBeFalse();
        Checkpoint.Open(folder.Path).LoadWeights();
        Checkpoint.Save(folder.Path, Weights(), tokenizer: null);
        Directory.GetFiles(folder.Path, "model*").Select(Path.GetFileName).ShouldBe(["model.safetensors"]);
    }

    [Fact]
    public void Halves_round_to_nearest_with_ties_to_even_and_keep_what_is_not_a_number()
    {
        // bf16 has 8 significant bits: 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷, 1 + 3·2⁻⁸ between 1 + 2⁻⁷ and 1 + 2⁻⁶.
        float[] values =
            [1 + 0.00390625f, 1 + 0.01171875f, 1.0039063f + 0.0001f, -1 - 0.00390625f, float.NaN, float.PositiveInfinity,
            BitConverter.UInt32BitsToSingle(0x7F800001)];
        float[] stored = Stored(values, SafeTensorType.BFloat16);
        stored[..4].ShouldBe([1, 1.015625f, 1.0078125f, -1]);
        stored[4..].ShouldBe([float.NaN, float.PositiveInfinity, float.NaN]);
        Stored([1 + 0.00048828125f, 65504, 5.9604645e-8f], SafeTensorType.Float16).ShouldBe([1, 65504, 5.9604645e-8f]);
    }

    [Theory]
    [InlineData(SafeTensorType.Float16, 70_000f)]
    [InlineData(SafeTensorType.BFloat16, float.MaxValue)]
    public void A_weight_too_large_for_the_type_is_refused_by_name(SafeTensorType type, float value) =>
        Should.Throw<InvalidDataException>(() => Stored([1, value], type)).Message.ShouldContain("'w'");

    [Theory]
    [InlineData("storage-bf16-sharded", SafeTensorType.BFloat16)]
    [InlineData("storage-fp16", SafeTensorType.Float16)]
    [InlineData("storage-fp32-sharded", SafeTensorType.Float32)]
    public void A_model_saved_as_it_was_stored_has_the_same_bits(string name, SafeTensorType type)
    {
        using var original = SafeTensorsFolder.Open(FixtureFolder.Require("hf", name));
        using var folder = new TemporaryFolder();
        Checkpoint.Save(
            folder.Path, Checkpoint.Open(FixtureFolder.Require("hf", name))
            .LoadWeights(), tokenizer: null, new CheckpointStorage(type, 100_000));
        using var saved = SafeTensorsFolder.Open(folder.Path);
        saved.Names.Order().ShouldBe(original.Names.Order());
        foreach (string tensor in saved.Names) saved.FileOf(tensor).ReadBytes(tensor).ShouldBe(original.FileOf(tensor).ReadBytes(tensor));
    }

    private static float Rounded(float value, SafeTensorType type) => type switch
    {
        SafeTensorType.Float32 => value,
        SafeTensorType.Float16 => (float)(Half)value,
        _ => Nearest(value),
    };

    // By search among the neighbours, not by the bit trick under test.
    private static float Nearest(float value)
    {
        float down = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000),
            up = BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000) + 0x10000);
        double below = Math.Abs((double)value - down), above = Math.Abs((double)up - value);
        return below < above || (below == above && (BitConverter.SingleToUInt32Bits(down) & 0x10000) == 0) ? down : up;
    }

    private static float[] Stored(float[] values, SafeTensorType type)
    {
        var stream = new MemoryStream();
        SafeTensorsWriter.Write(stream, [SafeTensor.Rounded("w", [values.Length], values, type)]);
        using var file = SafeTensorsFile.Open(new MemoryStream(stream.ToArray()), "memory");
        return file.ReadSingles("w");
    }

    private static WeightSet Weights()
    {
        using var parameters = TinyDecoder.Parameters(Tiny);
        return parameters.ToWeightSet();
    }
}
