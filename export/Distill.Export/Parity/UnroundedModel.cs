using Distill.Architecture;
using Distill.Export.Package;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Export.Parity;

/// <summary>
/// A checkpoint served as the fp32 export of it, which the gate has no say in: for answers that need a cache to be had in time. In memory,
/// or from a temporary folder where one ONNX message cannot hold it. Dispose it.
/// </summary>
internal sealed class UnroundedModel : IDisposable
{
    private const long MostInMemory = 1_900_000_000;

    private readonly string? folder;

    /// <exception cref="InvalidDataException">
    /// The checkpoint cannot be exported, or has no tokenizer and is too large for memory.
    /// </exception>
    public UnroundedModel(Checkpoint checkpoint, TorchReferenceModel reference, OnnxModelOptions options)
    {
        var architecture = checkpoint.Architecture;
        var weights = reference.Parameters.View();
        if (architecture.ParameterCount * sizeof(float) <= MostInMemory)
        {
            Model = OnnxTokenModel.FromBytes(new DecoderGraph(architecture).ToBytes(weights), architecture.MaxPositions, options);
            return;
        }

        folder = Directory.CreateTempSubdirectory("distill-gate-").FullName;
        try
        {
            var tokenizer = checkpoint.Tokenizer ?? throw new InvalidDataException($"'{checkpoint.Folder}' has no tokenizer.");
            ModelPackage.Write(folder, weights, tokenizer, new PackageDescription { Name = "unrounded" });
            Model = OnnxTokenModel.Load(folder, options);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public ITokenModel Model { get; }

    public void Dispose()
    {
        Model.Dispose();
        if (folder is not null) Directory.Delete(folder, recursive: true);
    }
}
