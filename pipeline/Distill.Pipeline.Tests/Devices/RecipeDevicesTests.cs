using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Devices;

/// <summary>What a recipe's devices mean on machines that have a card and on those that have none.</summary>
public sealed class RecipeDevicesTests
{
    private static RecipeDevices Whole { get; } = new(() => CudaSetups.Whole);

    private static RecipeDevices Plain { get; } = new(() => CudaSetups.Plain);

    [Fact]
    public void A_section_takes_the_recipes_device_unless_it_has_its_own()
    {
        var recipe = SmallRun.Parse("device=cuda:1", "teacher.device=cpu");
        (recipe.Device, recipe.Teacher.Device, recipe.Student.Device).ShouldBe(("cuda:1", "cpu", "cuda:1"));
        (SmallRun.Parse().Teacher.Device, SmallRun.Parse().Student.Device).ShouldBe(("auto", "auto"));
    }

    [Fact]
    public void A_word_that_is_no_device_is_a_problem_of_the_recipe() =>
        Should.Throw<InvalidRecipeException>(() => SmallRun.Parse("device=gpu")).Problems.ShouldHaveSingleItem().Path.ShouldBe("device");

    [Fact]
    public void Auto_takes_the_card_for_what_it_can_do_and_says_why_not_for_the_rest()
    {
        var recipe = SmallRun.Parse();
        Whole.Training(recipe).ShouldBe(new(ComputeDevice.Cuda(), CudaSetups.Hopper.Name));
        var teacher = Whole.Teacher(recipe);
        teacher.Device.ShouldBe(ComputeDevice.Cpu);
        teacher.Reason.ShouldContain("fp32");
        Whole.Describe(recipe, trains: true)["training"].ShouldBe("cuda:0 (NVIDIA H100 80GB HBM3)");
        Plain.Training(recipe).Reason.ShouldContain("no driver");
    }

    [Fact]
    public void A_card_that_is_asked_for_and_not_there_is_a_problem_at_each_place()
    {
        var problems = Plain.Problems(SmallRun.Parse("device=cuda"), trains: true).ToList();
        problems.Select(problem => problem.Path).ShouldBe(["teacher.device", "student.device"]);
        problems.ShouldAllBe(problem => problem.Fault.Contains("libcuda.so.1") && problem.Remedy.Contains("580"));
        Plain.Problems(SmallRun.Parse("device=cuda", "teacher.device=cpu"), trains: true)
            .ShouldHaveSingleItem().Path.ShouldBe("student.device");
        Plain.Problems(SmallRun.Parse("student.device=cuda"), trains: false).ShouldBeEmpty();
        Plain.Problems(SmallRun.Parse(), trains: true).ShouldBeEmpty();
    }

    // The teacher's graph is in fp32, which no card runs.
    [Fact]
    public void A_graph_that_no_card_runs_is_a_problem_where_a_card_is_asked_for()
    {
        var problem = Whole.Problems(SmallRun.Parse("device=cuda"), trains: true).ShouldHaveSingleItem();
        (problem.Path, problem.Value).ShouldBe(("teacher.device", "cuda"));
        problem.Remedy.ShouldContain("fp16");
    }

    [Fact]
    public void A_card_that_the_machine_does_not_have_is_a_problem() =>
        Whole.Problems(SmallRun.Parse("student.device=cuda:3"), trains: true).ShouldHaveSingleItem().Fault.ShouldContain("no card 3");

    [Theory]
    [MemberData(nameof(CudaDiagnosisTests.Broken), MemberType = typeof(CudaDiagnosisTests))]
    public void No_broken_set_up_trains_on_the_processor_where_a_card_was_asked_for(string setup)
    {
        var facts = CudaSetups.Broken[setup].Facts;
        var devices = new RecipeDevices(() => facts);
        // The small run's reinforcement has the student complete problems.
        foreach (var (use, steps) in ((DeviceUse, string)[])[(DeviceUse.Training, "rl.steps=0"), (DeviceUse.Running, "rl.steps=2")])
        {
            bool can = CudaDiagnosis.Blocking(facts, use).Count == 0;
            var asked = SmallRun.Parse("student.device=cuda", steps);
            if (can) devices.Training(asked).Device.ShouldBe(ComputeDevice.Cuda());
            else Should.Throw<DeviceUnavailableException>(() => devices.Training(asked));
            devices.Training(SmallRun.Parse(steps)).Device.IsCuda.ShouldBe(can);
        }
    }

