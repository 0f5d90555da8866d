using System.Text;
using System.Text.Json.Nodes;
using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class DecoderConfigTests
{
    private const string Qwen3 = """
        {"model_type":"qwen3","vocab_size":640,"hidden_size":96,"num_hidden_layers":4,"num_attention_heads":3,"num_key_value_heads":1,
         "head_dim":32,
         "intermediate_size":256,"max_position_embeddings":512,"rope_theta":10000.0,"rms_norm_eps":1e-6,"tie_word_embeddings":true,
         "eos_token_id":[1,2],"pad_token_id":0}
        """;

    [Fact]
    public void Every_size_is_read()
    {
        var a = Read(Qwen3);
        (a.ModelType, a.VocabularySize, a.HiddenSize, a.Layers, a.Heads, a.KeyValueHeads, a.HeadSize)
            .ShouldBe(("qwen3", 640, 96, 4, 3, 1, 32));
        (a.IntermediateSize, a.MaxPositions, a.RopeTheta, a.RmsNormEpsilon).ShouldBe((256, 512, 10_000d, 1e-6));
        (a.TieEmbeddings, a.QueryKeyNorm, a.AttentionBias, a.BosTokenId, a.EosTokenId, a.PadTokenId)
            .ShouldBe((true, true, false, null, 1, 0));
        a.EndTokenIds.ShouldBe([1, 2]);
    }

    // generation_config.json before config.json, each a number or a list; a null or an empty list names none.
    [Theory]
    [InlineData("[1,2]", null, new[] { 1, 2 })]
    [InlineData("7", null, new[] { 7 })]
    [InlineData("7", "{}", new[] { 7 })]
    [InlineData("7", """{"eos_token_id":null}""", new[] { 7 })]
    [InlineData("7", """{"eos_token_id":[]}""", new[] { 7 })]
    [InlineData("7", """{"eos_token_id":9}""", new[] { 9 })]
    [InlineData("7", """{"eos_token_id":[9,7,9]}""", new[] { 9, 7 })]
    [InlineData("null", """{"eos_token_id":[9,7]}""", new[] { 9, 7 })]
    public void End_tokens_are_those_of_generation_before_those_of_the_configuration(string configured, string? generation, int[] expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("config.json"), Changed(("eos_token_id", configured)));
        if (generation is not null) File.WriteAllText(folder.File("generation_config.json"), generation);
        var a = DecoderConfigJson.Read(folder.File("config.json"));
        (a.EosTokenId, a.EndTokenIds).ShouldBe((expected[0], new TokenIdList(expected)));
        (a with { EosTokenId = 3 }).EndTokenIds.ShouldBe([3]);
        // Written back to both files, and read again from either alone.
        string number = expected.Length == 1 ? $"\"eos_token_id\": {expected[0]}," : "\"eos_token_id\": [";
        foreach (byte[] written in (byte[][])[DecoderConfigJson.Write(a), DecoderConfigJson.WriteGeneration(a)])
            Encoding.UTF8.GetString(written).ShouldContain(number);
        DecoderConfigJson.Parse(DecoderConfigJson.Write(a), "config.json").ShouldBe(a);
        File.WriteAllBytes(folder.File("generation_config.json"), DecoderConfigJson.WriteGeneration(a));
        DecoderConfigJson.Read(folder.File("config.json")).ShouldBe(a);
    }

    [Theory]
    [InlineData("[9,\"x\"]", "generation_config.json': eos_token_id is")]
    [InlineData("[9,640]", "eos_token_id 640 must be in 0..639")]
    public void End_tokens_that_cannot_be_are_named(string generation, string reason)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("config.json"), Qwen3);
        File.WriteAllText(folder.File("generation_config.json"), $$"""{"eos_token_id":{{generation}}}""");
        Should.Throw<InvalidDataException>(() => DecoderConfigJson.Read(folder.File("config.json"))).Message.ShouldContain(reason);
    }

    public static TheoryData<string, string, string> Unsupported => new()
    {
        { "model_type", "\"phi3\"", "model_type 'phi3'" },
        { "rope_scaling", """{"rope_type":"dynamic","factor":4.0}""", "rope_scaling of type 'dynamic'" },
        { "rope_scaling", """{"type":"linear"}""", "rope_scaling.factor is missing" },
        { "rope_scaling", """{"type":"linear","factor":0.5}""", "factor 0.5 must be at least 1" },
        { "rope_scaling", """{"type":"yarn","factor":4.0,"beta_fast":1.0,"beta_slow":2.0}""", "beta_slow 2" },
        { "rope_scaling", """{"type":"yarn","factor":4.0,"attention_factor":0}""", "attention_factor 0" },
        { "rope_scaling", """{"rope_type":"llama3","factor":8.0,"low_freq_factor":4.0,"high_freq_factor":1.0}""", "low_freq_factor 4" },
        { "rope_scaling", """{"factor":4.0}""", "rope_scaling of type 'unknown'" },
        { "rope_parameters", """{"rope_theta":10000.0,"rope_type":"llama3"}""", "rope_parameters.low_freq_factor is missing" },
        { "rope_parameters", """{"rope_theta":10000.0,"rope_type":"longrope"}""", "rope_parameters of type 'longrope'" },
        { "rope_parameters", """{"rope_theta":10000.0,"rope_type":"default","partial_rotary_factor":0.5}""", "partial_rotary_factor" },
        { "rope_parameters", """{"full_attention":{"rope_theta":1.0,"rope_type":"default"}}""", "rope_parameters of type 'unknown'" },
        { "rope_parameters", """{"rope_theta":500.0,"rope_type":"default"}""", "contradicts" },
        { "rope_parameters", """{"rope_theta":"x","rope_type":"default"}""", "rope_parameters.rope_theta is \"x\"" },
        { "layer_types", """["full_attention","full_attention","full_attention","sliding_attention"]""", "without a sliding window" },
        { "layer_types", """["full_attention"]""", "layer_types has 1 entries for 4 layers" },
        { "layer_types", """["full_attention","full_attention","full_attention","chunked_attention"]""", "chunked_attention" },
        { "no_rope_layers", "[1,1,1,0]", "no_rope_layers" },
        { "hidden_act", "\"gelu\"", "hidden_act 'gelu'" },
        { "mlp_bias", "true", "mlp_bias" },
        { "quantization_config", "{}", "quantiz" },
        { "vocab_size", "\"640\"", "vocab_size is \"640\"" },
        { "vocab_size", "640.5", "vocab_size is 640.5" },
        { "vocab_size", "-1", "vocab_size -1" },
        { "hidden_size", "99999999999", "hidden_size" },
        { "num_attention_heads", "0", "num_attention_heads 0" },
        { "num_key_value_heads", "2", "num_key_value_heads 2 must divide" },
        { "head_dim", "7", "head_dim 7" },
        { "eos_token_id", "640", "eos_token_id 640" },
        { "eos_token_id", "null", "eos_token_id is missing" },
        { "rms_norm_eps", "0", "rms_norm_eps" },
    };

    [Theory, MemberData(nameof(Unsupported))]
    public void What_is_not_implemented_is_refused_with_file_and_reason(string key, string value, string reason)
    {
        var error = Should.Throw<InvalidDataException>(() => Read(Changed((key, value))));
        error.Message.ShouldContain("'config.json'");
        error.Message.ShouldContain(reason);
    }

    [Fact]
    public void All_problems_are_named_at_once()
    {
        string message = Should.Throw<InvalidDataException>(
            () => Read(Changed(("mlp_bias", "true"), ("vocab_size", "null"), ("hidden_act", "\"relu\"")))).Message;
        message.ShouldContain("mlp_bias");
        message.ShouldContain("vocab_size is missing");
        message.ShouldContain("relu");
    }

    [Theory]
    [InlineData("{\"model_type\":\"qwen3\",\"model_type\":\"llama\"}")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("")]
    public void Broken_json_is_refused_with_the_file(string json) =>
        Should.Throw<InvalidDataException>(() => Read(json)).Message.ShouldContain("'config.json'");

    [Theory]
    [InlineData("qwen3")]
    [InlineData("qwen2")]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("smollm3")]
    public void Writing_and_reading_give_the_same_architecture(string modelType)
    {
        var a = Plain(modelType);
        bool output = modelType is "qwen3" or "llama" or "smollm3", feedForward = modelType is "llama" or "smollm3";
        RotaryScaling[] scalings =
        [
            DefaultRotary.Instance, new LinearRotary(2.5), new Llama3Rotary(8, 1, 4, 64),
            new YarnRotary(4, 128, YarnRotary.DefaultAttentionScale(4)),
            new YarnRotary(8, 64, 1.25) { BetaFast = 16, BetaSlow = 2, Truncate = false },
        ];
        RoundTrip(a);
        foreach (var scaling in scalings) RoundTrip(a with { RotaryScaling = scaling });
        if (output) RoundTrip(a with { AttentionBias = true, AttentionOutputBias = true });
        if (feedForward) RoundTrip(a with { FeedForwardBias = true });
        if (modelType == "smollm3") RoundTrip(a with { PlainLayers = new([1, 3]) });
        if (modelType != "llama") RoundTrip(a with { SlidingWindow = 33, WindowLayers = LayerSet.From(0, a.Layers) });
        if (modelType is not ("llama" or "mistral")) RoundTrip(a with { SlidingWindow = 33, WindowLayers = new([0, 2]) });
    }

    public static TheoryData<string, string> Impossible => new()
    {
        { "llama", "norm" }, { "llama", "output bias" }, { "llama", "window" }, { "llama", "plain" }, { "mistral", "bias" },
            { "mistral", "some windows" },
        { "qwen2", "no bias" }, { "qwen2", "output bias" }, { "qwen3", "feed-forward" }, { "gpt2", "" },
    };

    [Theory, MemberData(nameof(Impossible))]
    public void A_combination_that_no_configuration_can_say_is_not_written(string modelType, string what)
    {
        var a = Plain(modelType);
        a = what switch
        {
            "norm" => a with { QueryKeyNorm = !a.QueryKeyNorm },
            "output bias" => a with { AttentionOutputBias = true },
            "window" => a with { SlidingWindow = 9, WindowLayers = LayerSet.From(0, a.Layers) },
            "some windows" => a with { SlidingWindow = 9, WindowLayers = new([1]) },
            "plain" => a with { PlainLayers = new([1]) },
            "bias" => a with { AttentionBias = true, AttentionOutputBias = true },
            "no bias" => a with { AttentionBias = false },
            "feed-forward" => a with { FeedForwardBias = true },
            _ => a,
        };
        Should.Throw<InvalidDataException>(() => DecoderConfigJson.Write(a)).Message.ShouldContain($"'{modelType}'");
    }

    public static TheoryData<string> Families => FixtureFolder.Rows("hf", folder => File.Exists(Path.Combine(folder, "config-v5.json")));

    [Theory, MemberData(nameof(Families))]
    public void Published_and_new_spelling_give_the_same_model_and_so_does_ours(string name)
    {
        var published = DecoderConfigJson.Read(FixtureFolder.RequireFile("hf", name, "config.json"));
        DecoderConfigJson.Read(FixtureFolder.RequireFile("hf", name, "config-v5.json")).ShouldBe(published);
        RoundTrip(published);
    }

    private static DecoderArchitecture Plain(string modelType) => Read(Qwen3) with
    {
        ModelType = modelType, QueryKeyNorm = modelType == "qwen3", AttentionBias = modelType == "qwen2", RopeTheta = 12_345.5,
            BosTokenId = 7, TieEmbeddings = false,
    };

    private static void RoundTrip(DecoderArchitecture a)
    {
        byte[] written = DecoderConfigJson.Write(a);
        DecoderConfigJson.Parse(written, "again").ShouldBe(a);
        DecoderConfigJson.Write(DecoderConfigJson.Parse(written, "again")).ShouldBe(written);
    }

    private static DecoderArchitecture Read(string json) => DecoderConfigJson.Parse(Encoding.UTF8.GetBytes(json), "config.json");

    private static string Changed(params (string Key, string Value)[] changes)
    {
        var root = JsonNode.Parse(Qwen3)!.AsObject();
        foreach (var (key, value) in changes) root[key] = JsonNode.Parse(value);
        return root.ToJsonString();
    }
}
