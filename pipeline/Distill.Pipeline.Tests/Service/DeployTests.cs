using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Distill.Cli;
using Distill.Pipeline.Recipes.Binding;
using Distill.Service.Schedules;

namespace Distill.Pipeline.Tests.Service;

/// <summary>What <c>deploy/</c> has is read as its readers would, as far as they are here.</summary>
public sealed partial class DeployTests
{
    private static readonly string Folder = Path.Combine(RepositoryFolder.Root, "deploy");

    private static string Unit => File.ReadAllText(Path.Combine(Folder, "distill.service"));

    private static string WorkerUnit => File.ReadAllText(Path.Combine(Folder, "distill-worker.service"));

    private static string Container => File.ReadAllText(Path.Combine(Folder, "Containerfile"));

    [Fact]
    public void The_example_of_schedules_is_valid() =>
        ScheduleFile.Load(Path.Combine(Folder, "schedules.yaml")).Schedules.ShouldHaveSingleItem().Name.ShouldBe("nightly");

    [Fact]
    public void Commands_of_the_unit_and_the_container_are_accepted()
    {
        foreach (string start in (string[])[UnitValue("ExecStart"), ValueIn(WorkerUnit, "ExecStart")])
        {
            start.ShouldStartWith("/opt/distill/distill ");
            Errors(start.Split(' ').Skip(1)).ShouldBeEmpty();
        }

        Errors(Words().Matches(Command().Match(Container).Groups[1].Value).Select(word => word.Groups[1].Value)).ShouldBeEmpty();
    }

    [Fact]
    public void The_unit_stops_the_service_alone_and_gives_it_time()
    {
        UnitValue("KillMode").ShouldBe("mixed"); // to the service first: its run stops at a safe point
        UnitValue("OOMPolicy").ShouldBe("continue"); // a run that takes too much memory ends alone
        UnitValue("KillSignal").ShouldBe("SIGTERM");
        int.Parse(UnitValue("TimeoutStopSec"), System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(10);
        foreach (string key in (string[])["NoNewPrivileges", "DynamicUser", "PrivateTmp"]) UnitValue(key).ShouldBe("yes");
    }

    [Fact]
    public void A_worker_stops_as_the_service_does_and_writes_to_the_shared_folder_alone()
    {
        foreach (string key in (string[])["KillMode", "OOMPolicy", "KillSignal", "TimeoutStopSec", "NoNewPrivileges", "PrivateTmp"])
            ValueIn(WorkerUnit, key).ShouldBe(UnitValue(key));
        string store = ValueIn(WorkerUnit, "ExecStart").Split("--store ")[1].Split(' ')[0];
        ValueIn(WorkerUnit, "ReadWritePaths").ShouldBe(store);
        var worker = Map(Parse("compose.yaml"), "services", "worker");
        Errors(((RecipeSequence)worker.Find("command")!).Items.Cast<RecipeScalar>().Select(word => word.Text)).ShouldBeEmpty();
        Text(worker, "environment", "DISTILL_POSTGRES")
            .ShouldBe(Text(Map(Parse("compose.yaml"), "services", "distill"), "environment", "DISTILL_POSTGRES"));
        worker.Find("ports").ShouldBeNull();
        worker.Find("privileged").ShouldBeNull();
    }

    [Theory]
    [InlineData("distill.service")]
    [InlineData("distill-worker.service")]
    public void The_unit_is_what_systemd_takes(string name)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed.");
        using var folder = new TemporaryFolder();
        string text = File.ReadAllText(Path.Combine(Folder, name));
        string unit = folder.File(name, text.Replace("/opt/distill/distill", "/bin/true", StringComparison.Ordinal));
        var start = new ProcessStartInfo("systemd-analyze", ["verify", unit]) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        (process.ExitCode, said).ShouldBe((0, ""));
    }

    [Fact]
    public void The_container_runs_as_nobody_special_and_asks_for_a_key()
    {
        Container.ShouldContain("\nUSER $APP_UID\n");
        Container.ShouldContain("\nSTOPSIGNAL SIGTERM\n");
        Command().Match(Container).Groups[1].Value.ShouldContain("\"--api-key-env\", \"DISTILL_KEY\"");
        Regex.Count(Container, "^FROM ", RegexOptions.Multiline).ShouldBe(2); // the SDK stays behind
    }

    [Fact]
    public void A_linter_finds_nothing_in_the_container_file()
    {
        string linter = Path.Combine(
            Environment.GetEnvironmentVariable("DISTILL_NODE") ?? "", "node_modules/dockerfilelint/bin/dockerfilelint");
        Assert.SkipUnless(File.Exists(linter), "dockerfilelint is not at hand: DISTILL_NODE names no folder with it.");
        var start = new ProcessStartInfo("node", [linter, "--output", "json", Path.Combine(Folder, "Containerfile")])
            { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        (process.ExitCode, JsonNode.Parse(said)!["totalIssues"]!.GetValue<int>()).ShouldBe((0, 0), said);
    }

    [Fact]
    public void The_composition_has_a_service_that_reaches_its_database_and_is_reached_from_this_machine_alone()
    {
        var root = Parse("compose.yaml");
        var (service, database) = (Map(root, "services", "distill"), Map(root, "services", "database"));
        Text(service, "build", "dockerfile").ShouldBe("deploy/Containerfile");
        Text(service, "environment", "DISTILL_KEY").ShouldStartWith("${DISTILL_KEY:?"); // unset, it is refused
        string connection = Text(service, "environment", "DISTILL_POSTGRES");
        connection.ShouldStartWith($"Host=database;Database={Text(database, "environment", "POSTGRES_DB")};"
            + $"Username={Text(database, "environment", "POSTGRES_USER")};Password=${{POSTGRES_PASSWORD:?");
        ((RecipeSequence)service.Find("ports")!).Items.Cast<RecipeScalar>()
            .ShouldAllBe(port => port.Text.StartsWith("127.0.0.1:", StringComparison.Ordinal));
        database.Find("ports").ShouldBeNull();
        Text(service, "stop_grace_period").ShouldBe("15s");
        Text(service, "depends_on", "database", "condition").ShouldBe("service_healthy");
        database.Find("healthcheck").ShouldNotBeNull();
        foreach (var one in (RecipeMapping[])[service, database]) one.Find("privileged").ShouldBeNull();
        Map(root, "volumes").Find("database").ShouldNotBeNull();
    }

    private static IEnumerable<string> Errors(IEnumerable<string> words) =>
        DistillCommandLine.Root().Parse([.. words]).Errors.Select(error => error.Message);

    private static RecipeMapping Parse(string file) =>
        (RecipeMapping)RecipeYaml.Parse(File.ReadAllText(Path.Combine(Folder, file)), file, new RecipeSource("", Folder));

    private static RecipeMapping Map(RecipeMapping from, params string[] path) =>
        path.Aggregate(from, (mapping, key) => mapping.Find(key).ShouldBeOfType<RecipeMapping>(key));

    private static string Text(RecipeMapping from, params string[] path) =>
        Map(from, path[..^1]).Find(path[^1]).ShouldBeOfType<RecipeScalar>(path[^1]).Text;

    private static string UnitValue(string key) => ValueIn(Unit, key);

    private static string ValueIn(string unit, string key) =>
        Regex.Match(unit, $"^{key}=(.*)$", RegexOptions.Multiline).Groups[1].Value;

    [GeneratedRegex(@"^CMD \[(.*)\]$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Words();
}
