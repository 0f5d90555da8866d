using Distill.Hub;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>Models of a recipe that lie on the Hub.</summary>
public sealed class HubRecipeTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private static readonly string Text = SampleRecipe.Text
        .Replace("model: teacher", "model: \"hf://owner/big@v2/onnx-cpu\"", StringComparison.Ordinal)
        .Replace("base: base", "base: hf://owner/small", StringComparison.Ordinal);

    private readonly TemporaryFolder folder = SampleRecipe.Folder();
    private readonly List<string> pulled = [];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void They_are_pulled_each_with_what_it_is_needed_for()
    {
        var recipe = Parse(Text);
        pulled.ShouldBe(["hf://owner/big@v2/onnx-cpu Any", "hf://owner/small Checkpoint"]);
        recipe.Teacher.Model.ShouldBe(folder.File("teacher"));
        recipe.Student.Base.ShouldBe(folder.File("base"));
        ExternalInputs.OriginOf(recipe, ExternalInputs.Teacher).ShouldBe($"hf://owner/big@{Commit}/onnx-cpu");
        ExternalInputs.OriginOf(recipe, ExternalInputs.Base).ShouldBe($"hf://owner/small@{Commit}");
    }

    [Fact]
    public void Nothing_is_pulled_for_a_recipe_with_a_mistake()
    {
        var problems = Should.Throw<InvalidRecipeException>(() => Parse(Text + "\nsftt: {}")).Problems;
        problems.ShouldHaveSingleItem().Path.ShouldBe("sftt");
        pulled.ShouldBeEmpty();
    }

    [Fact]
    public void The_resolved_recipe_names_the_commit_and_reads_back_as_the_same()
    {
        var recipe = Parse(Text);
        string yaml = RecipeWriter.ToYaml(recipe, folder.Path);
        yaml.ShouldContain($"hf://owner/big@{Commit}/onnx-cpu");
        yaml.ShouldContain($"hf://owner/small@{Commit}");
        pulled.Clear();
        RecipeWriter.ToYaml(Parse(yaml), folder.Path).ShouldBe(yaml);
        pulled.ShouldBe([$"hf://owner/big@{Commit}/onnx-cpu Any", $"hf://owner/small@{Commit} Checkpoint"]);
    }

    [Fact]
    public void A_data_set_needs_no_student()
    {
        var recipe = Parse(Text, makesStudent: false);
        pulled.ShouldBe(["hf://owner/big@v2/onnx-cpu Any"]);
        RecipeWriter.ToYaml(recipe, folder.Path).ShouldContain("hf://owner/small");
    }

    [Theory]
    [InlineData("hf://gpt2", "owner and name are both needed")]
    [InlineData("hf://datasets/owner/set", "a data set")]
    [InlineData("hf://owner/small@../x", "can be no branch")]
    public void What_is_no_model_of_the_Hub_is_a_problem_of_the_recipe(string written, string expected)
    {
        string text = SampleRecipe.Text.Replace("base: base", $"base: \"{written}\"", StringComparison.Ordinal);
        var problem = Should.Throw<InvalidRecipeException>(() => Parse(text)).Problems.ShouldHaveSingleItem();
        problem.Path.ShouldBe("student.base");
        problem.Fault.ShouldContain(expected);
        pulled.ShouldBeEmpty();
    }

    [Fact]
    public void Existing_traces_may_be_a_data_set_of_the_Hub()
    {
        string text = "traces: { from: \"hf://datasets/owner/steps\" }\n"
            + SampleRecipe.Text.Replace("teacher: { model: teacher, samples: 2 }\n", "", StringComparison.Ordinal);
        var recipe = Parse(text);
        recipe.Traces.From.ShouldBe(folder.File("teacher"));
        pulled.ShouldBe(["hf://datasets/owner/steps Traces"]);
        var problem = Should.Throw<InvalidRecipeException>(() => Parse(text.Replace("datasets/", "", StringComparison.Ordinal)))
            .Problems.ShouldHaveSingleItem();
        (problem.Path, problem.Fault).ShouldBe(("traces.from", "a model, where a data set is needed: hf://datasets/owner/name"));
        ModelName.Of($"/c/hub/datasets--owner--steps/snapshots/{Commit}").ShouldBe("steps");
    }

    [Fact]
    public void What_was_pulled_has_to_hold_what_the_option_needs()
    {
        File.Delete(folder.File("base/tokenizer.json"));
        Should.Throw<InvalidRecipeException>(() => Parse(Text)).Problems.ShouldHaveSingleItem().Fault.ShouldContain("tokenizer.json");
    }

    [Fact]
    public void The_digest_covers_what_was_pulled_and_not_what_else_lies_there()
    {
        var memory = new Storage.DigestMemory(null, TimeProvider.System);
        string digest = ExternalInputs.DigestOf(folder.File("base"), memory);
        folder.File("base/pytorch_model.bin", "somebody else's");
        var recipe = Parse(Text);
        ExternalInputs.DigestOf(recipe.Student.Base, memory, recipe.Pulled.FilesOf("student.base")).ShouldBe(digest);
        ExternalInputs.DigestOf(recipe.Student.Base, memory).ShouldNotBe(digest);
    }

    [Fact]
    public void A_model_in_a_cache_is_called_like_its_repository()
    {
        ModelName.Of($"/c/hub/models--owner--name/snapshots/{Commit}").ShouldBe("name");
        ModelName.Of($"/c/hub/models--owner--name/snapshots/{Commit}/onnx").ShouldBe("name");
        ModelName.Of("/models/tiny-base/").ShouldBe("tiny-base");
    }

    private DistillationRecipe Parse(string text, bool makesStudent = true) =>
        (DistillationRecipe)RecipeFile.Parse(text, "sample.yaml", folder.Path, [], makesStudent, new Source(folder, pulled));

    private sealed class Source(TemporaryFolder folder, List<string> pulled) : IModelSource
    {
        public HubSnapshot Pull(HubReference reference, PulledModel kind)
        {
            pulled.Add($"{reference} {kind}");
            string prefix = reference.Path.Length > 0 ? reference.Path + "/" : "";
            string place = folder.File(kind == PulledModel.Checkpoint ? "base" : "teacher");
            string[] files = kind == PulledModel.Checkpoint ? ["config.json", "tokenizer.json"] : ["genai_config.json", "tokenizer.json"];
            return new HubSnapshot(reference.At(Commit), place, [.. files.Select(file => prefix + file)], 4, 0);
        }
    }
}
