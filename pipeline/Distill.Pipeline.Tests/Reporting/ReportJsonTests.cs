using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Reporting;

public sealed class ReportJsonTests
{
    private static readonly JsonNode Written = JsonNode.Parse(ReportJson.Write(SampleReport.Full))!;

    private static IEnumerable<string> Keys(JsonNode? node) => node!.AsObject().Select(pair => pair.Key);

    [Fact]
    public void What_is_read_back_equals_what_was_written()
    {
        var read = ReportJson.Read(ReportJson.Write(SampleReport.Full));
        read.ShouldBe(SampleReport.Full);
        read.GetHashCode().ShouldBe(SampleReport.Full.GetHashCode());
        (read with { Notes = [] }).ShouldNotBe(SampleReport.Full);
        ReportHtml.Render(read, []).ShouldBe(ReportHtml.Render(SampleReport.Full, []));
    }

    [Fact]
    public void A_report_of_a_name_alone_is_read_back() =>
        ReportJson.Read(ReportJson.Write(new RunReport { Run = "r", RecipeDigest = "d" }))
            .ShouldBe(new RunReport { Run = "r", RecipeDigest = "d" });

    [Fact]
    public void Names_are_those_of_the_contract()
    {
        Keys(Written).ShouldBe(
            [
                "run", "recipeDigest", "stages", "evaluations", "parity", "quantization", "exportPrecision", "throughput", "comparisons",
                "onnxGreedyAnswersEqual", "modelSizes", "curation", "preflight", "notes", "models", "recipe",
                "machine", "accuracies", "lengths", "sideBySide", "verdicts", "promotion",
            ]);
        Keys(Written["stages"]![0]).ShouldBe(["name", "state", "reason", "seconds", "inputs", "outputs", "amounts", "isTimeAtLeast"]);
        Keys(Written["evaluations"]![0]).ShouldBe(
            [
                "model", "problems", "samples", "greedy", "greedyInterval95", "passAt1", "interval95", "majAtK", "meanTokens", "truncated",
                    "undecidable", "twins",
                "byDomain", "sampleTraces",
            ]);
        Keys(Written["stages"]![1]!["amounts"]).ShouldBe(
            ["rows", "promptTokens", "tokens", "steps", "tokensPerSecond", "bytes", "cost", "isCostAtLeast"]);
        Keys(Written["accuracies"]![0]).ShouldBe(["model", "way", "accuracy", "interval95", "problems", "tokens"]);
        Keys(Written["lengths"]![0]).ShouldBe(["model", "areTraces", "count", "mean", "median", "longest", "width", "classes"]);
        Keys(Written["sideBySide"]![0]).ShouldBe(["problemId", "domain", "problem", "referenceAnswer", "why", "answers"]);
        Keys(Written["sideBySide"]![0]!["answers"]![0]).ShouldBe(["model", "isRight", "tokens", "reasoning", "answer"]);
        Keys(Written["parity"]).Take(2).ShouldBe(["maxAbsLogitDiff", "maxAbsLogit"]);
        Keys(Written["comparisons"]![0]!["greedy"]).ShouldBe(["mean", "interval", "standardError", "p"]);
        Keys(Written["onnxGreedyAnswersEqual"]).ShouldBe(["equal", "problems", "identicalAnswers"]);
        Keys(Written["modelSizes"]![0]).ShouldBe(["model", "parameters", "bytes"]);
        Keys(Written["curation"]).ShouldBe(["kept", "dropped", "examples"]);
        Keys(Written["models"]![0]).ShouldBe(["name", "role", "word", "meaning", "isAside"]);
        Keys(Written["recipe"]).ShouldBe(["changed", "text"]);
        Keys(Written["recipe"]!["changed"]![0]).ShouldBe(["path", "value", "default"]);
        Keys(Written["machine"]).ShouldBe(["processor", "cores", "memoryBytes", "system", "versions"]);
    }

    [Fact]
    public void Values_are_spelled_as_the_contract_spells_them()
    {
        Written["stages"]![0]!["state"]!.GetValue<string>().ShouldBe("cached");
        Written["stages"]![1]!["inputs"]!["teacher-model"]!.GetValue<string>().ShouldBe(SampleReport.Digest("teacher-model"));
        Written["evaluations"]![0]!["interval95"]!.AsArray().Count.ShouldBe(2);
        Written["curation"]!["dropped"]!["wrong"]!.GetValue<long>().ShouldBe(602);
    }

    [Fact]
    public void A_rate_that_is_no_number_does_not_cost_the_report()
    {
        var report = SampleReport.Full with { Throughput = new Dictionary<string, double> { ["rate"] = double.NaN } };
        ReportJson.Read(ReportJson.Write(report)).ShouldBe(report);
        ReportHtml.Render(report, []).ShouldContain("<td>—</td>");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"run\": null, \"recipeDigest\": \"d\"}")]
    [InlineData("[")]
    public void What_is_no_report_is_refused(string text) => Should.Throw<JsonException>(() => ReportJson.Read(text));
}
