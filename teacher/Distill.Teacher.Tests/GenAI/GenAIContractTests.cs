using Distill.Generation;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Onnx;

namespace Distill.Teacher.Tests.GenAI;

public sealed class GenAISessionContractTests : SessionContract
{
    public static TheoryData<string> Names => FixtureFolder.Rows(ReferenceCase.OfGenAI);

    private protected override ITokenModel Load(ReferenceCase reference) => GenAIFolders.Load(reference);
}

public sealed class GenAIReferenceFolderTests : ReferenceFolderContract
{
    public static TheoryData<string> Names => FixtureFolder.Rows(ReferenceCase.OfGenAI);

    private protected override IEnumerable<string> Cases => ReferenceCase.OfGenAI;

    private protected override ITokenModel Load(ReferenceCase reference) => GenAIFolders.Load(reference);
}

public sealed class GenAIHostileFolderTests : HostileFolderContract
{
    public static TheoryData<string> Folders => FixtureFolder.Rows("genai/hostile");

    private protected override ITokenModel Load(ModelFolder folder) =>
        GenAITokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
}

internal static class GenAIFolders
{
    public static GenAITokenModel Load(ReferenceCase reference) =>
        GenAITokenModel.Load(reference.Open(), new OnnxModelOptions { IntraOpThreads = 1, AllowSpinning = false });
}
