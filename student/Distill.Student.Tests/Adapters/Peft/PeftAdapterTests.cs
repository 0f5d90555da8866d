using System.Text.Json.Nodes;
using Distill.Architecture;

namespace Distill.Student.Tests.Adapters.Peft;

/// <summary>What adapters' folders may hold, and what merging makes of it; expected values are summed in double precision.</summary>
public sealed class PeftAdapterTests
{
    private const string Query = "model.layers.0.self_attn.q_proj";
    private static readonly DecoderArchitecture Tied = TinyDecoder.Architecture();
    private static readonly DecoderArchitecture Untied = TinyDecoder.Architecture(tied: false);

    [Theory]
    [InlineData("base_model.model.{0}.lora_{1}.weight")]
    [InlineData("base_model.model.{0}.lora_{1}.default.weight")]
    [InlineData("{0}.lora_{1}.weight")]
    [InlineData("base_model.model._orig_mod.{0}.lora_{1}.weight")]
    public void Factors_are_found_under_every_name_that_is_in_use(string pattern)
    {
        using var folder = OneLayer(out _);
        float[] a = folder.Add(string.Format(null, pattern, Query, "A"), 4, 48),
            b = folder.Add(string.Format(null, pattern, Query, "B"), 64, 4);
        ShouldAdd(folder, Tied, $"{Query}.weight", a, b, 8.0 / 4);
    }

    [Fact]
    public void A_model_without_head_has_names_without_the_models_own_prefix()
    {
        using var folder = OneLayer(out _);
        float[] a = folder.Add("base_model.model.layers.0.self_attn.q_proj.lora_A.weight", 4, 48),
            b = folder.Add("base_model.model.layers.0.self_attn.q_proj.lora_B.weight", 64, 4);
        ShouldAdd(folder, Tied, $"{Query}.weight", a, b, 2);
    }

    [Theory]
    [InlineData("r", "16", 16)]
    [InlineData("rank_pattern", """{"layers.0.self_attn.q_proj": 2}""", 2)]
    [InlineData("rank_pattern", """{"^model.layers.0.*": 2, "q_proj": 7}""", 2)]
    [InlineData("rank_pattern", """{"k_proj": 2}""", 4)]
    public void The_rank_is_that_of_the_first_pattern_that_fits_and_decides_the_scaling(string key, string value, int rank)
    {
        using var folder = OneLayer(out var config);
        config[key] = JsonNode.Parse(value);
        float[] a = folder.Add($"base_model.model.{Query}.lora_A.weight", rank, 48),
            b = folder.Add($"base_model.model.{Query}.lora_B.weight", 64, rank);
        ShouldAdd(folder, Tied, $"{Query}.weight", a, b, 8.0 / rank);
    }

    [Theory]
    [InlineData(false, 32.0 / 4)]
    [InlineData(true, 32.0 / 2)] // √4
    public void Alpha_of_a_pattern_and_rank_stabilisation_decide_the_scaling(bool stabilised, double scaling)
    {
        using var folder = OneLayer(out var config);
        config["use_rslora"] = stabilised;
        config["alpha_pattern"] = new JsonObject { ["q_proj"] = 32 };
        float[] a = folder.Add($"base_model.model.{Query}.lora_A.weight", 4, 48),
            b = folder.Add($"base_model.model.{Query}.lora_B.weight", 64, 4);
        ShouldAdd(folder, Tied, $"{Query}.weight", a, b, scaling);
    }

    [Fact]
    public void What_was_trained_whole_replaces_the_base()
    {
        using var folder = OneLayer(out var config);
        config["target_modules"] = new JsonArray();
        config["modules_to_save"] = new JsonArray("norm");
        float[] norm = folder.Add("base_model.model.model.norm.modules_to_save.default.weight", 48);
        folder.Add("base_model.model.model.norm.original_module.weight", 48);
        using var adapter = folder.Open(Tied);
        adapter.Whole.ShouldBe([ParameterMap.FinalNorm]);
        adapter.Merge(Weights(Tied))[ParameterMap.FinalNorm].ToArray().ShouldBe(norm);
    }

    [Fact]
    public void An_adapter_of_a_tied_head_alone_unties_it()
    {
        using var folder = OneLayer(out var config);
        config["target_modules"] = new JsonArray("lm_head");
        float[] a = folder.Add("base_model.model.lm_head.lora_A.weight", 4, 48),
            b = folder.Add("base_model.model.lm_head.lora_B.weight", 61, 4);
        using var adapter = folder.Open(Tied);
        adapter.Architecture.TieEmbeddings.ShouldBeFalse();
        adapter.Warnings.Count.ShouldBe(1);
        var weights = Weights(Tied);
        var merged = adapter.Merge(weights);
        merged[ParameterMap.Embedding].ToArray().ShouldBe(weights[ParameterMap.Embedding].ToArray());
        ShouldBeSum(merged[ParameterMap.OutputProjection], weights[ParameterMap.Embedding], a, b, 2);
    }

