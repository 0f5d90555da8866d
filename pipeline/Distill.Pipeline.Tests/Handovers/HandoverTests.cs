using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Pipeline.Handovers;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Handovers;

/// <summary>What another trainer gets: the tokens of the run, options that exist there, scripts that are programs.</summary>
public sealed class HandoverTests(HandoverTests.TunedRun tuned) : IClassFixture<HandoverTests.TunedRun>, IDisposable
{
    private static readonly HashSet<string> Known =
        [.. File.ReadLines(Path.Combine(RepositoryFolder.Root, "pipeline/Distill.Pipeline.Tests/Handovers/Golden/options.txt"))];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Fine_tuning_gets_the_very_tokens_of_the_run_and_its_start()
    {
        string place = Handed("trl", "sft");
        var training = Opened("sft");
        var rows = Rows(place, "data/train.jsonl").ToList();
        rows.Count.ShouldBe(training.Examples.Training.Count);
        foreach (var (row, example) in rows.Zip(training.Examples.Training))
        {
            row["input_ids"]!.AsArray().Select(id => id!.GetValue<int>()).ShouldBe(example.Tokens);
            row["completion_mask"]!.AsArray().Count(mask => mask!.GetValue<int>() == 1).ShouldBe(example.SupervisedCount);
            row["completion_mask"]![example.FirstSupervised]!.GetValue<int>().ShouldBe(1);
        }

        var handed = Checkpoint.Open(Path.Combine(place, "checkpoint"));
        var start = Checkpoint.Open(Path.Combine(RepositoryFolder.Root, "student/models/tiny-base"));
        handed.Architecture.ShouldBe(start.Architecture);
        foreach (var parameter in ParameterMap.For(start.Architecture))
            handed.LoadWeights()[parameter.Name].Span.SequenceEqual(start.LoadWeights()[parameter.Name].Span).ShouldBeTrue(parameter.Name);
    }

    [Fact]
    public void Preferences_are_pairs_of_tokens_as_they_were_sampled()
    {
        string place = Handed("trl", "preference");
        var pairs = Opened("preference").Pairs.Pairs;
        var rows = Rows(place, "data/train.jsonl").ToList();
        rows.Count.ShouldBe(pairs.Count);
        foreach (var (row, pair) in rows.Zip(pairs))
        {
            int[] prompt = Ids(row, "prompt_ids");
            ((int[])[.. prompt, .. Ids(row, "chosen_ids")]).ShouldBe(pair.Chosen.Tokens);
            ((int[])[.. prompt, .. Ids(row, "rejected_ids")]).ShouldBe(pair.Rejected.Tokens);
        }
    }

    [Theory]
    [InlineData("trl", "sft")]
    [InlineData("trl", "sft", "sft.held_out={ every: 5 }", "sft.schedule=polynomial", "sft.cool_down=null", "lora={ rank: 8 }")]
    [InlineData("trl", "preference", "preference.loss=robust")]
    [InlineData("trl", "rl")]
    [InlineData("trl", "rl", "rl.surrogate=vespo", "rl.ratio=product", "rl.rewards={ format: 0.1, length: 0.5 }", "rl.top_entropy=0.2")]
    [InlineData("trl", "rl", "rl.surrogate=sapo", "rl.aggregation=sequence")]
    [InlineData("prime-rl", "sft", "lora={ rank: 8, rank_stabilized: true }", "sft.schedule=cosine", "sft.cool_down=null")]
    [InlineData("prime-rl", "rl", "rl.advantage=none", "rl.mask_truncated=false", "rl.ratio_cap=3")]
    public void Every_option_that_is_told_exists_there(string to, string stage, params string[] set)
    {
        string place = Handed(to, stage, set);
        var record = HandoverRecord.Open(place);
        string[] told = [.. Paths(record.Options)];
        told.Length.ShouldBeGreaterThan(15);
        string where = (to, stage) switch
        {
            ("trl", "sft") => "SFTConfig", ("trl", "preference") => "DPOConfig", ("trl", _) => "GRPOConfig", (_, "sft") => "sft.toml",
            _ => "rl.toml",
        };
        // What our own scripts read, and what our own loss is given.
        string[] own = ["batch", "patience", "lora", "rewards.", "trainer.loss.kwargs."];
        told.Where(path => !own.Any(part => path.StartsWith(part, StringComparison.Ordinal)) && !Known.Contains($"{where} {path}"))
            .ShouldBeEmpty();
    }

