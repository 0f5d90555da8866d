using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using Distill.Data.Publishing.Formats;
using Distill.Pipeline.Reporting.TracePages;

namespace Distill.Pipeline.Tests.Publishing;

/// <summary>The page of traces: whole in itself, hostile texts harmless, and working in a browser where there is one.</summary>
public sealed partial class TracePageTests : IDisposable
{
    private readonly SampleTraceStore store = new(problems: 60);

    public void Dispose() => store.Dispose();

    [Fact]
    public void The_page_holds_every_trace_and_needs_nothing_else()
    {
        var written = Write(new TracePageOptions { Title = SampleTraceStore.Attack, Chunks = new TraceChunkOptions { Rows = 50 } });
        string page = File.ReadAllText(store["page.html"]);

        (written.Rows, written.Folder).ShouldBe((120, null));
        page.ShouldContain("default-src 'none'");
        page.ShouldNotContain("http:", Case.Insensitive);
        page.ShouldNotContain("https:", Case.Insensitive);
        page.ShouldNotContain("<script>document");
        // One script that runs, and blocks of letters and digits that do not.
        Script().Count(page).ShouldBe(1 + 2 + 3);
        Block().Count(page).ShouldBe(2 + 3);
        RowsOf(page).Select(row => row.GetProperty("q").GetString()).ShouldBe(store.Traces.Select(trace => trace.Problem.Text));
    }

    [Fact]
    public void Many_traces_lie_in_a_folder_beside_the_page()
    {
        var written = Write(new TracePageOptions { Title = "many", MostInline = 10, Chunks = new TraceChunkOptions { Rows = 50 } });

        written.Folder.ShouldBe(store["page-data"]);
        Directory.EnumerateFiles(store["page-data"]).Select(Path.GetFileName).Order().ShouldBe(["00000.js", "00001.js", "00002.js"]);
        File.ReadAllText(store["page-data/00001.js"]).ShouldMatch("^traceChunk\\(1,\"[A-Za-z0-9+/=]+\"\\)\n$");
        Block().Count(File.ReadAllText(store["page.html"])).ShouldBe(2);
        File.WriteAllText(store["page-data/mine.txt"], "mine");
        Should.Throw<IOException>(() => Write(new TracePageOptions { Title = "many", MostInline = 10 })).Message.ShouldContain("page-data");
        File.Exists(store["page-data/mine.txt"]).ShouldBeTrue();
        Directory.EnumerateDirectories(store.Runs, "*.work").ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1 << 20, "")]
    [InlineData(10, "")]
    [InlineData(1 << 20, "#1")]
    public void A_browser_shows_traces_and_runs_nothing_of_theirs(long inline, string place)
    {
        const string browser = "/usr/bin/chromium";
        Assert.SkipUnless(File.Exists(browser), $"No browser at {browser}.");
        Write(new TracePageOptions { Title = "traces", MostInline = inline, Pieces = ids => [.. ids.Select(id => $"<i>{id}")] });
        var start = new ProcessStartInfo(browser) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string word in (string[])["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000",
            $"--user-data-dir={store["profile"]}", "--dump-dom", new Uri(store["page.html"]).AbsoluteUri + place])
            start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        string shown = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        shown.ShouldContain("<title>traces · Distill</title>");
        shown.ShouldContain("120 of 120");
        shown.ShouldContain("&lt;/script&gt;&lt;script&gt;document.title='run'");
        shown.ShouldContain(@"<span class=""hidden-char"">\u{202e}</span>");
        shown.ShouldNotContain("<img");
        if (place.Length > 0) shown.ShouldContain("&lt;i&gt;41");
    }

    private static IEnumerable<JsonElement> RowsOf(string page) => Chunk().Matches(page).SelectMany(match =>
    {
        using var packed = new GZipStream(new MemoryStream(Convert.FromBase64String(match.Groups[1].Value)), CompressionMode.Decompress);
        return JsonDocument.Parse(packed).RootElement.EnumerateArray().ToList();
    });

    private TracePageResult Write(TracePageOptions options) => TracePage.Write(
        store["page.html"], store.Traces.Select(trace => new PublishedTrace(trace, SampleTraceStore.Graded(trace))), options);

    [GeneratedRegex("<script")]
    private static partial Regex Script();

    [GeneratedRegex("<script type=\"text/plain\" id=\"[a-z0-9]+\">[A-Za-z0-9+/=]+</script>")]
    private static partial Regex Block();

    [GeneratedRegex("id=\"c[0-9]+\">([A-Za-z0-9+/=]+)<")]
    private static partial Regex Chunk();
}
