using System.Security.Cryptography;
using Distill.Cli.Output;
using Distill.Export.Parity.Texts;
using Distill.Generation.Onnx;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>The gate as a command, on the committed base.</summary>
public sealed class VerifyCommandTests : IDisposable
{
    private static readonly string s_trained = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
    private static readonly string[] s_small = ["--prompts", "6", "--tokens", "16"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_int8_export_passes_in_words_that_say_what_was_measured()
    {
        string exported = Export(s_trained, "int8");
        var run = CommandLineRun.Of(["verify", exported, "--against", s_trained, "--runtimes", "genai", .. s_small]);
        run.Code.ShouldBe(0, run.Out + run.Error);
        run.Out.ShouldContain("parity holds within the limits of rounding");
        foreach (string word in (string[])["perplexity against the model's", "divergence per token", "same most probable token",
            "problems solved", "tokens of genai", "texts and chats with other ids"]) run.Out.ShouldContain(word);
        run.Out.ShouldNotContain("REFUSED");
        run.Out.ShouldNotContain("E-0");
        run.Out.Split('\n').Where(line => !line.Contains(folder.Path) && !line.Contains(s_trained))
            .ShouldAllBe(line => TerminalText.Width(line.TrimEnd()) <= 80);
    }

    // Operators of the standard alone: the same numbers under other names, and the same limits. 4 bits to nearest cost the base too much.
    [Theory]
    [InlineData("int8", 0)]
    [InlineData("int4", 3)]
    public void A_portable_export_is_held_to_the_limits_of_its_numbers(string precision, int code)
    {
        string exported = Export(s_trained, precision, "--portable");
        var json = CommandLineRun.Of(["verify", exported, "--against", s_trained, "--runtimes", "none", "--json", .. s_small]);
        json.Json().GetProperty("precision").GetString().ShouldBe(precision);
        json.Json().GetProperty("parity").GetProperty("quality").GetProperty("tokens").GetInt32().ShouldBeGreaterThan(0);
        json.Code.ShouldBe(code, json.Out);
    }

    // What browsers load is another file of the same folder.
    [Fact]
    public void The_second_graph_of_browsers_is_measured_and_refused_too()
    {
        string exported = Export(s_trained, "fp32", "--dynamic-int8");
        string[] command = ["verify", exported, "--against", s_trained, "--runtimes", "none", .. s_small];
        // Activations of 8 bits cost this small a model more than the limits allow: what is tested is that it is measured.
        double Ratio() => CommandLineRun.Of([.. command, "--json"]).Json().GetProperty("parity").GetProperty("dynamicInt8")
            .GetProperty("perplexityRatio").GetDouble();
        double whole = Ratio();
        whole.ShouldBeInRange(0.5, 1.5);

        string graph = Path.Combine(exported, "onnx", "model_quantized.onnx"), data = graph + "_data", before = Sha256(data);
        byte[] bytes = File.ReadAllBytes(data);
        new Random(4).NextBytes(bytes.AsSpan(bytes.Length / 4, bytes.Length / 50));
        File.WriteAllBytes(data, bytes);
        Repair(exported, before, Sha256(data), 0, data);
        var refused = CommandLineRun.Of(command);
        refused.Code.ShouldBe(3, refused.Out);
        refused.Error.ShouldContain("onnx/model_quantized.onnx: ");
        Ratio().ShouldBeGreaterThan(2 * whole);
    }

    // An entry that no longer holds must go.
    [Fact]
    public void What_GenAI_is_known_to_read_otherwise_it_still_does_and_nothing_else()
    {
        string exported = Export(s_trained, "fp32");
        var json = CommandLineRun.Of(["verify", exported, "--against", s_trained, "--runtimes", "genai", "--json", .. s_small]);
        json.Code.ShouldBe(0, json.Out);
        var texts = json.Json().GetProperty("parity").GetProperty("texts").GetProperty("runtimes").EnumerateArray().Single();
        texts.GetProperty("unknown").GetArrayLength().ShouldBe(0);
        string?[] known = [.. texts.GetProperty("known").EnumerateArray().Select(reason => reason.GetString())];
        known.ShouldContain(reason => reason!.Contains("NUL"));
        known.ShouldAllBe(reason => KnownDifferences.All.Contains(ValueTuple.Create("genai", reason!)));
    }

    [Fact]
    public void A_rounded_export_of_another_model_is_refused_with_every_figure_and_its_place()
    {
        string trained = TinyCheckpoint.Write(Path.Combine(folder.Path, "one")), exported = Export(trained, "int4");
        string other = TinyCheckpoint.Write(Path.Combine(folder.Path, "other"), seed: 2);
        string[] command = ["verify", exported, "--against", other, "--runtimes", "none", .. s_small];
        var run = CommandLineRun.Of(command);
        run.Code.ShouldBe(3, run.Out);
        run.Out.ShouldContain("REFUSED");
        run.Out.ShouldNotContain("parity holds");
        run.Error.ShouldContain("The exported model is not the checkpoint.");

        var json = CommandLineRun.Of([.. command, "--json"]);
        json.Code.ShouldBe(3);
        var parity = json.Json().GetProperty("parity");
        parity.GetProperty("passed").GetBoolean().ShouldBeFalse();
        parity.GetProperty("quality").GetProperty("meanDivergence").GetDouble().ShouldBeGreaterThan(0);
        parity.GetProperty("refusals").GetArrayLength().ShouldBeGreaterThan(0);
        parity.GetProperty("fault").GetProperty("searched").GetBoolean().ShouldBeTrue();
    }

    // It loads, it runs, its digests are right, and it says nonsense.
    [Theory]
    [InlineData("_q8", "int8")]
    [InlineData("_scales", "int8")]
    [InlineData("_q4", "int4")]
    public void A_damaged_file_whose_digest_was_repaired_is_refused_and_the_damage_named(string part, string precision)
    {
        string exported = Export(s_trained, precision);
        Damage(exported, "layers.2.mlp.down_proj.weight" + part);
        var run = CommandLineRun.Of(["verify", exported, "--against", s_trained, "--runtimes", "none", .. s_small]);
        run.Code.ShouldBe(3, run.Out);
        run.Error.ShouldContain("The first difference is in layer 2, mlp, down_proj (model.layers.2.mlp.down_proj.weight");
    }

    [Fact]
    public void A_file_that_was_only_damaged_is_refused_by_its_digest()
    {
        string exported = Export(s_trained, "int8");
        Damage(exported, "layers.2.mlp.down_proj.weight_q8", repair: false);
        var run = CommandLineRun.Of(["verify", exported, "--against", s_trained, .. s_small]);
        run.Code.ShouldBe(3);
        run.Error.ShouldContain("is not the file that was exported");
    }

    [Fact]
    public void Another_template_than_that_of_training_is_refused()
    {
        string exported = Export(s_trained, "fp32"), template = Path.Combine(exported, "chat_template.jinja");
        string before = Sha256(template);
        File.AppendAllText(template, "Be brief.");
        Repair(exported, before, Sha256(template), bytes: "Be brief.".Length, template);
        var run = CommandLineRun.Of(["verify", exported, "--against", s_trained, "--runtimes", "none", .. s_small]);
        run.Code.ShouldBe(3, run.Out);
        run.Error.ShouldContain("the folder has another chat template");
        run.Error.ShouldContain("distill.json recorded");
        run.Error.ShouldNotContain("No layer stands out");
    }

    [Fact]
    public void Texts_of_the_users_own_are_measured_and_bad_ones_are_told()
    {
        string exported = Export(s_trained, "int8");
        string lines = folder.File("own.jsonl", "{\"text\": \"7 + 5 = 12\"}\n\n\"12 - 5 = 7\"\n");
        string plain = folder.File("own.txt", "Tom has 3 apples.\nHe eats one.\n\nHow many are left?\n");
        string asked = folder.File("asked.jsonl", """
            {"question": "What is 7 + 5?", "answer": "12"}
            {"question": "What is 12 - 5?", "answer": "7"}

            """);
        foreach (string texts in (string[])[lines, plain, asked])
        {
            var json = CommandLineRun.Of(["verify", exported, "--against", s_trained, "--texts", texts, "--runtimes", "none", "--json",
                .. s_small]);
            json.Json().GetProperty("parity").GetProperty("quality").GetProperty("texts").GetInt32().ShouldBe(2);
        }

        string bad = folder.File("bad.jsonl", "{\"text\": \"fine\"}\n{\"prompt\": \"none\"}\n");
        var refused = CommandLineRun.Of(["verify", exported, "--against", s_trained, "--texts", bad]);
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("line 2");
        CommandLineRun.Of(["verify", exported, "--against", s_trained, "--texts", bad + ".gone"]).Code.ShouldBe(2);
    }

    private string Export(string trained, string precision, params string[] more)
    {
        string target = Path.Combine(folder.Path, "exported");
        CommandLineRun.Of(["export", trained, "--precision", precision, "--out", target, .. more]).Code.ShouldBe(0);
        return target;
    }

    // Every byte of the constant but the last bit of some: scales stay numbers, codes stay codes.
    private static void Damage(string exported, string constant, bool repair = true)
    {
        string graph = ModelFolder.Open(exported).GraphPath;
        StoredTensor tensor;
        using (var stream = File.OpenRead(graph))
        {
            var outline = GraphOutline.Read(stream, graph)!;
            var place = outline.Initializers.Single(value => value.Name == constant).Piece;
            tensor = StoredTensor.Read(stream, graph, place, ExternalFiles.Of(Path.GetDirectoryName(graph)!, outline)!)!;
        }

        string before = Sha256(tensor.File);
        byte[] bytes = [.. tensor.Bytes];
        if (constant.EndsWith("_scales"))
            for (int i = 0; i < bytes.Length; i += 4) BitConverter.TryWriteBytes(bytes.AsSpan(i), -3 * BitConverter.ToSingle(bytes, i));
        else new Random(4).NextBytes(bytes);
        using (var stream = new FileStream(tensor.File, FileMode.Open, FileAccess.Write))
        {
            stream.Position = tensor.Offset;
            stream.Write(bytes);
        }

        if (repair) Repair(exported, before, Sha256(tensor.File), 0, tensor.File);
    }

    private static void Repair(string exported, string before, string after, int bytes, string file)
    {
        string provenance = Path.Combine(exported, "distill.json"), text = File.ReadAllText(provenance);
        long length = new FileInfo(file).Length;
        text.ShouldContain(before);
        text = text.Replace(before, after);
        if (bytes > 0) text = text.Replace($"\"bytes\": {length - bytes}", $"\"bytes\": {length}");
        File.WriteAllText(provenance, text);
    }

    private static string Sha256(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
}
