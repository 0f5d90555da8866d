using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Distill.Pipeline.Runs;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;

namespace Distill.Pipeline.Tests.Service;

/// <summary>The page and its doors: who gets in, what a form does, which files come out. Over HTTP, with runs that are scripts.</summary>
public sealed partial class ServicePageTests : IAsyncLifetime
{
    private const string Key = "a-key-to-act-0123", ReadKey = "a-key-to-look-4567";

    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly OccurrenceStore store;
    private ScheduleService? service;

    public ServicePageTests() => store = new(folder.File("runs"));

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        folder.File("schedules.yaml", SampleSchedules.Text.Replace("- { name: team, webhook_env: TEAM_HOOK, style: slack }",
            "- { name: team, command: /bin/true }", StringComparison.Ordinal));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (service is not null)
        {
            await service.StopAsync();
            await service.DisposeAsync();
        }

        folder.Dispose();
    }

    [Fact]
    public async Task The_page_shows_schedules_and_runs_whole_without_scripts_and_under_a_policy_that_allows_ours_alone()
    {
        AddRun("<script>alert(1)</script>");
        using var client = await Start();
        using var response = await client.GetAsync("/", Ending);
        string page = await response.Content.ReadAsStringAsync(Ending);
        page.ShouldContain("nightly");
        page.ShouldContain("<a href=\"/runs/earlier/report.html\">report</a>");
        page.ShouldContain("&lt;script&gt;alert(1)&lt;/script&gt;"); // the reason of a failed run
        InlineScript().IsMatch(page).ShouldBeFalse();
        Policy(response).ShouldBe("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
            + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
        (await client.GetStringAsync("/style.css", Ending)).ShouldContain(".pill");
        using var report = await client.GetAsync("/runs/earlier/report.html", Ending);
        Policy(report).ShouldStartWith("sandbox;");
        (await report.Content.ReadAsStringAsync(Ending)).ShouldBe("the report");
    }

    [Theory]
    [InlineData("/runs/../secret/report.html")]
    [InlineData("/runs/%2e%2e/report.html")]
    [InlineData("/runs/..%2f..%2fsecret/report.html")]
    [InlineData("/runs/.schedules/report.html")]
    [InlineData("/runs/linked/report.html")]
    [InlineData("/runs/earlier/run.json")]
    [InlineData("/runs/linked")]
    [InlineData("/runs/linked/log")]
    [InlineData("/runs/linked/recipe.yaml")]
    [InlineData("/runs/earlier/recipe.yaml/..%2f..%2fsecret")]
    [InlineData("/runs/none/report.html")]
    [InlineData("/schedules/nightly/seen.json/log")]
    [InlineData("/schedules/%2e%2e/20261128t010000z/log")]
    public async Task Nothing_but_reports_and_logs_of_the_folder_comes_out(string path)
    {
        folder.File("secret/report.html", "secret");
        folder.File("report.html", "secret");
        folder.File("20261128t010000z.log", "secret");
        AddRun("failed");
        Directory.CreateSymbolicLink(folder.File("runs/linked"), folder.File("secret"));
        using var client = await Start();
        using var response = await client.GetAsync(new Uri(client.BaseAddress!, path), Ending);
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await response.Content.ReadAsStringAsync(Ending)).ShouldNotContain("secret");
    }

    [Fact]
    public async Task A_button_runs_pauses_and_resumes_and_only_with_a_form_of_the_page()
    {
        using var client = await Start();
        client.DefaultRequestHeaders.Authorization = new("Bearer", MadeKey());
        string token = Token(await client.GetStringAsync("/", Ending));
        (await Post(client, "/schedules/nightly/run", null)).ShouldBe(HttpStatusCode.BadRequest);
        (await Post(client, "/schedules/nightly/run", "forged")).ShouldBe(HttpStatusCode.BadRequest);
        store.List("nightly").ShouldBeEmpty();
        (await Post(client, "/schedules/none/run", token)).ShouldBe(HttpStatusCode.NotFound);

        (await Post(client, "/schedules/nightly/pause", token)).ShouldBe(HttpStatusCode.SeeOther);
        store.IsPaused("nightly").ShouldBeTrue();
        (await client.GetStringAsync("/", Ending)).ShouldContain("action=\"/schedules/nightly/resume\"");
        (await Post(client, "/schedules/nightly/resume", token)).ShouldBe(HttpStatusCode.SeeOther);
        store.IsPaused("nightly").ShouldBeFalse();

        (await Post(client, "/schedules/nightly/run", token)).ShouldBe(HttpStatusCode.SeeOther);
        while (store.List("nightly") is not [{ Closed: not null }]) await Task.Delay(50, Ending);
        store.List("nightly")[0].State.ShouldBe(OccurrenceState.Finished);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/queue")]
    [InlineData("/queue/servers")]
    [InlineData("/runs/earlier/report.html")]
    [InlineData("/schedules/nightly/20261128t010000z/log")]
    public async Task Without_a_key_nobody_gets_in_where_there_is_one(string path)
    {
        AddRun("failed");
        using var client = await Start(Key, ReadKey);
        foreach (var header in (AuthenticationHeaderValue?[])
            [null, new("Bearer", "wrong"), new("Basic", "b25seS1uby1jb2xvbg=="), new("Digest", Key)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = header;
            request.Headers.Add("X-Forwarded-For", "127.0.0.1");
            using var response = await client.SendAsync(request, Ending);
            response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            response.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic");
        }
    }

    [Fact]
    public async Task Who_may_only_look_has_no_buttons_and_cannot_act()
    {
        using var client = await Start(Key, ReadKey);
        client.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{ReadKey}")));
        string page = await client.GetStringAsync("/", Ending);
        page.ShouldContain("nightly");
        page.ShouldNotContain("<button");
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        string token = Token(await client.GetStringAsync("/", Ending));
        client.DefaultRequestHeaders.Authorization = new("Bearer", ReadKey);
        (await Post(client, "/schedules/nightly/pause", token)).ShouldBe(HttpStatusCode.Forbidden);
        (await Delete(client)).ShouldBe(HttpStatusCode.Unauthorized); // by the queue's page
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        (await Post(client, "/schedules/nightly/pause", token)).ShouldBe(HttpStatusCode.SeeOther);
        (await Delete(client)).ShouldBe(HttpStatusCode.NoContent);
    }

    /// <summary>A proxy on this machine that hands on no header looks like this machine.</summary>
    [Fact]
    public async Task Without_a_key_given_one_may_look_and_act_only_with_the_key_that_was_made()
    {
        using var client = await Start();
        string page = await client.GetStringAsync("/", Ending);
        page.ShouldContain("href=\"/sign-in\"");
        page.ShouldNotContain("<button");
        (await Post(client, "/schedules/nightly/pause", null)).ShouldBe(HttpStatusCode.Forbidden);
        (await Delete(client)).ShouldBe(HttpStatusCode.Unauthorized);
        using (var asked = await client.GetAsync("/sign-in", Ending))
        {
            asked.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            asked.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic");
        }

        string key = MadeKey();
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(store.KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        client.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{key}")));
        using (var entered = await client.GetAsync("/sign-in", Ending)) entered.StatusCode.ShouldBe(HttpStatusCode.Found);
        string token = Token(await client.GetStringAsync("/", Ending));
        (await Post(client, "/schedules/nightly/pause", token)).ShouldBe(HttpStatusCode.SeeOther);
        store.IsPaused("nightly").ShouldBeTrue();
        OperatorKey.OfFile(store.KeyFile).ShouldBe(key); // the next start takes the same
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Origin", "https://evil.example.com", false)]
    [InlineData("Origin", "null", false)]
    public async Task What_a_page_from_elsewhere_sends_is_refused(string header, string value, bool isTaken)
    {
        using var client = await Start(Key);
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        string token = Token(await client.GetStringAsync("/", Ending));
        client.DefaultRequestHeaders.Add(header, value);
        (await Post(client, "/schedules/nightly/pause", token)).ShouldBe(isTaken ? HttpStatusCode.SeeOther : HttpStatusCode.Forbidden);
        store.IsPaused("nightly").ShouldBe(isTaken);
    }

    [Fact]
    public async Task A_foreign_name_and_a_proxy_are_refused_where_there_is_no_key()
    {
        using var client = await Start();
        (await Get(client, request => request.Headers.Host = "evil.example.com")).ShouldBe(HttpStatusCode.Forbidden);
        foreach (string header in (string[])["X-Forwarded-For", "Forwarded", "Via"])
            (await Get(client, request => request.Headers.TryAddWithoutValidation(header, "1.1 proxy"))).ShouldBe(HttpStatusCode.Forbidden);
        (await Get(client, request => request.Headers.Host = "localhost")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Health_says_what_is_wrong_to_who_may_look_and_only_that_something_is_to_others()
    {
        using var client = await Start(Key, ReadKey);
        (await client.GetStringAsync("/health/live", Ending)).ShouldBe("live\n");
        (await client.GetStringAsync("/health", Ending)).ShouldBe("""{"status":"ready"}""");
        folder.File("schedules.yaml", "schedules: [ { name: x } ]");
        while (!(await client.GetStringAsync("/health", Ending)).Contains("degraded", StringComparison.Ordinal))
            await Task.Delay(50, Ending);
        (await client.GetStringAsync("/health/ready", Ending)).ShouldBe("""{"status":"degraded"}"""); // the old schedules go on
        client.DefaultRequestHeaders.Authorization = new("Bearer", ReadKey);
        (await client.GetStringAsync("/health", Ending)).ShouldContain("recipe: missing");
        (await client.GetStringAsync("/", Ending)).ShouldContain("the schedules before its last change are in force");
    }

    [Fact]
    public async Task The_queues_page_is_there_with_scripts_of_its_own_only()
    {
        using var client = await Start();
        using var response = await client.GetAsync("/queue", Ending);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Policy(response).ShouldContain("script-src 'self';");
        InlineScript().IsMatch(await response.Content.ReadAsStringAsync(Ending)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_second_service_for_the_folder_and_one_open_to_others_without_a_key_do_not_start()
    {
        using var client = await Start();
        (await Should.ThrowAsync<RunRefusedException>(() => Start())).Message.ShouldContain("Another 'distill serve'");
        var open = new ServiceOptions {
            RunsFolder = folder.File("other"), SchedulesFile = folder.File("schedules.yaml"), Address = IPAddress.Any };
        (await Should.ThrowAsync<ArgumentException>(() =>
            ScheduleService.StartAsync(open, new ScriptedProgram(0), TimeProvider.System, Ending)))
            .Message.ShouldContain("a key is required");
    }

    private string MadeKey() => File.ReadAllText(store.KeyFile).Trim();

    private async Task<HttpClient> Start(string? key = null, string? readKey = null)
    {
        var options = new ServiceOptions
        {
            RunsFolder = folder.File("runs"), SchedulesFile = folder.File("schedules.yaml"), Port = 0, Key = key, ReadKey = readKey,
        };
        var started = await ScheduleService.StartAsync(options, new ScriptedProgram(0), TimeProvider.System, Ending);
        service = started;
        return new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = started.Address };
    }

    private static async Task<HttpStatusCode> Post(HttpClient client, string path, string? token)
    {
        using var form = new FormUrlEncodedContent(token is null ? []
            : new Dictionary<string, string> { ["__RequestVerificationToken"] = token });
        using var response = await client.PostAsync(path, form, Ending);
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> Delete(HttpClient client)
    {
        string page = await client.GetStringAsync("/queue", Ending);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/queue/jobs/enqueued/delete");
        request.Headers.Add("RequestVerificationToken", QueueToken().Match(page).Groups[1].Value);
        request.Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["jobs[]"] = "none" });
        using var response = await client.SendAsync(request, Ending);
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> Get(HttpClient client, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        change(request);
        using var response = await client.SendAsync(request, Ending);
        return response.StatusCode;
    }

    private void AddRun(string reason)
    {
        string run = folder.File("runs/earlier");
        folder.File("runs/earlier/recipe.yaml", "name: earlier\n");
        folder.File("runs/earlier/report.html", "the report");
        new RunState(RunState.CurrentFormat, RunProgress.Failed, null, run, reason, SampleSchedules.Utc("2026-11-27T02:00Z")).Write(run);
    }

    private static string Policy(HttpResponseMessage response) => response.Headers.GetValues("Content-Security-Policy").Single();

    private static string Token(string page) => FormToken().Match(page).Groups[1].Value;

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();

    [GeneratedRegex("name=\"csrf-token\" content=\"([^\"]+)\"")]
    private static partial Regex QueueToken();

    [GeneratedRegex(@"<script(?![^>]*\ssrc=)|\son[a-z]+\s*=")]
    private static partial Regex InlineScript();
}
