using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Parity;

namespace Distill.Export.Package;

/// <summary>
/// distill.json: what the folder was made from and by what, the digest of every file that determines the model's output, and the
/// parity figures. No times and no paths, so that the same inputs give the same bytes.
/// </summary>
internal static class ProvenanceFile
{
    public const string Name = "distill.json";
    private const int Version = 1;

    /// <param name="files">Relative name and SHA-256 of each file.</param>
    public static byte[] Write(DecoderArchitecture architecture, ExportPrecision precision, PackageDescription description, IReadOnlyList<(string File, string Digest)> files) =>
        JsonText.Object(json =>
        {
            json.WriteNumber("version", Version);
            json.WriteString("name", description.Name);
            json.WriteString("precision", precision.Name());
            json.WriteNumber("parameters", architecture.ParameterCount);
            if (description.Teacher is { } teacher) json.WriteString("teacher", teacher);
            json.Object("tools", () =>
            {
                json.WriteString("distill", DecoderGraph.ProducerVersion);
                json.WriteString("onnxruntime", typeof(Microsoft.ML.OnnxRuntime.InferenceSession).Assembly.GetName().Version!.ToString(3));
            });
            json.Object("digests", () =>
            {
                foreach (var (role, digest) in description.Digests.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(role, digest);
            });
            json.Object("files", () =>
            {
                foreach (var (file, digest) in files) json.WriteString(file, digest);
            });
            if (description.Parity is { } parity) json.Object("parity", () => Write(json, parity));
        });

    private static void Write(Utf8JsonWriter json, ParityReport parity)
    {
        json.WriteBoolean("passed", parity.Passed);
        json.WriteNumber("maxAbsLogitDiff", parity.MaxAbsLogitDiff);
        json.WriteNumber("maxAbsLogit", parity.MaxAbsLogit);
        json.WriteNumber("positionsCompared", parity.PositionsCompared);
        json.WriteNumber("greedyTokensCompared", parity.GreedyTokensCompared);
        json.WriteNumber("greedyMismatches", parity.GreedyMismatches);
        json.WriteNumber("greedyTies", parity.GreedyTies);
        json.WriteNumber("relativeTolerance", parity.Tolerance.RelativeLogits);
        json.WriteNumber("mismatchShareAllowed", parity.Tolerance.MismatchShare);
    }
}
