using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

public sealed class HostileFolderTests : HostileFolderContract
{
    public static TheoryData<string> Folders => FixtureFolder.Rows("genai/hostile");

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

    [Fact]
    public void A_graph_that_declares_without_end_is_refused()
    {
        Refused(new OnnxMessage().Raw([.. Enumerable.Repeat((byte[])[0x5A, 0], 100_001).SelectMany(input => input)])); // 11, of no bytes
        Refused(new OnnxMessage().Message(12, OnnxMessage.Value("logits", 1, string.Join(' ', Enumerable.Repeat("1", 100_001)))));

        static void Refused(OnnxMessage graph) => Should.Throw<InvalidDataException>(
            () => GraphWalk.Read(new OnnxMessage().Message(7, graph).ToBytes())).Message.ShouldContain("more than 100000 inputs");
    }

    [Fact]
    public void A_tensor_that_says_without_end_where_it_lies_is_refused()
    {
        var tensor = new OnnxMessage();
        for (int i = 0; i <= 100; i++) tensor.Message(13, new OnnxMessage().Text(1, $"key {i}"));
        byte[] model = new OnnxMessage().Message(7, new OnnxMessage().Message(5, tensor)).ToBytes();
        Should.Throw<InvalidDataException>(() => GraphWalk.Read(model)).Message.ShouldContain("more than 100 things");
    }

    private static string? ExpectedOf(string path) => File.Exists(Path.Combine(path, "expected.json"))
        ? JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "expected.json"))).RootElement.GetProperty("expected").GetString()
        : null;

    private static bool IsGraphsFault(string name) =>
        !name.StartsWith("config-", StringComparison.Ordinal) && !name.StartsWith("tokenizer-", StringComparison.Ordinal)
            && !name.EndsWith("-filename", StringComparison.Ordinal)
        && name is not ("custom-ops-library" or "past-pattern" or "no-past-inputs" or "session-option-folder");

    private protected override ITokenModel Load(ModelFolder folder) =>
        OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
}
