using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>The pages over a run that was really done, small as it is.</summary>
public sealed class RealRunPagesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Stages_curves_results_model_and_differences_of_a_run_are_shown()
    {
        SmallRun.Run(folder);
        SmallRun.Run(folder, new RunOptions { Name = "again" });
        await using var server = await PageServer.StartAsync(folder.Path);

        string page = await server.PageAsync("/runs/small");
        foreach (string part in (string[])["Learning curves", "aria-label=\"loss over steps\"", "Results", "Paired comparisons",
            "parity gate", "not done yet", "download the model", ">curated</a>"]) page.ShouldContain(part);
        page.ShouldNotContain("waiting</span>");
        (await server.PageAsync("/runs/again")).ShouldContain("made before");
        (await server.PageAsync("/runs/small/log")).ShouldContain("ended: done");
        (await server.PageAsync("/runs/small/card")).ShouldContain("small");
        (await server.PageAsync("/runs/small/lineage")).ShouldContain("teacher-model");
        (await server.PageAsync("/models")).ShouldContain("2 exported models");
        (await server.PageAsync("/runs/small/traces?at=0")).ShouldContain("Reference answer");

        string compared = await server.PageAsync("/compare?a=small&b=again");
        compared.ShouldContain("stages have the same artefact");
        compared.ShouldContain("<td class=\"open\"><b>0</b></td>"); // points
        using var curves = JsonDocument.Parse(await server.TextAsync("/api/runs/small/curves"));
        curves.RootElement.EnumerateArray().ShouldContain(curve =>
            curve.GetProperty("stage").GetString() == "sft" && curve.GetProperty("name").GetString() == "loss");
        using var run = JsonDocument.Parse(await server.TextAsync("/api/runs/small"));
        string place = run.RootElement.GetProperty("artefacts").EnumerateArray()
            .Single(one => one.GetProperty("link").GetString() == "model").GetProperty("address").GetString()!;
        (await server.Client.GetByteArrayAsync($"{place}/config.json", TestContext.Current.CancellationToken))
            .ShouldBe(File.ReadAllBytes(Path.Combine(folder.Path, "small", "model", "config.json")));
    }
}
