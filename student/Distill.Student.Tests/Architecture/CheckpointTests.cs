using System.Text;
using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class CheckpointTests
{
    private static readonly DecoderArchitecture Tiny = new()
    {
        ModelType = "qwen3", VocabularySize = 10, HiddenSize = 8, Layers = 2, Heads = 2, KeyValueHeads = 1, HeadSize = 4,
            IntermediateSize = 12, MaxPositions = 16,
        EosTokenId = 1, PadTokenId = 0,
    };

    [Fact]
    public void A_saved_checkpoint_opens_with_the_same_architecture_weights_and_tokenizer()
    {
        using var folder = new TemporaryFolder();
        var weights = Weights(Tiny);
        Checkpoint.Save(folder.Path, weights, Tokenizer(10));
        var opened = Checkpoint.Open(folder.Path);
        opened.Architecture.ShouldBe(Tiny);
        opened.Tokenizer!.TokenizerJson.ShouldBe(Tokenizer(10).TokenizerJson);
        var loaded = opened.LoadWeights();
        foreach (var parameter in ParameterMap.For(Tiny)) loaded[parameter.Name].ToArray().ShouldBe(weights[parameter.Name].ToArray());
        Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order().ShouldBe(
            ["chat_template.jinja", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
            "tokenizer_config.json"]);
    }

    [Fact]
    public void The_same_weights_give_the_same_bytes()
    {
        using var one = new TemporaryFolder();
        using var two = new TemporaryFolder();
        Checkpoint.Save(one.Path, Weights(Tiny), Tokenizer(10));
        Checkpoint.Save(two.Path, Weights(Tiny), Tokenizer(10));
        foreach (string file in Directory.EnumerateFiles(one.Path))
            File.ReadAllBytes(file).ShouldBe(File.ReadAllBytes(two.File(Path.GetFileName(file))));
    }

    [Fact]
    public void Saving_over_another_checkpoint_leaves_nothing_of_it()
    {
        using var folder = new TemporaryFolder();
        Checkpoint.Save(folder.Path, Weights(Tiny), Tokenizer(10));
        Checkpoint.Save(folder.Path, Weights(Tiny), new TokenizerFiles(Tokenizer(10).TokenizerJson, null, null));
        File.Exists(folder.File("chat_template.jinja")).ShouldBeFalse();
        Checkpoint.Open(folder.Path).Tokenizer!.ChatTemplate.ShouldBeNull();
    }

    [Fact]
    public void A_tokenizer_with_ids_beyond_the_embedding_is_refused_on_saving_and_opening()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<InvalidDataException>(() => Checkpoint.Save(folder.Path, Weights(Tiny), Tokenizer(11))).Message.ShouldContain(
            "Vocabulary mismatch");
        Checkpoint.Save(folder.Path, Weights(Tiny), Tokenizer(10));
        File.WriteAllBytes(folder.File("tokenizer.json"), Tokenizer(11).TokenizerJson);
        string message = Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message;
        message.ShouldContain(folder.File("tokenizer.json"));
        message.ShouldContain("the id 10");
    }

    [Fact]
    public void An_added_token_beyond_the_embedding_is_refused()
    {
        var tokenizer =
            new TokenizerFiles("""{"model":{"vocab":{"a":0}},"added_tokens":[{"id":12,"content":"<think>"}]}"""u8.ToArray(), null, null);
        Should.Throw<InvalidDataException>(() => tokenizer.RequireFits("t.json", 12)).Message.ShouldContain("'<think>'");
        Should.NotThrow(() => tokenizer.RequireFits("t.json", 13));
    }

    [Fact]
    public void A_token_is_found_by_its_content()
    {
        var tokenizer =
            new TokenizerFiles("""{"model":{"vocab":{"a":3}},"added_tokens":[{"id":12,"content":"<think>"}]}"""u8.ToArray(), null, null);
        (tokenizer.FindToken("<think>"), tokenizer.FindToken("a"), tokenizer.FindToken("b")).ShouldBe((12, 3, null));
    }

    [Fact]
    public void Weights_of_another_shape_are_refused_by_file_and_name()
    {
        using var folder = new TemporaryFolder();
        Checkpoint.Save(folder.Path, Weights(Tiny), Tokenizer(10));
        Replace(folder.File("config.json"), "\"intermediate_size\": 12", "\"intermediate_size\": 13");
        string message = Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message;
        message.ShouldContain("model.safetensors");
        message.ShouldContain("mlp.gate_proj.weight");
    }

    [Fact]
    public void Missing_and_surplus_weights_are_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        Checkpoint.Save(folder.Path, Weights(Tiny), Tokenizer(10));
        Replace(folder.File("config.json"), "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
        Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message.ShouldContain("model.layers.2.");
        Replace(folder.File("config.json"), "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 1");
        Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message.ShouldContain("model.layers.1.");
    }

    [Fact]
    public void A_truncated_weight_file_is_refused_with_its_name()
    {
        using var folder = new TemporaryFolder();
        Checkpoint.Save(folder.Path, Weights(Tiny), Tokenizer(10));
        byte[] bytes = File.ReadAllBytes(folder.File("model.safetensors"));
        File.WriteAllBytes(folder.File("model.safetensors"), bytes[..^4]);
        Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message.ShouldContain("model.safetensors");
    }

    [Fact]
    public void A_folder_without_configuration_or_weights_is_named()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message.ShouldContain("has no config.json");
        File.WriteAllBytes(folder.File("config.json"), DecoderConfigJson.Write(Tiny));
        File.WriteAllText(folder.File("pytorch_model.bin"), "");
        string message = Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message;
        message.ShouldContain("neither model.safetensors");
        message.ShouldContain("not supported");
        Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.File("nowhere"))).Message.ShouldContain("nowhere");
    }

    [Fact]
    public void A_tied_head_may_be_stored_twice_and_is_kept_apart_where_it_differs()
    {
        using var folder = new TemporaryFolder();
        var weights = Weights(Tiny);
        Checkpoint.Save(folder.Path, weights, Tokenizer(10));
        float[] head = weights[ParameterMap.Embedding].ToArray();
        WriteWithHead(folder, weights, head);
        var same = Checkpoint.Open(folder.Path);
        (same.Architecture, same.Warnings.Count).ShouldBe((Tiny, 0));
        same.LoadWeights().Architecture.TieEmbeddings.ShouldBeTrue();

        head[^1] += 1;
        WriteWithHead(folder, weights, head);
        var other = Checkpoint.Open(folder.Path);
        other.Architecture.ShouldBe(Tiny with { TieEmbeddings = false });
        other.Warnings.ShouldHaveSingleItem().ShouldContain("tie_word_embeddings");
        other.LoadWeights()[ParameterMap.OutputProjection].ToArray().ShouldBe(head);
    }

    [Fact]
    public void A_single_file_beside_an_index_is_taken_and_said()
    {
        using var folder = new TemporaryFolder();
        Checkpoint.Save(folder.Path, Weights(Tiny), Tokenizer(10), new CheckpointStorage(MaxShardBytes: 500));
        Checkpoint.Open(folder.Path).Warnings.ShouldBeEmpty();
        var stray = ParameterMap.For(Tiny).Select(p => SafeTensor.Singles(p.Name, p.Shape, new float[p.Count]));
        SafeTensorsWriter.Write(folder.File("model.safetensors"), stray);
        var opened = Checkpoint.Open(folder.Path);
        opened.Warnings.ShouldHaveSingleItem().ShouldContain("has both model.safetensors and model.safetensors.index.json");
        opened.LoadWeights()[ParameterMap.FinalNorm].ToArray().ShouldBe(new float[8]);
    }

    [Theory]
    [InlineData("../outside.safetensors")]
    [InlineData("/etc/passwd.safetensors")]
    [InlineData("sub\\\\x.safetensors")]
    [InlineData("weights.bin")]
    [InlineData("")]
    public void An_index_cannot_lead_out_of_its_folder(string shard)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("config.json"), DecoderConfigJson.Write(Tiny));
        File.WriteAllText(folder.File("model.safetensors.index.json"), $$"""{"weight_map":{"model.norm.weight":"{{shard}}"} }""");
        Should.Throw<InvalidDataException>(() => Checkpoint.Open(folder.Path)).Message.ShouldContain("not the name of a .safetensors file");
    }

    [Fact]
    public void Every_storage_form_holds_the_same_model_up_to_its_rounding()
    {
        var full = Checkpoint.Open(FixtureFolder.Require("hf", "storage-fp32-sharded")).LoadWeights();
        foreach (var (name, tolerance) in new[] { ("storage-fp16", 1 / 1024f), ("storage-bf16-sharded", 1 / 128f) })
        {
            var stored = Checkpoint.Open(FixtureFolder.Require("hf", name)).LoadWeights();
            foreach (var parameter in ParameterMap.For(full.Architecture))
            {
                var (a, b) = (full[parameter.Name].ToArray(), stored[parameter.Name].ToArray());
                for (int i = 0; i < a.Length; i++) Math.Abs(a[i] - b[i]).ShouldBeLessThanOrEqualTo((Math.Abs(a[i]) * tolerance) + 1e-6f);
            }
        }
    }

    private static void WriteWithHead(TemporaryFolder folder, WeightSet weights, float[] head) => SafeTensorsWriter.Write(
        folder.File("model.safetensors"),
        [.. ParameterMap.For(Tiny).Select(p => SafeTensor.Singles(p.Name, p.Shape, weights[p.Name])),
        SafeTensor.Singles(ParameterMap.OutputProjection, [10, 8], head)]);

    private static TokenizerFiles Tokenizer(int tokens) => new(
        Encoding.UTF8.GetBytes(
            $$"""{"model":{"type":"BPE","vocab":{{{string.Join(",", Enumerable.Range(0, tokens).Select(i => $"\"t{i}\":{i}"))}} } } }"""),
        "{}"u8.ToArray(), "{{ x }}"u8.ToArray());

    private static WeightSet Weights(DecoderArchitecture architecture)
    {
        var random = new Random(1);
        return new(architecture, ParameterMap.For(architecture)
            .ToDictionary(p => p.Name, p => Enumerable.Range(0, (int)p.Count).Select(_ => random.NextSingle()).ToArray()));
    }

    private static void Replace(string path, string before, string after)
    {
        string text = File.ReadAllText(path);
        text.ShouldContain(before);
        File.WriteAllText(path, text.Replace(before, after));
    }
}
