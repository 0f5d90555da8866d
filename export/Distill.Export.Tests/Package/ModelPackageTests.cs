using System.Security.Cryptography;
using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Package;

public sealed class ModelPackageTests
{
    private static readonly DecoderArchitecture A = TinyModels.Qwen3;
    private static readonly PackageDescription Description =
        new() { Name = "tiny", Digests = new Dictionary<string, string> { ["recipe"] = "abc" } };

    [Fact]
    public void The_folder_holds_what_its_readers_look_for()
    {
        using var folder = Written();
        Files(folder).ShouldBe(
        [
            "README.md", "chat_template.jinja", "config.json", "distill.json", "genai_config.json", "generation_config.json",
            "inference_model.json", "onnx/model.onnx", "onnx/model.onnx_data",
            "tokenizer.json", "tokenizer_config.json",
        ]);
    }

    [Fact]
    public void Our_engine_opens_it_and_its_cache_is_sound()
    {
        using var folder = Written();
        Should.NotThrow(() => PackageCheck.Run(folder.Path));
        var configuration = ModelFolder.Open(folder.Path).Configuration;
        (configuration.Type, configuration.Layers, configuration.KeyValueHeads, configuration.HeadSize).ShouldBe(("qwen3", 2, 2, 16));
        (configuration.ReasoningStartTokenId, configuration.ReasoningEndTokenId, configuration.EosTokenIds[0]).ShouldBe((48, 49, 1));
    }

    // A chat model that may end with either of two tokens must do so wherever it is opened.
    [Fact]
    public void Every_end_token_is_in_every_file_that_names_one()
    {
        var a = A with { EndTokenIds = new([1, 3]), PadTokenId = null };
        using var folder = Written(TinyModels.Weights(a));
        Ids("config.json", "eos_token_id").ShouldBe([1, 3]);
        Ids("generation_config.json", "eos_token_id").ShouldBe([1, 3]);
        Ids("genai_config.json", "model", "eos_token_id").ShouldBe([1, 3]);
        ModelFolder.Open(folder.Path).Configuration.EosTokenIds.ShouldBe([1, 3]);
        DecoderConfigJson.Read(folder.File("config.json")).EndTokenIds.ShouldBe(a.EndTokenIds);

        IEnumerable<int> Ids(string file, params string[] path)
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(folder.File(file)));
            var found = path.Aggregate(document.RootElement, (element, name) => element.GetProperty(name));
            return [.. found.EnumerateArray().Select(id => id.GetInt32())];
        }
    }

    [Fact]
    public void The_check_finds_weights_that_are_not_numbers()
    {
        var values = ParameterMap.For(A).ToDictionary(p => p.Name, p => TinyModels.Weights(A)[p.Name].ToArray());
        values["model.layers.1.mlp.up_proj.weight"][5] = float.NaN;
        using var folder = Written(new WeightSet(A, values));
        Should.Throw<InvalidDataException>(() => PackageCheck.Run(folder.Path)).Message.ShouldContain("not finite");
    }

    [Fact]
    public void The_check_finds_a_data_file_that_is_cut_short()
    {
        using var folder = Written();
        string data = folder.File("onnx/model.onnx_data");
        File.WriteAllBytes(data, File.ReadAllBytes(data)[..^100]);
        Should.Throw<InvalidDataException>(() => PackageCheck.Run(folder.Path));
    }

    [Fact]
    public void Every_key_of_genai_config_is_one_that_the_official_builder_writes_with_the_same_type()
    {
        string official = FixtureFolder.RequireFile("genai", "qwen3-fp32", "genai_config.json");
        using var folder = Written();
        var expected = Kinds(official);
        var actual = Kinds(folder.File("genai_config.json"));
        foreach (var (path, kind) in actual) expected.ShouldContainKeyAndValue(path, kind);
        expected.Keys.Except(actual.Keys).ShouldBe(["/model/bos_token_id"]); // this model has no such token
    }

    [Fact]
    public void Config_json_announces_the_data_file_to_transformers_js_and_still_reads_as_the_architecture()
    {
        using var folder = Written();
        using var config = JsonDocument.Parse(File.ReadAllBytes(folder.File("config.json")));
        config.RootElement.GetProperty("transformers.js_config").GetProperty("use_external_data_format").GetProperty("model.onnx")
            .GetInt32().ShouldBe(1);
        config.RootElement.GetProperty("transformers.js_config").GetProperty("dtype").GetString().ShouldBe("fp32");
        DecoderConfigJson.Read(folder.File("config.json")).ShouldBe(A);
    }

    [Fact]
    public void Provenance_names_inputs_and_size_and_digest_of_every_file()
    {
        using var folder = Written();
        using var provenance = JsonDocument.Parse(File.ReadAllBytes(folder.File("distill.json")));
        provenance.RootElement.GetProperty("digests").GetProperty("recipe").GetString().ShouldBe("abc");
        var files = provenance.RootElement.GetProperty("files").EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
        files.Keys.ShouldBe(Files(folder).Except(["README.md", "distill.json"]));
        foreach (var (file, entry) in files)
        {
            byte[] bytes = File.ReadAllBytes(folder.File(file));
            entry.GetProperty("bytes").GetInt64().ShouldBe(bytes.Length);
            entry.GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
    }

    [Fact]
    public void The_same_inputs_give_the_same_bytes()
    {
        using var one = Written();
        using var two = Written();
        foreach (string file in Files(one)) File.ReadAllBytes(one.File(file)).ShouldBe(File.ReadAllBytes(two.File(file)), file);
    }

    [Fact]
    public void A_tokenizer_that_does_not_fit_is_refused()
    {
        using var folder = new TemporaryFolder();
        var tooLarge = TinyModels.Tokenizer(51);
        var refused = Should.Throw<InvalidDataException>(() =>
            ModelPackage.Write(folder.Path, TinyModels.Weights(A), tooLarge, Description));
        refused.Message.ShouldContain("Vocabulary mismatch");
    }

    private static TemporaryFolder Written(WeightSet? weights = null)
    {
        var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights ?? TinyModels.Weights(A), TinyModels.Tokenizer(A.VocabularySize), Description);
        return folder;
    }

    private static List<string> Files(TemporaryFolder folder) =>
        [.. Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder.Path, path))
            .Order(StringComparer.Ordinal)];

    private static Dictionary<string, JsonValueKind> Kinds(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var kinds = new Dictionary<string, JsonValueKind>();
        void Visit(string at, JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Object)
                foreach (var property in element.EnumerateObject()) Visit($"{at}/{property.Name}", property.Value);
            else kinds.Add(at, element.ValueKind);
        }

        Visit("", document.RootElement);
        return kinds;
    }
}
