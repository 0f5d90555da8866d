using Distill.Data.Traces;
using Distill.Export.Package;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Follows one marked system message to every place where a prompt is made.</summary>
public sealed class PromptRunTests : IDisposable
{
    private const string Mark = "Be brief, marked message.";

    private static readonly string[] Brief =
        [
            "problems.train=24", "sft.epochs=1", "rl.steps=1", "evaluation.samples=0",
            "parity.prompts=2", "answer_only.enabled=false", "problems.twins=0",
        ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    // The committed teacher was made without system messages and solves nothing under one, so each half is followed alone.
    [Fact]
    public void A_students_system_message_reaches_everything_that_speaks_to_it_and_its_teacher_not()
    {
        SmallRun.Run(folder, null, [.. Brief, $"prompt.student_system={Mark}"]);
        foreach (string link in (string[])
            ["4-sft", "5-rl", "6-onnx", "7-parity", "8-evaluation/base", "8-evaluation/sft", "8-evaluation/onnx"])
            MadeFrom(link).ShouldContain(Mark, Case.Sensitive, link);
        foreach (string link in (string[])["2-traces", "8-evaluation/teacher"]) MadeFrom(link).ShouldNotContain(Mark, Case.Sensitive, link);
        PackageProvenance.PromptOf(Path.Combine(folder.Path, "small", "model")).System.ShouldBe(Mark);
        File.ReadAllText(Path.Combine(folder.Path, "small", "model", "README.md")).ShouldContain(Mark);
        using var served = ServedModel.OpenModelFolder(Path.Combine(folder.Path, "small", "model"), slots: 1);
        served.Encoder.Style.System.ShouldBe(Mark);

        // Exported once more by the run's folder, and by that of its training, it is the same student and is spoken to the same way.
        foreach (string from in (string[])["", "5-rl"])
        {
            string target = Path.Combine(folder.Path, "again" + from);
            var export = CommandLineRun.Of("export", Path.Combine(folder.Path, "small", from), "--out", target);
            export.Code.ShouldBe(0, export.Error);
            PackageProvenance.PromptOf(target).System.ShouldBe(Mark);
            string card = File.ReadAllText(Path.Combine(target, "README.md"));
            card.ShouldContain("\n# small\n");
            card.ShouldContain("Made from tiny-base.");
            File.ReadAllBytes(Path.Combine(target, "onnx", "model.onnx_data"))
                .ShouldBe(File.ReadAllBytes(Path.Combine(folder.Path, "small", "model", "onnx", "model.onnx_data")));
        }

        var supervised = RunStudent.Find(Path.Combine(folder.Path, "small", "4-sft"));
        supervised.ShouldNotBeNull().Folder.ShouldEndWith(Path.Combine("4-sft", "checkpoint"));
        RunStudent.Find(folder.Path).ShouldBeNull();
    }

    [Fact]
    public void A_teachers_system_message_is_in_every_prompt_of_its_traces()
    {
        int plain = PromptTokens([]), told = PromptTokens([$"prompt.system={Mark}", "prompt.student_system=\"\""]);
        told.ShouldBeGreaterThan(plain);
        MadeFrom("2-traces").ShouldContain(Mark);
        FirstTrace().Preamble.ShouldBe([new TraceMessage("system", Mark)]);
        var student = SupervisedStage.Steps(SmallRun.Parse($"prompt.system={Mark}", "prompt.student_system=\"\"")).Declaration;
        student.Options.ToJsonString().ShouldNotContain(Mark); // context distillation
        SupervisedStage.Steps(SmallRun.Parse($"prompt.system={Mark}")).Declaration.Options.ToJsonString().ShouldContain(Mark);
    }

    [Fact]
    public void A_data_set_needs_no_student()
    {
        string text = SmallRun.Text.Replace(
            $"student: {{ base: {RepositoryFolder.Root}/student/models/tiny-base }}", "", StringComparison.Ordinal);
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
        return FirstTrace().PromptTokens;
    }

    private Trace FirstTrace() =>
        TraceFile.Read(Path.Combine(folder.Path, "small", "2-traces", "data", "train-00000.parquet")).First();
}
