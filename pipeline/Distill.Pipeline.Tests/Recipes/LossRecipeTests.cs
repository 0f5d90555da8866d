using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Supervised;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>Losses, rewards and alarms in a recipe: what is left out stays as it was, what is wrong is said all at once.</summary>
public sealed class LossRecipeTests : IDisposable
{
    private const string Everything = """

        soft_labels: { divergence: jensen_shannon }
        rl:
          ratio: sequence
          ratio_cap: 3
          aggregation: token_limit
          advantage: none
          reference_weight: 0.001
          mask_truncated: false
          resample_rounds: 2
          updates_per_batch: 4
          precision: mixed
          reference_correction: true
          top_entropy: 0.2
          rewards: { format: 0.1, length: 0.5, repetition: 0.2, skip_undecidable: true }
          alarms: { patience: 4 }
        """;

    private static readonly string[] SupervisedKeys = ["sft.average=sequence", "sft.dft=true", "sft.label_smoothing=0.1",
        "sft.z_loss=0.0001", "sft.entropy_bonus=0.01", "sft.rate_floor=0.1", "sft.cool_down=square_root", "sft.optimizer=muon"];

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_resolved_recipe_says_what_is_in_use_and_nothing_else()
    {
        string yaml = RecipeWriter.ToYaml(SampleRecipe.Parse(folder), folder.Path);
        foreach (string key in (string[])["ratio", "aggregation", "reference_weight", "surrogate", "average", "dft", "updates_per_batch",
            "rate_floor", "cool_down"])
            yaml.ShouldContain($" {key}:");
        foreach (string key in (string[])["soft_labels", "top_log_probabilities", "weight_average", "alarms", "rewards", "weight_cap",
            "gate_positive",
            "gate_negative", "top_entropy", "reference_correction", "teacher_weight", "ratio_cap"])
            yaml.ShouldNotContain($" {key}:");
    }

