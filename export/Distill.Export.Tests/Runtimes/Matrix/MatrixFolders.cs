using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Gguf;
using Distill.Export.Package;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Runtimes.Matrix;

/// <summary>
/// The exports that the matrix runs, made when they are first asked for: every family that a student knows in fp32, four of them in every
/// format. Weights and tokens are those of the golden values where they are at hand, else random ones.
/// </summary>
public sealed class MatrixFolders : IDisposable
{
    private const int Steps = 16, Prompts = 2;

    // Between them they have everything that a format could write in another way: norms of heads, biases, windows, plain layers.
    private static readonly string[] s_whole = ["qwen3", "llama-bias", "qwen2-window", "smollm3"];

    private readonly TemporaryFolder root = new();
    private readonly Lazy<IReadOnlyList<MatrixFolder>> small;

    public MatrixFolders() => small = new(() => [.. Families().SelectMany(Export)]);

    internal IReadOnlyList<MatrixFolder> Small => small.Value;

    public void Dispose() => root.Dispose();

    /// <summary>One format of a model, in a folder that the caller disposes.</summary>
    /// <param name="words">Tokenizer of the GGUF file, which knows fewer kinds of them.</param>
    internal static MatrixFolder Export(
        string folder, string family, WeightSet weights, TokenizerFiles tokenizer, TokenizerFiles words, MatrixFormat format,
        IReadOnlyList<int[]> prompts, int steps)
    {
        var description = new PackageDescription { Name = family };
        var options = format.OptionsFor(weights, prompts);
        ModelPackage.Write(folder, weights, tokenizer, description, options);
        var bare = new MatrixFolder(family, format, folder, []);
        bare = bare with { GgufFault = WriteGguf(bare, weights, words, description) };
        var expected = PlainDecoding.Run(bare.GraphPath, weights.Architecture, prompts, steps);
        double rounding = format.BlockBits is { } bits
            ? PlainDecoding.RoundingOf(bare.GraphPath, Exact(weights, bits, options), weights.Architecture, expected) : 0;
        // Of the formats that round, some does, and none so much that any token would do.
        rounding.ShouldBeLessThan(0.12, $"{family}, {format}");
        if (format is { BlockBits: not null, Options.Portable: false }) rounding.ShouldBeGreaterThan(0, $"{family}, {format}");
        return bare with { Expected = expected, Rounding = rounding };
    }

    private static byte[] Exact(WeightSet weights, int bits, ExportOptions options) =>
        new DecoderGraph(weights.Architecture, new BlockFormat(bits, accuracyLevel: 0, options.Quantization)).ToBytes(weights);

    private static string? WriteGguf(MatrixFolder folder, WeightSet weights, TokenizerFiles words, PackageDescription description)
    {
        if (folder.Format.Gguf is not { } precision) return "No GGUF file has this form.";
        try
        {
            GgufModel.Write(folder.GgufPath, weights, words, description, precision);
            return null;
        }
        catch (InvalidDataException refused)
        {
            return refused.Message;
        }
    }

    private IEnumerable<MatrixFolder> Export(Family family)
    {
        bool isWhole = s_whole.Contains(family.Name);
        foreach (var format in MatrixFormat.All.Where(format => isWhole || format.IsPlain))
        {
            var folder = Export(root.File($"{family.Name}-{format.Name.Replace(' ', '-')}"), family.Name, family.Weights,
                TinyModels.Tokenizer(family.Weights.Architecture.VocabularySize), ByteTokenizer.Files, format, family.Prompts, Steps);
            // The reference decoded in fp32, and says what an export in fp32 must decode.
            if (format.Options.Precision == ExportPrecision.Single && format.Name != "q8" && family.Reference is { } reference)
                folder.Difference(reference, 1e-4).ShouldBeNull();
            yield return folder;
        }
    }

    private static IEnumerable<Family> Families()
    {
        var golden = FixtureFolder.Cases("hf").Where(folder => File.Exists(Path.Combine(folder, "reference.json"))).ToList();
        return golden.Count > 0 ? golden.DistinctBy(Path.GetFileName).Select(Golden) : TinyModels.Families.Select(Random);
    }

    private static Family Golden(string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "reference.json")));
        var runs = document.RootElement.GetProperty("greedy").EnumerateArray().Skip(2).Take(Prompts).ToList();
        return new(Path.GetFileName(folder), Checkpoint.Open(folder).LoadWeights(),
            [.. runs.Select(run => Ids(run.GetProperty("prompt")))], [.. runs.Select(run => Ids(run.GetProperty("greedy")))]);
    }

    private static Family Random(string name) => new(name,
        TinyModels.Weights(TinyModels.Family(name) with { HiddenSize = 64, IntermediateSize = 96, VocabularySize = 256 }),
        [[3, 1, 4, 5], [5, 9, 2, 6, 5, 3, 5]], null);

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];

    private sealed record Family(string Name, WeightSet Weights, IReadOnlyList<int[]> Prompts, IReadOnlyList<int[]>? Reference);
}
