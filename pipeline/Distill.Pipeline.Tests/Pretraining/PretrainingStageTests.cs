using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Pretraining;

public sealed class PretrainingStageTests : IDisposable
{
    private const string Recipe = """
        { kind: pretrain, name: tiny, seed: 5, output: OUTPUT, tokenizer: { vocabulary_size: 300 },
          architecture: { hidden_size: 16, layers: 1, heads: 1, head_size: 16, intermediate_size: 16, max_positions: 256 },
          data: { solutions: true, families: [ { name: arithmetic, level: 1 } ] }, training: { steps: 5, sequences_per_step: 4 } }
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_interrupted_pretraining_continues_to_the_same_model_and_log()
    {
        Run("whole", int.MaxValue);
        Should.Throw<OperationCanceledException>(() => Run("cut", stopAfter: 2));
        Run("cut", int.MaxValue);
        foreach (string file in (string[])["model.safetensors", "training.jsonl", "tokenizer.json", "config.json"])
        {
            File.ReadAllBytes(Path.Combine(folder.Path, "cut", file))
                .ShouldBe(File.ReadAllBytes(Path.Combine(folder.Path, "whole", file)), file);
        }
    }

    [Fact]
    public void Another_recipe_does_not_throw_a_started_training_away()
    {
        Should.Throw<OperationCanceledException>(() => Run("cut", stopAfter: 2));
        Run("cut", int.MaxValue, "training.steps=6").ShouldStartWith("not done yet");
        Run("cut", int.MaxValue).ShouldBe("continues at step 3 of 5");
    }

    [Fact]
    public void A_folder_that_is_no_model_of_ours_is_not_replaced()
    {
        string precious = folder.File("whole/thesis.txt", "do not delete");
        Should.Throw<RunRefusedException>(() => Run("whole", int.MaxValue)).Message.ShouldContain("did not make");
        File.ReadAllText(precious).ShouldBe("do not delete");
    }

    [Fact]
    public void A_start_of_another_shape_is_refused_by_name()
    {
        string start = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
        Should.Throw<InvalidDataException>(() => Run("whole", int.MaxValue, $"start={start}")).Message.ShouldContain("another shape");
    }

    [Fact]
    public void A_plan_of_hours_does_not_say_seconds_where_nothing_was_measured()
    {
        var recipe = RecipeFile.Load(Path.Combine(RepositoryFolder.Root, "recipes/tiny-base.yaml"), null);
        var stage = PipelineRun.Plan(recipe, new RunOptions { RunsFolder = folder["runs"] }).Stages.Single();
        stage.Seconds.ShouldNotBeNull().ShouldBeGreaterThan(600); // what is done around a token alone
    }

    [Fact]
    public void A_larger_model_is_predicted_to_take_as_much_longer_as_it_is_larger()
    {
        Run("whole", int.MaxValue);
        var (same, measured) = Predicted("seed=6");
        var (larger, predicted) = Predicted("seed=6", "architecture.hidden_size=128", "architecture.intermediate_size=256");
        larger.ShouldBeGreaterThan(4 * same);
        predicted.ShouldBe(measured * larger / same, 0.01 * predicted);

        (long Parameters, double Seconds) Predicted(params string[] overrides)
        {
            var recipe = (PretrainRecipe)RecipeFile.Parse(
                Recipe.Replace("OUTPUT", "other", StringComparison.Ordinal), "tiny.yaml", folder.Path, overrides);
            var plan = PipelineRun.Plan(recipe, new RunOptions { RunsFolder = folder["runs-whole"] });
            return (recipe.Architecture.ToDecoder(recipe.Tokenizer.VocabularySize).ParameterCount, plan.Stages.Single().Seconds!.Value);
        }
    }

    /// <returns>Why the training was done.</returns>
    private string Run(string name, int stopAfter, params string[] overrides)
    {
        var recipe = (PretrainRecipe)RecipeFile.Parse(
            Recipe.Replace("OUTPUT", name, StringComparison.Ordinal), "tiny.yaml", folder.Path, overrides);
        using var stop = new CancellationTokenSource();
        var observer = new RecordingObserver { AfterStep = step => { if (step == stopAfter) stop.Cancel(); } };
        var options = new RunOptions { RunsFolder = Path.Combine(folder.Path, "runs-" + name) };
        PipelineRun.Run(recipe, options, observer, TimeProvider.System, stop.Token).ModelFolder.ShouldBe(Path.Combine(folder.Path, name));
        return observer.ReasonOf("pretrain");
    }
}
