using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>Broken folders that ONNX Runtime would often load and run: each must be refused, by name and with a reason.</summary>
public sealed class HostileFolderTests
{
    public static TheoryData<string> Folders => FixtureFolder.Rows("genai/hostile");

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_broken_folder_is_refused_with_a_reason(string name)
    {
        string folder = FixtureFolder.Require("genai", "hostile", name);
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "expected.json")));
        JsonElement expected = document.RootElement;
        using var copy = new TemporaryFolder();
        if (expected.TryGetProperty("symlink", out JsonElement links) && links.ValueKind == JsonValueKind.Object)
            folder = CopyWithLinks(folder, copy.Path, links);

        switch (expected.GetProperty("expected").GetString())
        {
            case "accept" or "refuse-or-cpu":
                Generate(folder).Tokens.ShouldNotBeEmpty();
                break;
            case "nan-detected":
                Should.Throw<InvalidDataException>(() => Generate(folder)).Message.ShouldContain("not finite");
                break;
            default:
                Should.Throw<InvalidDataException>(() => Load(folder).Dispose()).Message.ShouldContain(name);
                break;
        }
    }

    public static TheoryData<string> BrokenGraphs =>
        FixtureFolder.Rows("genai/hostile", path => ExpectedOf(path) == "refuse" && IsGraphsFault(Path.GetFileName(path)));

    /// <summary>The same broken graphs and data files, described by config.json only.</summary>
    [Theory]
    [MemberData(nameof(BrokenGraphs))]
    public void A_broken_graph_is_refused_without_genai_config_too(string name)
    {
        string folder = FixtureFolder.Require("genai", "hostile", name);
        using var copy = new TemporaryFolder();
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "expected.json")));
        document.RootElement.TryGetProperty("symlink", out JsonElement links);
        string bare = CopyWithLinks(folder, copy.Path, links);
        File.Delete(Path.Combine(bare, ModelFolder.ConfigurationFile));
        Should.Throw<InvalidDataException>(() => Load(bare).Dispose()).Message.ShouldContain(name);
    }

    private static string? ExpectedOf(string path) => File.Exists(Path.Combine(path, "expected.json"))
        ? JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "expected.json"))).RootElement.GetProperty("expected").GetString()
        : null;

    private static bool IsGraphsFault(string name) =>
        !name.StartsWith("config-", StringComparison.Ordinal) && !name.StartsWith("tokenizer-", StringComparison.Ordinal)
            && !name.EndsWith("-filename", StringComparison.Ordinal)
        && name is not ("custom-ops-library" or "past-pattern" or "no-past-inputs" or "session-option-folder");

    private static OnnxTokenModel Load(string folder)
    {
        var opened = ModelFolder.Open(folder);
        opened.LoadTokenizer().VocabularySize.ShouldBeGreaterThan(0);
        return OnnxTokenModel.Load(opened, new OnnxModelOptions { IntraOpThreads = 1 });
    }

    private static Completion Generate(string folder)
    {
        using var model = Load(folder);
        return new BatchGenerator(model).Complete([new GenerationRequest { Prompt = [5, 6, 7], MaxNewTokens = 4, Seeds = [0] }])[0][0];
    }

    private static string CopyWithLinks(string folder, string target, JsonElement links)
    {
        string copy = Path.Combine(target, Path.GetFileName(folder));
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(folder)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        if (links.ValueKind != JsonValueKind.Object) return copy;
        foreach (JsonProperty link in links.EnumerateObject())
        {
            File.Delete(Path.Combine(copy, link.Name));
            File.CreateSymbolicLink(Path.Combine(copy, link.Name), Path.Combine(folder, link.Value.GetString()!));
        }

        return copy;
    }
}
