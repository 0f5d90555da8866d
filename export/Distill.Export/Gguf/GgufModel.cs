using Distill.Architecture;
using Distill.Export.Package;
using Distill.Storage;

namespace Distill.Export.Gguf;

/// <summary>What was written.</summary>
/// <param name="Architecture">With every end token.</param>
/// <param name="Notes">What llama.cpp does otherwise, and which matrices are stored wider than asked for: sentences, usually none.</param>
internal sealed record GgufSummary(DecoderArchitecture Architecture, long Bytes, IReadOnlyList<string> Notes);

/// <summary>
/// Writes a model as one GGUF file, which llama.cpp loads, and what is built on it. The same inputs give
/// the same bytes.
/// </summary>
internal static class GgufModel
{
    public const string Extension = ".gguf";

    /// <summary>The file appears under its name when it is whole and flushed to disk; until then what was there stays.</summary>
    /// <param name="path">In a folder that exists.</param>
    /// <exception cref="InvalidDataException">llama.cpp cannot compute the model or read its texts as it was trained; says why.</exception>
    /// <exception cref="IOException">The disk has no room for the file, or refuses it.</exception>
    public static GgufSummary Write(
        string path, WeightSet weights, TokenizerFiles tokenizer, PackageDescription description, GgufPrecision precision)
    {
        var a = weights.Architecture with { EndTokenIds = ModelPackage.EndTokensOf(weights.Architecture, tokenizer) };
        GgufArchitecture.Require(a);
        tokenizer.RequireFits(TokenizerFiles.TokenizerName, a.VocabularySize);
        var metadata = General(description, a, precision);
        GgufArchitecture.Describe(metadata, a);
        List<string> notes = [.. GgufTokenizer.Describe(metadata, tokenizer, a)];
        if (!description.IsPlain)
            notes.Add("It was spoken to in training in a way that a GGUF file does not hold (a system message, examples or template "
                + "options); distill.json of an ONNX export says how.");
        var tensors = DecoderTensors.Of(a, precision);
        int wider = precision == GgufPrecision.Half ? 0 : tensors.Count(tensor => tensor.Type == GgufType.Half);
        if (wider > 0)
            notes.Add($"{wider} matrices are stored as f16: {precision.Name()} needs rows of whole blocks of {GgufTypes.BlockLength}.");
        var writer = new GgufWriter(metadata, tensors);
        DiskSpace.Require(Path.GetDirectoryName(Path.GetFullPath(path))!, writer.TotalBytes);
        ReplacedFile.Write(Path.GetFullPath(path), stream =>
        {
            writer.Write(stream, weights);
            stream.Flush();
            Check(path, stream, writer.TotalBytes, tensors);
        });
        return new(a, writer.TotalBytes, notes);
    }

    private static GgufMetadata General(PackageDescription description, DecoderArchitecture a, GgufPrecision precision)
    {
        var metadata = new GgufMetadata();
        metadata.Add("general.architecture", GgufArchitecture.NameOf(a));
        metadata.Add("general.type", "model");
        metadata.Add("general.name", description.Name);
        metadata.Add("general.license", description.License);
        metadata.Add("general.file_type", precision.FileType());
        metadata.Add("general.quantization_version", 2L); // of the block formats; the only one there is today
        return metadata;
    }

    // What a reader finds is what was laid out; a disk that lies is found here rather than by whoever loads the file.
    private static void Check(string path, Stream stream, long bytes, IReadOnlyList<GgufTensor> tensors)
    {
        stream.Position = 0;
        var file = GgufFile.Read(path, stream);
        long length = stream.Length;
        bool equal = length == bytes && file.Tensors.Count == tensors.Count && file.Tensors.Zip(tensors, (found, laid) =>
            found.Name == laid.Name && found.Type == laid.Type && found.Shape.SequenceEqual(laid.Shape)).All(same => same);
        if (!equal)
            throw new InvalidDataException(
                $"'{path}' is not what was written: {length:N0} bytes of {bytes:N0}. Check the disk, and export again.");
    }
}
