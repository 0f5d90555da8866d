using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Gguf;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Tokenization;

namespace Distill.Export.Tests.Gguf;

/// <summary>A real model of 135 million parameters as GGUF: llama.cpp says what our engine says of the same numbers.</summary>
public sealed class GgufRealModelTests
{
    private const int Tokens = 32;

    // Llama.cpp rounds activations to 8 bits before it multiplies them with blocks, our engine does not: hence the tolerance.
    [Theory]
    [InlineData("f16", 6, 0.004, 1)]
    [InlineData("q8_0", 3, 0.06, 0.5)]
    [InlineData("q4_0", 3, 0.06, 0.3)]
    public void Greedy_tokens_are_those_of_the_engine(string precision, int count, double tolerance, double equal)
    {
        string folder = SharedModel.Require("smollm2-135m-instruct");
        var checkpoint = Checkpoint.Open(folder);
        using var place = new TemporaryFolder();
        string path = Path.Combine(place.Path, "model.gguf");
        GgufModel.Write(path, checkpoint.LoadWeights(), checkpoint.Tokenizer!, new PackageDescription { Name = "real" },
            GgufPrecisions.Parse(precision)!.Value);
        int[][] prompts = Prompts(folder, count);
        int[][] expected = Expected(path, checkpoint.Architecture, prompts, out float[][] logits);
        using var llama = LlamaModel.Load(path);
        int same = 0;
        for (int i = 0; i < prompts.Length; i++)
        {
            var (tokens, steps) = llama.Greedy(prompts[i], expected[i].Length);
            OnnxRun.RelativeDifference(steps[0], logits[i]).ShouldBeLessThan(tolerance, $"prompt {i}");
            same += GreedyAgreement.Require(expected[i], (tokens, steps), tolerance, $"prompt {i}");
        }

        int all = expected.Sum(row => row.Length);
        TestContext.Current.TestOutputHelper?.WriteLine($"{precision}: {same} of {all} tokens before the first tie");
        same.ShouldBeGreaterThanOrEqualTo((int)(equal * all), $"of {all} tokens");
    }

    [Fact]
    public void Rendered_chats_are_cut_as_in_training()
    {
        string folder = SharedModel.Require("smollm2-135m-instruct");
        using var place = new TemporaryFolder();
        string path = Path.Combine(place.Path, "words.gguf");
        var checkpoint = Checkpoint.Open(folder);
        var metadata = new GgufMetadata();
        metadata.Add("general.architecture", "llama");
        GgufArchitecture.Describe(metadata, checkpoint.Architecture);
        GgufTokenizer.Describe(metadata, checkpoint.Tokenizer!, checkpoint.Architecture);
        using (var stream = File.Create(path)) new GgufWriter(metadata, []).Write(stream, null!);
        using var llama = LlamaModel.Load(path, words: true);
        var template = ChatTemplate.Load(folder);
        llama.Handle.GetTemplate().ShouldBe(template.Source);
        string chat = template.Render(
            [ChatMessage.User("How many legs have 7 cats?"), ChatMessage.Assistant("28"), ChatMessage.User("And 8?")], true);
        llama.Encode(chat, whole: true).ShouldBe(Tokenizer.Load(folder).Encode(chat, allowSpecial: true));
    }

    // By the weights that are in the file, dequantised.
    private static int[][] Expected(string path, DecoderArchitecture architecture, int[][] prompts, out float[][] logits)
    {
        using var own = OnnxTokenModel.FromBytes(new DecoderGraph(architecture).ToBytes(GgufWeights.Read(path, architecture)), 1024);
        logits = [.. prompts.Select(prompt =>
        {
            float[] all = new float[prompt.Length * own.VocabularySize];
            using var session = own.Open(1, prompt.Length);
            session.Prefill(0, prompt, all);
            return all[^own.VocabularySize..];
        })];
        var requests = prompts.Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = Tokens, Seeds = [0] });
        return [.. new BatchGenerator(own).Complete([.. requests]).Select(row => row[0].Tokens.ToArray())];
    }

    private static int[][] Prompts(string folder, int count)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "reference.json")));
        return [.. document.RootElement.GetProperty("prompts").EnumerateArray()
            .Select(run => run.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray()).Take(count)];
    }
}
