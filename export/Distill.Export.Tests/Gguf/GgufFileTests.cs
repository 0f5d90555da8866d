using Distill.Export.Gguf;
using Distill.Export.Package;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Gguf;

/// <summary>GGUF files as files: laid out as specified, the same every time, whole or not there, and read within bounds.</summary>
public sealed class GgufFileTests
{
    private static readonly PackageDescription s_description = new() { Name = "tiny", License = "apache-2.0" };

    [Fact]
    public void Keys_and_tensors_are_those_that_were_written()
    {
        using var folder = new TemporaryFolder();
        string path = Write(folder, "qwen3", GgufPrecision.Block4, out _);
        var file = GgufFile.Open(path);
        file.Metadata["general.architecture"].ShouldBe("qwen3");
        file.Metadata["general.license"].ShouldBe("apache-2.0");
        file.Metadata["qwen3.attention.head_count_kv"].ShouldBe(2UL);
        file.Metadata["qwen3.attention.layer_norm_rms_epsilon"].ShouldBe((double)1e-6f);
        file.Metadata["tokenizer.ggml.add_bos_token"].ShouldBe(false);
        ((IReadOnlyList<object>)file.Metadata["tokenizer.ggml.tokens"]).Count.ShouldBe(256);
        file.Tensors.Select(tensor => tensor.Name).ShouldContain("blk.1.attn_q_norm.weight");
        file.Tensors.ShouldNotContain(tensor => tensor.Name == "output.weight"); // tied
        file.Tensors.ShouldAllBe(tensor => tensor.Offset % 32 == 0);
        file.Tensors.Single(tensor => tensor.Name == "token_embd.weight").Type.ShouldBe(GgufType.Block8);
        file.Tensors.Single(tensor => tensor.Name == "blk.0.ffn_down.weight").Type.ShouldBe(GgufType.Block4);
        file.Tensors.Single(tensor => tensor.Name == "blk.0.ffn_down.weight").Shape.ShouldBe([64, 96]);
        file.Tensors.Single(tensor => tensor.Name == "output_norm.weight").Type.ShouldBe(GgufType.Single);
    }

    [Fact]
    public void The_same_model_gives_the_same_bytes()
    {
        using TemporaryFolder first = new(), second = new();
        File.ReadAllBytes(Write(first, "llama", GgufPrecision.Half, out long bytes))
            .ShouldBe(File.ReadAllBytes(Write(second, "llama", GgufPrecision.Half, out _)));
        new FileInfo(Path.Combine(first.Path, "model.gguf")).Length.ShouldBe(bytes);
    }

    [Fact]
    public void Rows_that_are_no_whole_blocks_stay_wider_and_it_is_said()
    {
        using var folder = new TemporaryFolder();
        var weights = TinyModels.Weights(TinyModels.Family("qwen3") with { VocabularySize = 256, IntermediateSize = 40, HiddenSize = 32 });
        var summary = GgufModel.Write(
            Path.Combine(folder.Path, "model.gguf"), weights, ByteTokenizer.Files, s_description, GgufPrecision.Block8);
        summary.Notes.ShouldHaveSingleItem().ShouldStartWith("2 matrices are stored as f16");
        using var llama = LlamaModel.Load(Path.Combine(folder.Path, "model.gguf"));
        llama.Logits([1, 2, 3]).ShouldAllBe(logit => float.IsFinite(logit));
    }

    [Fact]
    public void Nothing_is_left_of_a_file_that_cannot_be_written()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "model.gguf");
        var weights = TinyModels.Weights(TinyModels.Family("qwen3") with { VocabularySize = 256 });
        System.Runtime.InteropServices.MemoryMarshal.AsMemory(weights["model.layers.1.mlp.up_proj.weight"]).Span[7] = float.NaN;
        Should.Throw<InvalidDataException>(() => GgufModel.Write(path, weights, ByteTokenizer.Files, s_description, GgufPrecision.Half))
            .Message.ShouldContain("blk.1.ffn_up.weight");
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void Damaged_files_are_refused_and_nothing_else_happens()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = File.ReadAllBytes(Write(folder, "llama3", GgufPrecision.Block8, out _));
        string path = Path.Combine(folder.Path, "damaged.gguf");
        int head = (int)GgufFile.Open(Path.Combine(folder.Path, "model.gguf")).Tensors[0].Offset, refused = 0;
        var random = new Random(5);
        for (int round = 0; round < 3000; round++)
        {
            byte[] damaged = round % 3 == 0 ? whole[..random.Next(whole.Length)] : [.. whole];
            for (int i = 0; i < round % 4 && damaged.Length > 0; i++)
                damaged[random.Next(Math.Min(head, damaged.Length))] = (byte)(random.Next(2) == 0 ? random.Next(256) : 255);
            File.WriteAllBytes(path, damaged);
            try
            {
                var file = GgufFile.Open(path);
                foreach (var tensor in file.Tensors) file.ReadBytes(tensor).LongLength.ShouldBe(tensor.Bytes);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        refused.ShouldBeGreaterThan(1000);
    }

    [Theory]
    [InlineData("02000000", "version is 2")]
    [InlineData("03000000 FFFFFFFFFFFFFF7F 0000000000000000", "tensors")]
    [InlineData("03000000 0000000000000000 FFFF000000000000", "keys")]
    [InlineData("03000000 0000000000000000 0100000000000000 0100000000000000 61 09000000 04000000 FFFFFFFFFFFFFF00 00", "values in a list")]
    [InlineData("03000000 0000000000000000 0100000000000000 0100000000000000 61 09000000 09000000 0100000000000000 00000000", "kind 9")]
    public void Claims_beyond_the_file_cost_nothing(string hex, string reason)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "hostile.gguf");
        File.WriteAllBytes(path, Convert.FromHexString("47475546" + hex.Replace(" ", "", StringComparison.Ordinal)));
        Should.Throw<InvalidDataException>(() => GgufFile.Open(path)).Message.ShouldContain(reason);
    }

    private static string Write(TemporaryFolder folder, string family, GgufPrecision precision, out long bytes)
    {
        string path = Path.Combine(folder.Path, "model.gguf");
        var weights = TinyModels.Weights(TinyModels.Family(family) with { VocabularySize = 256, HiddenSize = 64, IntermediateSize = 96 });
        bytes = GgufModel.Write(path, weights, ByteTokenizer.Files, s_description, precision).Bytes;
        return path;
    }
}
