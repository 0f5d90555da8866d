using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Held-out looks, adapters and a smaller student through the real stages.</summary>
public sealed class StudentRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_training_with_held_out_loss_keeps_its_last_checkpoints_and_says_which_was_best()
    {
        var (_, observer) = SmallRun.Run(
            folder, new RunOptions { Until = "sft" },
            "sft.epochs=3", "sft.batch_tokens=256", "sft.held_out.every=2", "sft.held_out.share=0.2", "sft.held_out.keep=2",
            "answer_only.enabled=false");
        string stage = Path.Combine(folder.Path, "small/4-sft");
        var looks = File.ReadLines(Path.Combine(stage, "curve.jsonl"))
            .Select(line => JsonNode.Parse(line)!).Where(line => line["held_out_loss"] is not null)
            .Select(line => (Step: line["step"]!.GetValue<int>(), Loss: line["held_out_loss"]!.GetValue<double>())).ToList();
        looks.Count.ShouldBeGreaterThan(3);
        looks[^1].Loss.ShouldBeLessThan(looks[0].Loss);
        Directory.GetDirectories(Path.Combine(stage, "kept")).Select(Path.GetFileName).Order()
            .ShouldBe(looks.TakeLast(2).Select(look => $"step-{look.Step:D7}"));
        byte[] best = File.ReadAllBytes(Path.Combine(stage, "checkpoint/model.safetensors"));
        var (step, _) = looks.MinBy(look => look.Loss);
        if (looks.TakeLast(2).Any(look => look.Step == step))
            best.ShouldBe(File.ReadAllBytes(Path.Combine(stage, $"kept/step-{step:D7}/model.safetensors")));
        observer.ShouldNotBeNull();
    }

    [Fact]
    public void A_training_can_be_looked_at_by_accuracy()
    {
        SmallRun.Run(
            folder, new RunOptions { Until = "sft" },
            "sft.held_out.measure=accuracy", "sft.held_out.every=4", "sft.held_out.problems=4", "sft.held_out.max_tokens=48",
            "answer_only.enabled=false");
        File.ReadAllText(Path.Combine(folder.Path, "small/4-sft/curve.jsonl")).ShouldContain("held_out_accuracy");
    }

    [Fact]
    public void A_cut_base_trained_by_adapters_is_an_exported_student_with_its_parity()
    {
        var (result, _) = SmallRun.Run(
            folder, new RunOptions { Until = "parity" },
            "student.layers=3", "student.intermediate=128", "lora.rank=4", "sft.learning_rate=0.01", "rl.steps=0",
            "answer_only.enabled=false");
        result.ShouldNotBeNull();
        var whole = Checkpoint.Open(Path.Combine(RepositoryFolder.Root, "student/models/tiny-base")).Architecture;
        var student = Checkpoint.Open(Path.Combine(folder.Path, "small/4-sft/checkpoint")).Architecture;
        student.ShouldBe(whole with { Layers = 3, IntermediateSize = 128 });
        whole.Layers.ShouldBeGreaterThan(3);
        whole.IntermediateSize.ShouldBeGreaterThan(128);
        string curve = Path.Combine(folder.Path, "small/4-sft/curve.jsonl");
        double[] losses = [.. File.ReadLines(curve).Select(line => JsonNode.Parse(line)!["loss"]!.GetValue<double>())];
        losses[^1].ShouldBeLessThan(losses[0]);
    }
}
