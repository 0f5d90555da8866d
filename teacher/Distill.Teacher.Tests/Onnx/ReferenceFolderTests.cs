using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>Folders written by the official builder, against the logits and greedy tokens recorded beside them.</summary>
public sealed class ReferenceFolderTests
{
    private static readonly OnnxModelOptions OneThread = new() { IntraOpThreads = 1 };

    public static TheoryData<string> Folders => FixtureFolder.Rows("genai", SharesItsCache);

    [Theory]
    [MemberData(nameof(Folders))]
    public void Greedy_tokens_equal_the_reference_one_by_one_and_together(string name)
    {
        var (folder, reference) = Open(name);
        using var _ = reference;
        using var model = OnnxTokenModel.Load(folder, OneThread);
        GenerationRequest[] requests = [.. reference.RootElement.GetProperty("prompts").EnumerateArray().Select(prompt => new GenerationRequest
        {
            Prompt = Ints(prompt.GetProperty("ids")),
            MaxNewTokens = reference.RootElement.GetProperty("steps").GetInt32(),
            StopTokens = Ints(reference.RootElement.GetProperty("stop_ids")),
            Seeds = [0],
        })];
        int[][] expected = [.. reference.RootElement.GetProperty("greedy").GetProperty("ort").EnumerateArray().Select(Ints)];
        foreach (int slots in (int[])[1, 5, 16])
        {
            var completions = new Generator(model, new GeneratorOptions { Slots = slots }).Complete(requests);
            for (int i = 0; i < expected.Length; i++) completions[i][0].Tokens.ShouldBe(expected[i], $"{name}, prompt {i}, {slots} slots");
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Logits_equal_the_reference_at_every_stored_position(string name)
    {
        var (folder, reference) = Open(name);
        using var _ = reference;
        var tensors = new SafeTensorFile(Path.Combine(folder, "reference.safetensors"));
        using var model = OnnxTokenModel.Load(folder, OneThread);
        using var session = model.Open(1, model.MaxLength);
        int[][] prompts = [.. reference.RootElement.GetProperty("prompts").EnumerateArray().Select(prompt => Ints(prompt.GetProperty("ids")))];
        bool lastOnly = name.Contains("prune", StringComparison.Ordinal);
        for (int i = 0; i < prompts.Length; i++)
        {
            if (!tensors.Has($"ort.logits.{i}")) continue;
            float[] logits = new float[(lastOnly ? 1 : prompts[i].Length) * model.VocabularySize];
            session.Clear(0);
            session.Prefill(0, prompts[i], logits);
            float[] expected = tensors.Floats($"ort.logits.{i}");
            long[] positions = tensors.Longs($"positions.{i}");
            double largest = expected.Max(Math.Abs), difference = 0;
            for (int p = 0; p < positions.Length; p++)
            {
                int row = lastOnly ? 0 : (int)positions[p];
                for (int token = 0; token < model.VocabularySize; token++)
                    difference = Math.Max(difference, Math.Abs(logits[(row * model.VocabularySize) + token] - expected[(p * model.VocabularySize) + token]));
            }

            difference.ShouldBeLessThanOrEqualTo(1e-4 * largest, $"{name}, prompt {i}");
        }
    }

    private static bool SharesItsCache(string folder)
    {
        string reference = Path.Combine(folder, "reference.json");
        return File.Exists(reference) && File.ReadAllText(reference).Contains("GroupQueryAttention", StringComparison.Ordinal);
    }

    private static (string Folder, JsonDocument Reference) Open(string name)
    {
        string folder = FixtureFolder.Require("genai", name);
        return (folder, JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json"))));
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}
