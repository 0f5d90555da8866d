using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>Which graph of a folder is opened and what describes it, in folders without genai_config.json.</summary>
public sealed class ModelFolderTests : IDisposable
{
    private static readonly OnnxModelOptions s_oneThread = new() { IntraOpThreads = 1 };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("model.onnx"), InlineData("onnx/model.onnx"), InlineData("onnx/model_q4.onnx"), InlineData("decoder.onnx")]
    public void The_usual_or_the_only_graph_is_opened(string graph)
    {
        Write();
        WriteGraph(graph, new TinyGraph());
        ModelFolder.Announces(folder.Path).ShouldBeTrue();
        var opened = ModelFolder.Open(folder.Path);
        opened.GraphPath.ShouldBe(Path.Combine(folder.Path, graph.Replace('/', Path.DirectorySeparatorChar)));
        var c = opened.Configuration;
        (
            c.Type, c.GraphFile, c.Layers, c.KeyValueHeads, c.HeadSize, c.VocabularySize,
            c.ContextLength).ShouldBe(("llama", graph, 1, 1, 8, 16, 64));
        (c.EosTokenIds[0], c.BosTokenId, c.PadTokenId, c.SourceFile).ShouldBe((2, null, null, "config.json"));
        using var model = OnnxTokenModel.Load(opened, s_oneThread);
        model.MaxLength.ShouldBe(64);
    }

    [Fact]
    public void A_graph_is_chosen_by_name_among_several()
    {
        Write();
        WriteGraph("onnx/model_fp16.onnx", new TinyGraph { Type = TinyGraph.Float16 });
        WriteGraph("onnx/model_q4.onnx", new TinyGraph());
        Refused().ShouldContain("onnx/model_fp16.onnx, onnx/model_q4.onnx");
        long half = ModelFolder.Open(folder.Path, "onnx/model_fp16.onnx").MemoryOf(2, 9).CacheBytes;
        ModelFolder.Open(folder.Path, "onnx/model_q4.onnx").MemoryOf(2, 9).CacheBytes.ShouldBe(2 * half);
        WriteGraph("model.onnx", new TinyGraph());
        ModelFolder.Open(folder.Path).Configuration.GraphFile.ShouldBe("model.onnx");
        foreach (string name in (string[])["../model.onnx", "/model.onnx", "onnx/absent.onnx", ""])
            Should.Throw<InvalidDataException>(() => ModelFolder.Open(folder.Path, name)).Message.ShouldContain("name given for the graph");
    }

    [Fact]
    public void End_tokens_are_those_of_generation_config()
    {
        Write();
        WriteGraph("model.onnx", new TinyGraph());
        File.WriteAllText(Path.Combine(folder.Path, "generation_config.json"), """{"eos_token_id": [5, 7]}""");
        ModelFolder.Open(folder.Path).Configuration.EosTokenIds.ShouldBe([5, 7]);
        File.WriteAllText(Path.Combine(folder.Path, "generation_config.json"), """{"eos_token_id": [5, 16]}""");
        Refused().ShouldContain("generation_config.json");
    }

    [Fact]
    public void Every_token_that_ends_a_reply_counts_whichever_file_names_it()
    {
        string model = TinyReasoner.Copy(folder.Path);
        int own = ModelFolder.Open(model).LoadEncoder().EndToken;
        foreach (var (file, id) in (ReadOnlySpan<(string, int)>)[("generation_config.json", own + 1), ("genai_config.json", own + 2)])
        {
            string path = Path.Combine(model, file);
            var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            (json["model"]?.AsObject() ?? json)["eos_token_id"] = new JsonArray(own, id);
            File.WriteAllText(path, json.ToJsonString());
        }

        ModelFolder.Open(model).LoadEncoder().EndTokens.ShouldBe([own, own + 1, own + 2]);
    }

    [Fact]
    public void A_snapshot_of_the_Hugging_Face_cache_says_what_the_folder_says()
    {
        string plain = TinyReasoner.Copy(Path.Combine(folder.Path, "plain")),
            snapshot = TinyReasoner.Link(plain, Path.Combine(folder.Path, "cache"));
        ModelFolder.Announces(snapshot).ShouldBeTrue();
        int[] prompt = ModelFolder.Open(snapshot).LoadEncoder().EncodePrompt([Tokenization.ChatMessage.User("What is 3 + 4?")]);
        Completion[] answers = [.. ((string[])[plain, snapshot]).Select(path =>
        {
            using var model = OnnxTokenModel.Load(path, s_oneThread);
            return new BatchGenerator(model).Complete([new GenerationRequest { Prompt = prompt, MaxNewTokens = 12, Seeds = [0] }])[0][0];
        })];
        answers[1].Tokens.ShouldBe(answers[0].Tokens);
        answers[1].LogProbabilities.ShouldBe(answers[0].LogProbabilities);
    }

    [Theory]
    [InlineData("onnx/model.onnx"), InlineData("onnx/model.onnx_data")]
    public void A_snapshot_whose_link_leaves_the_cache_is_refused(string file)
    {
        string snapshot = TinyReasoner.Link(TinyReasoner.Copy(Path.Combine(folder.Path, "plain")), Path.Combine(folder.Path, "cache"));
        File.Delete(Path.Combine(snapshot, file));
        File.CreateSymbolicLink(Path.Combine(snapshot, file), Path.Combine(folder.Path, "plain", file));
        Should.Throw<InvalidDataException>(() => OnnxTokenModel.Load(snapshot, s_oneThread).Dispose()).Message
            .ShouldContain("symbolic link");
    }

    [Fact]
    public void A_checkpoint_is_not_announced_as_a_graph_and_neither_is_an_empty_folder()
    {
        ModelFolder.Announces(folder.Path).ShouldBeFalse();
        ModelFolder.Announces(Path.Combine(folder.Path, "absent")).ShouldBeFalse();
        Refused().ShouldContain("neither genai_config.json nor config.json");
        Write();
        ModelFolder.Announces(folder.Path).ShouldBeFalse();
        Refused().ShouldContain("has no ONNX file");
        WriteGraph("onnx/model.onnx", new TinyGraph());
        File.WriteAllText(Path.Combine(folder.Path, "reference.safetensors"), "");
        ModelFolder.Announces(folder.Path).ShouldBeTrue();
        File.WriteAllText(Path.Combine(folder.Path, "model.safetensors"), "");
        ModelFolder.Announces(folder.Path).ShouldBeFalse(); // the weights that can be trained come first
    }

    [Theory]
    [
        InlineData("model_type", null), InlineData("vocab_size", "0"), InlineData("vocab_size", "17"), InlineData("num_hidden_layers", "2"),
        InlineData("num_hidden_layers", "2147483648")]
    [
        InlineData("num_attention_heads", "3"), InlineData("num_key_value_heads", "2"), InlineData("head_dim", "4"),
        InlineData("head_dim", "-1"), InlineData("max_position_embeddings", "1")]
    [
        InlineData("max_position_embeddings", null), InlineData("eos_token_id", "16"), InlineData("is_encoder_decoder", "true"),
        InlineData("is_encoder_decoder", "1")]
    public void A_configuration_that_is_wrong_is_refused(string key, string? value)
    {
        Write(key, value);
        WriteGraph("model.onnx", new TinyGraph());
        Refused().ShouldContain("config.json");
    }

    public static TheoryData<string, string> WrongGraphs => new()
    {
        { "double cache", "Float, Float16 or BFloat16" }, { "half in part", "" }, { "extra input", "use_cache_branch" },
        { "no positions", "neither GroupQueryAttention nor" },
        { "fixed batch", "must be open" }, { "fixed length", "must be open" }, { "flat cache", "rank 4" }, { "no mask", "attention_mask" },
    };

    [Theory]
    [MemberData(nameof(WrongGraphs))]
    public void A_graph_that_the_engine_cannot_feed_is_refused_by_name(string what, string reason)
    {
        Write();
        WriteGraph("model.onnx", what switch
        {
            "double cache" => new TinyGraph { Type = TinyGraph.Double },
            "half in part" => new TinyGraph { Shared = true, CacheDims = "batch 1 past 16" },
            "extra input" => new TinyGraph { ExtraInput = "use_cache_branch" },
            "no positions" => new TinyGraph { Without = "position_ids" },
            "fixed batch" => new TinyGraph { IdDims = "1 sequence" },
            "fixed length" => new TinyGraph { CacheDims = "batch 1 12 8" },
            "flat cache" => new TinyGraph { CacheDims = "batch past 8" },
            "no mask" => new TinyGraph { Without = "attention_mask" },
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        });
        string message = Refused();
        message.ShouldContain(reason);
        message.ShouldContain(folder.Path);
    }

    [Theory]
    [InlineData("input"), InlineData("output name"), InlineData("file name"), InlineData("type"), InlineData("key")]
    public void What_steers_a_terminal_does_not_reach_a_message(string place)
    {
        const string steering = "\u001b[31m\u202e";
        Write();
        WriteGraph("model.onnx", new TinyGraph { ExtraInput = place == "input" ? steering : null });
        string escaped = JsonSerializer.Serialize(steering);
        string genai = """
            {"model": {"type": TYPE, "vocab_size": 16, "context_length": 64, "eos_token_id": 2,
             "decoder": {"filename": "model.onnx", "head_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1,
              "num_key_value_heads": 1, "outputs": {"logits": LOGITS}}}, KEY: {}}
            """.Replace("TYPE", place == "type" ? escaped : "\"llama\"", StringComparison.Ordinal)
            .Replace("LOGITS", place == "output name" ? escaped : "\"logits\"", StringComparison.Ordinal)
            .Replace("KEY", place == "key" ? $"{escaped}: 1, {escaped}" : "\"search\"", StringComparison.Ordinal);
        if (place is "type" or "output name" or "key") File.WriteAllText(Path.Combine(folder.Path, "genai_config.json"), genai);
        if (place == "file name")
        {
            File.Move(Path.Combine(folder.Path, "model.onnx"), Path.Combine(folder.Path, steering + ".onnx"));
            WriteGraph("other.onnx", new TinyGraph());
        }

        string message = Refused();
        message.ShouldNotContain("\u001b");
        message.ShouldNotContain("\u202e");
        message.ShouldContain("\\u001b", Case.Insensitive);
    }

    private string Refused() =>
        Should.Throw<InvalidDataException>(() => OnnxTokenModel.Load(ModelFolder.Open(folder.Path), s_oneThread).Dispose()).Message;

    private void WriteGraph(string name, TinyGraph graph)
    {
        string path = Path.Combine(folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, graph.ToBytes());
    }

    /// <param name="key">One entry to change.</param>
    /// <param name="value">JSON; null removes it.</param>
    private void Write(string? key = null, string? value = null)
    {
        var config = JsonNode.Parse("""
            {"model_type": "llama", "vocab_size": 16, "hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1,
             "num_key_value_heads": 1, "max_position_embeddings": 64, "bos_token_id": null, "pad_token_id": -1, "eos_token_id": 2,
             "rope_scaling": {"deep": [{"er": {}}]}}
            """)!.AsObject();
        if (key is not null) config.Remove(key);
        if (key is not null && value is not null) config[key] = JsonNode.Parse(value);
        File.WriteAllText(
            Path.Combine(folder.Path, "config.json"), config.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }
}
