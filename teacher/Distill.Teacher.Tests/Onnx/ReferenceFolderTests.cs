using Distill.Generation;

namespace Distill.Teacher.Tests.Onnx;

public sealed class ReferenceFolderTests : ReferenceFolderContract
{
    public static TheoryData<string> Names => ReferenceCase.Names;

    private protected override IEnumerable<string> Cases => ReferenceCase.All;

    private protected override ITokenModel Load(ReferenceCase reference) => reference.Load();
}
