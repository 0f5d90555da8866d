using System.Text.Json;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Distill.Teacher.Tests.Torch;

namespace Distill.Teacher.Tests.Generation;

public sealed class SamplerGoldenTests
{
    private static readonly string[] KnownOptions = ["temperature", "top_k", "top_p", "min_p", "repetition_penalty", "sequence_bias"];

    [Fact]
    public void Scores_kept_sets_and_choices_equal_the_reference()
    {
        string folder = FixtureFolder.Require("sampling");
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "processors.json")));
        var tensors = new SafeTensorFile(Path.Combine(folder, "processors.safetensors"));
        int vocabulary = tensors.Shape("logits")[1];
        float[] logits = tensors.Floats("logits");
        int[] history = [.. tensors.Longs("history").Select(id => (int)id)];
        double[] uniforms = [.. document.RootElement.GetProperty("uniforms").EnumerateArray().Select(u => u.GetDouble())];
        var sampler = new Sampler(vocabulary);
        int cases = 0;
        foreach (JsonElement @case in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (
                @case.GetProperty("options").EnumerateObject()
                    .Any(option => !KnownOptions.Contains(option.Name) || BiasesSequences(option)))
                continue;
            cases++;
            for (int row = 0; row < uniforms.Length; row++)
            {
                CheckRow(@case, tensors, sampler, row, logits.AsSpan(row * vocabulary, vocabulary),
                    history.AsSpan(row * (history.Length / uniforms.Length), history.Length / uniforms.Length), uniforms[row]);
            }
        }

        cases.ShouldBeGreaterThan(0);
    }

    private static void CheckRow(
        JsonElement @case, SafeTensorFile tensors, Sampler sampler, int row, ReadOnlySpan<float> logits, ReadOnlySpan<int> history,
        double uniform)
    {
        string name = @case.GetProperty("name").GetString()!, where = $"{name}, row {row}";
        if (Listed(@case, "undecided_rows", row) || Listed(@case, "empty_rows", row)) return;
        SamplingOptions options = OptionsOf(@case.GetProperty("options"));
        float[] actual = new float[logits.Length];
        sampler.Process(logits, options, history, actual);
        actual.Count(float.IsFinite).ShouldBe(@case.GetProperty("kept_count")[row].GetInt32(), where);
        if (Listed(@case, "tie_rows", row)) return;

        ReadOnlySpan<float> expected = tensors.Floats(name + "/scores").AsSpan(row * logits.Length, logits.Length);
        for (int token = 0; token < actual.Length; token++)
        {
            if (float.IsNegativeInfinity(expected[token])) actual[token].ShouldBe(float.NegativeInfinity, where);
            else Math.Abs(actual[token] - expected[token]).ShouldBeLessThanOrEqualTo(1e-5f * Math.Max(1, Math.Abs(expected[token])), where);
        }

        if (Listed(@case, "edge_rows_id", row)) return;
        CheckChoice(sampler.Choose(logits, options, history, uniform), @case, row, $"{where}, on the host");
        CheckChoice(
            TokenKernelTests.Choose(logits.ToArray(), new TokenQuery(options, uniform, history.ToArray(), 0)).Choice(0), @case, row,
            $"{where}, where the logits are");
    }

    private static void CheckChoice(TokenChoice choice, JsonElement @case, int row, string where)
    {
        choice.Token.ShouldBe(@case.GetProperty("chosen_id")[row].GetInt32(), where);
        ShouldBeNear(choice.LogProbability, "raw_logprob_id", 1e-5);
        ShouldBeNear(choice.ProcessedLogProbability, "processed_logprob_id", 1e-5);
        ShouldBeNear(choice.KeptMass, "kept_mass", 1e-6);

        void ShouldBeNear(double value, string key, double tolerance)
        {
            double reference = @case.GetProperty(key)[row].GetDouble();
            value.ShouldBe(reference, tolerance * Math.Max(1, Math.Abs(reference)), $"{where}: {key}");
        }
    }

    private static bool Listed(JsonElement @case, string key, int row) =>
        @case.GetProperty(key).EnumerateArray().Any(item => item.GetInt32() == row);

    // Several tokens are a rule about sequences, which a bias on logits is not.
    private static bool BiasesSequences(JsonProperty option) =>
        option.Name == "sequence_bias" && option.Value.EnumerateArray().Any(entry => entry[0].GetArrayLength() > 1);

    private static SamplingOptions OptionsOf(JsonElement options)
    {
        double Number(string key, double otherwise) => options.TryGetProperty(key, out JsonElement value) ? value.GetDouble() : otherwise;
        return new SamplingOptions
        {
            Temperature = Number("temperature", 1),
            TopK = (int)Number("top_k", 0),
            TopP = Number("top_p", 1),
            MinP = Number("min_p", 0),
            RepetitionPenalty = Number("repetition_penalty", 1),
            LogitBias = options.TryGetProperty("sequence_bias", out JsonElement biases)
                ? biases.EnumerateArray().ToDictionary(entry => entry[0][0].GetInt32(), entry => entry[1].GetSingle())
                : null,
        };
    }
}
