using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Store;

/// <summary>The store of a real run: where its model comes from, and what differs from another run.</summary>
public sealed class StoreOfRunTests(PipelineRunTests.FinishedRun finished) : IClassFixture<PipelineRunTests.FinishedRun>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_model_leads_down_to_the_problems_and_the_models_of_the_recipe()
    {
        var lineage = LineageOf(finished.Folder.Path, "small");
        lineage.Roots.ShouldHaveSingleItem().Name.ShouldBe("model");
        lineage.Nodes.Values.Single(node => node.Name == "problems/train").State.ShouldBe(LineageState.Finished);
        lineage.Nodes.Values.Single(node => node.Name == "teacher-model").Folder.ShouldNotBeNull().ShouldEndWith("tiny-reasoner");
        lineage.Nodes.Values.Single(node => node.Name == "base-model").Folder.ShouldNotBeNull().ShouldEndWith("tiny-base");
        lineage.Nodes.Values.ShouldNotContain(node => node.State == LineageState.Removed);
        var run = CommandLineRun.Of("lineage", "small", "--runs", finished.Folder.Path);
        run.Code.ShouldBe(0);
        run.Out.ShouldContain("─ problems/train");
    }

    [Fact]
    public void A_copy_of_the_model_anywhere_has_the_lineage_of_the_model()
    {
        string copy = Path.Combine(folder.Path, "copied");
        SmallRun.Copy(Path.Combine(finished.Folder.Path, "small", "model"), copy);
        var lineage = LineageOf(finished.Folder.Path, copy);
        lineage.Roots.ShouldHaveSingleItem().Name.ShouldBe("model");
        lineage.Notes.ShouldBeEmpty();
        string checkpoint = Path.Combine(folder.Path, "student");
        SmallRun.Copy(Path.Combine(finished.Folder.Path, "small", "4-sft", "checkpoint"), checkpoint);
        LineageOf(finished.Folder.Path, checkpoint).Roots.ShouldHaveSingleItem().Name.ShouldBe("sft");
        LineageOf(finished.Folder.Path, Path.Combine(finished.Folder.Path, "small", "4-sft"))
            .Roots.ShouldHaveSingleItem().Name.ShouldBe("sft");
    }

    [Fact]
    public void What_was_removed_is_shown_as_such()
    {
        Copy();
        string copy = Path.Combine(folder.Path, "copied");
        SmallRun.Copy(Path.Combine(folder.Path, "small", "model"), copy);
        Remove("small/traces");
        LineageOf(folder.Path, "small").Nodes.Values
            .Where(node => node.State == LineageState.Removed).Select(node => node.Name).ShouldBe(["traces"]);
        Remove("small/model");
        LineageOf(folder.Path, copy).Roots.ShouldHaveSingleItem().Name.ShouldBe("onnx"); // all of its files but the description
        Remove("small/onnx");
        var lineage = LineageOf(folder.Path, copy);
        lineage.Roots.ShouldHaveSingleItem().State.ShouldBe(LineageState.External);
        lineage.Nodes.Values.Select(node => node.Name).ShouldContain("problems/train");
    }

    [Fact]
    public void A_run_of_another_seed_differs_in_that_seed_what_follows_from_it_and_perhaps_in_results()
    {
        Copy();
        var options = new RunOptions { Name = "other", Until = "evaluation" };
        SmallRun.Run(folder, options, "sft.seed=9", "answer_only.seed=3", "rl.steps=0", "problems.test=13");
        var difference = RunDifference.Of((folder.Path, "small"), (folder.Path, "other"), TimeProvider.System);
        difference.Recipe.Where(value => value.IsSeed).Select(value => (value.Path, value.Before, value.After))
            .ShouldBe([("sft.seed", "3", "9")]);
        difference.EqualSeeds.ShouldContain("problems.seed");
        difference.Recipe.Select(value => value.Path).ShouldContain("rl.steps");
        difference.Stages.Single(stage => stage.Stage == "sft").Reason.ShouldContain("seed: 3 → 9");
        difference.Stages.Single(stage => stage.Stage == "rl").Reason.ShouldBe("only in the first run");
        difference.Stages.Select(stage => stage.Stage).ShouldNotContain("traces");
        var teacher = difference.Results.Single(result => result.Model == "teacher").Answers;
        (teacher.Problems, teacher.OnlyBefore, teacher.OnlyAfter).ShouldBe((12, 0, 1));
        teacher.Greedy.ShouldNotBeNull().Difference.ShouldBe(0); // the same model on the same problems
        teacher.Greedy!.P.ShouldBe(1);
        var sft = difference.Results.Single(result => result.Model == "sft").Answers.Sampled.ShouldNotBeNull();
        sft.Difference.ShouldBe(sft.After - sft.Before, 1e-12);
        difference.NotCompared.ShouldBe(["rl"]);

        var run = CommandLineRun.Of("runs", "diff", "small", "other", "--runs", folder.Path);
        run.Code.ShouldBe(0, run.Error);
        run.Out.ShouldContain("Seeds that differ: sft.seed.");
        run.Out.ShouldContain("1 that only other asked");
        CommandLineRun.Of("runs", "diff", "small", "othr", "--runs", folder.Path).Code.ShouldBe(2);
        var few = CommandLineRun.Of("runs", "diff", "small,small", "other", "--runs", folder.Path);
        few.Code.ShouldBe(2);
        few.Error.ShouldContain("from 3 runs of each on, not 2 and 1");
    }

    private static Lineage LineageOf(string runs, string word)
    {
        var catalogue = ArtifactCatalogue.Read(runs, TimeProvider.System);
        return Lineage.Of(catalogue, LineageRoots.Find(catalogue, word), new ExternalModels(runs, catalogue.Store.Digests));
    }

    private void Remove(string artefact)
    {
        var catalogue = ArtifactCatalogue.Read(folder.Path, TimeProvider.System);
        Artifact.Remove(ArtifactReference.Find(catalogue, artefact).Entry.Folder);
    }

    private void Copy() => SmallRun.Copy(finished.Folder.Path, folder.Path);
}
