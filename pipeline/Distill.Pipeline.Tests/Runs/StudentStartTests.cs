using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Where a student begins: a base without the marks of reasoning, and a checkpoint that is reinforced as it is.</summary>
public sealed class StudentStartTests : IDisposable
{
    private static readonly string[] Brief =
        ["problems.train=24", "sft.epochs=1", "rl.steps=1", "evaluation.samples=0", "parity.prompts=2", "answer_only.enabled=false"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_base_without_the_marks_of_reasoning_gets_them_where_the_recipe_says_so()
    {
        string plain = BaseWithoutMarks();
        string[] recipe = [.. Brief, $"student.base={plain}"];
        Should.Throw<InvalidRecipeException>(() => SmallRun.Run(folder, null, recipe)).Message.ShouldContain("student.add_tokens");
        SmallRun.Run(folder, null, [.. recipe, "student.add_tokens=true"]);
        foreach (string made in (string[])["4-sft/checkpoint", "5-rl/checkpoint", "model"])
        {
            var tokenizer = ChatEncoder.Load(Path.Combine(folder.Path, "small", made)).Tokenizer;
            tokenizer.IdOf(ThinkMarks.Open).ShouldNotBeNull(made);
            tokenizer.IdOf(ThinkMarks.Close).ShouldNotBeNull(made);
        }
    }

    [Fact]
    public void A_checkpoint_is_reinforced_without_fine_tuning()
    {
        var (_, observer) = SmallRun.Run(folder, null, [.. Brief, "sft.enabled=false"]);
        observer.Done.ShouldNotContain("sft");
        observer.Done.ShouldContain("evaluation/rl");
        File.Exists(Path.Combine(folder.Path, "small", "report.html")).ShouldBeTrue();
    }

    private string BaseWithoutMarks()
    {
        string source = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base"), target = Path.Combine(folder.Path, "plain-base");
        Directory.CreateDirectory(target);
        foreach (string file in Directory.EnumerateFiles(source))
        {
            string copy = Path.Combine(target, Path.GetFileName(file));
            if (Path.GetExtension(file) != ".json") File.Copy(file, copy);
            else
            {
                File.WriteAllText(copy, File.ReadAllText(file)
                    .Replace(ThinkMarks.Open, "<|reserved_0|>", StringComparison.Ordinal)
                    .Replace(ThinkMarks.Close, "<|reserved_1|>", StringComparison.Ordinal));
            }
        }

        return target;
    }
}
