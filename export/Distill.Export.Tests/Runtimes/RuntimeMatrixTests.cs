using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Tests.Runtimes.Matrix;

namespace Distill.Export.Tests.Runtimes;

/// <summary>
/// Exported folders in every runtime: the greedy tokens of plain ONNX Runtime, or a reason that is checked to be still true.
/// </summary>
public sealed class RuntimeMatrixTests(MatrixFolders folders) : IClassFixture<MatrixFolders>
{
    internal const string RealModel = "smollm2-135m-instruct";

    private static readonly CancellationToken s_cancellation = TestContext.Current.CancellationToken;

    public static TheoryData<string> Runtimes => [.. MatrixRuntime.All.Select(runtime => runtime.Name)];

    public static TheoryData<string> RealFormats =>
        [.. MatrixFormat.All.Where(format => format is { Options.Portable: false, IsCalibrated: false }).Select(format => format.Name)];

    [Theory, MemberData(nameof(Runtimes))]
    public async Task Every_family_is_as_the_table_says(string name)
    {
        var runtime = MatrixRuntime.All.Single(runtime => runtime.Name == name);
        Assert.SkipWhen(runtime.Absence is not null, runtime.Absence ?? "");
        var tried = folders.Small.Where(folder => runtime.Tries(folder)).ToList();
        tried.Count.ShouldBeGreaterThanOrEqualTo(MatrixFormat.All.Count);
        Compare(runtime, tried, await runtime.RunAsync(tried, s_cancellation));
    }

    // A model of 135 million parameters that speaks: one prompt, in the formats that are not the same graph with other operators.
    [Theory, MemberData(nameof(RealFormats))]
    public async Task A_real_model_is_as_the_table_says(string name)
    {
        const int Steps = 8;
        string source = SharedModel.Require(RealModel);
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(source, "reference.json")));
        var run = recorded.RootElement.GetProperty("prompts")[0];
        var format = MatrixFormat.All.Single(format => format.Name == name);
        using var folder = new TemporaryFolder();
        var exported = Exported(source, folder.Path, RealModel, format, Ids(run.GetProperty("ids")), Steps);
        if (name == "fp32") exported.Difference([Ids(run.GetProperty("greedy_ids"))], 1e-4).ShouldBeNull();
        foreach (var runtime in MatrixRuntime.All.Where(runtime => runtime.Absence is null && runtime.Tries(exported)))
            Compare(runtime, [exported], await runtime.RunAsync([exported], s_cancellation));
    }

    [Fact]
    public void The_documentation_has_this_table()
    {
        const string Begin = "<!-- matrix -->\n", End = "<!-- end -->";
        string path = Path.Combine(RepositoryFolder.Root, "docs/runtimes.md"), text = File.ReadAllText(path);
        int from = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, to = text.IndexOf(End, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("DISTILL_REWRITE") == "1")
            File.WriteAllText(path, text[..from] + MatrixTable.Markdown() + text[to..]);
        else text[from..to].ShouldBe(MatrixTable.Markdown(), "DISTILL_REWRITE=1 writes it anew.");
    }

    // The weights are gone from memory when this returns.
    private static MatrixFolder Exported(string source, string folder, string name, MatrixFormat format, int[] prompt, int steps)
    {
        var checkpoint = Checkpoint.Open(source);
        return MatrixFolders.Export(folder, name, checkpoint.LoadWeights(), checkpoint.Tokenizer!, checkpoint.Tokenizer!, format, [prompt],
            steps);
    }

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];

    private static void Compare(MatrixRuntime runtime, IReadOnlyList<MatrixFolder> folders, IReadOnlyList<MatrixReply> replies)
    {
        replies.Count.ShouldBe(folders.Count);
        Assert.SkipWhen(replies.All(reply => reply.Fault == "no WebGPU adapter"), "This browser gives no WebGPU adapter.");
        var wrong = new List<string>();
        foreach (var (folder, reply) in folders.Zip(replies))
        {
            string? said = reply.Fault ?? folder.Difference(reply.Result!, runtime.Rounding(folder));
            var exception = MatrixTable.Of(runtime, folder.Format, folder.Family);
            if (exception is null && said is not null) wrong.Add($"{folder.Format}, {folder.Family}: {said}");
            if (exception is not null && said?.Contains(exception.Says, StringComparison.Ordinal) != true)
                wrong.Add($"{folder.Format}, {folder.Family}: '{said ?? "equal"}', and not '{exception.Says}' as the table has it");
        }

        wrong.ShouldBeEmpty(runtime.Name);
    }
}
