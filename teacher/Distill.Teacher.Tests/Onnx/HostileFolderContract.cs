using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>
/// Broken folders that ONNX Runtime would often load and run: each must be refused, by name and with a reason, by every backend.
/// </summary>
public abstract class HostileFolderContract
{
    [Theory]
    [MemberData("Folders")]
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

    private protected abstract ITokenModel Load(ModelFolder folder);

    private protected ITokenModel Load(string folder)
    {
        var opened = ModelFolder.Open(folder);
        opened.LoadTokenizer().VocabularySize.ShouldBeGreaterThan(0);
        return Load(opened);
    }

    private Completion Generate(string folder)
    {
        using var model = Load(folder);
        return new BatchGenerator(model).Complete([new GenerationRequest { Prompt = [5, 6, 7], MaxNewTokens = 4, Seeds = [0] }])[0][0];
    }

    private protected static string CopyWithLinks(string folder, string target, JsonElement links)
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
