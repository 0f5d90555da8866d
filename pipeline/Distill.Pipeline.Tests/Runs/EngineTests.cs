using Distill.Data.Problems;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Teacher;

namespace Distill.Pipeline.Tests.Runs;

public sealed class EngineTests
{
    /// <summary>
    /// What makes a killed and continued run equal to an undisturbed one: a completion must not feel what is decoded beside it.
    /// </summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(7, 2)]
    [InlineData(60, 2)]
    public void Completions_are_equal_to_the_last_bit_for_any_number_of_slots_and_workers(int slots, int workers)
    {
        var expected = Generate(slots: 16, workers: 1);
        var actual = Generate(slots, workers);
        for (int i = 0; i < expected.Count; i++)
        {
            for (int sample = 0; sample < expected[i].Length; sample++)
            {
                actual[i][sample].Tokens.ShouldBe(expected[i][sample].Tokens);
                actual[i][sample].LogProbabilities.ShouldBe(expected[i][sample].LogProbabilities);
            }
        }
    }

    /// <summary>One checkpoint in the layouts of three exporters: ONNX Runtime GenAI, Optimum, transformers.js.</summary>
    [Theory]
    [InlineData("arith-fp32"), InlineData("optimum-arith"), InlineData("tjs-arith")]
    public void A_folder_of_another_exporter_is_opened_as_an_onnx_model(string name)
    {
        string folder = FixtureFolder.Require("genai", name);
        ServedModel.IsModelFolder(folder).ShouldBeTrue();
        using var engine = ServedModel.Open(folder, 2);
        var completion = new BatchGenerator(engine.Model).Complete([new GenerationRequest
        {
            Prompt = engine.Encoder.Tokenizer.Encode("Q: 12+7="), MaxNewTokens = 12, StopTokens = [engine.Encoder.EndToken], Seeds = [0],
        }])[0][0];
        completion.StopReason.ShouldBe(StopReason.StopToken);
        engine.Encoder.Tokenizer.Decode(completion.Tokens.ToArray(), skipSpecial: true).Trim().ShouldBe("A: 19");
    }

    [Fact]
    public void A_folder_that_is_no_model_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<InvalidDataException>(() => ServedModel.Open(folder.Path, 4)).Message.ShouldContain(folder.Path);
    }

    private static IReadOnlyList<Completion[]> Generate(int slots, int workers)
    {
        using var engine = ServedModel.Open(Path.Combine(RepositoryFolder.Root, "student/models/tiny-base"), slots);
        var problems = ProblemSet.Generate([new ProblemSetPart("arithmetic", 2), new ProblemSetPart("knights", 2)], 5, Split.Test, 20);
        var requests = problems.Select(problem => new GenerationRequest
        {
            Prompt = ProblemPrompt.Encode(engine.Encoder, problem, engine.Model.MaxLength),
            MaxNewTokens = 40,
            StopTokens = [engine.Encoder.EndToken],
            Sampling = new SamplingOptions { Temperature = 1 },
            Seeds = [1, 2, 3],
        }).ToList();
        return new BatchGenerator(engine.Model, slots: slots, workers: workers).Complete(requests);
    }
}
