using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>Broken folders that ONNX Runtime would often load and run: each must be refused, by name and with a reason.</summary>
public sealed class HostileFolderTests
{
    public static TheoryData<string> Folders
    {
        get
        {
            var data = new TheoryData<string>();
            string? root = FixtureFolder.Root is { } fixtures ? Path.Combine(fixtures, "genai", "hostile") : null;
            foreach (string folder in Directory.Exists(root) ? Directory.GetDirectories(root).Order().ToArray() : []) data.Add(Path.GetFileName(folder));
            if (data.Count == 0) data.Add("absent");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_broken_folder_is_refused_with_a_reason(string name)
    {
        string folder = Path.Combine(FixtureFolder.Require("genai"), "hostile", name);
        Assert.SkipUnless(Directory.Exists(folder), "No broken folder found.");
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "expected.json")));
        JsonElement expected = document.RootElement;
        using var copy = new TemporaryFolder();
        if (expected.TryGetProperty("symlink", out JsonElement links) && links.ValueKind == JsonValueKind.Object) folder = CopyWithLinks(folder, copy.Path, links);

        switch (expected.GetProperty("expected").GetString())
        {
            case "accept" or "refuse-or-cpu":
                Generate(folder).Tokens.ShouldNotBeEmpty();
                break;
            case "nan-detected":
                Should.Throw<InvalidDataException>(() => Generate(folder)).Message.ShouldContain("not finite");
                break;
            default:
                var fault = Should.Throw<InvalidDataException>(() => Generate(folder));
                fault.Message.ShouldContain(name);
                break;
        }
    }

    private static Completion Generate(string folder)
    {
        var opened = ModelFolder.Open(folder);
        opened.LoadTokenizer().VocabularySize.ShouldBeGreaterThan(0);
        using var model = OnnxTokenModel.Load(opened, new OnnxModelOptions { IntraOpThreads = 1 });
        return new Generator(model).Complete([new GenerationRequest { Prompt = [5, 6, 7], MaxNewTokens = 4, Seeds = [0] }])[0][0];
    }

    private static string CopyWithLinks(string folder, string target, JsonElement links)
    {
        string copy = Path.Combine(target, Path.GetFileName(folder));
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(folder)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        foreach (JsonProperty link in links.EnumerateObject())
        {
            File.Delete(Path.Combine(copy, link.Name));
            File.CreateSymbolicLink(Path.Combine(copy, link.Name), Path.Combine(folder, link.Value.GetString()!));
        }

        return copy;
    }
}
