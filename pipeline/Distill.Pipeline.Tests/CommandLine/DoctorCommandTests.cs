namespace Distill.Pipeline.Tests.CommandLine;

public sealed class DoctorCommandTests
{
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
}