    [Fact]
    public void Every_option_of_the_recipe_that_is_named_exists_here()
    {
        var training = Opened("sft", "lora={ rank: 4, frozen: int8 }", "sft.held_out={ every: 5 }", "sft.z_loss=0.1");
        IEnumerable<MappedOption> rows =
        [
            .. Trainers.All.SelectMany(trainer => trainer.Translate(training).Rows),
            .. new TrlTrainer().Translate(Opened("preference")).Rows,
            .. Trainers.All.SelectMany(trainer => trainer.Translate(
                Opened("rl", "rl.rewards={ repetition: 1 }", "rl.alarms={}", "rl.weight_average=0.9", "rl.edge={}")).Rows),
        ];
        string schema = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs/recipe.schema.json"));
        using var document = JsonDocument.Parse(schema);
        foreach (string path in rows.Select(row => row.Ours).Where(path => path.Length > 0).Distinct())
            schema.Contains($"\"{path.Split('.')[^1]}\"", StringComparison.Ordinal).ShouldBeTrue(path);
        rows.Count(row => row.Match == OptionMatch.Missing).ShouldBeGreaterThan(2);
        foreach (string lost in (string[])["rl.weight_average", "rl.edge"])
            rows.Count(row => row.Ours == lost && row.Match == OptionMatch.Missing).ShouldBe(Trainers.All.Count, lost);
        rows.Where(row => row.Match != OptionMatch.Same).ShouldAllBe(row => row.Note.Length > 0);
    }

    [Fact]
    public void Scripts_are_programs_and_configurations_are_TOML()
    {
        Assert.SkipWhen(Python.Missing, Python.Reason);
        foreach (string stage in HandedTraining.Stages) Handed("trl", stage);
        Handed("prime-rl", "sft");
        Handed("prime-rl", "rl", "rl.advantage=none", "rl.mask_truncated=false");
        string[] scripts = [.. Directory.EnumerateFiles(folder.Path, "*.py", SearchOption.AllDirectories)];
        scripts.Length.ShouldBe(11);
        var compiled = Python.Run(folder.Path, "import ast,sys\nfor f in sys.argv[1:]: compile(open(f).read(), f, 'exec')", scripts);
        compiled.Code.ShouldBe(0, compiled.Said);
        string[] files = [.. Directory.EnumerateFiles(folder.Path, "*.toml", SearchOption.AllDirectories)];
        files.Length.ShouldBe(3);
        var read = Python.Run(folder.Path, "import sys,tomllib\nfor f in sys.argv[1:]: tomllib.load(open(f,'rb'))", files);
        read.Code.ShouldBe(0, read.Said);
    }

    [Fact]
    public void Rewards_agree_with_ours_on_the_sample_where_this_program_judges()
    {
        Assert.SkipWhen(Python.Missing, Python.Reason);
        string place = Handed("trl", "rl");
        Rows(place, "reward-sample.jsonl").Select(row => row["verdict"]!.GetValue<string>()).Distinct().Order()
            .ShouldBe(["correct", "incorrect", "undecidable"]);
        var agreed = Python.Script(place, "answers.py", $"dotnet {DistillProcess.Tool}", "--check");
        (agreed.Code, agreed.Said.Contains("verdicts agree", StringComparison.Ordinal)).ShouldBe((0, true), agreed.Said);

        string sample = Path.Combine(place, "reward-sample.jsonl");
        File.WriteAllText(sample, File.ReadAllText(sample).Replace("\"incorrect\"", "\"correct\"", StringComparison.Ordinal));
        var differs = Python.Script(place, "answers.py", $"dotnet {DistillProcess.Tool}", "--check");
        (differs.Code, differs.Said.Contains("differs: ", StringComparison.Ordinal)).ShouldBe((1, true), differs.Said);
        Python.Script(place, "answers.py", "", "--check").Said.ShouldContain("is known to the program distill alone");
    }

    [Fact]
    public void What_has_no_counterpart_is_refused_by_name_and_listed_where_that_is_wanted()
    {
        var refused = Hand("prime-rl", "rl", [], folder["no"]);
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("rl.advantage=group (there is: none)");
        refused.Error.ShouldContain("rl.mask_truncated=true (there is: false)");
        Directory.Exists(folder["no"]).ShouldBeFalse();

        Hand("prime-rl", "rl", ["--accept-differences"], folder["yes"]).Code.ShouldBe(0);
        File.ReadAllText(folder["yes/README.md"]).ShouldContain("**no counterpart**; there is: none");
        Hand("prime-rl", "preference", [], folder["none"]).Error.ShouldContain("it takes sft and rl");
        Hand("trl", "sft", [], folder["yes"]).Error.ShouldContain("holds a hand-over already");
        folder.File("mine/file", "");
        Hand("trl", "sft", ["--force"], folder["mine"]).Error.ShouldContain("something else than a hand-over");
        foreach (string trainer in (string[])["trl", "prime-rl"])
            Hand(trainer, "sft", ["--set", "sft.optimizer=muon"], folder["no"]).Error.ShouldContain("sft.optimizer=muon (there is: adamw)");
        Hand("trl", "sft", ["--set", "sft.label_smoothing=0.1"], folder["no"]).Error.ShouldContain("sft.label_smoothing=0.1 (there is: 0)");
    }

