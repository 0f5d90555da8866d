using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Parity;

public sealed class GraphPrecisionTests
{
    // The numbers decide what the gate asks for, and the name of the file says nothing about them.
    [Theory]
    [InlineData(ExportPrecision.Single, false)]
    [InlineData(ExportPrecision.Single, true)]
    [InlineData(ExportPrecision.Half, false)]
    [InlineData(ExportPrecision.Int8, false)]
    [InlineData(ExportPrecision.Int8, true)]
    [InlineData(ExportPrecision.Int4, false)]
    [InlineData(ExportPrecision.Int4, true)]
    public void It_is_read_off_the_operators_and_their_constants(ExportPrecision precision, bool portable)
    {
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, TinyModels.Weights(TinyModels.Qwen3), TinyModels.Tokenizer(TinyModels.Qwen3.VocabularySize),
            new PackageDescription { Name = "tiny" }, new() { Precision = precision, Portable = portable, DynamicInt8 = true });
        GraphPrecision.Of(ModelFolder.Open(folder.Path)).ShouldBe(precision);
        GraphPrecision.Of(ModelFolder.Open(folder.Path, "onnx/model_quantized.onnx")).ShouldBe(ExportPrecision.Int8);
    }
}
