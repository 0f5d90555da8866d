using System.Text.Json;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>A pretraining of a few steps from recipe to model folder.</summary>
public sealed class PretrainCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string recipe;

    public PretrainCommandTests() => recipe = folder.File("tiny.yaml", """
        kind: pretrain
        name: tiny
        output: tiny
        tokenizer: { vocabulary_size: 300 }
        architecture: { hidden_size: 16, layers: 1, heads: 2, key_value_heads: 1, head_size: 8, intermediate_size: 32 }
        data: { families: [{ name: arithmetic }] }
        training: { steps: 3, sequences_per_step: 4, threads: 1 }
        """);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void It_leaves_a_model_and_tells_machines_how_it_went()
    {
        var run = CommandLineRun.Of("pretrain", recipe, "--runs", Path.Combine(folder.Path, "runs"), "--json");
        run.Code.ShouldBe(0, run.Out);
        var events = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        string[] names = [.. events.Select(line => line.GetProperty("event").GetString()!)
            .Where(name => name != "progress")]; // comes when it is due
        names.ShouldBe(["run_started", "planned", "stage_started", "metric", "metric", "metric", "stage_finished", "run_finished"]);
        File.Exists(Path.Combine(events[^1].GetProperty("modelFolder").GetString()!, "model.safetensors")).ShouldBeTrue();
    }

    [Fact]
    public void Interrupted_it_says_how_to_go_on()
    {
        var run = CommandLineRun.With("", new CancellationToken(canceled: true), "pretrain", recipe, "--runs",
            Path.Combine(folder.Path, "runs"), "--set", "seed=4");
        run.Code.ShouldBe(130);
        run.Error.ShouldContain("Continue with: distill resume tiny ");
        File.ReadAllText(Path.Combine(folder.Path, "runs", "tiny", "recipe.yaml")).ShouldContain("seed: 4"); // which resume goes by
    }

    [Fact]
    public void A_folder_of_something_else_is_not_emptied()
    {
        string mine = folder.File("runs/tiny/mine.txt", "mine");
        var run = CommandLineRun.Of("pretrain", recipe, "--runs", Path.Combine(folder.Path, "runs"));
        run.Code.ShouldBe(2);
        File.Exists(mine).ShouldBeTrue();
    }
}
