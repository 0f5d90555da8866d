using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Tests.Package;

/// <summary>
/// A folder run by hand with what its card says and nothing else: the file, the inputs with their types and shapes, the prompt's ids and
/// the ids that end. The tokens are those of the engine.
/// </summary>
public sealed partial class CardRunTests
{
    private const int Most = 24;
    private static readonly TokenizerFiles Files =
        TokenizerFiles.Read(Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner"));

    [Theory]
    [InlineData("qwen3", ExportPrecision.Single)]
    [InlineData("llama", ExportPrecision.Single)]
    [InlineData("smollm3", ExportPrecision.Int8)]
    [InlineData("qwen2", ExportPrecision.Int4)]
    [InlineData("llama", ExportPrecision.Half)]
    public void The_cards_words_give_the_engines_tokens(string family, ExportPrecision precision)
    {
        using var folder = new TemporaryFolder();
        var a = TinyModels.Family(family) with { VocabularySize = 600, MaxPositions = 256, EndTokenIds = new([5, 9]) };
        ModelPackage.Write(folder.Path, TinyModels.Weights(a), Files, new() { Name = "tiny" }, new() { Precision = precision });
        Follow(folder.Path, Most).ShouldBe(Engine(folder.Path, Most));
    }

    [Fact]
    public void The_cards_words_give_a_real_models_tokens()
    {
        string source = Path.Combine(RepositoryFolder.Root, "student", "models", "tiny-base");
        using var folder = new TemporaryFolder();
        var checkpoint = Checkpoint.Open(source);
        using (var opened = checkpoint.OpenWeights())
            ModelPackage.Write(folder.Path, opened.Weights, checkpoint.Tokenizer!, new() { Name = "base" });
        int[] found = Follow(folder.Path, 40);
        found.ShouldNotBeEmpty();
        found.ShouldBe(Engine(folder.Path, 40));
    }

    // Knows only the card's text and ONNX Runtime.
    private static int[] Follow(string folder, int most)
    {
        string card = File.ReadAllText(Path.Combine(folder, "README.md"));
        string byHand = card[card.IndexOf("## By hand", StringComparison.Ordinal)..];
        using var session = OnnxRun.Open(Path.Combine(folder, File_().Match(byHand).Groups["file"].Value));
        var ports = Ports().Matches(byHand).Select(row => new Port(row)).ToList();
        var pasts = ports.Where(port => port.Name.StartsWith("past", StringComparison.Ordinal)).ToList();
        long[] empty = [.. Numbers(Empty().Match(byHand).Groups["shape"].Value)];
        string ids = Ends().Match(byHand).Groups["ids"].Value;
        int[] ends = [.. Numbers(ids.Replace("`", "", StringComparison.Ordinal)).Select(id => (int)id)];
        const string before = "and its ids:";
        long[] feed = [.. Numbers(byHand[byHand.IndexOf(before, StringComparison.Ordinal)..].Split("\n`")[0][before.Length..])];
        var past = pasts.SelectMany(port => port.Names()).ToDictionary(name => name, _ => (Data: Array.Empty<byte>(), Shape: empty));
        List<int> found = [];
        for (int seen = feed.Length; found.Count < most; seen++)
        {
            int next = Step(session, feed, seen, past, pasts[0].Type);
            if (ends.Contains(next)) break;
            found.Add(next);
            feed = [next];
        }

        return [.. found];
    }

    private static int Step(
        InferenceSession session, long[] feed, int seen, Dictionary<string, (byte[] Data, long[] Shape)> past, string type)
    {
        var element = type == "float16" ? TensorElement.Half : TensorElement.Single;
        var inputs = past.ToDictionary(pair => pair.Key, pair => element.Of(pair.Value.Data, pair.Value.Shape));
        inputs["input_ids"] = OrtValue.CreateTensorValueFromMemory(feed, [1, feed.Length]);
        inputs["attention_mask"] = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, seen).ToArray(), [1, seen]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, inputs, session.OutputNames);
        foreach (var input in inputs.Values) input.Dispose();
        int next = -1;
        for (int i = 0; i < session.OutputNames.Count; i++)
        {
            string name = session.OutputNames[i];
            long[] shape = outputs[i].GetTensorTypeAndShape().Shape;
            if (name != "logits")
            {
                past[name.Replace("present", "past_key_values", StringComparison.Ordinal)] = (element.Bytes(outputs[i]), shape);
                continue;
            }

            var last = outputs[i].GetTensorDataAsSpan<float>()[^(int)shape[^1]..];
            next = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(last);
        }

        return next;
    }

    private static int[] Engine(string folder, int most)
    {
        var opened = ModelFolder.Open(folder);
        var encoder = opened.LoadEncoder();
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        int[] prompt = encoder.EncodePrompt([Tokenization.ChatMessage.User("What is 3 + 4?")]);
        var request = new GenerationRequest { Prompt = prompt, MaxNewTokens = most, StopTokens = encoder.EndTokens, Seeds = [0] };
        return [.. new BatchGenerator(model, slots: 1).Complete([request])[0][0].Tokens.Where(token => !encoder.EndTokens.Contains(token))];
    }

    private static IEnumerable<long> Numbers(string text) =>
        text.Split([',', '\n', ' '], StringSplitOptions.RemoveEmptyEntries).Select(word => long.Parse(word, CultureInfo.InvariantCulture));

    private sealed record Port(string Name, string Type, int Last)
    {
        public Port(Match row) : this(
            row.Groups["name"].Value, row.Groups["type"].Value,
            row.Groups["last"] is { Success: true, Value: var last } ? int.Parse(last, CultureInfo.InvariantCulture) : 0)
        {
        }

        public IEnumerable<string> Names() =>
            Enumerable.Range(0, Last + 1).Select(n => Name.Replace(".N.", $".{n}.", StringComparison.Ordinal));
    }

    private sealed record TensorElement(Func<byte[], long[], OrtValue> Of, Func<OrtValue, byte[]> Bytes)
    {
        public static TensorElement Single { get; } = Make<float>();

        public static TensorElement Half { get; } = Make<Float16>();

        private static TensorElement Make<T>() where T : unmanaged => new(
            (data, shape) => OrtValue.CreateTensorValueFromMemory(
                System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(data).ToArray(), shape),
            value => System.Runtime.InteropServices.MemoryMarshal.AsBytes(value.GetTensorDataAsSpan<T>()).ToArray());
    }

    [GeneratedRegex("^`(?<file>[^`]+)`, with its data beside it", RegexOptions.Multiline)]
    private static partial Regex File_();

    [GeneratedRegex(
        @"^\| `(?<name>[^`]+)`(, for N from 0 to (?<last>\d+))? \| (?<type>\w+) \| \[(?<shape>[^\]]*)\] \|", RegexOptions.Multiline)]
    private static partial Regex Ports();

    [GeneratedRegex(@"an empty tensor of shape \[(?<shape>[^\]]+)\]")]
    private static partial Regex Empty();

    [GeneratedRegex("End with any of the ids (?<ids>[`0-9, ]+), or")]
    private static partial Regex Ends();
}