    [Fact]
    public void An_adapter_of_the_embedding_is_stored_the_other_way_round()
    {
        using var folder = OneLayer(out var config);
        config["target_modules"] = new JsonArray("embed_tokens");
        config.Remove("layers_to_transform");
        float[] a = folder.Add("base_model.model.model.embed_tokens.lora_embedding_A", 4, 61),
            b = folder.Add("base_model.model.model.embed_tokens.lora_embedding_B", 48, 4);
        using var adapter = folder.Open(Untied);
        var weights = Weights(Untied);
        ShouldBeSum(adapter.Merge(weights)[ParameterMap.Embedding], weights[ParameterMap.Embedding], Turned(b, 48, 4), Turned(a, 4, 61), 2);
    }

    [Theory]
    [InlineData(true, true, false, true)] // as rows were added: both are saved, and are one
    [InlineData(true, false, false, false)] // trained alone
    [InlineData(false, true, false, false)]
    [InlineData(true, false, true, true)] // tied on purpose
    [InlineData(false, true, true, true)]
    public void A_tied_pair_stays_tied_where_it_was_trained_so(bool embedding, bool head, bool keeps, bool isTied)
    {
        using var folder = OneLayer(out var config);
        config["target_modules"] = new JsonArray();
        config["modules_to_save"] = new JsonArray("embed_tokens", "lm_head");
        config["ensure_weight_tying"] = keeps;
        float[] trained = [.. Weights(TinyDecoder.Architecture(), 3)[ParameterMap.Embedding].Span];
        if (embedding) folder.Add("base_model.model.model.embed_tokens.weight", trained, 61, 48);
        if (head) folder.Add("base_model.model.lm_head.weight", trained, 61, 48);
        using var adapter = folder.Open(Tied);
        adapter.Architecture.TieEmbeddings.ShouldBe(isTied);
        var weights = Weights(Tied);
        var merged = adapter.Merge(weights);
        merged[ParameterMap.Embedding].ToArray().ShouldBe(embedding || isTied ? trained : weights[ParameterMap.Embedding].ToArray());
        if (!isTied)
            merged[ParameterMap.OutputProjection].ToArray().ShouldBe(head ? trained : weights[ParameterMap.Embedding].ToArray());
    }

