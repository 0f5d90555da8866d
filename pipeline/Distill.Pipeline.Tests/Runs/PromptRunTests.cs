using Distill.Data.Storage;
using Distill.Data.Traces;
using Distill.Export.Package;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Follows one marked system message to every place where a prompt is made.</summary>
public sealed class PromptRunTests : IDisposable
{
    private const string Mark = "Be brief, marked message.";

    private static readonly string[] Brief =
        ["problems.train=24", "sft.epochs=1", "rl.steps=1", "evaluation.samples=0", "parity.prompts=2", "answer_only.enabled=false", "problems.twins=0"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_system_message_reaches_teacher_student_and_everything_after_them()
    {
        SmallRun.Run(folder, null, [.. Brief, $"prompt.system={Mark}"]);
        foreach (string link in (string[])["2-traces", "4-sft", "5-rl", "6-onnx", "7-parity", "8-evaluation/teacher", "8-evaluation/base", "8-evaluation/sft", "8-evaluation/onnx"])
            MadeFrom(link).ShouldContain(Mark, Case.Sensitive, link);
        PackageProvenance.PromptOf(Path.Combine(folder.Path, "small", "model")).System.ShouldBe(Mark);
        File.ReadAllText(Path.Combine(folder.Path, "small", "model", "README.md")).ShouldContain(Mark);
    }

    [Fact]
    public void A_student_may_learn_to_do_without_what_its_teacher_was_told()
    {
        int plain = PromptTokens([]), told = PromptTokens([$"prompt.system={Mark}", "prompt.student_system="]);
        told.ShouldBeGreaterThan(plain);
        MadeFrom("2-traces").ShouldContain(Mark);
        SmallRun.Run(folder, new RunOptions { Until = "sft" }, [.. Brief, $"prompt.system={Mark}", "prompt.student_system="]);
        MadeFrom("4-sft").ShouldNotContain(Mark);
    }

    [Fact]
    public void A_data_set_needs_no_student()
    {
        string text = SmallRun.Text.Replace($"student: {{ base: {RepositoryFolder.Root}/student/models/tiny-base }}", "", StringComparison.Ordinal);
        text.ShouldNotContain("student");
        string file = folder.File("data.yaml", text);
        Should.Throw<InvalidRecipeException>(() => RecipeFile.Load(file)).Message.ShouldContain("student.base");
        var recipe = RecipeFile.Load(file, Brief, makesStudent: false);
        var observer = new RecordingObserver();
        var options = new RunOptions { RunsFolder = folder.Path, Until = "curated" };
        PipelineRun.Run(recipe, options, observer, TimeProvider.System, TestContext.Current.CancellationToken).Report.ShouldBeNull();
        observer.Done.ShouldBe(["problems/train", "traces", "curated"]);
        RunCatalogue.Find(folder.Path, "small").State.ShouldBe("finished");
        PipelineRun.Continuation(folder.Path, "small").Options.Until.ShouldBe("curated"); // resume does not go on to train
    }

    private string MadeFrom(string link) => Artifact.Open(Path.Combine(folder.Path, "small", link)).Manifest.Facts[StageKey.TextFact];

    private int PromptTokens(string[] prompt)
    {
        SmallRun.Run(folder, new RunOptions { Until = "traces" }, [.. Brief, .. prompt]);
        return TraceFile.Read(Path.Combine(folder.Path, "small", "2-traces", "data", "train-00000.parquet")).First().PromptTokens;
    }
}
