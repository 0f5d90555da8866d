using Distill.Pipeline.Store;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage.Checks;

namespace Distill.Pipeline.Tests.Store;

/// <summary>Who wants to use a store is told first whether its place is safe, by the program itself and a second one.</summary>
public sealed class StoreAdmissionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_program_itself_is_the_second_process()
    {
        var findings = new CommitProtocolCheck(
            folder.Path, new ProbedFileSystem(),
            () => OtherProcess.Start(["dotnet", DistillProcess.Tool, StoreAdmission.ProbeCommand], folder.Path)).Run();
        findings.Select(finding => (finding.Name, finding.State, finding.Found)).ShouldBe(
            ((string[])["exclusive create", "exclusive link", "replacement", "flush", "symbolic link", "visibility", "lock"])
                .Select(name => (name, StoreFindingState.Ok, "holds")));
    }

    /// <summary>.NET can be told to lock nothing: to the check, a file system that knows no locks.</summary>
    [Theory]
    [InlineData("run RECIPE")]
    [InlineData("serve --port 0")]
    [InlineData("doctor")]
    public void Where_locks_do_not_hold_nothing_begins_and_the_exit_code_is_2(string command)
    {
        string recipe = folder.File("small.yaml", SmallRun.Text), runs = folder["runs"];
        string place = command == "doctor" ? "--store" : "--runs";
        var (code, _, error) = DistillProcess.Shell(
            $"export DOTNET_SYSTEM_IO_DISABLEFILELOCKING=1; distill {command.Replace("RECIPE", $"'{recipe}'")} {place} '{runs}'");
        code.ShouldBe(2, error);
        error.ShouldContain("The store cannot lie on");
        error.ShouldContain("a lock was given");
        error.ShouldContain("DOTNET_SYSTEM_IO_DISABLEFILELOCKING");
        Directory.Exists(Path.Combine(runs, "small")).ShouldBeFalse();
        Directory.GetFiles(Path.Combine(runs, ".store", ".checks")).ShouldBeEmpty(); // what is unsafe is looked at again
    }

    [Fact]
    public void Doctor_says_what_it_found_and_takes_no_shared_store_without_its_conditions()
    {
        var found = CommandLineRun.Of("doctor", "--store", folder["runs"]);
        found.Code.ShouldBe(0, found.Error);
        found.Out.ShouldContain("is safe for a store");
        var json = CommandLineRun.Of("doctor", "--store", folder["runs"], "--json");
        json.Out.ShouldContain("\"safe\":true");
        json.Out.ShouldContain("\"fileSystem\"");
        CommandLineRun.Of("doctor", "--store", "s3:/nowhere").Code.ShouldBe(2);
        CommandLineRun.Of("run", folder.File("small.yaml", SmallRun.Text), "--store", "https://x").Code.ShouldBe(2);
    }
}
