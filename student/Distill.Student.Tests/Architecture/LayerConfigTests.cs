using System.Text;
using System.Text.Json.Nodes;
using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

/// <summary>Which layers slide and which are rotary, by the rules of each family's class in transformers.</summary>
public sealed class LayerConfigTests
{
    private const string Four = """
        {"model_type":"qwen3","vocab_size":640,"hidden_size":96,"num_hidden_layers":4,"num_attention_heads":3,"num_key_value_heads":1,
         "head_dim":32,
         "intermediate_size":256,"max_position_embeddings":8192,"eos_token_id":1}
        """;

    [Fact]
    public void Mistral_slides_everywhere_unless_it_says_null()
    {
        Window(("model_type", "\"mistral\"")).ShouldBe((4096, "0, 1, 2, 3"));
        Window(("model_type", "\"mistral\""), ("sliding_window", "77")).ShouldBe((77, "0, 1, 2, 3"));
        Window(("model_type", "\"mistral\""), ("sliding_window", "null")).ShouldBe((null, "none"));
    }

    [Fact]
    public void A_qwen_window_counts_only_when_it_is_used_and_from_its_layer_on()
    {
        Window(("sliding_window", "128"), ("use_sliding_window", "false")).ShouldBe((null, "none"));
        Window(("sliding_window", "128")).ShouldBe((null, "none"));
        Window(("sliding_window", "128"), ("use_sliding_window", "true")).ShouldBe((null, "none")); // from layer 28 on
        Window(("sliding_window", "128"), ("use_sliding_window", "true"), ("max_window_layers", "3")).ShouldBe((128, "3"));
        Window(("use_sliding_window", "true"), ("max_window_layers", "0")).ShouldBe((4096, "0, 1, 2, 3"));
    }

    [Fact]
    public void Layer_types_win_over_the_rule()
    {
        (string, string)[] used = [("sliding_window", "128"), ("use_sliding_window", "true"), ("max_window_layers", "3")];
        string types = """["sliding_attention","full_attention","sliding_attention","full_attention"]""";
        Window([.. used, ("layer_types", types)]).ShouldBe((128, "0, 2"));
        Should.Throw<InvalidDataException>(() => Window(("model_type", "\"mistral\""), ("layer_types", types))).Message.ShouldContain(
            "layer_types");
    }

    [Fact]
    public void A_family_without_windows_refuses_one_that_is_used() => Should.Throw<InvalidDataException>(
        () => Window(("model_type", "\"llama\""), ("sliding_window", "9"), ("use_sliding_window", "true"))).Message.ShouldContain("llama");

    [Fact]
    public void A_window_must_have_a_position() =>
        Should.Throw<InvalidDataException>(() => Window(("model_type", "\"mistral\""), ("sliding_window", "0"))).Message.ShouldContain(
            "sliding_window 0");

    [Fact]
    public void Smollm3_leaves_rotary_out_of_every_fourth_layer_unless_it_lists_them()
    {
        (string, string) smollm3 = ("model_type", "\"smollm3\"");
        Read(smollm3).PlainLayers.ToString().ShouldBe("3");
        Read(smollm3, ("no_rope_layer_interval", "2")).PlainLayers.ToString().ShouldBe("1, 3");
        Read(smollm3, ("no_rope_layers", "[0,1,1,1]")).PlainLayers.ToString().ShouldBe("0");
        Should.Throw<InvalidDataException>(() => Read(smollm3, ("no_rope_layers", "[0,1]"))).Message.ShouldContain(
            "2 entries for 4 layers");
        Should.Throw<InvalidDataException>(() => Read(smollm3, ("no_rope_layers", "[0,1,1,true]"))).Message.ShouldContain("neither");
        Window(smollm3, ("sliding_window", "128"), ("use_sliding_window", "true")).ShouldBe((128, "3"));
    }

    [Fact]
    public void Biases_follow_the_family()
    {
        DecoderArchitecture Biased(string type) => Read(("model_type", $"\"{type}\""), ("attention_bias", "true"));
        (Biased("llama").AttentionBias, Biased("llama").AttentionOutputBias).ShouldBe((true, true));
        (Biased("qwen3").AttentionBias, Biased("qwen3").AttentionOutputBias).ShouldBe((true, true));
        (Biased("qwen2").AttentionBias, Biased("qwen2").AttentionOutputBias).ShouldBe((true, false));
        Read(("model_type", "\"llama\""), ("mlp_bias", "true")).FeedForwardBias.ShouldBeTrue();
        Should.Throw<InvalidDataException>(() => Biased("mistral")).Message.ShouldContain("attention_bias");
    }

    [Fact]
    public void A_claim_of_two_billion_layers_costs_no_memory()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Should.Throw<InvalidDataException>(
            () => Read(("model_type", "\"smollm3\""), ("num_hidden_layers", "2000000000"))).Message.ShouldContain("num_hidden_layers");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1 << 20);
    }

    private static (int? Window, string Layers) Window(params (string, string)[] changes)
    {
        var a = Read(changes);
        return (a.SlidingWindow, a.WindowLayers.ToString());
    }

    private static DecoderArchitecture Read(params (string Key, string Value)[] changes)
    {
        var root = JsonNode.Parse(Four)!.AsObject();
        foreach (var (key, value) in changes) root[key] = JsonNode.Parse(value);
        return DecoderConfigJson.Parse(Encoding.UTF8.GetBytes(root.ToJsonString()), "config.json");
    }
}