    [Fact]
    public void Rows_of_added_tokens_grow_the_model_and_the_tokenizer_beside_is_taken()
    {
        using var folder = OneLayer(out var config);
        config["target_modules"] = new JsonArray();
        config["modules_to_save"] = new JsonArray();
        float[] table = folder.Add("base_model.model.model.embed_tokens.base_layer.weight", 64, 48);
        folder.Add("base_model.model.lm_head.weight", table, 64, 48);
        File.WriteAllText(Path.Combine(folder.Path, "tokenizer.json"), """{"model":{"type":"BPE","vocab":{"a":63},"merges":[]}}""");
        using var adapter = folder.Open(Tied);
        (adapter.Architecture.VocabularySize, adapter.Architecture.TieEmbeddings).ShouldBe((64, true));
        adapter.Tokenizer.ShouldNotBeNull().FindToken("a").ShouldBe(63);
        adapter.Merge(Weights(Tied))[ParameterMap.Embedding].ToArray().ShouldBe(table);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_resized_tied_pair_is_stored_once_and_is_where_both_start(bool isHeadAdapted)
    {
        using var folder = OneLayer(out var config);
        config["target_modules"] = new JsonArray(isHeadAdapted ? "lm_head" : "embed_tokens");
        config.Remove("layers_to_transform");
        string module = isHeadAdapted ? "lm_head" : "model.embed_tokens";
        float[] table = folder.Add($"base_model.model.{module}.base_layer.weight", 64, 48);
        float[] a = isHeadAdapted ? folder.Add("base_model.model.lm_head.lora_A.weight", 4, 48)
                : folder.Add("base_model.model.model.embed_tokens.lora_embedding_A", 4, 64),
            b = isHeadAdapted ? folder.Add("base_model.model.lm_head.lora_B.weight", 64, 4)
                : folder.Add("base_model.model.model.embed_tokens.lora_embedding_B", 48, 4);
        using var adapter = folder.Open(Tied);
        (adapter.Architecture.VocabularySize, adapter.Architecture.TieEmbeddings).ShouldBe((64, false));
        var merged = adapter.Merge(Weights(Tied));
        string adapted = isHeadAdapted ? ParameterMap.OutputProjection : ParameterMap.Embedding,
            other = isHeadAdapted ? ParameterMap.Embedding : ParameterMap.OutputProjection;
        merged[other].ToArray().ShouldBe(table);
        if (isHeadAdapted) ShouldBeSum(merged[adapted], table, a, b, 2);
        else ShouldBeSum(merged[adapted], table, Turned(b, 48, 4), Turned(a, 4, 64), 2);
    }

    // peft matches every key as ^(.*\.)?(key)$, whatever it begins with.
    [Fact]
    public void A_pattern_fits_the_whole_name_and_no_beginning_of_it()
    {
        using var folder = OneLayer(out var config);
        config["rank_pattern"] = new JsonObject { ["^model.layers.0.self_attn.q"] = 2 };
        float[] a = folder.Add($"base_model.model.{Query}.lora_A.weight", 4, 48),
            b = folder.Add($"base_model.model.{Query}.lora_B.weight", 64, 4);
        ShouldAdd(folder, Tied, $"{Query}.weight", a, b, 2);
    }

    [Fact]
    public void What_lies_in_a_module_that_is_kept_whole_has_no_adapter()
    {
        using var folder = OneLayer(out var config);
        config["target_modules"] = new JsonArray("q_proj", "up_proj");
        config["modules_to_save"] = new JsonArray("self_attn");
        folder.Add("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight", 4, 48);
        folder.Add("base_model.model.model.layers.0.mlp.up_proj.lora_B.weight", 80, 4);
        float[] whole = folder.Add("base_model.model.model.layers.0.self_attn.modules_to_save.default.q_proj.weight", 64, 48);
        using var adapter = folder.Open(Tied);
        adapter.Merge(Weights(Tied))[$"{Query}.weight"].ToArray().ShouldBe(whole);
    }

    [Fact]
    public void Weights_of_a_wrong_length_are_named_when_they_are_read()
    {
        var weights = WeightSet.Streamed(Tied, _ => new float[3]);
        Should.Throw<InvalidDataException>(() => weights[ParameterMap.FinalNorm]).Message.ShouldContain("has 3 values");
    }

    [Fact]
    public void A_tokenizer_with_more_tokens_than_rows_is_refused()
    {
        using var folder = OneLayer(out _);
        folder.AddLayers(Tied with { Layers = 1 }, "q_proj");
        File.WriteAllText(Path.Combine(folder.Path, "tokenizer.json"), """{"model":{"type":"BPE","vocab":{"a":61},"merges":[]}}""");
        folder.Refusal(Tied with { Layers = 1 }).ShouldContain("Vocabulary mismatch");
    }

    private static AdapterFolder OneLayer(out JsonObject config)
    {
        var folder = new AdapterFolder();
        config = folder.Config;
        config["layers_to_transform"] = new JsonArray(0);
        return folder;
    }

    private static void ShouldAdd(AdapterFolder folder, DecoderArchitecture architecture, string name, float[] a, float[] b, double scaling)
    {
        var weights = Weights(architecture);
        using var adapter = folder.Open(architecture);
        var merged = adapter.Merge(weights);
        ShouldBeSum(merged[name], weights[name], a, b, scaling);
        foreach (var spec in ParameterMap.For(architecture).Where(spec => spec.Name != name))
            merged[spec.Name].ToArray().ShouldBe(weights[spec.Name].ToArray(), spec.Name);
    }

    // W [out, in] + scaling · b [out, rank] · a [rank, in]
    private static void ShouldBeSum(ReadOnlyMemory<float> merged, ReadOnlyMemory<float> weights, float[] a, float[] b, double scaling)
    {
        int rank = (int)Math.Sqrt((double)a.Length * b.Length / weights.Length), columns = a.Length / rank, rows = b.Length / rank;
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
            {
                double sum = 0;
                for (int k = 0; k < rank; k++) sum += (double)b[(row * rank) + k] * a[(k * columns) + column];
                double expected = weights.Span[(row * columns) + column] + (scaling * sum);
                ((double)merged.Span[(row * columns) + column]).ShouldBe(expected, 1e-5);
            }
    }

    private static float[] Turned(float[] values, int rows, int columns) =>
        [.. Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)])];

    private static WeightSet Weights(DecoderArchitecture architecture, ulong seed = 1)
    {
        using var parameters = TinyDecoder.Parameters(architecture, seed);
        return new WeightSet(
            architecture, parameters.Places.ToDictionary(place => place.Name, place => parameters.SpanOf(place.Name).ToArray()));
    }
}
