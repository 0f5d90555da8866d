using Distill.Architecture;
using Distill.Export.Gguf;
using Distill.Export.Package;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary><c>distill export</c> to GGUF, and with adapters beside the base.</summary>
public sealed class ExportFormatTests : IDisposable
{
    private static readonly string s_base = Path.Combine(RepositoryFolder.Root, "student", "models", "tiny-base");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_gguf_file_lies_where_it_was_asked_for()
    {
        string file = At("tiny.gguf");
        var run = CommandLineRun.Of("export", s_base, "--format", "gguf", "--precision", "q8_0", "--out", file, "--json");
        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("format").GetString().ShouldBe("gguf");
        run.Json().GetProperty("precision").GetString().ShouldBe("q8_0");
        run.Json().GetProperty("bytes").GetInt64().ShouldBe(new FileInfo(file).Length);
        run.Json().GetProperty("notes").GetArrayLength().ShouldBe(0);
        GgufFile.Open(file).Metadata["general.architecture"].ShouldBe("qwen3");
        Refused("is there already", "--format", "gguf", "--out", file);
        CommandLineRun.Of("export", s_base, "--format", "gguf", "--out", file, "--force").Code.ShouldBe(0);
        GgufFile.Open(file).Metadata["general.file_type"].ShouldBe(1UL); // f16, the default
        Directory.GetFileSystemEntries(folder.Path).ShouldBe([file]);
    }

    [Fact]
    public void A_folder_gets_the_file_and_a_card()
    {
        var run = CommandLineRun.Of(
            "export", s_base, "--format", "gguf", "--precision", "q4_0", "--out", At("gguf"), "--name", "my model/1", "--license", "mit");
        run.Code.ShouldBe(0, run.Error);
        Directory.GetFiles(At("gguf")).Select(Path.GetFileName).ShouldBe(["README.md", "my-model-1-Q4_0.gguf"], ignoreOrder: true);
        string card = File.ReadAllText(At("gguf/README.md"));
        card.ShouldStartWith("---\nlicense: mit\n");
        card.ShouldContain("llama-cli -m my-model-1-Q4_0.gguf");
        CommandLineRun.Of("export", s_base, "--format", "gguf", "--out", At("gguf"), "--force").Code.ShouldBe(0);
        Directory.GetFiles(At("gguf"), "*.gguf").Select(Path.GetFileName).ShouldBe(["tiny-base-F16.gguf"]);
    }

    // A model of somebody's beside the file of an export is not an export any more.
    [Fact]
    public void What_an_export_did_not_write_is_never_replaced()
    {
        CommandLineRun.Of("export", s_base, "--format", "gguf", "--out", At("gguf")).Code.ShouldBe(0);
        File.WriteAllText(At("gguf/other.gguf"), "mine");
        Refused("holds something else", "--format", "gguf", "--out", At("gguf"), "--force");
        File.Delete(At("gguf/other.gguf"));
        Directory.CreateDirectory(At("gguf/photos"));
        Refused("holds something else", "--format", "gguf", "--out", At("gguf"), "--force");

        CommandLineRun.Of("export", s_base, "--format", "hf", "--out", At("hf")).Code.ShouldBe(0);
        Directory.CreateDirectory(At("hf/checkpoint-100"));
        Refused("holds something else", "--format", "hf", "--out", At("hf"), "--force");
        Directory.Delete(At("hf/checkpoint-100"));
        CommandLineRun.Of("export", s_base, "--format", "hf", "--out", At("hf"), "--force").Code.ShouldBe(0);

        CommandLineRun.Of("export", s_base, "--out", At("onnx")).Code.ShouldBe(0);
        File.WriteAllText(At("onnx/onnx/notes.txt"), "mine");
        Refused("holds something else", "--out", At("onnx"), "--force");
        File.Delete(At("onnx/onnx/notes.txt"));
        CommandLineRun.Of("export", s_base, "--out", At("onnx") + "/", "--force").Code.ShouldBe(0);
    }

