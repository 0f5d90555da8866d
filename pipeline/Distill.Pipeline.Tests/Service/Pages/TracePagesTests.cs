using System.Net;
using System.Text.Json;
using Distill.Pipeline.Tests.Publishing;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>Traces of a run, asked of the server: filters, one whole, texts that mean harm.</summary>
public sealed class TracePagesTests : IAsyncLifetime
{
    private readonly SampleTraceStore store = new(
        problems: 60, recipe: $"teacher: {{ model: {RepositoryFolder.Root}/teacher/models/tiny-reasoner }}\n");

    private PageServer? server;

    private PageServer Server => server!;

    public async ValueTask InitializeAsync() => server = await PageServer.StartAsync(store.Runs);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        store.Dispose();
    }

    [Theory]
    [InlineData("", 120)]
    [InlineData("verdict=correct", 54)]
    [InlineData("reason=truncated", 12)]
    [InlineData("domain=words", 60)]
    [InlineData("domain=words&verdict=undecidable", 12)]
    [InlineData("least=60&most=69", 20)]
    [InlineData("q=DOCUMENT.TITLE", 98)]
    [InlineData("problem=arithmetic/1/train/7/000003", 2)]
    [InlineData("domain=nowhere", 0)]
    [InlineData("q=%27%20OR%201%3D1%20--", 0)]
    [InlineData("domain=words%27%20OR%20%27%27%3D%27", 0)]
    [InlineData("q=%00%27", 98)]
    public async Task Filters_find_what_they_say_and_are_never_more_than_words(string query, int matching)
    {
        using var answer = JsonDocument.Parse(await Server.TextAsync($"/api/runs/sample/traces?{query}"));
        answer.RootElement.GetProperty("matching").GetInt64().ShouldBe(matching);
        answer.RootElement.GetProperty("traces").GetArrayLength().ShouldBe(Math.Min(matching, 50));
        (await Server.PageAsync($"/runs/sample/traces?{query}")).ShouldContain($"{matching} of 120 match");
    }

    [Fact]
    public async Task The_list_is_paged_and_each_of_its_lines_leads_to_its_trace()
    {
        string page = await Server.PageAsync("/runs/sample/traces?domain=words&page=2");
        page.ShouldContain("page 2 of 2");
        page.ShouldContain("start=\"51\"");
        page.ShouldContain("href=\"/runs/sample/traces?domain=words&amp;at=50\"");
        string one = await Server.PageAsync("/runs/sample/traces?domain=words&at=50");
        one.ShouldContain("Trace 51 of 60");
        one.ShouldContain("href=\"/runs/sample/traces?domain=words&amp;page=2\"");
        one.ShouldContain("rel=\"next\" href=\"/runs/sample/traces?domain=words&amp;at=51\"");
        (await Server.StatusAsync("/runs/sample/traces?domain=words&at=60")).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task One_trace_is_whole_its_tokens_are_coloured_and_its_texts_do_no_harm()
    {
        string page = await Server.PageAsync("/runs/sample/traces?problem=arithmetic/1/train/7/000005&at=1");
        page.ShouldContain("&lt;/script&gt;&lt;script&gt;document.title=");
        page.ShouldContain("<span class=\"hidden-char\">\\u{202e}</span>");
        page.ShouldContain("<span class=\"hidden-char\">\\u{1b}</span>");
        page.ShouldNotContain("<img");
        page.ShouldContain("<span class=\"t0\" title=\"log-probability −0.10, 90.5 %\">");
        page.ShouldContain("<span class=\"t5\" title=\"log-probability −2.50, 8.2 %\">");
        page.ShouldContain("<span class=\"t6\" title=\"log-probability −99.00, 0.0 %\">"); // minus infinity
        page.ShouldContain("left out: wrong");
    }
}
