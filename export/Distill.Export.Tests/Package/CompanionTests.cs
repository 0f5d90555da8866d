using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Package;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Package;

/// <summary>What lies beside a source's weights goes along, and every file of every format says the same.</summary>
public sealed class CompanionTests : IDisposable
{
    private const string Generation = """
        {"bos_token_id": 7, "eos_token_id": [5, 9], "pad_token_id": 2, "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95,
         "repetition_penalty": 1.05, "max_new_tokens": 77, "an_invention": {"of": [1, 2]}, "transformers_version": "5.0.0"}
        """;

    private static readonly TokenizerFiles Files =
        TokenizerFiles.Read(Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner"));

    private static readonly DecoderArchitecture A = TinyModels.Qwen3 with { VocabularySize = 600, EndTokenIds = new([5, 9]) };

    private readonly TemporaryFolder source = new(), folder = new();

    public CompanionTests()
    {
        source.File("generation_config.json", Generation);
        source.File("special_tokens_map.json", """{"eos_token": "<|end|>"}""");
        source.File("LICENSE", "                                 Apache License\n                           Version 2.0, January 2004\n");
        source.File("NOTICE.txt", "Made by others.");
        source.File("license.py", "print()");
        source.File("notes.md", "not carried");
    }

    public void Dispose()
    {
        source.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Licences_special_tokens_and_every_value_of_sampling_are_carried(bool isSafetensors)
    {
        Write(isSafetensors);
        foreach (string name in (string[])["LICENSE", "NOTICE.txt", "special_tokens_map.json"])
            File.ReadAllBytes(folder.File(name)).ShouldBe(File.ReadAllBytes(source.File(name)));
        foreach (string name in (string[])["license.py", "notes.md"]) File.Exists(folder.File(name)).ShouldBeFalse();
        using var written = JsonDocument.Parse(File.ReadAllBytes(folder.File("generation_config.json")));
        using var given = JsonDocument.Parse(Generation);
        foreach (var value in given.RootElement.EnumerateObject()
            .Where(value => !value.Name.EndsWith("_token_id", StringComparison.Ordinal)))
            JsonElement.DeepEquals(written.RootElement.GetProperty(value.Name), value.Value).ShouldBeTrue(value.Name);
        File.ReadAllText(folder.File("README.md")).ShouldContain("`temperature` 0.6, `top_k` 20, `top_p` 0.95, `repetition_penalty` 1.05");
    }

    // A reply ends with the token that training put there, or with one that the authors named; a reader that knows some talks on.
    [Theory]
    [InlineData(false), InlineData(true)]
    public void Every_end_token_is_in_every_file_that_names_any(bool isSafetensors)
    {
        int own = Files.EndToken.ShouldNotBeNull();
        Write(isSafetensors);
        int[] all = [own, 5, 9];
        Ids(folder.File("config.json")).ShouldBe(all);
        Ids(folder.File("generation_config.json")).ShouldBe(all);
        File.ReadAllText(folder.File("README.md")).ShouldContain($"ids `{own}`, `5`, `9`");
        DecoderConfigJson.Read(folder.File("config.json")).EndTokenIds.ShouldBe(all);
        if (isSafetensors) return;
        using var genai = JsonDocument.Parse(File.ReadAllBytes(folder.File("genai_config.json")));
        genai.RootElement.GetProperty("model").GetProperty("eos_token_id").EnumerateArray().Select(id => id.GetInt32()).ShouldBe(all);
    }

    [Fact]
    public void The_search_defaults_of_the_source_are_those_of_GenAI()
    {
        Write(isSafetensors: false);
        using var genai = JsonDocument.Parse(File.ReadAllBytes(folder.File("genai_config.json")));
        var search = genai.RootElement.GetProperty("search");
        search.GetProperty("do_sample").GetBoolean().ShouldBeTrue();
        (search.GetProperty("temperature").GetDouble(), search.GetProperty("top_k").GetInt32(), search.GetProperty("top_p").GetDouble(),
            search.GetProperty("repetition_penalty").GetDouble()).ShouldBe((0.6, 20, 0.95, 1.05));
    }

    [Fact]
    public void Foundry_Local_gets_a_name_and_the_prompt_around_what_is_asked()
    {
        Write(isSafetensors: false);
        using var foundry = JsonDocument.Parse(File.ReadAllBytes(folder.File("inference_model.json")));
        foundry.RootElement.GetProperty("Name").GetString().ShouldBe("a-model-of-mine");
        var template = foundry.RootElement.GetProperty("PromptTemplate");
        template.GetProperty("assistant").GetString().ShouldBe("{Content}");
        string prompt = template.GetProperty("prompt").GetString()!;
        var encoder = Tokenization.ChatEncoder.Load(folder.Path);
        prompt.Replace("{Content}", "2 + 2", StringComparison.Ordinal)
            .ShouldBe(encoder.Tokenizer.Decode(encoder.EncodePrompt([Tokenization.ChatMessage.User("2 + 2")])));
    }

    [Fact]
    public void The_licence_of_a_text_is_known_by_its_words() => CompanionFiles.Read(source.Path).Licence.ShouldBe("apache-2.0");

    [Theory]
    [InlineData("LICENSE", "MIT License\n\nCopyright (c) 2026 Somebody", "mit")]
    [InlineData("COPYING.txt", "Copyright 2026 Somebody\n\n   Apache License\n   Version 2.0, January 2004", "apache-2.0")]
    [InlineData("LICENSE", "# The MIT License (MIT)", "mit")]
    [InlineData("LICENSE", "GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007", "gpl-3.0")]
    [InlineData("LICENSE", "GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3\n as the GNU GENERAL PUBLIC LICENSE", null)]
    [InlineData("LICENSE", "GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3\n as the GNU GENERAL PUBLIC LICENSE", null)]
    [InlineData("LICENSE", "Modified MIT License\n\nPermission is hereby granted, free of charge, without restriction", null)]
    [InlineData("LICENSE", "OUR LICENSE\nParts stand under the Apache License, Version 2.0.", null)]
    [InlineData("NOTICE", "Apache License\nVersion 2.0", null)]
    public void The_title_of_a_licence_says_which_it_is(string name, string text, string? licence)
    {
        using var place = new TemporaryFolder();
        place.File(name, text);
        CompanionFiles.Read(place.Path).Licence.ShouldBe(licence);
    }

    [Fact]
    public void Two_licences_that_differ_are_neither()
    {
        using var place = new TemporaryFolder();
        place.File("LICENSE-CODE", "MIT License");
        place.File("LICENSE-MODEL", "OUR MODEL LICENSE");
        CompanionFiles.Read(place.Path).Licence.ShouldBeNull();
    }

    [Theory]
    [InlineData(null, null, ExportPrecision.Int8, "base_model_relation: quantized")]
    [InlineData(null, "lora", ExportPrecision.Int8, "base_model_relation: finetune")]
    [InlineData("a teacher", null, ExportPrecision.Int8, "base_model_relation: finetune")]
    [InlineData(null, null, ExportPrecision.Single, null)]
    public void The_header_says_what_the_model_is_to_its_base(string? teacher, string? adapter, ExportPrecision precision, string? relation)
    {
        ModelPackage.Write(
            folder.Path, TinyModels.Weights(A), Files,
            new() { Name = "m", BaseModel = "someone/base", Teacher = teacher, Adapter = adapter }, new() { Precision = precision });
        string card = File.ReadAllText(folder.File("README.md"));
        if (relation is null) card.ShouldNotContain("base_model_relation");
        else card.ShouldContain($"\n{relation}\n");
        card.Contains("- distillation", StringComparison.Ordinal).ShouldBe(teacher is not null);
    }

    [Fact]
    public void Sampling_values_that_are_none_are_refused_with_the_files_name()
    {
        source.File("generation_config.json", """{"temperature": "hot", "do_sample": 1}""");
        string message = Should.Throw<InvalidDataException>(() => CompanionFiles.Read(source.Path)).Message;
        message.ShouldContain("generation_config.json");
        message.ShouldContain("temperature is \"hot\", not a number");
        message.ShouldContain("do_sample is 1, not true or false");
    }

    [Theory]
    [InlineData(SafeTensorType.Float32), InlineData(SafeTensorType.BFloat16), InlineData(SafeTensorType.Float16)]
    public void Safetensors_open_again_as_the_same_model(SafeTensorType type)
    {
        var weights = TinyModels.Weights(A);
        HuggingFacePackage.Write(
            folder.Path, weights, Files, new() { Name = "m", BaseModel = "someone/base", License = "apache-2.0" }, CompanionFiles.None,
            new(type, MaxShardBytes: 20_000));
        File.Exists(folder.File("model.safetensors.index.json")).ShouldBeTrue();
        var opened = Checkpoint.Open(folder.Path);
        opened.Warnings.ShouldBeEmpty();
        (opened.Architecture with { EndTokenIds = A.EndTokenIds }).ShouldBe(A);
        var read = opened.LoadWeights();
        foreach (var spec in ParameterMap.For(A))
        {
            var values = weights[spec.Name].ToArray();
            read[spec.Name].ToArray().ShouldBe(values.Select(value => type switch
            {
                SafeTensorType.Float16 => (float)(Half)value,
                SafeTensorType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)StoredNumbers.BFloat16Bits(value) << 16),
                _ => value,
            }), spec.Name);
        }

        string card = File.ReadAllText(folder.File("README.md"));
        card.ShouldStartWith("---\nlicense: apache-2.0\nbase_model: someone/base\nlibrary_name: transformers\n");
    }

    private static IEnumerable<int> Ids(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. document.RootElement.GetProperty("eos_token_id").EnumerateArray().Select(id => id.GetInt32())];
    }

    private void Write(bool isSafetensors)
    {
        var (weights, companions) = (TinyModels.Weights(A), CompanionFiles.Read(source.Path));
        var description = new PackageDescription { Name = "a model of mine" };
        if (isSafetensors) HuggingFacePackage.Write(folder.Path, weights, Files, description, companions, CheckpointStorage.Default);
        else ModelPackage.Write(folder.Path, weights, Files, description, ExportOptions.Default, companions);
    }
}
