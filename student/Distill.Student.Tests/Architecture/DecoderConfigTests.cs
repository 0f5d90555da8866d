using System.Text;
using System.Text.Json.Nodes;
using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class DecoderConfigTests
{
    private const string Qwen3 = """
        {"model_type":"qwen3","vocab_size":640,"hidden_size":96,"num_hidden_layers":4,"num_attention_heads":3,"num_key_value_heads":1,"head_dim":32,
         "intermediate_size":256,"max_position_embeddings":512,"rope_theta":10000.0,"rms_norm_eps":1e-6,"tie_word_embeddings":true,"eos_token_id":[1,2],"pad_token_id":0}
        """;

    [Fact]
    public void Every_size_is_read()
    {
        var a = Read(Qwen3);
        (a.ModelType, a.VocabularySize, a.HiddenSize, a.Layers, a.Heads, a.KeyValueHeads, a.HeadSize).ShouldBe(("qwen3", 640, 96, 4, 3, 1, 32));
        (a.IntermediateSize, a.MaxPositions, a.RopeTheta, a.RmsNormEpsilon).ShouldBe((256, 512, 10_000d, 1e-6));
        (a.TieEmbeddings, a.QueryKeyNorm, a.AttentionBias, a.BosTokenId, a.EosTokenId, a.PadTokenId).ShouldBe((true, true, false, null, 1, 0));
    }

    public static TheoryData<string, string, string> Unsupported => new()
    {
        { "model_type", "\"phi3\"", "model_type 'phi3'" },
        { "rope_scaling", """{"rope_type":"yarn","factor":4.0}""", "rope_scaling of type 'yarn'" },
        { "rope_scaling", """{"type":"linear","factor":4.0}""", "rope_scaling of type 'linear'" },
        { "rope_scaling", """{"factor":4.0}""", "rope_scaling of type 'unknown'" },
        { "rope_parameters", """{"rope_theta":10000.0,"rope_type":"llama3"}""", "rope_parameters of type 'llama3'" },
        { "rope_parameters", """{"rope_theta":10000.0,"rope_type":"default","partial_rotary_factor":0.5}""", "partial_rotary_factor" },
        { "rope_parameters", """{"full_attention":{"rope_theta":1.0,"rope_type":"default"}}""", "rope_parameters of type 'unknown'" },
        { "rope_parameters", """{"rope_theta":500.0,"rope_type":"default"}""", "contradicts" },
        { "rope_parameters", """{"rope_theta":"x","rope_type":"default"}""", "rope_parameters.rope_theta is \"x\"" },
        { "layer_types", """["full_attention","sliding_attention"]""", "sliding_attention" },
        { "hidden_act", "\"gelu\"", "hidden_act 'gelu'" },
        { "attention_bias", "true", "attention_bias" },
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
        string message = Should.Throw<InvalidDataException>(() => Read(Changed(("mlp_bias", "true"), ("vocab_size", "null"), ("hidden_act", "\"relu\"")))).Message;
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

    [Fact]
    public void Mistral_slides_unless_it_says_null()
    {
        (string, string)[] mistral = [("model_type", "\"mistral\""), ("max_position_embeddings", "8192")];
        Should.Throw<InvalidDataException>(() => Read(Changed(mistral))).Message.ShouldContain("sliding_window 4096");
        Read(Changed([.. mistral, ("sliding_window", "null")])).MaxPositions.ShouldBe(8192);
        Read(Changed([.. mistral, ("sliding_window", "8192")])).MaxPositions.ShouldBe(8192); // never shorter than what can be read
    }

    [Fact]
    public void A_qwen_window_counts_only_when_it_is_used()
    {
        Read(Changed(("sliding_window", "128"), ("use_sliding_window", "false"))).MaxPositions.ShouldBe(512);
        Should.Throw<InvalidDataException>(() => Read(Changed(("sliding_window", "128"), ("use_sliding_window", "true")))).Message.ShouldContain("sliding_window 128");
    }

    [Fact]
    public void Smollm3_is_read_only_when_every_layer_is_rotary()
    {
        Should.Throw<InvalidDataException>(() => Read(Changed(("model_type", "\"smollm3\"")))).Message.ShouldContain("no_rope_layers");
        Should.Throw<InvalidDataException>(() => Read(Changed(("model_type", "\"smollm3\""), ("no_rope_layers", "[1,1,1,0]")))).Message.ShouldContain("no_rope_layers");
        Read(Changed(("model_type", "\"smollm3\""), ("no_rope_layers", "[1,1,1,1]"))).QueryKeyNorm.ShouldBeFalse();
    }

    [Theory]
    [InlineData("qwen3")]
    [InlineData("qwen2")]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("smollm3")]
    public void Writing_and_reading_give_the_same_architecture(string modelType)
    {
        var a = Read(Qwen3) with { ModelType = modelType, QueryKeyNorm = modelType == "qwen3", AttentionBias = modelType == "qwen2", RopeTheta = 12_345.5, BosTokenId = 7, TieEmbeddings = false };
        byte[] written = DecoderConfigJson.Write(a);
        DecoderConfigJson.Parse(written, "again").ShouldBe(a);
        DecoderConfigJson.Write(DecoderConfigJson.Parse(written, "again")).ShouldBe(written);
    }

    [Fact]
    public void A_combination_that_no_configuration_can_say_is_not_written() =>
        Should.Throw<InvalidDataException>(() => DecoderConfigJson.Write(Read(Qwen3) with { ModelType = "llama" })).Message.ShouldContain("llama");

    [Fact]
    public void Published_and_new_spelling_give_the_same_model()
    {
        int compared = 0, refused = 0;
        foreach (string folder in Directory.EnumerateDirectories(FixtureFolder.Require("hf")))
        {
            string old = Path.Combine(folder, "config.json"), young = Path.Combine(folder, "config-v5.json");
            if (!File.Exists(young)) continue;
            var (a, b) = (TryRead(old), TryRead(young));
            b.ShouldBe(a, folder);
            compared += a is null ? 0 : 1;
            refused += a is null ? 1 : 0;
        }

        compared.ShouldBeGreaterThanOrEqualTo(4);
        refused.ShouldBeGreaterThanOrEqualTo(5);
    }

    private static DecoderArchitecture? TryRead(string path)
    {
        try
        {
            return DecoderConfigJson.Read(path);
        }
        catch (InvalidDataException error)
        {
            error.Message.ShouldContain("not supported");
            return null;
        }
    }

    private static DecoderArchitecture Read(string json) => DecoderConfigJson.Parse(Encoding.UTF8.GetBytes(json), "config.json");

    private static string Changed(params (string Key, string Value)[] changes)
    {
        var root = JsonNode.Parse(Qwen3)!.AsObject();
        foreach (var (key, value) in changes) root[key] = JsonNode.Parse(value);
        return root.ToJsonString();
    }
}
