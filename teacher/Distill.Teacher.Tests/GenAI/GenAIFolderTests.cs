using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.GenAI;

/// <summary>
/// The committed teacher, an export of this project, with ONNX Runtime GenAI; and what of a folder GenAI must not be given.
/// </summary>
public sealed class GenAIFolderTests
{
    private static readonly OnnxModelOptions s_oneThread = new() { IntraOpThreads = 1, AllowSpinning = false };

    [Fact]
    public void An_export_of_ours_says_the_same_with_both_engines_sampled_and_greedy()
    {
        using var folder = new TemporaryFolder();
        TinyReasoner.Copy(folder.Path);
        using var own = OnnxTokenModel.Load(folder.Path, s_oneThread);
        using var other = GenAITokenModel.Load(folder.Path, s_oneThread);
        (other.VocabularySize, other.MaxLength).ShouldBe((own.VocabularySize, own.MaxLength));
        var encoder = TinyReasoner.Encoder;
        GenerationRequest[] requests =
        [
            .. from question in (string[])[TinyReasoner.Question, "What is 17 - 9?", "Compute 6 * 7 + 1."]
               from temperature in (double[])[0, 0.7]
               select new GenerationRequest
               {
                   Prompt = encoder.EncodePrompt([ChatMessage.User(question)]), MaxNewTokens = 60,
                   StopTokens = [.. encoder.EndTokens], Seeds = temperature > 0 ? [1, 2, 3] : [0], TopLogProbabilities = 4,
                   Sampling = new SamplingOptions { Temperature = temperature },
               },
        ];
        var expected = new BatchGenerator(own, slots: 4).Complete(requests).SelectMany(row => row).ToList();
        var actual = new BatchGenerator(other, slots: 4).Complete(requests).SelectMany(row => row).ToList();
        actual.Count.ShouldBe(expected.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            actual[i].Tokens.ShouldBe(expected[i].Tokens, $"completion {i}");
            for (int t = 0; t < expected[i].Tokens.Count; t++)
                actual[i].LogProbabilities[t].ShouldBe(expected[i].LogProbabilities[t], 1e-4f, $"completion {i}, token {t}");
        }
    }

    [Fact]
    public void Both_engines_run_over_one_runtime_that_reports_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks into /proc.");
        using var own = TinyReasoner.Open();
        using var folder = new TemporaryFolder();
        using var other = GenAITokenModel.Load(TinyReasoner.Copy(folder.Path), s_oneThread);
        string[] mapped = [.. File.ReadAllLines("/proc/self/maps").Select(line => Path.GetFileName(line)).Distinct()];
        mapped.Count(name => name.StartsWith("libonnxruntime.so", StringComparison.Ordinal)).ShouldBe(1);
        mapped.Count(name => name.StartsWith("libonnxruntime-genai.so", StringComparison.Ordinal)).ShouldBe(1);
        mapped.ShouldNotContain(name => name.StartsWith("onnxruntime", StringComparison.Ordinal) && name.Contains(".db"));
    }

    [Theory]
    [InlineData("speculative", "speculative")]
    [InlineData("model/draft", "model.draft")]
    [InlineData("model/decoder/pipeline", "model.decoder.pipeline")]
    [InlineData("model/decoder/session_options/optimized_model_filepath", "model.decoder.session_options.optimized_model_filepath")]
    [InlineData("model/decoder/session_options/enable_profiling", "model.decoder.session_options.enable_profiling")]
    [InlineData("model/decoder/session_options/ep.context_file_path", "model.decoder.session_options.ep.context_file_path")]
    public void What_a_folder_may_not_ask_of_the_library_is_refused_by_name(string place, string name)
    {
        using var folder = new TemporaryFolder();
        TinyReasoner.Copy(folder.Path);
        string file = Path.Combine(folder.Path, ModelFolder.ConfigurationFile);
        var root = JsonNode.Parse(File.ReadAllText(file))!;
        string[] keys = place.Split('/');
        keys[..^1].Aggregate(root, (node, key) => node[key]!)[keys[^1]] = "x";
        File.WriteAllText(file, root.ToJsonString());
        OnnxTokenModel.Load(folder.Path, s_oneThread).Dispose();
        string message = Should.Throw<InvalidDataException>(() => GenAITokenModel.Load(folder.Path, s_oneThread)).Message;
        message.ShouldContain(file);
        message.ShouldContain($"{name} is nothing that Distill lets a model folder ask");
        File.Exists(Path.Combine(folder.Path, "x")).ShouldBeFalse();
    }

    [Fact]
    public void A_folder_without_its_configuration_is_refused_and_told_why()
    {
        using var folder = new TemporaryFolder();
        TinyReasoner.Copy(folder.Path);
        File.Delete(Path.Combine(folder.Path, ModelFolder.ConfigurationFile));
        Should.Throw<InvalidDataException>(() => GenAITokenModel.Load(folder.Path, s_oneThread)).Message
            .ShouldContain("ONNX Runtime GenAI needs genai_config.json, and this folder is described by config.json only");
    }

    [Fact]
    public void Rows_over_the_budget_are_refused_with_what_to_do()
    {
        using var folder = new TemporaryFolder();
        using var model = GenAITokenModel.Load(TinyReasoner.Copy(folder.Path), s_oneThread with { MaxCacheBytes = 1 << 20 });
        model.Open(1, 8).Dispose();
        string message = Should.Throw<ArgumentException>(() => model.Open(64, 512)).Message;
        foreach (string part in (string[])["64 slots", "512 tokens", $"{1 << 20:N0} are allowed", "fewer slots", "MaxCacheBytes"])
            message.ShouldContain(part);
    }
}
