using System.Globalization;
using System.Text.Json;
using Distill.Cli.Commands.Exporting;
using Distill.Export;
using Distill.Export.Parity;
using Distill.Export.Quantization;
using Distill.Pipeline.Models;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary><c>distill export --calibrate</c>: codes that are chosen over texts, within a size, and what they cost.</summary>
public sealed class CalibratedExportTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Codes_are_chosen_within_a_size_and_measured_beside_other_forms()
    {
        string trained = TinyCheckpoint.Write(At("trained")), texts = WriteTexts(18);
        var nearest = CommandLineRun.Of("export", trained, "--precision", "int4", "--out", At("nearest"));
        nearest.Code.ShouldBe(0, nearest.Error);
        nearest.Out.ShouldContain("--calibrate TEXTS");
        var run = CommandLineRun.Of(
            "export", trained, "--precision", "int4", "--calibrate", texts, "--samples", "8", "--recover", "2", "--compare",
            "--max-size", (BytesOf("nearest") + 60_000).ToString(CultureInfo.InvariantCulture) + "e-6", "--out", At("chosen"), "--json");
        run.Code.ShouldBe(0, run.Error);
        var figures = run.Json().GetProperty("quantization");
        figures.GetProperty("texts").GetInt32().ShouldBe(8);
        figures.GetProperty("recovered").GetProperty("after").GetDouble()
            .ShouldBeLessThanOrEqualTo(figures.GetProperty("recovered").GetProperty("before").GetDouble());
        var forms = figures.GetProperty("forms").EnumerateArray().ToList();
        forms.Select(form => form.GetProperty("form").GetString())
            .ShouldBe(["fp32", "int8, to nearest", "int4, to nearest", "int4, recovered"]);
        forms[^1].GetProperty("quality").GetProperty("texts").GetInt32().ShouldBe(6); // a third, held out
        forms[^1].GetProperty("bytes").GetInt64().ShouldBe(BytesOf("chosen"));
        BytesOf("chosen").ShouldBeLessThanOrEqualTo(BytesOf("nearest") + 60_000);
        string card = File.ReadAllText(At("chosen/README.md"));
        card.ShouldContain("## Size, quality, speed");
        card.ShouldContain("| int4, recovered |");
        Directory.EnumerateDirectories(folder.Path).Select(Path.GetFileName).Order().ShouldBe(["chosen", "nearest", "trained"]);
    }

    [Theory]
    [InlineData("--precision", "int4", "--max-size", "5", "needs texts")]
    [InlineData("--precision", "fp16", "--calibrate", "TEXTS", "chooses codes")]
    [InlineData("--precision", "int8", "--calibrate", "TEXTS", "between 4 and 8 bits", "--max-size", "5")]
    [InlineData("--precision", "int4", "--calibrate", "TEXTS", "no size of a block", "--block", "48")]
    [InlineData("--precision", "int8", "--calibrate", "TEXTS", "a block of 4 bits", "--block", "64")]
    [InlineData("--precision", "int4", "--calibrate", "TEXTS", "--portable exclude", "--portable")]
    [InlineData("--precision", "int4", "--calibrate", "TEXTS", "--dynamic-int8 exclude", "--dynamic-int8")]
    [InlineData("--precision", "int4", "--calibrate", "TEXTS", "--adapter-file exclude", "--adapter-file", "lora")]
    public void What_does_not_go_together_is_refused(string a, string b, string c, string d, string said, params string[] more)
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        string[] words = [a, b, c, d == "TEXTS" ? WriteTexts(4) : d, .. more];
        var run = CommandLineRun.Of(["export", trained, "--out", At("out"), .. words]);
        run.Code.ShouldBe(2);
        run.Error.ShouldContain(said);
        Directory.Exists(At("out")).ShouldBeFalse();
    }

    [Fact]
    public void Texts_are_not_asked_for_where_they_cannot_be_given()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        var run = CommandLineRun.Of("export", trained, "--precision", "int4", "--portable", "--out", At("portable"));
        run.Code.ShouldBe(0, run.Error);
        run.Out.ShouldContain("each weight to nearest");
        run.Out.ShouldNotContain("--calibrate");
    }

    [Fact]
    public void What_gained_nothing_is_not_called_recovered()
    {
        var result = new CalibrationResult(new(new Dictionary<string, QuantizedMatrix>()), null!, 0, 4, 2, 20);
        var useless = new RecoveryResult(0.5, 0.5, 7, null!, result.Quantization);
        FormComparison.NameOf(ExportPrecision.Int4, useless).ShouldBe("int4, calibrated");
        FormComparison.NameOf(ExportPrecision.Int4, useless with { After = 0.4 }).ShouldBe("int4, recovered");
        string Said(RecoveryResult recovered) => QuantizationArguments.Notes(
            ExportPrecision.Int4, new(new(), null!, result, recovered, [], [])).Single(note => note.Label == "recover").Text;
        Said(useless).ShouldContain("nothing was gained");
        Said(useless with { After = 0.4 }).ShouldContain("0.5 → 0.4");
    }

    [Fact]
    public void Texts_of_one_prompt_are_not_measured_on_after_being_calibrated_over()
    {
        MeasuredText Of(int prompt, int answer) => new([prompt, prompt, answer], 2);
        MeasuredText[] texts = [Of(1, 5), Of(2, 5), Of(3, 5), Of(4, 5), Of(4, 6), Of(1, 6)];
        var (chosen, held) = CalibrationTexts.Part(texts, 64, 2);
        chosen.ShouldBe([texts[1], texts[2], texts[3], texts[4]]);
        held.ShouldBe([texts[0], texts[5]]);
        CalibrationTexts.Part(texts, 64, 4).Held.ShouldBe([texts[0], texts[3], texts[4], texts[5]]);
        CalibrationTexts.Part(texts, 3, 0).Chosen.ShouldBe(texts[..3]);
        CalibrationTexts.Part([texts[0], texts[5]], 64, 1).Held.ShouldBeEmpty();
        CalibrationTexts.Part([new([1, 2, 3]), new([1, 2, 4])], 64, 1).Held.Count.ShouldBe(1); // plain words
    }

    [Fact]
    public void Texts_are_read_in_every_form_they_come_in()
    {
        string trained = TinyCheckpoint.Write(At("trained"));
        var encoder = ChatEncoder.Load(trained);
        string[] lines =
        [
            """{"text":"one two three"}""", "\"four five\"", """{"question":"3 + 4?","answer":"7"}""", "",
            """{"prompt":"a","completion":"b c"}""",
            """{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello there"}]}""",
        ];
        File.WriteAllLines(At("texts.jsonl"), lines);
        var read = CalibrationTexts.Read(At("texts.jsonl"), encoder, 64);
        read.Count.ShouldBe(5);
        read[0].Tokens.ShouldBe(encoder.Tokenizer.Encode("one two three"));
        read[2].First.ShouldBeGreaterThan(1); // what is asked is read and not measured
        File.WriteAllText(At("texts.txt"), "one two\nthree\n\n\nfour five\n");
        CalibrationTexts.Read(At("texts.txt"), encoder, 64).Count.ShouldBe(2);
        File.WriteAllText(At("bad.jsonl"), "{\"text\":\"fine words\"}\n{\"words\":1}\n");
        Should.Throw<InvalidDataException>(() => CalibrationTexts.Read(At("bad.jsonl"), encoder, 64)).Message.ShouldContain("line 2");
    }

    private string At(string name) => folder.File(name);

    private long BytesOf(string model) => Directory.EnumerateFiles(At(model + "/onnx")).Sum(file => new FileInfo(file).Length);

    private string WriteTexts(int count)
    {
        var rows = Enumerable.Range(0, count).Select(i => JsonSerializer.Serialize(new
        {
            question = $"Tom has {i + 3} apples and gives {i} away. How many are left?", answer = $"{i + 3} - {i} = 3. The answer is 3.",
        }));
        File.WriteAllLines(At("problems.jsonl"), rows);
        return At("problems.jsonl");
    }
}
