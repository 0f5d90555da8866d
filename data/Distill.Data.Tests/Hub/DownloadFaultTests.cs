using System.Collections.Concurrent;
using Distill.Data.Tests.Hub.Servers;
using Distill.Hub;
using Microsoft.AspNetCore.Http;

namespace Distill.Data.Tests.Hub;

/// <summary>Networks that break, servers that are busy or lie, killed processes: what is received is whole and right, or named.</summary>
public sealed class DownloadFaultTests : IAsyncLifetime
{
    private const int Size = 5_000_000;

    private static readonly HubReference Model = HubReference.Parse("hf://owner/name");

    private static readonly TestFile Weights = HubServer.Large("model.onnx", Size);

    private readonly TemporaryFolder home = new();
    private readonly HastyClock clock = new();
    private HubServer server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Blob => home.File($"hub/models--owner--name/blobs/{Weights.Sha256}");

    private string Partial => Blob + ".incomplete";

    public async ValueTask InitializeAsync()
    {
        server = await HubServer.CreateAsync();
        server.Add("models/owner/name").Commit("main", Weights);
    }

    public async ValueTask DisposeAsync()
    {
        await server.Storage.DisposeAsync();
        await server.DisposeAsync();
        home.Dispose();
    }

    [Fact]
    public async Task A_cut_connection_is_continued_where_it_was_cut()
    {
        OnStorage((context, number) => TestServer.ContentAsync(context, Weights.Content, cutAfter: 2_000_000), times: 2);
        await PullAsync();
        await RequireWholeAsync();
        var ranges = server.Storage.Calls.Select(call => call.Range).ToList();
        ranges.Count.ShouldBe(3);
        ranges[0].ShouldBe("");
    }