    [Fact]
    public void Nothing_in_it_tells_of_this_machine()
    {
        string place = Handed("trl", "rl");
        foreach (string file in Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            string text = File.ReadAllText(file);
            foreach (string secret in (string[])[RepositoryFolder.Root, tuned.Folder.Path, folder.Path, Environment.MachineName + "/"])
                text.Contains(secret, StringComparison.Ordinal).ShouldBeFalse($"{file} names {secret}");
        }
    }

    [Fact]
    public void A_stage_that_is_not_finished_is_named_with_the_command_that_finishes_it()
    {
        using var fresh = new TemporaryFolder();
        SmallRun.Run(fresh, new RunOptions { Until = "traces" });
        var refused = CommandLineRun.Of("handover", "small", "--to", "trl", "--stage", "sft", "--out", folder["x"], "--runs", fresh.Path);
        (refused.Code, refused.Error.Contains("'curated' of 'small' is not finished", StringComparison.Ordinal)).ShouldBe((2, true));
        refused.Error.ShouldContain("distill resume small");
    }

    private static IEnumerable<JsonNode> Rows(string place, string file) =>
        File.ReadLines(Path.Combine(place, file)).Select(line => JsonNode.Parse(line)!);

    private static int[] Ids(JsonNode row, string name) => [.. row[name]!.AsArray().Select(id => id!.GetValue<int>())];

    private static IEnumerable<string> Paths(JsonObject node, string above = "") => node.SelectMany(pair =>
        pair.Value is JsonObject { Count: > 0 } inner && pair.Key is not ("lr_scheduler_kwargs" or "chat_template_kwargs")
            ? Paths(inner, $"{above}{pair.Key}.") : [above + pair.Key]);

    private HandedTraining Opened(string stage, params string[] set)
    {
        var run = RunCatalogue.Require(tuned.Folder.Path, "small");
        var recipe = RecipeFile.Load<DistillationRecipe>(run.RecipePath, set);
        return HandedTraining.Open(run, recipe, stage, folder.Path, TimeProvider.System);
    }

    private string Handed(string to, string stage, params string[] set)
    {
        string place = folder[$"{to}-{stage}"];
        var run = Hand(to, stage, [.. set.SelectMany(value => (string[])["--set", value])], place);
        run.Code.ShouldBe(0, run.Error);
        return place;
    }

    private CommandLineRun Hand(string to, string stage, string[] more, string place) =>
        CommandLineRun.Of(["handover", "small", "--to", to, "--stage", stage, "--out", place, "--runs", tuned.Folder.Path, .. more]);

    /// <summary>A run with every training, whose student is sometimes right.</summary>
    public sealed class TunedRun : IDisposable
    {
        public TunedRun() => SmallRun.Run(
            Folder, null, "problems.train=400", "sft.epochs=8", "answer_only.enabled=false", "preference.problems=64",
            "preference.samples=4", "preference.max_tokens=64", "preference.evaluate_every=0");

        internal TemporaryFolder Folder { get; } = new();

        public void Dispose() => Folder.Dispose();
    }
}

/// <summary>Python where the machine has it.</summary>
internal static class Python
{
    public const string Reason = "There is no python3 of at least 3.11";

    public static readonly bool Missing = IsMissing();

    public static (int Code, string Said) Run(string folder, string program, params string[] arguments) =>
        Start(folder, "", ["-c", program, .. arguments]);

    /// <param name="distill">What the script takes for this program; empty for none.</param>
    public static (int Code, string Said) Script(string folder, string script, string distill, params string[] arguments) =>
        Start(folder, distill, [script, .. arguments]);

    private static bool IsMissing()
    {
        try
        {
            return Start(Path.GetTempPath(), "", ["-c", "import tomllib"]).Code != 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return true;
        }
    }

    private static (int Code, string Said) Start(string folder, string distill, string[] arguments)
    {
        var start = new ProcessStartInfo("python3", arguments)
            { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DISTILL"] = distill;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        if (distill.Length == 0) start.Environment["PATH"] = "/usr/bin:/bin:" + start.Environment["PATH"];
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said + error.Result);
    }
}
