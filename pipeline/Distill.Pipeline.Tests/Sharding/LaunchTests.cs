using System.Diagnostics;
using System.Text.Json;
using Distill.Pipeline.Launching;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Sharding;

/// <summary>
/// The files that clusters are given. Slurm's script is run by a stand-in of <c>sbatch</c>, which does what arrays and dependencies ask for
/// and nothing else; the manifest is read as YAML and held against what the design asks of it.
/// </summary>
public sealed class LaunchTests : IDisposable
{
    // Runs the tasks of an array beside one another, some of them killed at their first try, and refuses jobs whose dependency is unknown.
    private const string Stand = """
        #!/bin/bash
        set -u
        here=$(dirname "$0"); id=$(( $(cat "$here/last" 2>/dev/null || echo 0) + 1 )); echo $id > "$here/last"
        array=; output=/dev/null; options=()
        while [[ $# -gt 0 && $1 == -* ]]; do
          case "$1" in
            --array=*) array=${1#*=} ;;
            --output=*) output=${1#*=} ;;
            --dependency=afterany:*) [[ ${1##*:} -lt $id ]] || exit 1 ;;
          esac
          options+=("$1"); shift
        done
        echo "$id ${options[*]} :: $*" >> "$here/jobs"
        export SLURM_JOB_ID=$id
        if [[ -n $array ]]; then
          export SLURM_ARRAY_TASK_MIN=${array%-*} SLURM_ARRAY_TASK_COUNT=$(( ${array#*-} - ${array%-*} + 1 ))
          for task in $(seq "${array%-*}" "${array#*-}"); do
            log=${output//%A/$id}; log=${log//%a/$task}
            SLURM_ARRAY_TASK_ID=$task bash "$@" > "$log" 2>&1 &
            if [[ $id -eq 1 && $task -eq 1 ]]; then sleep 1; kill -9 $!; fi
          done
          wait
        else
          bash "$@" > "${output//%j/$id}" 2>&1; echo "join $?" >> "$here/jobs"
        fi
        echo "$id;cluster"
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_script_of_Slurm_makes_the_run_that_one_process_makes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Slurm's script is for a shell that Windows does not have.");
        string runs = folder["runs"], script = folder.File("job.sh", SlurmScript.Of(Job() with
        {
            Program = ["dotnet", DistillProcess.Tool], Recipe = folder.File("it's small.yaml", SmallRun.Text), RunsFolder = runs,
            IsDataSet = true, More = ["--set", "problems.train=20"],
        }));
        string sbatch = folder.File("bin/sbatch", Stand);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(sbatch, (UnixFileMode)0x1ED); // rwxr-xr-x
        var start = new ProcessStartInfo("bash", [script]) { RedirectStandardOutput = true };
        start.Environment["PATH"] = $"{Path.GetDirectoryName(sbatch)}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, said);

        string[] jobs = File.ReadAllLines(folder["bin/jobs"]);
        jobs.Length.ShouldBe(4, string.Join('\n', jobs)); // two arrays, the join, and how it ended
        jobs[0].ShouldContain("--array=0-1");
        jobs[1].ShouldContain("--dependency=afterany:1");
        jobs[2].ShouldContain("--dependency=afterany:2");
        jobs[3].ShouldBe("join 0");
        SmallRun.Run(folder, new RunOptions { Name = "one", Until = "curated" }, "problems.train=20");
        SmallRun.LockOf(folder, "one").ShouldBe(File.ReadAllText(Path.Combine(runs, "small-data", "run.lock.json")));
    }

    [Fact]
    public void The_script_is_one_that_bash_reads_whatever_the_paths_are_called()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Slurm's script is for a shell that Windows does not have.");
        string text = SlurmScript.Of(Job() with { RunsFolder = "/data/it's $HOME/`runs`", Gpus = 2, Restarts = 0 });
        using var process = Process.Start("bash", ["-n", folder.File("job.sh", text)]);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
        text.ShouldContain("#SBATCH --gpus-per-task=2");
        text.ShouldContain("""'/data/it'\''s $HOME/`runs`'""");
        text.Split('\n').TakeWhile(line => line.StartsWith('#')).ShouldContain(
            line => line.StartsWith("#SBATCH --signal", StringComparison.Ordinal), "what comes after the first command is no directive");
    }

    [Fact]
    public void The_manifest_of_Kubernetes_asks_for_one_pod_of_an_index_at_a_time()
    {
        var (claim, job, join) = Manifest(claimGigabytes: 50);
        claim!.Value.GetProperty("spec").GetProperty("accessModes")[0].GetString().ShouldBe("ReadWriteMany");
        var spec = job.GetProperty("spec");
        spec.GetProperty("completionMode").GetString().ShouldBe("Indexed");
        spec.GetProperty("podReplacementPolicy").GetString().ShouldBe("Failed");
        (spec.GetProperty("completions").GetInt32(), spec.GetProperty("parallelism").GetInt32()).ShouldBe((2, 2));
        spec.GetProperty("backoffLimitPerIndex").GetInt32().ShouldBe(1);
        spec.TryGetProperty("activeDeadlineSeconds", out _).ShouldBeFalse(); // it would count the restarts too
        var pod = spec.GetProperty("template").GetProperty("spec");
        pod.GetProperty("restartPolicy").GetString().ShouldBe("Never"); // backoffLimitPerIndex is refused with another
        pod.GetProperty("activeDeadlineSeconds").GetInt32().ShouldBe(24 * 3600);
        pod.GetProperty("securityContext").GetProperty("runAsNonRoot").GetBoolean().ShouldBeTrue();
        var container = pod.GetProperty("containers")[0];
        container.TryGetProperty("command", out _).ShouldBeFalse(); // it would replace the image's entry point
        container.GetProperty("args").EnumerateArray().Select(word => word.GetString())
            .ShouldBe(["run", "/data/recipe.yaml", "--runs", "/data/runs", "--shard", "auto"]);
        container.GetProperty("env")[0].GetProperty("value").GetString().ShouldBe("2");
        pod.GetProperty("volumes")[0].GetProperty("persistentVolumeClaim").GetProperty("claimName").GetString().ShouldBe("shared");
        Manifest(claimGigabytes: null).Claim.ShouldBeNull();

        // Two shards that end at one moment may not see each other's end: then this one joins, when it is woken.
        join.GetProperty("metadata").GetProperty("name").GetString().ShouldBe("small-join");
        join.GetProperty("spec").GetProperty("suspend").GetBoolean().ShouldBeTrue();
        join.GetProperty("spec").GetProperty("template").GetProperty("spec").GetProperty("containers")[0].GetProperty("args")
            .EnumerateArray().Select(word => word.GetString()).ShouldBe(["run", "/data/recipe.yaml", "--runs", "/data/runs"]);
    }

    [Fact]
    public void The_command_writes_a_file_and_says_how_to_submit_it()
    {
        string recipe = folder.File("small.yaml", SmallRun.Text), file = folder["job.sh"];
        CommandLineRun.Of("launch", recipe).Error.ShouldContain("--slurm or --kubernetes");
        var slurm = CommandLineRun.Of("launch", recipe, "--slurm", "--shards", "8", "--output", file, "--json").Json();
        (slurm.GetProperty("submit").GetString(), slurm.GetProperty("shards").GetInt32()).ShouldBe(($"bash {file}", 8));
        File.ReadAllText(file).ShouldContain("shards=8");
        string manifest = folder["job.yaml"];
        CommandLineRun.Of("launch", recipe, "--kubernetes", "--output", manifest).Code.ShouldBe(0);
        File.ReadAllText(manifest).ShouldContain("\"completions\": 4");
        File.ReadAllText(manifest).ShouldNotContain("\"distill\",\n          \"run\"");
        CommandLineRun.Of("launch", folder["absent.yaml"], "--slurm").Code.ShouldBe(2);
        CommandLineRun.Of("launch", "../x.yaml", "--kubernetes").Code.ShouldBe(2);
    }

    [Theory]
    [InlineData("Grade School/8k", "grade-school-8k")]
    [InlineData("__", "distill")]
    public void A_job_is_called_what_every_scheduler_takes(string text, string name) => ShardedJob.NameOf(text).ShouldBe(name);

    private static ShardedJob Job() => new()
    {
        Program = ["distill"], Recipe = "/data/recipe.yaml", RunsFolder = "/data/runs", Name = "small", Shards = 2, Restarts = 1,
    };

    // JSON documents within YAML: read by the reader of recipes, which knows both.
    private static (JsonElement? Claim, JsonElement Job, JsonElement Join) Manifest(int? claimGigabytes)
    {
        string text = new KubernetesManifest(Job() with { Program = [], Hours = 24 }, "image:1", "shared", claimGigabytes).Write();
        string[] documents = [.. text.Split("---\n").Skip(1)];
        foreach (string document in documents) RecipeYaml.Parse(document, "manifest", new RecipeSource("", "/"));
        var read = documents.Select(document => JsonDocument.Parse(document).RootElement).ToList();
        return (read.Count == 3 ? read[0] : null, read[^2], read[^1]);
    }
}
