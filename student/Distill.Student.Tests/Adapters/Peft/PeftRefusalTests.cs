using System.Text.Json.Nodes;
using Distill.Architecture;

namespace Distill.Student.Tests.Adapters.Peft;

/// <summary>What is no adapter of the model, or of a kind that merging would get wrong, is refused by name.</summary>
public sealed class PeftRefusalTests
{
    private static readonly DecoderArchitecture A = TinyDecoder.Architecture();

    [Theory]
    [InlineData("peft_type", "\"IA3\"", "peft_type is IA3")]
    [InlineData("use_dora", "true", "use_dora is not supported")]
    [InlineData("use_qalora", "true", "use_qalora is not supported")]
    [InlineData("layer_replication", "[[0, 2]]", "layer_replication is not supported")]
    [InlineData("trainable_token_indices", "[3]", "trainable_token_indices is not supported")]
    [InlineData("use_invented", "true", "use_invented is not supported")]
    [InlineData("init_lora_weights", "\"pissa_niter_16\"", "path_initial_model_for_weight_conversion")]
    [InlineData("target_modules", "\"(\"", "neither all-linear nor a pattern")]
    [InlineData("r", "0", "must be positive")]
    public void A_configuration_is_refused_with_its_key(string key, string value, string words)
    {
        using var folder = Whole();
        folder.Config[key] = JsonNode.Parse(value);
        folder.Refusal(A).ShouldContain(words);
    }

    [Theory]
    [InlineData("layer_replication")]
    [InlineData("use_invented")]
    [InlineData("trainable_token_indices")]
    public void Keys_that_ask_for_nothing_are_no_hindrance(string key)
    {
        using var folder = Whole();
        folder.Config[key] = null;
        Should.NotThrow(() => folder.Open(A).Dispose());
    }

    [Fact]
    public void A_module_that_is_named_needs_its_tensors_and_tensors_need_to_be_named()
    {
        using var folder = Whole();
        folder.Config["target_modules"] = new JsonArray("q_proj", "k_proj");
        folder.Refusal(A).ShouldContain("names 'model.layers.0.self_attn.k_proj', and there is no adapter of it");
        folder.Config["target_modules"] = new JsonArray("k_proj");
        folder.Refusal(A).ShouldContain("has an adapter of 'model.layers.0.self_attn.q_proj', which adapter_config.json does not name");
    }

    [Fact]
    public void Halves_foreign_modules_wrong_ranks_and_other_kinds_are_named()
    {
        using (var folder = Whole())
        {
            folder.Add("base_model.model.model.layers.1.mlp.up_proj.lora_A.weight", 4, 48);
            folder.Refusal(A).ShouldContain("A without B");
        }

        using (var folder = Whole())
        {
            folder.Add("base_model.model.vision.q_proj.lora_A.weight", 4, 48);
            folder.Add("base_model.model.vision.q_proj.lora_B.weight", 48, 4);
            folder.Refusal(A).ShouldContain("the model has no 'vision.q_proj'");
        }

        using (var folder = Whole())
        {
            folder.Config["rank_pattern"] = new JsonObject { ["q_proj"] = 5 };
            folder.Refusal(A).ShouldContain("shape [4, 48], and the model with this rank asks for [5, 48]");
        }

        using (var folder = Whole())
        {
            folder.Add("base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector", 64);
            folder.Refusal(A).ShouldContain("lora_magnitude_vector");
        }

        using (var folder = Whole())
        {
            folder.Add("base_model.model.model.layers.0.self_attn.q_proj.lora_B.bias", 64);
            folder.Refusal(A).ShouldContain("has none to add it to");
        }
    }

    [Fact]
    public void Rows_of_an_untied_embedding_alone_do_not_grow_a_model()
    {
        using var folder = Whole();
        folder.Add("base_model.model.model.embed_tokens.weight", 64, 48);
        folder.Refusal(TinyDecoder.Architecture(tied: false)).ShouldContain("save_embedding_layers");
    }

    [Theory]
    [InlineData("\"all-linear\"", "model.layers.1.mlp.up_proj", true)]
    [InlineData("\"all-linear\"", "lm_head", false)]
    [InlineData("\"all-linear\"", "model.embed_tokens", false)]
    [InlineData("[\"up_proj\", \"absent\"]", "model.layers.1.mlp.up_proj", true)]
    [InlineData("[\"proj\"]", "model.layers.1.mlp.up_proj", false)]
    [InlineData("\".*layers\\\\.(0|1)\\\\..*up_proj\"", "model.layers.1.mlp.up_proj", true)]
    [InlineData("\"up_proj\"", "model.layers.1.mlp.up_proj", false)] // a pattern is of the whole name
    [InlineData("\"(?:.*?(?:self_attn|mlp).*?(?P<which>q_proj|up_proj))\"", "model.layers.1.mlp.up_proj", true)] // as Unsloth writes it
    public void Targets_are_a_list_of_names_a_pattern_or_all_that_is_linear(string targets, string module, bool isMeant) =>
        Modules($$"""{"target_modules": {{targets}}}""").Targets(module).ShouldBe(isMeant);

    [Theory]
    [InlineData("""{"target_modules": ["up_proj"], "layers_to_transform": 1}""", true)]
    [InlineData("""{"target_modules": ["up_proj"], "layers_to_transform": [0, 2]}""", false)]
    [InlineData("""{"target_modules": ["up_proj"], "layers_to_transform": [1], "layers_pattern": "layers"}""", true)]
    [InlineData("""{"target_modules": ["up_proj"], "layers_to_transform": [1], "layers_pattern": ["h"]}""", false)]
    [InlineData("""{"target_modules": ["up_proj"], "exclude_modules": ["layers.1.mlp.up_proj"]}""", false)]
    [InlineData("""{"target_modules": ["up_proj"], "exclude_modules": ".*\\.0\\..*"}""", true)]
    [InlineData("""{"target_modules": "all-linear", "modules_to_save": ["up_proj"]}""", false)]
    public void Layers_and_exceptions_narrow_them(string config, bool isMeant) =>
        Modules(config).Targets("model.layers.1.mlp.up_proj").ShouldBe(isMeant);

    [Fact]
    public void A_pattern_that_takes_forever_is_given_up()
    {
        var modules = Modules("""{"target_modules": "(a|aa)+$|(.*)*(.*)*(.*)*x"}""");
        Should.Throw<InvalidDataException>(() => modules.Targets(new string('a', 400) + "!")).Message.ShouldContain("too long");
    }

    private static PeftModules Modules(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return PeftModules.Read(new ConfigFields(document.RootElement));
    }

    private static AdapterFolder Whole()
    {
        var folder = new AdapterFolder();
        folder.AddLayers(A, "q_proj");
        return folder;
    }
}