    [Theory]
    [InlineData(false, "rl.steps=0"), InlineData(true, "rl.steps=2")]
    [InlineData(true, "rl.steps=0", "preference.epochs=1"), InlineData(false, "rl.steps=0", "preference.evaluate_every=0")]
    [InlineData(true, "rl.steps=0", "sft.held_out.measure=accuracy"), InlineData(false, "rl.steps=0", "sft.held_out.measure=loss")]
    [InlineData(true, "rl.steps=0", "answer_only.held_out.measure=accuracy")]
    [InlineData(false, "rl.steps=0", "answer_only.held_out.measure=accuracy", "answer_only.enabled=false")]
    [InlineData(false, "rl.steps=0", "sft.held_out.measure=accuracy", "lora.frozen=int8")]
    public void A_student_that_completes_problems_while_it_is_trained_needs_what_running_needs(bool completes, params string[] options)
    {
        var facts = CudaSetups.Broken["a build for the processor"].Facts;
        var devices = new RecipeDevices(() => facts);
        options = [.. options, "problems.validation=200"];
        if (!completes)
        {
            devices.Training(SmallRun.Parse(options)).Device.ShouldBe(ComputeDevice.Cuda());
            return;
        }

        var taken = devices.Training(SmallRun.Parse(options));
        taken.Device.ShouldBe(ComputeDevice.Cpu);
        taken.Reason.ShouldBe("the student completes problems while it is trained, and this build has ONNX Runtime for the CPU alone");
        devices.TrainingKey(SmallRun.Parse(options)).ShouldBeNull();
        var problem = devices.Problems(SmallRun.Parse([.. options, "student.device=cuda"]), trains: true).ShouldHaveSingleItem();
        problem.Path.ShouldBe("student.device");
        problem.Fault.ShouldContain("the student completes problems while it is trained, and this build");
        problem.Remedy.ShouldContain("-p:Torch=external");
    }

    // Beside existing traces it is still evaluated.
    [Fact]
    public void A_teacher_beside_existing_traces_is_looked_at_where_it_is_run()
    {
        var recipe = SmallRun.Parse("teacher.device=cuda") with { Traces = new() { From = "/traces" } };
        Plain.Problems(recipe, trains: true).ShouldHaveSingleItem().Path.ShouldBe("teacher.device");
        Plain.Problems(recipe, trains: false).ShouldBeEmpty();
        Plain.Describe(recipe, trains: false).ShouldBeEmpty();
        Plain.Worth(recipe, trains: false).ShouldNotBeNull();
    }

    [Fact]
    public void What_a_teacher_on_a_card_thinks_of_completions_is_not_taken_for_what_it_thinks_on_the_processor()
    {
        string[] asked = ["rl.teacher_weight=1", "student.device=cpu"];
        TeacherOf([.. asked, "teacher.device=cuda"]).ShouldBe("cuda");
        TeacherOf([.. asked, "teacher.device=cpu"]).ShouldBeNull();
        TeacherOf("student.device=cpu", "teacher.device=cuda").ShouldBeNull(); // nobody asks it
    }

    [Fact]
    public void The_processor_needs_no_look_at_the_machine()
    {
        var devices = new RecipeDevices(() => throw new InvalidOperationException("The machine was looked at."));
        var recipe = SmallRun.Parse("device=cpu");
        devices.Training(recipe).Device.ShouldBe(ComputeDevice.Cpu);
        devices.Problems(recipe, trains: true).ShouldBeEmpty();
        devices.TrainingKey(recipe).ShouldBeNull();
        devices.TrainingKey(SmallRun.Parse("device=cuda")).ShouldBe("cuda");
    }

    // On the processor no key says anything of devices, so what was made before there were any is still found.
    [Fact]
    public void Keys_speak_of_a_card_and_of_nothing_else()
    {
        string[] students =
            ["answer-only", "sft", "rl", "evaluation/base", "evaluation/answer-only", "evaluation/sft", "evaluation/rl"];
        Speaking(SmallRun.Parse() with { Devices = Plain }).ShouldBeEmpty();
        Speaking(SmallRun.Parse("device=cpu") with { Devices = Whole }).ShouldBeEmpty();
        Speaking(SmallRun.Parse() with { Devices = Whole }).ShouldBe(students, ignoreOrder: true);
        Speaking(SmallRun.Parse("export.precision=fp16") with { Devices = Whole })
            .ShouldBe([.. students, "evaluation/onnx"], ignoreOrder: true);
        Speaking(SmallRun.Parse("teacher.device=cuda", "student.device=cpu") with { Devices = Whole })
            .ShouldBe(["traces", "evaluation/teacher"], ignoreOrder: true);
    }

    // What the student's models run on follows its training, as far as they can be run there; no card is taken that was not asked for.
    [Fact]
    public void The_students_models_run_on_the_card_of_its_training()
    {
        var two = new RecipeDevices(() => CudaSetups.Whole with
        {
            Driver = CudaSetups.Whole.Driver with { Cards = [CudaSetups.Hopper, CudaSetups.Hopper with { Number = 1 }] },
            Torch = CudaSetups.Whole.Torch with { Cards = 2 },
        });
        var recipe = SmallRun.Parse("student.device=cuda:1");
        (two.Training(recipe).Device, two.Students(recipe).Device).ShouldBe((ComputeDevice.Cuda(1), ComputeDevice.Cuda(1)));
        two.Exported(recipe).Device.ShouldBe(ComputeDevice.Cpu);
        two.Exported(recipe).Reason.ShouldContain("fp32");
        two.Exported(SmallRun.Parse("student.device=cuda:1", "export.precision=fp16")).Device.ShouldBe(ComputeDevice.Cuda(1));
        two.Students(SmallRun.Parse("student.device=cpu")).Device.ShouldBe(ComputeDevice.Cpu);
    }

