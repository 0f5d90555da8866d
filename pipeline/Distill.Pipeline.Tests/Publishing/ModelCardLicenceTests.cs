using Distill.Architecture;
using Distill.Data.Publishing.Licences;
using Distill.Export;
using Distill.Export.Package;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Publishing;

/// <summary>Licences of what went into a model stand on its card, and a conflict marks it as not to be published.</summary>
public sealed class ModelCardLicenceTests : IDisposable
{
    private const string Licences = """

        publish: { licence: mit, forbid: [no-training] }
        """;

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_recipe_that_says_nothing_of_licences_has_no_parts_and_its_card_no_section()
    {
        RecipeLicences.Of(SampleRecipe.Parse(folder), []).ShouldBeEmpty();
        string card = Card(new PackageDescription { Name = "m" });
        card.ShouldStartWith("---\nlicense: mit\nlibrary_name: onnxruntime\n");
        card.ShouldNotContain("Licences");
    }

    [Fact]
    public void What_is_stated_is_shown_and_what_conflicts_keeps_the_folder_from_being_published()
    {
        string text = SampleRecipe.Text.Replace("samples: 2", "samples: 2, licence: openai-terms", StringComparison.Ordinal) + Licences;
        var recipe = SampleRecipe.Parse(folder, text);
        var parts = RecipeLicences.Of(recipe, [new LicensedPart("source", "gsm8k", "mit")]);
        parts.Select(part => (part.Role, part.Name, part.Licence))
            .ShouldBe([("source", "gsm8k", "mit"), ("teacher", "teacher", "openai-terms"), ("base", "base", null)]);
        var conflicts = recipe.Publish.ToPolicy().Conflicts(parts);

        string card = Card(new PackageDescription { Name = "m", Licensed = parts, Conflicts = conflicts, License = "openai-terms" });

        card.ShouldStartWith("---\nlicense: other\nlicense_name: openai-terms\ndistill_publish_refused: ");
        card.ShouldContain("| teacher | teacher | [openai-terms](");
        card.ShouldContain("- teacher 'teacher': openai-terms says no-training, which the policy forbids\n");
        folder.File("model/README.md", card);
        LicenceMarkdown.RefusalOf(folder["model"]).ShouldBe("teacher 'teacher': openai-terms says no-training, which the policy forbids");
        folder.File("free/README.md", "---\nlicense: mit\n---\n\ndistill_publish_refused: \"only text\"\n");
        LicenceMarkdown.RefusalOf(folder["free"]).ShouldBeNull();
        LicenceMarkdown.RefusalOf(folder["absent"]).ShouldBeNull();
        var push = CommandLineRun.Of("push", folder["model"], "hf://me/model", "--dry-run");
        push.Code.ShouldBe(3, push.Error);
        push.Error.ShouldContain("openai-terms says no-training");
    }

    [Fact]
    public void A_word_that_no_licence_and_no_term_has_is_refused_in_the_recipe()
    {
        SampleRecipe.Problems(folder, SampleRecipe.Text + "\npublish: { forbid: [noncommercial] }")
            .Single().Path.ShouldBe("publish.forbid");
        SampleRecipe.Parse(folder, SampleRecipe.Text + "\npublish: { allow: \"mit, cc0-1.0\" }").Publish.ToPolicy().Allow
            .ShouldBe(["mit", "cc0-1.0"]);
    }

    private static string Card(PackageDescription description) => ModelCard.Write(
        new CardFacts(
            new DecoderArchitecture
            {
                ModelType = "qwen3", VocabularySize = 300, HiddenSize = 16, Layers = 1, Heads = 2, KeyValueHeads = 1, HeadSize = 16,
                IntermediateSize = 32, MaxPositions = 512, EosTokenId = 0, PadTokenId = 0,
            },
            ExportPrecision.Single, "fp32", [0], GenerationDefaults.None),
        description);
}
