using System.Text.Json;
using Distill.Architecture;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Handovers;

/// <summary>What another trainer made is taken back, measured, and told apart from what it did not make.</summary>
public sealed class ReturnedTests(PipelineRunTests.FinishedRun finished) : IClassFixture<PipelineRunTests.FinishedRun>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Runs => folder["runs"];

    private string Handed => folder["handed"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_changed_folder_in_bf16_and_many_files_is_exported_measured_and_its_way_is_told()
    {
        HandOver("sft");
        Save("trained", weights => weights, new CheckpointStorage(SafeTensorType.BFloat16, 200_000));
        Directory.EnumerateFiles(folder["trained"], "*.safetensors").Count().ShouldBeGreaterThan(1);
        var back = Back("trained");
        back.Code.ShouldBe(0, back.Error);

        string run = Path.Combine(Runs, "small-back");
        string[] stages = [.. RunCatalogue.Find(Runs, "small-back").Stages.Select(stage => stage.Name)];
        stages.ShouldContain("returned");
        stages.ShouldNotContain("sft"); // it takes its place,
        stages.ShouldNotContain("rl"); // and what went on from it is not trained again
        stages.ShouldContain("answer-only"); // is compared with
        RunCatalogue.Find(Runs, "small-back").State.ShouldBe("finished");
        File.Exists(Path.Combine(run, "model/onnx/model.onnx")).ShouldBeTrue();
        using var provenance = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "model/distill.json")));
        provenance.RootElement.GetRawText().ShouldContain("handed-over");

        var lineage = CommandLineRun.Of("lineage", "small-back", "--runs", Runs);
        lineage.Out.ShouldContain("sft by trl, handed over from small");
        lineage.Out.ShouldContain(Handed);
        lineage.Out.ShouldContain(folder["trained"]);
        var again = CommandLineRun.Of("resume", "small-back", "--runs", Runs);
        (again.Code, again.Error.Contains("not done yet", StringComparison.Ordinal)).ShouldBe((0, false));
    }

    [Fact]
    public void It_is_promoted_like_any_other_run()
    {
        HandOver("rl");
        Save("trained", weights => weights);
        Back("trained", "--set", $"promote={{ to: {JsonSerializer.Serialize(folder["mine"])}, first: any }}").Code.ShouldBe(0);
        File.Exists(folder["mine/genai_config.json"]).ShouldBeTrue();
        // The run's own, before what was handed over.
        RunCatalogue.Find(Runs, "small-back").Stages.Select(stage => stage.Name).ShouldContain("sft");
    }

    [Fact]
    public void Another_model_broken_weights_adapters_and_a_changed_hand_over_are_refused_with_the_reason()
    {
        HandOver("sft");
        TinyCheckpoint.Write(folder["other"]);
        Refusal("other").ShouldContain("is another model than was handed over: ");
        Save("broken", weights => Changed(weights, values => values[0] = float.NaN));
        Refusal("broken").ShouldContain("is not finite");
        folder.File("adapters/adapter_config.json", "{}");
        folder.File("adapters/config.json", "{}");
        Refusal("adapters").ShouldContain("merge them");
        Save("words", weights => weights);
        string tokenizer = folder["words/tokenizer.json"];
        File.WriteAllText(tokenizer, File.ReadAllText(tokenizer).Replace("\"<think>\"", "\"<thank>\"", StringComparison.Ordinal));
        Refusal("words").ShouldContain("another tokenizer");
        Save("template", weights => weights);
        File.AppendAllText(folder["template/chat_template.jinja"], "Hello.");
        Refusal("template").ShouldContain("another chat template");
        Save("good", weights => weights);
        File.AppendAllText(Path.Combine(Handed, "checkpoint/chat_template.jinja"), " ");
        Refusal("good").ShouldContain("is not what was handed over");
    }

    [Fact]
    public void Words_that_do_not_belong_together_are_usage()
    {
        HandOver("sft");
        CommandLineRun.Of("export", Handed, "--handover", Handed, "--out", folder["x"]).Error.ShouldContain("--out and --handover exclude");
        CommandLineRun.Of("export", Handed).Error.ShouldContain("Give --out DIR, or --handover DIR");
        CommandLineRun.Of("export", Handed, "--out", folder["x"], "--set", "seed=1").Error.ShouldContain("Give --handover");
        var none = CommandLineRun.Of("export", Handed, "--handover", folder.Path, "--runs", Runs);
        (none.Code, none.Error.Contains("is no hand-over", StringComparison.Ordinal)).ShouldBe((1, true));
    }

    private static WeightSet Changed(WeightSet weights, Action<float[]> change)
    {
        var values = ParameterMap.For(weights.Architecture).ToDictionary(p => p.Name, p => weights[p.Name].ToArray());
        change(values.Values.First());
        return new WeightSet(weights.Architecture, values.ToDictionary(pair => pair.Key, pair => (ReadOnlyMemory<float>)pair.Value));
    }

    private void HandOver(string stage)
    {
        SmallRun.Copy(finished.Folder.Path, Runs);
        var handed = CommandLineRun.Of("handover", "small", "--to", "trl", "--stage", stage, "--out", Handed, "--runs", Runs);
        handed.Code.ShouldBe(0, handed.Error);
    }

    // A trainer moves every weight a little.
    private void Save(string name, Func<WeightSet, WeightSet> change, CheckpointStorage? storage = null)
    {
        var handed = Checkpoint.Open(Path.Combine(Handed, "checkpoint"));
        var moved = Changed(handed.LoadWeights(), values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] *= 1.01f;
        });
        Checkpoint.Save(folder[name], change(moved), handed.Tokenizer, storage);
    }

    private CommandLineRun Back(string name, params string[] more) =>
        CommandLineRun.Of(["export", folder[name], "--handover", Handed, "--runs", Runs, .. more]);

    private string Refusal(string name)
    {
        var back = Back(name);
        back.Code.ShouldBe(1, back.Out);
        return back.Error;
    }
}