    [Fact]
    public void A_plan_says_where_what_is_done()
    {
        using var folder = new TemporaryFolder();
        var plan = PipelineRun.Plan(SmallRun.Parse() with { Devices = Plain }, new RunOptions { RunsFolder = folder.Path });
        plan.Devices.Keys.ShouldBe(["teacher", "training", "students", "export"]);
        plan.Devices.Values.ShouldAllBe(where => where.StartsWith("cpu (", StringComparison.Ordinal));
        Should.Throw<InvalidRecipeException>(() => PipelineRun.Plan(
            SmallRun.Parse("device=cuda") with { Devices = Plain }, new RunOptions { RunsFolder = folder.Path }))
            .Message.ShouldContain("student.device = cuda");
    }

    // The teacher's graph is in fp32 and stays on the processor; the student is trained and completes problems on the card.
    [Fact]
    public void A_plan_says_of_which_memory_how_much_a_stage_takes()
    {
        using var folder = new TemporaryFolder();
        var options = new RunOptions { RunsFolder = folder.Path };
        PlannedStage Stage(RecipeDevices devices, string name, params string[] overrides) =>
            PipelineRun.Plan(SmallRun.Parse(overrides) with { Devices = devices }, options).Stages.Single(stage => stage.Name == name);
        foreach (string training in (string[])["sft", "rl"])
        {
            Stage(Plain, training).MemoryBytes.ShouldNotBeNull();
            Stage(Plain, training).CardMemoryBytes.ShouldBeNull();
            Stage(Whole, training).CardMemoryBytes.ShouldNotBeNull();
        }

        Stage(Whole, "sft").MemoryBytes.ShouldBeNull();
        Stage(Whole, "traces").CardMemoryBytes.ShouldBeNull();
        var aside = Stage(Whole, "sft", "lora.rank=4", "lora.frozen=int4");
        (aside.MemoryBytes > 0, aside.CardMemoryBytes < Stage(Whole, "sft").CardMemoryBytes).ShouldBe((true, true));
    }

    // What the fused passes trained is still found; keys of other passes name them.
    [Fact]
    public void Keys_name_the_passes_that_are_not_the_fused_ones()
    {
        PassesOf(SmallRun.Parse() with { Devices = Plain }).ShouldBeEmpty();
        PassesOf(SmallRun.Parse("sft.precision=fp16", "rl.precision=fp16") with { Devices = Plain })
            .ShouldBe(["answer-only", "sft", "rl"], ignoreOrder: true);
        PassesOf(SmallRun.Parse("lora.rank=4") with { Devices = Plain }).ShouldBeEmpty();
        PassesOf(SmallRun.Parse("lora.rank=4", "lora.frozen=int8") with { Devices = Plain })
            .ShouldBe(["answer-only", "sft"], ignoreOrder: true);
        PassesOf(SmallRun.Parse() with { Devices = Whole }).ShouldBe(["answer-only", "sft", "rl"], ignoreOrder: true);
        using var folder = new TemporaryFolder();
        string config = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "student/models/tiny-base/config.json"));
        folder.File("base/config.json", WithHeads(config, 24));
        var odd = SmallRun.Parse();
        PassesOf(odd with { Student = odd.Student with { Base = Path.Combine(folder.Path, "base") }, Devices = Plain })
            .ShouldBe(["answer-only", "sft", "rl"], ignoreOrder: true);
    }

    [Theory, InlineData(16, null), InlineData(24, 2)]
    public void A_pretraining_names_them_likewise(int headSize, int? passes)
    {
        var recipe = (PretrainRecipe)RecipeFile.Parse(
            $$"""
            { kind: pretrain, name: tiny, seed: 5, output: out, tokenizer: { vocabulary_size: 300 },
              architecture: { hidden_size: 16, layers: 1, heads: 1, head_size: {{headSize}}, intermediate_size: 16, max_positions: 256 },
              data: { solutions: true, families: [ { name: arithmetic, level: 1 } ] }, training: { steps: 5, sequences_per_step: 4 } }
            """,
            "tiny.yaml", RepositoryFolder.Root, []) with { Devices = Plain };
        int? named = new PretrainingStage(recipe).Declaration.Options["passes"]?.GetValue<int>();
        named.ShouldBe(passes);
    }

    private static string WithHeads(string config, int size)
    {
        var node = JsonNode.Parse(config)!.AsObject();
        node["head_dim"] = size;
        return node.ToJsonString();
    }

    private static IEnumerable<string> PassesOf(Recipe recipe) =>
        from stage in StageGraph.For(recipe).Stages
        where stage.Declaration.Options.ContainsKey("passes")
        select stage.Declaration.Name;
    private static string? TeacherOf(params string[] options) =>
        StageGraph.For(SmallRun.Parse(options) with { Devices = Whole }).Stages.Single(stage => stage.Declaration.Name == "rl")
            .Declaration.Options["teacher_device"]?.GetValue<string>();

    private static IEnumerable<string> Speaking(Recipe recipe) =>
        from stage in StageGraph.For(recipe).Stages
        where stage.Declaration.Options.ContainsKey("device")
        select stage.Declaration.Name;
}