    [Fact]
    public async Task What_a_killed_process_received_is_not_received_again()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        await File.WriteAllBytesAsync(Partial, Weights.Content[..3_000_000], Cancellation);
        var snapshot = await PullAsync();
        snapshot.Received.ShouldBe(Size - 3_000_000);
        server.Storage.Calls.Single().Range.ShouldBe("bytes=3000000-");
        await RequireWholeAsync();
        File.Exists(Partial).ShouldBeFalse();
    }

    [Fact]
    public async Task A_cancelled_pull_keeps_what_it_received()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        OnStorage(
            async (context, _) =>
            {
                context.Response.ContentLength = Size;
                await context.Response.Body.WriteAsync(Weights.Content.AsMemory(0, 3_500_000));
                await context.Response.Body.FlushAsync();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }, times: 1);
        using (var client = server.Client(home, clock: clock))
        {
            var progress = new Once(update => update.Bytes >= 2 << 20, stop.Cancel);
            await Should.ThrowAsync<OperationCanceledException>(() => client.PullAsync(Model, null, progress, stop.Token));
        }

        new FileInfo(Partial).Length.ShouldBeGreaterThanOrEqualTo(1 << 20);
        File.Exists(Blob).ShouldBeFalse();
        Directory.Exists(home.File("hub/models--owner--name/refs")).ShouldBeFalse();
        (await PullAsync()).Received.ShouldBeLessThan(Size);
        await RequireWholeAsync();
    }

    [Fact]
    public async Task A_server_without_ranges_begins_anew()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        await File.WriteAllBytesAsync(Partial, Weights.Content[..3_000_000], Cancellation);
        OnStorage((context, _) =>
        {
            context.Request.Headers.Remove("Range");
            return TestServer.ContentAsync(context, Weights.Content);
        });
        await PullAsync();
        await RequireWholeAsync();
    }

    [Fact]
    public async Task A_server_that_always_begins_anew_and_breaks_off_is_given_up()
    {
        OnStorage(
            (context, _) =>
            {
                context.Request.Headers.Remove("Range");
                return TestServer.ContentAsync(context, Weights.Content, cutAfter: 3_000_000);
            }, times: 40);
        await FaultAsync(HubFault.Unreachable);
        server.Storage.Calls.Count.ShouldBeLessThan(40);
    }

    [Fact]
    public async Task A_longer_leftover_than_the_file_is_thrown_away()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        await File.WriteAllBytesAsync(Partial, new byte[Size + 1], Cancellation);
        await PullAsync();
        await RequireWholeAsync();
    }

    [Fact]
    public async Task Damage_on_the_way_is_noticed_set_aside_and_repaired()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        byte[] damaged = [.. Weights.Content[..3_000_000]];
        damaged[1234] ^= 1;
        await File.WriteAllBytesAsync(Partial, damaged, Cancellation);
        await PullAsync();
        await RequireWholeAsync();
        File.Exists(Blob + ".wrong").ShouldBeTrue();
        server.Storage.Calls.Select(call => call.Range).ShouldBe(["bytes=3000000-", ""]);
    }

    [Fact]
    public async Task Content_that_is_twice_another_is_refused_with_both_digests()
    {
        byte[] other = new byte[Size];
        OnStorage((context, _) => TestServer.ContentAsync(context, other));
        var fault = await FaultAsync(HubFault.WrongDigest);
        fault.Message.ShouldContain(Weights.Sha256);
        fault.Message.ShouldContain(new TestFile("x", other, IsLarge: true).Sha256);
        File.Exists(Blob).ShouldBeFalse();
        Directory.Exists(home.File("hub/models--owner--name/snapshots")).ShouldBeFalse();
        server.Storage.Calls.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_small_file_has_gits_digest()
    {
        server.Add("models/owner/name").Commit("main", HubServer.Small("config.json", "{}"));
        server.First = async (context, _) =>
        {
            if (!context.Request.Path.Value!.Contains("/resolve/", StringComparison.Ordinal)) return false;
            await TestServer.ContentAsync(context, "[]"u8.ToArray());
            return true;
        };
        var fault = await FaultAsync(HubFault.WrongDigest);
        // As 'git hash-object' says of the two.
        fault.Message.ShouldContain("9e26dfeeb6e641a33dae4961196235bdb965b21b");
        fault.Message.ShouldContain("0637a088a01e8ddab3bf3fa98dbe804cbde1a0dc");
    }

    [Fact]
    public async Task A_busy_Hub_is_waited_for_as_long_as_it_asks()
    {
        string[] waits = ["7", "Thu, 01 Jan 2026 00:00:00 GMT"];
        server.First = async (context, number) =>
        {
            if (number > 2) return false;
            if (number == 2) context.Response.Headers["RateLimit"] = "\"api\";r=0;t=55";
            await TestServer.StatusAsync(context, 429, retryAfter: number < 2 ? waits[number] : "");
            return true;
        };
        await PullAsync();
        clock.Waits[0].ShouldBe(TimeSpan.FromSeconds(7));
        clock.Waits[2].ShouldBe(TimeSpan.FromSeconds(55));
    }

    [Fact]
    public async Task A_Hub_that_asks_for_hours_is_not_waited_for()
    {
        server.First = async (context, _) =>
        {
            await TestServer.StatusAsync(context, 429, retryAfter: "7200");
            return true;
        };
        (await FaultAsync(HubFault.Busy)).Message.ShouldContain("patience");
        server.Calls.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(408)]
    public async Task Faults_of_a_server_pass(int status)
    {
        server.First = async (context, number) =>
        {
            if (number % 2 == 1) return false;
            await TestServer.StatusAsync(context, status);
            return true;
        };
        await PullAsync();
        await RequireWholeAsync();
    }

    [Fact]
    public async Task A_page_of_a_proxy_is_no_answer_and_tries_have_an_end()
    {
        server.First = async (context, _) =>
        {
            await context.Response.WriteAsync("<html>Bad gateway</html>");
            return true;
        };
        (await FaultAsync(HubFault.ServerFault)).Message.ShouldContain("no JSON");
        server.Calls.Count.ShouldBe(7);
        clock.Waits.Count.ShouldBe(6);
    }

    [Fact]
    public async Task An_address_that_the_storage_no_longer_takes_is_asked_for_anew()
    {
        OnStorage((context, _) => TestServer.StatusAsync(context, 403), times: 1);
        await PullAsync();
        server.Calls.Count(call => call.Path.Contains("/resolve/", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task Redirects_without_end_and_to_other_schemes_are_refused()
    {
        string[] targets = ["/owner/name/resolve/main/model.onnx", "file:///etc/passwd", "http://user:word@127.0.0.1/", "//"];
        foreach (string target in targets)
        {
            server.First = (context, _) =>
            {
                bool isFile = context.Request.Path.Value!.Contains("/resolve/", StringComparison.Ordinal);
                if (isFile) context.Response.Redirect(target);
                return Task.FromResult(isFile);
            };
            await FaultAsync(HubFault.BadAnswer);
        }
    }

    [Fact]
    public async Task Nobody_at_the_address_is_said_so()
    {
        using var client = new HubClient(server.Options(home) with { Endpoint = new Uri("http://127.0.0.1:1") }, clock);
        var fault = await Should.ThrowAsync<HubException>(() => client.PullAsync(Model, cancellation: Cancellation));
        fault.Fault.ShouldBe(HubFault.Unreachable);
        fault.Message.ShouldContain("HF_HUB_OFFLINE=1");
    }

    [Fact]
    public async Task Two_pulls_at_once_receive_every_file_once()
    {
        var repository = server.Add("models/owner/name");
        repository.Commit("main", [Weights, .. Enumerable.Range(0, 20).Select(i => HubServer.Small($"{i}.json", $"{i}"))]);
        var snapshots = new ConcurrentBag<HubSnapshot>();
        await Parallel.ForAsync(0, 4, Cancellation, async (_, _) => snapshots.Add(await PullAsync()));
        snapshots.Sum(snapshot => snapshot.Received).ShouldBe(Size + 30);
        server.Storage.Calls.Count.ShouldBe(1);
        await RequireWholeAsync();
    }

    [Theory]
    [InlineData("../../../evil", "leaves")]
    [InlineData("/etc/cron.d/evil", "leaves")]
    [InlineData("a/./b", "leaves")]
    [InlineData("a\\..\\..\\evil", "backslash")]
    [InlineData("C:/evil", "drive")]
    [InlineData("a\nb", "control")]
    [InlineData("a\u001b[31m", "control")]
    [InlineData("sub/.git/hooks/post-checkout", ".git")]
    [InlineData("model.onnx/inner", "lies in a file")]
    [InlineData("model.onnx", "twice")]
    public async Task A_path_out_of_its_folder_is_refused_before_anything_is_received(string path, string reason)
    {
        server.Add("models/owner/name").Commit("main", Weights, HubServer.Small(path, "evil"));
        var fault = await FaultAsync(HubFault.BadAnswer);
        fault.Message.ShouldContain(reason);
        fault.Message.ShouldNotContain("\u001b");
        server.Calls.ShouldNotContain(call => call.Path.Contains("/resolve/", StringComparison.Ordinal));
        Directory.GetFiles(home.Path, "*evil*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[{\"type\":\"file\",\"path\":\"a\",\"size\":1,\"oid\":\"../../evil\"}]")]
    [InlineData("[{\"type\":\"file\",\"path\":\"a\",\"size\":-1,\"oid\":\"9e26dfeeb6e641a33dae4961196235bdb965b21b\"}]")]
    [InlineData("[{\"type\":\"file\",\"path\":7,\"size\":1,\"oid\":\"9e26dfeeb6e641a33dae4961196235bdb965b21b\"}]")]
    [InlineData("[{\"type\":\"file\",\"path\":\"a\",\"size\":1,\"oid\":\"9e26dfeeb6e641a33dae4961196235bdb965b21b\",\"lfs\":{}}]")]
    public async Task A_listing_that_is_none_is_refused(string listing)
    {
        server.First = async (context, _) =>
        {
            if (!context.Request.Path.Value!.Contains("/tree/", StringComparison.Ordinal)) return false;
            await context.Response.WriteAsync(listing);
            return true;
        };
        await FaultAsync(HubFault.BadAnswer);
    }

    private void OnStorage(Func<HttpContext, int, Task> answer, int times = int.MaxValue)
    {
        server.Storage.First = async (context, number) =>
        {
            if (number >= times) return false;
            await answer(context, number);
            return true;
        };
    }

    private async Task<HubSnapshot> PullAsync()
    {
        using var client = server.Client(home, clock: clock);
        return await client.PullAsync(Model, cancellation: Cancellation);
    }

    private async Task<HubException> FaultAsync(HubFault expected)
    {
        using var client = server.Client(home, clock: clock);
        var fault = await Should.ThrowAsync<HubException>(() => client.PullAsync(Model, cancellation: Cancellation));
        fault.Fault.ShouldBe(expected, fault.Message);
        return fault;
    }

    private async Task RequireWholeAsync() =>
        (await File.ReadAllBytesAsync(home.File($"hub/models--owner--name/blobs/{Weights.Sha256}"), Cancellation)).AsSpan()
            .SequenceEqual(Weights.Content).ShouldBeTrue();

    private sealed class Once(Func<HubProgress, bool> condition, Action act) : IProgress<HubProgress>
    {
        private bool isDone;

        public void Report(HubProgress value)
        {
            if (isDone || !condition(value)) return;
            isDone = true;
            act();
        }
    }
}
