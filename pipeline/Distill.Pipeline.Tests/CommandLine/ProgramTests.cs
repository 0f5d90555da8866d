using System.Text.Json;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>The program itself under a shell: what becomes of its output, and what it says when the machine refuses.</summary>
public sealed class ProgramTests
{
    private static readonly string Model = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");

    [Fact]
    public void A_full_disk_for_results_is_a_fault_that_is_said()
    {
        var (code, _, error) = Shell("distill runs ls --json > /dev/full");
        code.ShouldBe(1);
        JsonDocument.Parse(error).RootElement.GetProperty("error").GetProperty("message").GetString()!.ShouldContain("Standard output");
        Shell("distill --help > /dev/full").Error.ShouldStartWith("error: Standard output could not be written");
        Shell("distill runs ls > /dev/full 2> /dev/full").Code.ShouldBe(1);
    }

    [Theory]
    [InlineData("2> /dev/full"), InlineData("2>&-")]
    public void Progress_that_cannot_be_written_is_given_up(string redirection)
    {
        var (code, output, _) = Shell(
            $"distill evaluate {Model} --problems arithmetic:1 --limit 2 --samples 0 --max-tokens 8 --json {redirection}");
        code.ShouldBe(0);
        JsonDocument.Parse(output).RootElement.GetProperty("evaluation").GetProperty("problems").GetInt32().ShouldBe(2);
    }

    [Fact]
    public void A_chat_ends_quietly_when_nobody_reads_it_any_more()
    {
        // Without end of its own: the questions go on as long as the program reads them.
        var (code, output, error) = Shell(
            $"set -o pipefail; (yes 'What is 2 + 3?' 2> /dev/null || true) | distill chat {Model} --max-tokens 16 | head -c 20");
        code.ShouldBe(0, error);
        output.Length.ShouldBe(20);
        error.ShouldNotContain("error");
    }

    [Fact]
    public void Too_few_files_are_said_with_the_remedy_and_never_as_an_unhandled_exception()
    {
        // Below, .NET itself does not start; above, the program works.
        foreach (int limit in (int[])[48, 64, 96])
        {
            var (code, output, error) = Shell($"ulimit -n {limit}; distill runs ls --json");
            (output + error).ShouldNotContain("Unhandled exception");
            if (code != 0) (output + error).ShouldContain("ulimit -n");
            code.ShouldBeOneOf(0, 1);
        }
    }

    [Fact]
    public void Little_address_space_is_no_reason_to_crash()
    {
        var (code, output, error) = Shell("ulimit -v 4000000; distill doctor --json");
        (output + error).ShouldNotContain("Unhandled exception");
        code.ShouldBeOneOf(0, 1);
        JsonDocument.Parse(output).RootElement.GetProperty("findings").GetArrayLength().ShouldBe(8);

        // Too little for libtorch: said before any work, and nothing of a library's own words beside it.
        using var folder = new TemporaryFolder();
        string recipe = folder.File("small.yaml", SmallRun.Text);
        var run = Shell($"ulimit -v 2500000; distill run {recipe} --runs {folder.Path}/runs --json");
        run.Code.ShouldBe(1);
        (run.Output + run.Error).ShouldContain("ulimit -v");
        (run.Output + run.Error).ShouldNotContain("Please report it");
        // One object, or none where the program could not be loaded whole.
        run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBeLessThan(2, run.Output);
    }

    [Fact]
    public void Control_characters_of_the_user_never_reach_the_terminal_raw()
    {
        string[] commands = ["$'r\\e[31mum'", "run $'/tmp/\\e[31m.yaml'", "runs ls --runs $'/tmp/no\\e[31m'", "chat $'a\\e[31m'"];
        foreach (string command in commands)
        {
            var (_, output, error) = Shell("distill " + command);
            (output + error).ShouldNotContain("\u001b", customMessage: command);
        }
    }

    [Theory]
    [InlineData(60), InlineData(80), InlineData(140)]
    public void On_a_terminal_a_table_is_no_wider_than_it(int columns)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no 'script' to make a terminal with.");
        string command = $"dotnet {DistillProcess.Tool} evaluate {Model} --problems arithmetic:1 --limit 2 --max-tokens 4";
        var (_, output, _) = Shell($"script -qec 'stty cols {columns}; {command}' /dev/null");
        string[] table = [.. output.Split('\n').Select(line => line.Trim('\r', ' '))
            .Where(line => line.StartsWith("domain") || line.StartsWith("arithmetic") || line.StartsWith('─'))];
        table.Length.ShouldBeGreaterThan(2);
        table.ShouldAllBe(line => line.Length <= columns);
    }

    private static (int Code, string Output, string Error) Shell(string script) => DistillProcess.Shell(script);
}
