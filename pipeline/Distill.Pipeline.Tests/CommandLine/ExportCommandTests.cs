using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Cli.Commands.Exporting;
using Distill.Export.Package;
using Distill.Generation.Onnx;
using Distill.Storage;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary><c>distill export</c>: formats, adapters, what goes along, and that nothing half made or foreign is touched.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("fp32"), InlineData("bf16")]
    public void Safetensors_are_a_checkpoint_again(string type)
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        var run = CommandLineRun.Of("export", trained, "--format", "hf", "--dtype", type, "--out", At("hf"), "--json");
        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("format").GetString().ShouldBe("hf");
        run.Json().GetProperty("precision").GetString().ShouldBe(type);
        File.Exists(At("hf/README.md")).ShouldBeTrue();
        var again = CommandLineRun.Of("export", At("hf"), "--out", At("onnx"));
        again.Code.ShouldBe(0, again.Error);
        if (type != "fp32") return;
        CommandLineRun.Of("export", trained, "--out", At("direct")).Code.ShouldBe(0);
        File.ReadAllBytes(At("onnx/onnx/model.onnx_data")).ShouldBe(File.ReadAllBytes(At("direct/onnx/model.onnx_data")));
    }

    [Fact]
    public void An_adapter_is_merged_on_the_way_into_either_format()
    {
        string trained = TinyCheckpoint.Write(At("trained")), lora = WriteAdapter(trained, 0.25f);
        var hf = CommandLineRun.Of("export", trained, "--adapter", lora, "--format", "hf", "--out", At("hf"));
        hf.Code.ShouldBe(0, hf.Error);
        var onnx = CommandLineRun.Of("export", trained, "--adapter", lora, "--out", At("onnx"));
        onnx.Code.ShouldBe(0, onnx.Error);
        onnx.Out.ShouldContain("distill chat");

        const string changed = "model.layers.0.self_attn.q_proj.weight";
        var (before, after) = (Checkpoint.Open(trained).LoadWeights(), Checkpoint.Open(At("hf")).LoadWeights());
        foreach (var spec in ParameterMap.For(before.Architecture))
            before[spec.Name].Span.SequenceEqual(after[spec.Name].Span).ShouldBe(spec.Name != changed, spec.Name);
        // A and B are constant: every weight grows by scaling · rank · a · b
        (after[changed].Span[3] - before[changed].Span[3]).ShouldBe(2 * 2 * 0.25f * 0.25f, 1e-6f);
        CommandLineRun.Of("verify", At("onnx"), "--against", At("hf"), "--prompts", "4", "--tokens", "8").Code.ShouldBe(0);
        CommandLineRun.Of("verify", At("onnx"), "--against", trained, "--prompts", "4", "--tokens", "8").Code.ShouldBe(3);
        File.ReadAllText(At("onnx/README.md")).ShouldContain("Made from trained, with the adapter lora merged into it.");
        using var provenance = JsonDocument.Parse(File.ReadAllBytes(At("onnx/distill.json")));
        provenance.RootElement.GetProperty("digests").EnumerateObject().Select(digest => digest.Name).ShouldBe(["adapter", "checkpoint"]);
    }

    [Fact]
    public void Licence_and_sampling_of_the_source_go_along()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        File.WriteAllText(At("trained/LICENSE"), "Apache License\nVersion 2.0, January 2004\n");
        var generation = JsonNode.Parse(File.ReadAllText(At("trained/generation_config.json")))!.AsObject();
        generation["temperature"] = 0.7;
        File.WriteAllText(At("trained/generation_config.json"), generation.ToJsonString());
        CommandLineRun.Of("export", trained, "--out", At("onnx")).Code.ShouldBe(0);
        File.ReadAllText(At("onnx/README.md")).ShouldStartWith("---\nlicense: apache-2.0\n");
        File.Exists(At("onnx/LICENSE")).ShouldBeTrue();
        using var genai = JsonDocument.Parse(File.ReadAllBytes(At("onnx/genai_config.json")));
        genai.RootElement.GetProperty("search").GetProperty("temperature").GetDouble().ShouldBe(0.7);

        // a card knows better than a text, and who types knows best
        File.WriteAllText(At("trained/README.md"), "---\nlicense: other\nlicense_name: mine-1.0\n---\n# Mine\n");
        CommandLineRun.Of("export", trained, "--out", At("second")).Code.ShouldBe(0);
        File.ReadAllText(At("second/README.md")).ShouldStartWith("---\nlicense: mine-1.0\n");
        CommandLineRun.Of("export", trained, "--out", At("third"), "--license", "mit").Code.ShouldBe(0);
        File.ReadAllText(At("third/README.md")).ShouldStartWith("---\nlicense: mit\n");
    }

    [Fact]
    public void What_does_not_go_together_is_said_before_any_work()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        Refused("--dtype is an option of --format hf", trained, "--dtype", "bf16", "--out", At("x"));
        Refused("--precision is an option of --format onnx", trained, "--format", "hf", "--precision", "int8", "--out", At("x"));
        Refused("is not an adapter", trained, "--adapter", trained, "--out", At("x"));
        Refused("There is no folder", trained, "--adapter", At("nowhere"), "--out", At("x"));
        Refused("is what is exported", trained, "--format", "hf", "--force", "--out", trained);
        Refused("holds something else", trained, "--force", "--out", trained);
        Refused("is what is exported", trained + "/", "--format", "hf", "--force", "--out", trained);
        Refused("is what is exported", trained, "--format", "hf", "--force", "--out", trained + "/");
        Directory.GetFileSystemEntries(folder.Path).ShouldHaveSingleItem();
    }

    [Fact]
    public void What_lies_around_a_source_is_found_through_links()
    {
        Directory.CreateDirectory(At("real/inner"));
        Directory.CreateSymbolicLink(At("link"), At("real"));
        ExportPlaces.Covers(At("real"), At("real/inner/")).ShouldBeTrue();
        ExportPlaces.Covers(At("link/inner"), At("real/inner")).ShouldBeTrue();
        ExportPlaces.Covers(At("real"), At("link/inner/absent")).ShouldBeTrue();
        ExportPlaces.Covers(At("real/inner"), At("real")).ShouldBeFalse();
        ExportPlaces.Covers(At("real/in"), At("real/inner")).ShouldBeFalse();
    }

    [Fact]
    public void What_a_killed_export_left_is_put_right_by_the_next()
    {
        Directory.CreateDirectory(At("model.distill-1.new"));
        Directory.CreateDirectory(At("model.distill-1.old"));
        File.WriteAllText(At("model.distill-1.old/kept"), "before");
        File.WriteAllText(At("model.distill-1.lock"), "");
        Should.Throw<InvalidDataException>(() => ReplacedFolder.Write(At("model"), _ => throw new InvalidDataException("no")));
        File.ReadAllText(At("model/kept")).ShouldBe("before");
        Directory.GetFileSystemEntries(folder.Path).ShouldBe([At("model")]);

        // One that is still at work is left alone.
        using var alive = new FileStream(At("model.distill-2.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        Directory.CreateDirectory(At("model.distill-2.new"));
        ReplacedFolder.Write(At("model"), fresh => File.WriteAllText(Path.Combine(fresh, "kept"), "after"));
        File.ReadAllText(At("model/kept")).ShouldBe("after");
        Directory.Exists(At("model.distill-2.new")).ShouldBeTrue();
    }

    [Fact]
    public void An_adapter_of_another_base_is_doubted_aloud()
    {
        string trained = TinyCheckpoint.Write(At("trained-elsewhere")), lora = WriteAdapter(trained, 0.25f);
        var run = CommandLineRun.Of("export", trained, "--adapter", lora, "--format", "hf", "--out", At("hf"), "--json");
        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("warnings").EnumerateArray().ShouldHaveSingleItem().GetString()!.ShouldContain("trained on 'trained'");
    }

    [Fact]
    public void An_adapter_of_another_model_is_a_fault_that_leaves_nothing()
    {
        string trained = TinyCheckpoint.Write(At("trained")), lora = WriteAdapter(trained, 1, extra: 8);
        var run = CommandLineRun.Of("export", trained, "--adapter", lora, "--out", At("x"));
        run.Code.ShouldBe(1);
        run.Error.ShouldContain("is no adapter of this model");
        run.Error.ShouldContain("has shape");
        Directory.GetDirectories(folder.Path).Select(Path.GetFileName).ShouldBe(["lora", "trained"], ignoreOrder: true);
    }

    [Fact]
    public void A_folder_that_is_replaced_is_whole_at_every_moment()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        CommandLineRun.Of("export", trained, "--out", At("onnx")).Code.ShouldBe(0);
        byte[] before = File.ReadAllBytes(At("onnx/distill.json"));
        string broken = TinyCheckpoint.Write(At("broken"), seed: 4);
        File.WriteAllText(At("broken/chat_template.jinja"), "{{ raise_exception('no') }}");
        byte[] weights = File.ReadAllBytes(At("broken/model.safetensors"));
        weights.AsSpan(weights.Length - 64).Fill(0xFF); // NaN: found when the folder is tried, after all was written
        File.WriteAllBytes(At("broken/model.safetensors"), weights);
        CommandLineRun.Of("export", broken, "--force", "--out", At("onnx")).Code.ShouldBe(1);
        File.ReadAllBytes(At("onnx/distill.json")).ShouldBe(before);
        PackageIntegrity.Check(At("onnx"), full: true).ShouldBeEmpty();
        ModelFolder.Open(At("onnx")).ShouldNotBeNull();
        Directory.GetDirectories(folder.Path).Select(Path.GetFileName).ShouldBe(["broken", "onnx", "trained"], ignoreOrder: true);
    }

    private void Refused(string words, params string[] arguments)
    {
        var run = CommandLineRun.Of(["export", .. arguments]);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(words);
    }

    // Rank 2, scaling 2, every number the same.
    private string WriteAdapter(string checkpoint, float value, int extra = 0)
    {
        var a = Checkpoint.Open(checkpoint).Architecture;
        Directory.CreateDirectory(At("lora"));
        File.WriteAllText(At("lora/adapter_config.json"), """
            {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"], "base_model_name_or_path": "trained"}
            """);
        long rows = a.Heads * a.HeadSize;
        SafeTensor Constant(string name, params long[] shape) =>
            SafeTensor.Singles($"base_model.model.model.layers.0.self_attn.q_proj.{name}.weight", shape,
                Enumerable.Repeat(value, (int)(shape[0] * shape[1])).ToArray());
        SafeTensorsWriter.Write(
            At("lora/adapter_model.safetensors"), [Constant("lora_A", 2, a.HiddenSize + extra), Constant("lora_B", rows, 2)]);
        return At("lora");
    }

    private string At(string name) => Path.Combine(folder.Path, name);
}
