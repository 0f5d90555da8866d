using Distill.Generation;
using Distill.Teacher.Tests.Onnx;

namespace Distill.Teacher.Tests.Torch;

public sealed class TorchSessionContractTests : SessionContract
{
    public static TheoryData<string> Names => ReferenceCase.NamesOfSharedCaches;

    private protected override ITokenModel Load(ReferenceCase reference) => reference.LoadInTorch();
}

public sealed class TorchReferenceFolderTests : ReferenceFolderContract
{
    public static TheoryData<string> Names => ReferenceCase.NamesOfSharedCaches;

    private protected override IEnumerable<string> Cases => ReferenceCase.All.Where(name => new ReferenceCase(name).SharesCache);

    private protected override ITokenModel Load(ReferenceCase reference) => reference.LoadInTorch();
}
