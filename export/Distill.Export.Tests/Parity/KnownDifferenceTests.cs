using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Export.Parity.Texts;
using Distill.Export.Runtimes;
using Distill.Export.Tests.Support;
using Distill.Generation.GenAI;
using Distill.Tokenization;

namespace Distill.Export.Tests.Parity;

/// <summary>Every entry is true still: of a real tokenizer, which parts digits one by one.</summary>
public sealed class KnownDifferenceTests
{
    [Fact]
    public void GenAI_reads_otherwise_what_it_is_known_to_and_nothing_else()
    {
        using var folder = Folder(out var encoder);
        using var model = GenAITokenModel.Load(folder.Path);
        using var tokenizer = model.OpenTokenizer();
        Check("genai", encoder, texts => [.. texts.Select(tokenizer.Encode)]);
    }

    [Fact]
    public async Task Transformers_js_reads_otherwise_what_it_is_known_to_and_nothing_else()
    {
        var runtime = TransformersRuntime.Find();
        Assert.SkipWhen(runtime is null, TransformersRuntime.Absence);
        using var folder = Folder(out var encoder);
        string[] whole = [.. SpotTexts.Plain, .. SpotTexts.WithControl(encoder.Tokenizer)];
        string[] texts = [.. whole, .. whole.Select(KnownDifferences.WithoutOtherDigits).Where(text => text.Length > 0)];
        var ids = await runtime!.EncodeAsync(folder.Path, texts, TestContext.Current.CancellationToken);
        Check(NodeRuntime.RuntimeName, encoder, asked => [.. asked.Select(text => ids[Array.IndexOf(texts, text)])]);
    }

    private static void Check(string name, ChatEncoder encoder, Func<IReadOnlyList<string>, IReadOnlyList<IReadOnlyList<int>>> encode)
    {
        var texts = TextComparison.Run(encoder, encoder, null, [], [new Words(name, encode)]).Runtimes!.Single();
        texts.Unknown.ShouldBeEmpty();
        texts.Known.ShouldBe(
            KnownDifferences.All.Where(entry => entry.Runtime == name).Select(entry => entry.Reason), ignoreOrder: true);
    }

    // The tokenizer of a real model around weights of no size.
    private static TemporaryFolder Folder(out ChatEncoder encoder)
    {
        var checkpoint = Checkpoint.Open(SharedModel.Require("smollm2-135m-instruct"));
        var a = TinyModels.Qwen3 with { VocabularySize = checkpoint.Architecture.VocabularySize, Layers = 1 };
        var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, TinyModels.Weights(a), checkpoint.Tokenizer!, new PackageDescription { Name = "tokens" });
        encoder = ChatEncoder.Load(folder.Path);
        return folder;
    }

    private sealed class Words(string name, Func<IReadOnlyList<string>, IReadOnlyList<IReadOnlyList<int>>> encode) : IExportedRuntime
    {
        public string Name => name;

        public IReadOnlyList<IReadOnlyList<int>> Greedy(
            IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens, IReadOnlyList<int> stopTokens, CancellationToken cancellation) =>
            [];

        public IReadOnlyList<IReadOnlyList<int>>? Encode(IReadOnlyList<string> texts, CancellationToken cancellation) => encode(texts);

        public void Dispose()
        {
        }
    }
}
