using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Distill.Data.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Service;
using Distill.Pipeline.Tests.Testing;
using Distill.Service.Fleet;
using Distill.Service.Hosting;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Distill.Pipeline.Tests.Fleet;

/// <summary>
/// <c>distill worker</c> and <c>generate --fleet</c> as processes, over a PostgreSQL of the test's own, with a teacher that the test plays.
/// </summary>
public sealed class FleetProcessTests : IAsyncLifetime
{
    private const string Run = "small-data", Variable = "DISTILL_TEST_FLEET_TEACHER_KEY", Secret = "hunter2-not-asked";

    private readonly TemporaryFolder folder = new();
    private readonly List<Process> started = [];
    private readonly ConcurrentQueue<string> said = new();
    private Func<ChatCall, Task> before = _ => Task.CompletedTask;
    private PostgresServer database = null!;
    private ChatServer teacher = null!;
    private string recipe = "";

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private string Runs => folder.File("runs");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGTERM to send on Windows.");
        database = PostgresServer.Start();
        Environment.SetEnvironmentVariable(Variable, Answers.Key);
        teacher = await ChatServer.StartAsync(async (context, _, call) =>
        {
            await before(call);
            await Solve(context, call);
        });
        recipe = folder.File("small.yaml", Text(teacher));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in started)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.Dispose();
        }

        if (teacher is not null) await teacher.DisposeAsync();
        database?.Dispose();
        folder.Dispose();
    }

    private string Connection => database.Connection.Replace("not-asked", Secret, StringComparison.Ordinal);

    /// <summary>
    /// Workers that wait for their database, one killed with what does its work, one whose work alone is killed, the database away for a
    /// while, and who asked killed and asked again.
    /// </summary>
    [Fact]
    public async Task Whatever_is_killed_the_data_set_is_that_of_one_process()
    {
        database.Stop();
        var (first, second) = (Start("worker", "--store", Runs), Start("worker", "--store", Runs, "--queues", "cpu"));
        await Until(() => Status().Workers.Count(worker => worker.Note.Trouble is not null) == 2);
        database.Resume();
        int asked = 0;
        before = _ => Interlocked.Increment(ref asked) % 20 == 0 ? Task.Delay(100, Ending) : Task.CompletedTask;

        var watcher = Start("generate", recipe, "--runs", Runs, "--fleet");
        await Until(() => Status().Runs.Any(run => run.Stages.Any(stage => stage is { Stage: "traces", Units: > 1 })));
        watcher.Kill();
        var third = Start("worker", "--store", Runs);
        await Until(() => Volatile.Read(ref asked) > 200);
        Hands(first)?.Kill(); // the worker stays, and says what happened
        second.Kill(); // what does its work follows it
        database.Stop();
        await Until(() => Status().Workers.Where(worker => worker.State != WorkerState.Gone).All(worker => worker.Note.Doing is null));
        int made = Status().Runs[0].Stages[0].Done;
        database.Resume();

        var resumed = Start("resume", Run, "--runs", Runs, "--fleet", "--json");
        await resumed.WaitForExitAsync(Ending);
        resumed.ExitCode.ShouldBe(0);
        foreach (var worker in (Process[])[first, third])
        {
            using var signal = Process.Start("kill", ["-TERM", worker.Id.ToString(CultureInfo.InvariantCulture)]);
            await worker.WaitForExitAsync(Ending);
            worker.ExitCode.ShouldBe(0);
        }

        made.ShouldBeGreaterThan(0); // what was at work went on without the database
        SmallRun.LockOf(Runs, Run).ShouldBe(DigestsOfOneProcess());
        RunState.TryRead(Path.Combine(Runs, Run))!.Progress.ShouldBe(RunProgress.Finished);
        Status().Runs.ShouldBeEmpty();
        said.ShouldContain(line => line.Contains("its process was killed (signal 9)"));
        said.ShouldNotContain(line => line.Contains(Secret) || line.Contains(Answers.Key));
        NoFileHolds(Secret);
    }

    /// <summary>The teacher's answer to one problem ends whoever asks for it.</summary>
    [Fact]
    public async Task A_unit_that_kills_its_process_is_set_aside_and_named_and_can_be_tried_again()
    {
        string poison = Known.Value.Keys.ElementAt(700); // of the sixth of 13 units
        bool isCured = false;
        var worker = Start("worker", "--store", Runs);
        before = call =>
        {
            if (call.Prompt == poison && !isCured) Hands(worker)?.Kill();
            return Task.CompletedTask;
        };
        var failed = Start("generate", recipe, "--runs", Runs, "--fleet");
        await failed.WaitForExitAsync(Ending);
        failed.ExitCode.ShouldBe(1);
        string reason = RunState.TryRead(Path.Combine(Runs, Run))!.Reason!;
        reason.ShouldContain("Of 13 units of 'traces' 1 failed 3 times each and were set aside (5); the others are made");
        reason.ShouldContain("its process was killed (signal 9)");
        reason.ShouldContain($"distill fleet retry {Run}");
        worker.HasExited.ShouldBeFalse();
        RunState.TryRead(Path.Combine(Runs, Run))!.Progress.ShouldBe(RunProgress.Failed);

        isCured = true;
        int asked = teacher.Calls.Count;
        var retry = Start("fleet", "retry", Run, "--runs", Runs);
        await retry.WaitForExitAsync(Ending);
        retry.ExitCode.ShouldBe(0);
        await Until(() => RunState.TryRead(Path.Combine(Runs, Run))!.Progress == RunProgress.Finished);
        (teacher.Calls.Count - asked).ShouldBeLessThan(128 + 8); // of that unit, and nothing that was made is asked for again
        SmallRun.LockOf(Runs, Run).ShouldBe(DigestsOfOneProcess());
        var listed = CommandLineRun.Of("fleet", "ls", "--runs", Runs, "--json").Json();
        listed.GetProperty("workers")[0].GetProperty("queues").GetArrayLength().ShouldBe(2);
    }

    private static string Text(ChatServer server) => SmallRun.Text.Replace(
        $"{{ model: {RepositoryFolder.Root}/teacher/models/tiny-reasoner, samples: 1, max_tokens: 96, slots: 16 }}",
        $"{{ endpoint: '{server.Address}', network: loopback, model: thinker, api_key_env: {Variable}, samples: 1, "
            + "max_tokens: 96, concurrency: 4 }",
        StringComparison.Ordinal)
        .Replace("train: 48", "train: 1600", StringComparison.Ordinal)
        .Replace("words, level: 1", "arithmetic, level: 2", StringComparison.Ordinal);

    private static readonly Lazy<IReadOnlyDictionary<string, Problem>> Known = new(() =>
        ProblemSet.Generate(
            [new ProblemSetPart("arithmetic", 1, 1), new ProblemSetPart("arithmetic", 2, 1)], 3, Split.Train, 1600)
            .ToDictionary(problem => problem.Text));

    private static Task Solve(HttpContext context, ChatCall call)
    {
        var problem = Known.Value[call.Prompt];
        return Answers.Streamed(problem.ReferenceAnswer, problem.ReferenceSolution ?? "it is so")(context);
    }

    private string DigestsOfOneProcess()
    {
        var options = new RunOptions { RunsFolder = folder.File("alone"), Name = Run, Until = "curated" };
        SmallRun.Copy(Path.Combine(Runs, ".requests"), Path.Combine(folder.File("alone"), ".requests"));
        var parsed = RecipeFile.Parse(Text(teacher), "small.yaml", RepositoryFolder.Root);
        PipelineRun.Run(parsed, options, new RecordingObserver(), TimeProvider.System, Ending);
        return SmallRun.LockOf(folder.File("alone"), Run);
    }

    private FleetStatus Status() => FleetStatus.Read(Runs, TimeProvider.System);

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [DistillProcess.Tool, .. arguments])
            { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[ServiceOptions.PostgresVariable] = Connection;
        var process = Process.Start(start)!;
        started.Add(process);
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Hear(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is { } text) said.Enqueue(text);
        }
    }

    /// <summary>What does a worker's work; null while there is none.</summary>
    private static Process? Hands(Process worker)
    {
        foreach (string path in Directory.GetDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                string[] fields = File.ReadAllText(Path.Combine(path, "stat")).Split(") ")[^1].Split(' ');
                if (fields[1] == worker.Id.ToString(CultureInfo.InvariantCulture))
                    return Process.GetProcessById(int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));
            }
            catch (Exception fault) when (fault is IOException or ArgumentException or UnauthorizedAccessException)
            {
                // It ended just now.
            }
        }

        return null;
    }

    private void NoFileHolds(string secret)
    {
        foreach (string file in Directory.EnumerateFiles(Runs, "*", SearchOption.AllDirectories))
            File.ReadAllText(file, System.Text.Encoding.Latin1).Contains(secret, StringComparison.Ordinal).ShouldBeFalse(file);
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition()) await Task.Delay(50, Ending);
    }
}
