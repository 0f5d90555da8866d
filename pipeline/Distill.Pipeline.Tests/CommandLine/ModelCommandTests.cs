using System.Text.Json;
using Distill.Cli;
using Distill.Cli.Commands.Exporting;
using Distill.Data.Problems;
using Distill.Generation;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>The commands that open models, on models that answer nonsense quickly.</summary>
public sealed class ModelCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("fp32"), InlineData("fp16")]
    public void An_export_is_its_checkpoint_and_no_other(string precision)
    {
        string trained = TinyCheckpoint.Write(At("trained")), other = TinyCheckpoint.Write(At("other"), seed: 2);
        CommandLineRun.Of("export", trained, "--precision", precision, "--out", At("onnx")).Code.ShouldBe(0);
        string[] size = ["--prompts", "6", "--tokens", "12"];

        var same = CommandLineRun.Of(["verify", At("onnx"), "--against", trained, .. size]);
        same.Code.ShouldBe(0, same.Error);
        same.Out.ShouldContain("parity holds");

        var different = CommandLineRun.Of(["verify", At("onnx"), "--against", other, .. size]);
        different.Code.ShouldBe(3);
        different.Error.ShouldContain("The exported model is not the checkpoint.");

        var json = CommandLineRun.Of(["verify", At("onnx"), "--against", other, "--json", .. size]);
        json.Code.ShouldBe(3);
        json.Json().GetProperty("passed").GetBoolean().ShouldBeFalse();
        json.Json().GetProperty("parity").GetProperty("maxAbsLogitDiff").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void What_a_card_alone_computes_is_verified_there_and_refused_on_the_processor()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        CommandLineRun.Of("export", trained, "--precision", "bf16", "--out", At("onnx")).Code.ShouldBe(0);
        var refused = CommandLineRun.Of("verify", At("onnx"), "--against", trained, "--device", "cpu");
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("which a CPU cannot compute");
        VerifyCommand.RequireComputes(ComputeDevice.Cuda(), "bf16", "onnx");
        VerifyCommand.RequireComputes(ComputeDevice.Cpu, "fp16", "onnx");
        Should.Throw<UsageException>(() => VerifyCommand.RequireComputes(ComputeDevice.Cpu, "bf16", "onnx"));
    }

    [Fact]
    public void An_export_replaces_only_a_model_and_only_when_told()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        CommandLineRun.Of("export", trained, "--out", At("onnx")).Code.ShouldBe(0);
        var again = CommandLineRun.Of("export", trained, "--out", At("onnx"));
        again.Code.ShouldBe(2);
        again.Error.ShouldContain("--force");
        CommandLineRun.Of("export", trained, "--out", At("onnx"), "--force", "--precision", "int8").Code.ShouldBe(0);
        Directory.GetFiles(At("onnx/onnx")).Select(Path.GetFileName).ShouldContain("model_int8.onnx");

        folder.File("notes/diary.txt", "mine");
        CommandLineRun.Of("export", trained, "--out", At("notes"), "--force").Code.ShouldBe(2);
        File.Exists(At("notes/diary.txt")).ShouldBeTrue();
        Directory.GetDirectories(folder.Path).Select(Path.GetFileName).ShouldBe(["notes", "onnx", "trained"], ignoreOrder: true);
    }

    [Fact]
    public void An_evaluation_is_a_table_or_one_object()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        string[] command = ["evaluate", trained, "--problems", "arithmetic:1,words", "--limit", "6", "--samples", "2", "--max-tokens",
            "8", "--twins"];
        var table = CommandLineRun.Of(command);
        table.Code.ShouldBe(0, table.Error);
        foreach (string word in (string[])["domain", "maj@2", "arithmetic", "words", "all", "renamed",
            "tokens/s"]) table.Out.ShouldContain(word);

        var json = CommandLineRun.Of([.. command, "--json", "--out", At("figures.json")]);
        var report = json.Json().GetProperty("evaluation");
        report.GetProperty("problems").GetInt32().ShouldBe(6);
        report.GetProperty("greedyInterval95").GetArrayLength().ShouldBe(2);
        report.GetProperty("byDomain").GetArrayLength().ShouldBe(2);
        report.GetProperty("twins").GetProperty("twins").GetInt32().ShouldBeGreaterThan(5);
        json.Json().GetProperty("kind").GetString().ShouldBe("checkpoint");
        File.ReadAllText(At("figures.json")).ShouldBe(json.Out);
    }

    [Fact]
    public void A_checkpoint_and_its_export_get_the_same_marks()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        CommandLineRun.Of("export", trained, "--out", At("onnx")).Code.ShouldBe(0);
        string problems = At("problems.jsonl");
        using (var stream = File.Create(problems)) ProblemFile.Write(stream,
            ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 3, Split.Test, 5));
        JsonElement Traces(string model) =>
            CommandLineRun.Of("evaluate", model, "--problems", problems, "--samples", "0", "--max-tokens", "8", "--json").Json()
                .GetProperty("evaluation").GetProperty("sampleTraces");
        Traces(At("onnx")).GetRawText().ShouldBe(Traces(trained).GetRawText());
    }

    [Fact]
    public void Both_engines_give_an_export_the_same_marks_and_replies_and_a_checkpoint_has_one_only()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        CommandLineRun.Of("export", trained, "--precision", "int8", "--out", At("onnx")).Code.ShouldBe(0);
        string[] asked = ["--problems", "arithmetic:1", "--limit", "8", "--max-tokens", "12", "--samples", "0", "--json"];
        var own = CommandLineRun.Of(["evaluate", At("onnx"), .. asked]);
        var other = CommandLineRun.Of(["evaluate", At("onnx"), "--engine", "genai", .. asked]);
        other.Code.ShouldBe(0, other.Error);
        string Traces(JsonElement figures) => figures.GetProperty("evaluation").GetProperty("sampleTraces").GetRawText();
        Traces(other.Json()).ShouldBe(Traces(own.Json()));
        string[] words = ["--prompt", "What is 2 + 3?", "--max-tokens", "12"];
        CommandLineRun.Of(["chat", At("onnx"), "--engine", "genai", .. words]).Out
            .ShouldBe(CommandLineRun.Of(["chat", At("onnx"), .. words]).Out);

        var refused = CommandLineRun.Of("chat", trained, "--engine", "genai", "--prompt", "Well?");
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("is a checkpoint, and ONNX Runtime GenAI runs exported folders only");
        refused.Error.ShouldContain("Leave --engine out.");
    }

    [Fact]
    public void A_chat_answers_each_line_of_redirected_input()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        var run = CommandLineRun.With("2 + 3\n\n4 + 5\n/exit\n6 + 7\n", default, "chat", trained, "--json", "--max-tokens", "5");
        run.Code.ShouldBe(0, run.Error);
        var turns = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        turns.Select(turn => turn.GetProperty("prompt").GetString()).ShouldBe(["2 + 3", "4 + 5"]);
        turns.ShouldAllBe(turn => turn.GetProperty("tokens").GetInt32() <= 5);
    }

    [Fact]
    public void A_damaged_model_is_a_fault()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        File.WriteAllText(Path.Combine(trained, "model.safetensors"), "no");
        var run = CommandLineRun.Of("chat", trained, "--prompt", "hello");
        run.Code.ShouldBe(1);
        run.Error.ShouldContain("model.safetensors");
        run.Error.ShouldNotContain("   at ");
        CommandLineRun.Of("chat", trained, "--prompt", "hello", "--verbose").Error.ShouldContain("   at ");
    }

    [Fact]
    public void A_cancelled_command_ends_with_130()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        var run = CommandLineRun.With("", new CancellationToken(canceled: true), "evaluate", trained, "--problems", "arithmetic",
            "--limit", "3");
        run.Code.ShouldBe(130);
        run.Error.ShouldContain("Interrupted.");
    }

    [Fact]
    public void A_machine_that_runs_these_tests_has_what_is_needed_and_is_told_so()
    {
        var run = CommandLineRun.Of("doctor", "--json");
        run.Code.ShouldBe(0);
        var report = run.Json();
        report.GetProperty("works").GetBoolean().ShouldBeTrue();
        var findings = report.GetProperty("findings").EnumerateArray().ToDictionary(finding => finding.GetProperty("name").GetString()!);
        findings.Keys.ShouldBe(["runtime", "processor", "memory", "disk", "commits", "onnxruntime", "torch", "cuda"]);
        findings["onnxruntime"].GetProperty("found").GetString()!.ShouldContain("CPU");
        foreach (var finding in findings.Values.Where(finding => finding.GetProperty("state").GetString() != "ok"))
            finding.GetProperty("remedy").GetString().ShouldNotBeNullOrEmpty();
    }

    private string At(string name) => Path.Combine(folder.Path, name);
}