    [Fact]
    public void Every_key_reads_back_equal()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + Everything, "teacher.top_log_probabilities=16",
            "sft.weight_average=0.99");
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml", folder.Path);
        again.SoftLabels.ShouldBe(recipe.SoftLabels);
        again.Rl.ShouldBe(recipe.Rl);
        again.Teacher.TopLogProbabilities.ShouldBe(16);
        again.AnswerOnly.WeightAverage.ShouldBe(0.99);
    }

    [Fact]
    public void The_keys_of_fine_tuning_read_back_equal_and_are_inherited()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text, SupervisedKeys);
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml", folder.Path);
        again.Sft.ShouldBe(recipe.Sft);
        recipe.AnswerOnly.ToLoss().ShouldBe(new SupervisedLossOptions { Average = TokenAverage.Sequence, Rectified = true,
            LabelSmoothing = 0.1, PartitionWeight = 1e-4, EntropyBonus = 0.01 });
        recipe.AnswerOnly.ToOptions(null, null).Training.Optimizer.Muon.ShouldBeTrue();
        SampleRecipe.Parse(folder).Sft.ToOptions(null, null).Training.Optimizer.Muon.ShouldBeFalse();
        SampleRecipe.Parse(folder).Sft.ToLoss().ShouldBeNull();
        SampleRecipe.Parse(folder, SampleRecipe.Text, "sft.dft=false", "sft.z_loss=0").Sft.ToLoss().ShouldBeNull(); // said, and still plain
    }

    [Theory]
    [InlineData("rl.surrogate=capped", "weight_cap: 5")]
    [InlineData("rl.surrogate=sapo", "gate_positive: 1\n  gate_negative: 1.05")]
    [InlineData("rl.surrogate=vespo", "ratio: product")]
    public void A_surrogate_brings_its_numbers_and_reads_back_equal(string choice, string expected)
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text, choice);
        RecipeWriter.ToYaml(recipe, folder.Path).ShouldContain(expected);
        recipe.Rl.ToSurrogate().ShouldNotBeNull();
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml", folder.Path);
        again.Rl.ShouldBe(recipe.Rl);
    }

    [Fact]
    public void Every_problem_is_reported_at_once()
    {
        const string text = """

            soft_labels: { divergence: backward, temperature: 0, mixture: 2 }
            rl:
              ratio: word
              ratio_cap: 0.5
              resample_rounds: -1
              rewards: { format: much, length_margin: 5000 }
              alarms: { action: shout, windoww: 3 }
            """;
        SampleRecipe.Problems(folder, SampleRecipe.Text + text).Select(problem => problem.Path).ShouldBe(
            [
                "soft_labels", "soft_labels.divergence", "soft_labels.temperature", "soft_labels.mixture", "rl.ratio", "rl.ratio_cap",
                    "rl.resample_rounds",
                "rl.rewards.format", "rl.rewards.length_margin", "rl.alarms.action", "rl.alarms.windoww",
            ],
            ignoreOrder: true);
    }

    [Theory]
    [InlineData("soft_labels: {}", "soft_labels", "set teacher.top_log_probabilities")]
    [InlineData("soft_labels: { support: teacher_renormalised, divergence: reverse }\nteacher: { model: teacher, top_log_probabilities: "
        + "4 }", "soft_labels.support", "choose tail_bucket")]
    [InlineData("rl: { ratio_cap: 1.1 }", "rl.ratio_cap", "raise it")]
    [InlineData("rl: { surrogate: sapo, ratio_cap: 3 }", "rl.ratio_cap", "set rl.surrogate to clipped")]
    [InlineData("rl: { weight_cap: 3 }", "rl.weight_cap", "set rl.surrogate to capped")]
    [InlineData("rl: { surrogate: capped, gate_negative: 2 }", "rl.gate_negative", "set rl.surrogate to sapo")]
    [InlineData("rl: { surrogate: vespo, ratio: token }", "rl.ratio", "write product")]
    [InlineData("rl: { surrogate: cispo }", "rl.surrogate", "did you mean")]
    [InlineData("rl: { top_entropy: 0 }", "rl.top_entropy", "more than 0, at most 1")]
    [InlineData("rl: { teacher_weight: 1, advantage: none }", "rl.advantage", "leave one of the two out")]
    [InlineData("rl: { teacher_weight: 1, clip_low: 0.2 }", "rl.clip_low", "leave one of the two out")]
    [InlineData("rl: { teacher_weight: 1, rewards: { format: 1 } }", "rl.rewards", "leave one of the two out")]
    [InlineData("rl: { teacher_weight: 0 }", "rl.teacher_weight", "100")]
    [InlineData("rl: { teacher_divergence: reverse }", "rl.teacher_divergence", "set rl.teacher_weight")]
    [InlineData("rl: { preflight: stop }", "rl.preflight", "set rl.teacher_weight")]
    [InlineData("rl: { teacher_weight: 1, teacher_top: 8 }", "rl.teacher_top", "set rl.teacher_divergence")]
    [InlineData("rl: { teacher_weight: 1, teacher_divergence: forward, teacher_beta: 0.3 }", "rl.teacher_beta", "to jensen_shannon")]
    [InlineData("rl: { reference_correction: true }", "rl.reference_correction", "set rl.reference_weight")]
    [InlineData("rl: { rewards: { repetition_length: 4 } }", "rl.rewards.repetition_length", "set rl.rewards.repetition")]
    [InlineData("sft: { schedule: inverse_square_root, warmup: 0 }", "sft.warmup", "raise it above 0")]
    [InlineData("sft: { schedule: cosine, cool_down: cosine }", "sft.cool_down", "set schedule to trapezoid")]
    [InlineData("sft: { optimizer: muon }\nlora: { rank: 4 }", "sft.optimizer", "take lora out")]
    [InlineData("sft: { label_smoothing: 1 }", "sft.label_smoothing", "0..0.9")]
    [InlineData("sft: { z_loss: 0.1 }\nteacher: { model: teacher, top_log_probabilities: 4 }\nsoft_labels: {}", "sft.z_loss",
        "take soft_labels out")]
    public void What_does_not_go_together_is_refused_with_a_remedy(string text, string path, string remedy)
    {
        string sample = SampleRecipe.Text;
        if (text.Contains("\nteacher:", StringComparison.Ordinal)) sample = sample.Replace("teacher: { model: teacher, samples: 2 }\n", "",
            StringComparison.Ordinal);
        if (text.StartsWith("sft:", StringComparison.Ordinal)) sample = sample.Replace("sft: { learning_rate: 0.01 }", "",
            StringComparison.Ordinal);
        var problem = SampleRecipe.Problems(folder, sample + "\n" + text).ShouldHaveSingleItem();
        problem.Path.ShouldBe(path);
        problem.Remedy.ShouldContain(remedy);
    }
}
