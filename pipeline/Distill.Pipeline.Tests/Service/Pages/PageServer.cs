using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Distill.Service.Hosting;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>A service over a folder of runs, and whoever asks it. Its schedules are those of <see cref="SampleSchedules"/>.</summary>
internal sealed partial class PageServer : IAsyncDisposable
{
    public const string Key = "a-key-to-act-0123", ReadKey = "a-key-to-look-4567";

    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly ScheduleService service;

    private PageServer(ScheduleService service, TemporaryFolder folder)
    {
        (this.service, this.folder) = (service, folder);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = service.Address };
    }

    public HttpClient Client { get; }

    public Uri Address => service.Address;

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public static async Task<PageServer> StartAsync(string runs, bool hasKeys = false)
    {
        var folder = SampleSchedules.Folder();
        folder.File("schedules.yaml", SampleSchedules.Text.Replace(
            "{ name: team, webhook_env: TEAM_HOOK, style: slack }", "{ name: team, command: /bin/true }", StringComparison.Ordinal));
        var options = new ServiceOptions
        {
            RunsFolder = runs, SchedulesFile = folder.File("schedules.yaml"), Port = 0,
            Key = hasKeys ? Key : null, ReadKey = hasKeys ? ReadKey : null,
        };
        return new(await ScheduleService.StartAsync(options, new ScriptedProgram(0), TimeProvider.System, Ending), folder);
    }

    public PageServer SignIn(string key)
    {
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return this;
    }

    /// <summary>A page, which must be there, be ours and hold nothing that its policy forbids.</summary>
    public async Task<string> PageAsync(string path)
    {
        using var response = await Client.GetAsync(path, Ending);
        string page = await response.Content.ReadAsStringAsync(Ending);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, $"{path}: {page}");
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';");
        Elsewhere().Matches(page).Select(match => match.Value).ShouldBeEmpty(path);
        Forbidden().Matches(Quoted().Replace(page, "\"\"")).Select(match => match.Value).ShouldBeEmpty(path);
        return page;
    }

    public async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var response = await Client.GetAsync(path, Ending);
        return response.StatusCode;
    }

    public Task<string> TextAsync(string path) => Client.GetStringAsync(path, Ending);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await service.StopAsync();
        await service.DisposeAsync();
        folder.Dispose();
    }

    [GeneratedRegex("<script(?! src=\"/service\\.js\" defer></script>)|(src|href|action)=\"(https?:|//)")]
    private static partial Regex Elsewhere();

    [GeneratedRegex("(?<==)\"[^\"]*\"")]
    private static partial Regex Quoted();

    // Styles within the page, and handlers.
    [GeneratedRegex("<style|<[^>]*\\s(style|on[a-z]+)\\s*=")]
    private static partial Regex Forbidden();
}
