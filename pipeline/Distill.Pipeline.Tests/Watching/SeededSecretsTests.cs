using System.Collections.Concurrent;
using System.Diagnostics;
using Distill.Data.Telemetry;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Service;
using Distill.Pipeline.Tests.Testing;
using Distill.Pipeline.Watching;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>Secrets of every kind are put everywhere, and everything that anybody can read is searched for them.</summary>
public sealed class SeededSecretsTests : IDisposable
{
    private const string KeyVariable = "SEEDED_API_KEY", Named = "SEEDED_CHANNEL", Signing = "SEEDED_SIGNATURE",
        Headers = "SEEDED_EXPORTER_OTLP_HEADERS";

    private const string OperatorKey = "operator-0123456789abcdef", ReadKey = "reader-0123456789abcdef";

    private const string Database = "Host=127.0.0.1;Database=none;Username=me;Password=database-pass-77;Timeout=1";

    /// <summary>Each as it may be met, within what somebody says.</summary>
    private static readonly string[] Seeds =
    [
        "environment-value-1234", "hooks/channel-part-5678", "signing-value-9876", "otlp-header-4321", OperatorKey, ReadKey,
        "database-pass-77", "hf_abcdefghijklmnopqrstuv", "bearer-value-0987654321", "sk-abcdefghijklmnop1234", "user-pass-2468",
    ];

    private readonly TemporaryFolder folder = SampleSchedules.Folder();

    public SeededSecretsTests()
    {
        Environment.SetEnvironmentVariable(KeyVariable, Seeds[0]);
        Environment.SetEnvironmentVariable(Named, $"https://127.0.0.1:9/{Seeds[1]}");
        Environment.SetEnvironmentVariable(Signing, Seeds[2]);
        Environment.SetEnvironmentVariable(Headers, $"x-tenant=lab,authorization={Seeds[3]}");
    }

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private static string Said => $"fault: {Seeds[0]} https://127.0.0.1:9/{Seeds[1]} {Seeds[2]} {Seeds[3]} {OperatorKey} {ReadKey} "
        + $"{Database} {Seeds[7]} Authorization: Bearer {Seeds[8]} {Seeds[9]} https://me:{Seeds[10]}@example.com/x";

    public void Dispose()
    {
        foreach (string variable in (string[])[KeyVariable, Named, Signing, Headers]) Environment.SetEnvironmentVariable(variable, null);
        folder.Dispose();
    }

    [Fact]
    public async Task None_is_in_a_log_a_page_a_metric_a_trace_or_a_file()
    {
        folder.File("schedules.yaml", SampleSchedules.Text.Replace("webhook_env: TEAM_HOOK", $"webhook_env: {Named}, secret_env: {Signing}",
            StringComparison.Ordinal) + "\n    retries: { attempts: 0 }\n");
        string error = System.Text.Json.JsonSerializer.Serialize(new { error = new { message = Said, hint = Said } });
        string progress = System.Text.Json.JsonSerializer.Serialize(
            new { @event = "progress", stage = "sft", done = 1, total = 2, unit = "steps", detail = Said });
        var spans = new ConcurrentQueue<string>();
        using var listener = Listen(spans);
        MakeRun();
        await using var service = await WatchedService.Start(
            folder, options => options with { Key = OperatorKey, ReadKey = ReadKey },
            new ScriptedProgram(1) { Says = [Said, progress, """{"event":"stage_started","stage":"sft","reason":"x"}""", error] });
        service.Store.TryCreate(SampleSchedules.Waiting("2026-11-28T01:30Z"));
        while (service.Store.List("nightly") is not [{ Closed: not null }]) await Task.Delay(50, Ending);
        service.Store.List("nightly")[0].Reason.ShouldNotBeNull().ShouldContain("[secret]"); // it was said, without

        var readable = new Dictionary<string, string> { ["log"] = service.Log, ["spans"] = string.Join('\n', spans) };
        using var client = service.Client(OperatorKey);
        using (var wrong = service.Client("wrong-" + OperatorKey)) (await wrong.GetAsync("/", Ending)).Dispose();
        string run = service.Store.List("nightly")[0].Name;
        foreach (string page in (string[])["/", "/metrics", "/health", "/queue", $"/schedules/nightly/{run}/log"])
            readable[page] = await client.GetStringAsync(page, Ending);
        readable["log"] += service.Log;
        foreach (string file in Directory.EnumerateFiles(folder.File("runs"), "*", SearchOption.AllDirectories))
            readable[file] = await ReadAsync(file);
        readable["log"].ShouldContain("attempt_ended");
        readable["spans"].ShouldContain("attempt");
        readable[$"/schedules/nightly/{run}/log"].ShouldContain("[secret]");
        foreach (var (place, text) in readable)
        {
            foreach (string seed in Seeds) text.Contains(seed, StringComparison.Ordinal).ShouldBeFalse($"{seed} is in {place}");
        }
    }

    [Fact]
    public void A_run_by_hand_keeps_them_to_itself_too()
    {
        var log = new StringWriter();
        var values = new SecretValues(SecretValues.OfEnvironment(new HashSet<string>())).With([OperatorKey, ReadKey, Seeds[1], Seeds[2]]);
        var logged = new LoggedRun(new StructuredLog(log, LogForm.Text, TimeProvider.System, values.Without), new RecordingObserver(),
            TimeProvider.System);
        logged.RunStarted("small", folder.Path);
        logged.StageStarted("traces", Said);
        logged.Warning(Said);
        logged.Note(Said + "\nevent=forged");
        logged.Ended(new IOException(Said));
        string text = log.ToString();
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(5); // a line end that somebody said is none
        foreach (string seed in Seeds) text.ShouldNotContain(seed);
    }

    [Theory]
    [InlineData("The key is wrong: bearer tokens expire, see Basic realm=\"distill\"")]
    [InlineData("https://example.com/a@b and me@example.com, hf_short")]
    [InlineData("password: a word of the recipe")]
    [InlineData("A basic understanding of problem-solving, basic Arithmetic and basic addition/subtraction.")]
    public void Innocent_words_stay(string text) => new SecretValues([]).Without(text).ShouldBe(text);

    private void MakeRun()
    {
        string path = folder.File("runs/by-hand");
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "recipe.yaml"), "name: by-hand\n");
        // What is a secret of the service alone, a run by hand cannot know; it is never told it either.
        string said = $"401 for Bearer {Seeds[8]}, {Seeds[7]}, {Database}";
        new RunState(RunState.CurrentFormat, RunProgress.Failed, null, path, said, DateTimeOffset.UtcNow).Write(path);
    }

    // The service's folder holds locks that others may not read while they are held.
    private static async Task<string> ReadAsync(string file)
    {
        try
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            return await reader.ReadToEndAsync(Ending);
        }
        catch (IOException) when (file.EndsWith(".lock", StringComparison.Ordinal))
        {
            return "";
        }
    }

    private static ActivityListener Listen(ConcurrentQueue<string> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Instruments.ScopeName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span => spans.Enqueue($"{span.OperationName} {span.StatusDescription} "
                + string.Join(' ', span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))),
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
