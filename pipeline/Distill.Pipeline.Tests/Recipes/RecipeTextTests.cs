using System.Text;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>Files that are no recipe, and text that must not reach a terminal as it is.</summary>
public sealed class RecipeTextTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_byte_order_mark_is_skipped() =>
        Load([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(SampleRecipe.Text)]).Name.ShouldBe("sample");

    [Fact]
    public void Utf16_is_named_as_such()
    {
        Fault([0xFF, 0xFE, .. Encoding.Unicode.GetBytes(SampleRecipe.Text)]).ShouldContain("UTF-16");
        Fault([0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(SampleRecipe.Text)]).ShouldContain("UTF-16");
        Fault(Encoding.Unicode.GetBytes("name: x\n")).ShouldContain("UTF-16");
        Fault([0x6E, 0xFC, 0x6D]).ShouldContain("not UTF-8");
    }

    [Fact]
    public void A_file_beyond_the_bound_is_not_read() => Fault(new byte[(1 << 20) + 1]).ShouldContain("larger than");

    [Fact]
    public void A_folder_and_nothing_at_all_are_said()
    {
        Should.Throw<InvalidRecipeException>(() =>
            RecipeFile.Load(folder.Path)).Problems.ShouldHaveSingleItem().Fault.ShouldContain("a folder");
        Should.Throw<InvalidRecipeException>(() =>
            RecipeFile.Load(Path.Combine(folder.Path, "no.yaml"))).Problems.ShouldHaveSingleItem().Fault
            .ShouldContain("no such file");
    }

    [Fact]
    public void A_tab_is_called_one()
    {
        var problem = SampleRecipe.Problems(folder, "name: x\nsft:\n\tepochs: 3\n").ShouldHaveSingleItem();
        (problem.Place, problem.Fault).ShouldBe(("line 3", "a tab; YAML indents with spaces"));
    }

    [Fact]
    public void Control_characters_are_written_out()
    {
        string text = Should.Throw<InvalidRecipeException>(
            () => SampleRecipe.Parse(folder, SampleRecipe.Text.Replace("seed: 7", "seed: \"\\e[31m\\u202e\"", StringComparison.Ordinal),
                "sft.\u001b[2J=1")).Message;
        text.ShouldContain("\\u001b[31m\\u202e");
        text.ShouldContain("\\u001b[2J");
        text.Where(c => char.IsControl(c) && c != '\n').ShouldBeEmpty();
    }

    [Fact]
    public void A_moved_run_folder_still_finds_its_models()
    {
        using var elsewhere = new TemporaryFolder();
        string run = Path.Combine(folder.Path, "runs", "sample"),
            text = RecipeWriter.ToYaml(SampleRecipe.Parse(folder), run, isMovable: true);
        RecipeFile.Load<DistillationRecipe>(elsewhere.File("recipe.yaml", text)).Teacher.Model.ShouldBe(Path.Combine(folder.Path,
            "teacher"));
        string stays = RecipeWriter.ToYaml(SampleRecipe.Parse(folder), run);
        Should.Throw<InvalidRecipeException>(() => RecipeFile.Load(elsewhere.File("other.yaml", stays))).Problems.Count.ShouldBe(2);
    }

    private Recipe Load(byte[] bytes)
    {
        string path = Path.Combine(folder.Path, "recipe.yaml");
        File.WriteAllBytes(path, bytes);
        return RecipeFile.Load(path);
    }

    private string Fault(byte[] bytes) => Should.Throw<InvalidRecipeException>(() => Load(bytes)).Problems.ShouldHaveSingleItem().Fault;
}