    [Fact]
    public void Licences_lie_beside_the_file_and_those_of_an_adapter_too()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        File.WriteAllText(At("trained/LICENSE"), "MIT License");
        string lora = WriteAdapter("lora", Checkpoint.Open(trained).Architecture, 2);
        File.WriteAllText(At("lora/LICENSE"), "Apache License\nVersion 2.0, January 2004");
        var run = CommandLineRun.Of("export", trained, "--adapter", lora, "--format", "gguf", "--out", At("gguf"), "--json");
        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("warnings").EnumerateArray().Select(text => text.GetString())
            .ShouldContain(text => text!.Contains("that of the adapter 'apache-2.0'", StringComparison.Ordinal));
        File.ReadAllText(At("gguf/LICENSE")).ShouldStartWith("MIT");
        File.ReadAllText(At("gguf/LICENSE-adapter")).ShouldStartWith("Apache");
        File.ReadAllText(At("gguf/README.md")).ShouldStartWith("---\nlicense: other\n");
        CommandLineRun.Of(
            "export", trained, "--adapter", lora, "--format", "gguf", "--out", At("gguf"), "--force", "--license", "mit").Code.ShouldBe(0);
        File.ReadAllText(At("gguf/README.md")).ShouldStartWith("---\nlicense: mit\n");
    }

    [Fact]
    public void Words_of_another_format_are_refused_with_those_of_this_one()
    {
        Refused("Give one of f32, f16, bf16, q8_0, q4_0", "--format", "gguf", "--precision", "int4", "--out", At("x.gguf"));
        Refused("Give one of fp32", "--precision", "q4_0", "--out", At("x"));
        Refused("--adapter-file is an option of --format onnx", "--format", "gguf", "--adapter-file", s_base, "--out", At("x.gguf"));
        Refused("is not an adapter", "--adapter-file", s_base, "--out", At("x"));
        Directory.GetFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void What_llama_cpp_cannot_compute_leaves_nothing()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        string tokenizer = File.ReadAllText(At("trained/tokenizer.json"));
        string grouped = System.Text.RegularExpressions.Regex.Replace(tokenizer, "(\"individual_digits\": *)true", "$1false");
        grouped.ShouldNotBe(tokenizer);
        File.WriteAllText(At("trained/tokenizer.json"), grouped);
        var run = CommandLineRun.Of("export", trained, "--format", "gguf", "--out", At("x.gguf"));
        run.Code.ShouldBe(1);
        run.Error.ShouldContain("llama.cpp has no name for the way it cuts text into words: Digits");
        Directory.GetFileSystemEntries(folder.Path).ShouldBe([trained]);
    }

    [Fact]
    public void Adapters_lie_beside_their_base()
    {
        var a = Checkpoint.Open(s_base).Architecture;
        string maths = WriteAdapter("maths", a, 4), law = WriteAdapter("law", a, 2);
        var run = CommandLineRun.Of("export", s_base, "--adapter-file", maths, "--adapter-file", law, "--out", At("onnx"));
        run.Code.ShouldBe(0, run.Error);
        Directory.GetFiles(At("onnx/adapters")).Select(Path.GetFileName)
            .ShouldBe(["README.md", "law.onnx_adapter", "maths.onnx_adapter"], ignoreOrder: true);
        PackageIntegrity.Check(At("onnx"), full: true).ShouldBeEmpty();
        CommandLineRun.Of("verify", At("onnx"), "--against", s_base, "--prompts", "4", "--tokens", "8").Code.ShouldBe(0);
        Directory.CreateDirectory(At("other"));
        string second = WriteAdapter("other/maths", a, 4);
        Refused("Two adapters are called 'maths'", "--adapter-file", maths, "--adapter-file", second, "--out", At("y"));
    }

    private void Refused(string words, params string[] arguments)
    {
        var run = CommandLineRun.Of(["export", s_base, .. arguments]);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(words);
    }

    private string WriteAdapter(string name, DecoderArchitecture a, int rank)
    {
        Directory.CreateDirectory(At(name));
        File.WriteAllText(At(name + "/adapter_config.json"), $$"""
            {"peft_type": "LORA", "r": {{rank}}, "lora_alpha": 8, "target_modules": ["v_proj"]}
            """);
        var random = new Random(rank);
        SafeTensor Random(int layer, string factor, params long[] shape) => SafeTensor.Singles(
            $"base_model.model.model.layers.{layer}.self_attn.v_proj.lora_{factor}.weight", shape,
            Enumerable.Range(0, (int)(shape[0] * shape[1])).Select(_ => random.NextSingle() - 0.5f).ToArray());
        SafeTensorsWriter.Write(At(name + "/adapter_model.safetensors"), Enumerable.Range(0, a.Layers).SelectMany(layer => (SafeTensor[])
            [Random(layer, "A", rank, a.HiddenSize), Random(layer, "B", a.KeyValueHeads * a.HeadSize, rank)]));
        return At(name);
    }

    private string At(string name) => Path.Combine(folder.Path, name);
}
