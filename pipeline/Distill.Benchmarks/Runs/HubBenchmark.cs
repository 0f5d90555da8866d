using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Hub;

namespace Distill.Benchmarks.Runs;

internal sealed class HubBenchmark : IBenchmark
{
    public string Name => "hub";

    public string Summary => "pull of 1 GB from a server on this machine: received, digested, on disk";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        long size = context.Quick ? 100_000_000 : 1_000_000_000;
        int rounds = context.Quick ? 1 : 5;
        using var one = new LoopbackHub(files: 1, size);
        using var eight = new LoopbackHub(files: 8, size / 8);
        Series Rates(LoopbackHub server) => new([.. Enumerable.Range(0, rounds).Select(_ => size / 1e6 / Once(context, server))]);
        return
        [
            Figure.AtLeast("pull of one file of 1 GB", 300, Rates(one), "MB/s", "SHA-256 on the way; flushed to disk; server on the same "
                + "cores"),
            Figure.Plain("pull of eight files of 125 MB", Rates(eight), "MB/s"),
        ];
    }

    private static double Once(BenchmarkContext context, LoopbackHub server)
    {
        using var folder = new TemporaryFolder();
        using var client = new HubClient(new HubOptions { Endpoint = server.Address, CacheFolder = folder.Path }, context.Clock);
        return context.Seconds(() => client.PullAsync(HubReference.Parse("hf://owner/name")).GetAwaiter().GetResult());
    }
}

/// <summary>The least that is a Hub: one commit of files whose content is one block again and again. Dispose it.</summary>
internal sealed class LoopbackHub : IDisposable
{
    private const int BlockSize = 1 << 20;

    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly byte[] block = new byte[BlockSize];
    private readonly string listing;
    private readonly long size;

    public LoopbackHub(int files, long size)
    {
        this.size = size;
        new Random(1).NextBytes(block);
        listing = new JsonArray([.. Enumerable.Range(0, files).Select(index => new JsonObject
        {
            ["type"] = "file", ["path"] = $"{index}.bin", ["size"] = size, ["oid"] = Commit,
            ["lfs"] = new JsonObject { ["oid"] = Digest(index), ["size"] = size },
        })]).ToJsonString();
        listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://{listener.LocalEndpoint}");

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await listener.AcceptSocketAsync(stop.Token));
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        try
        {
            while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 } request)
            {
                while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 })
                {
                    // The head of a request says nothing that is needed here.
                }

                await AnswerAsync(stream, request.Split(' ')[1]);
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException)
        {
            // The client has what it wanted.
        }
    }

    private async Task AnswerAsync(NetworkStream stream, string path)
    {
        if (path.Contains("/resolve/", StringComparison.Ordinal))
        {
            await HeadAsync(stream, size);
            byte[] first = First(int.Parse(path[(path.LastIndexOf('/') + 1)..^4], CultureInfo.InvariantCulture));
            for (long left = size; left > 0; left -= BlockSize)
                await stream.WriteAsync((left == size ? first : block).AsMemory(0, (int)Math.Min(left, BlockSize)), stop.Token);
            return;
        }

        byte[] text = Encoding.UTF8.GetBytes(path.Contains("/tree/", StringComparison.Ordinal) ? listing : $$"""{"sha":"{{Commit}}"}""");
        await HeadAsync(stream, text.Length);
        await stream.WriteAsync(text, stop.Token);
    }

    private async Task HeadAsync(NetworkStream stream, long length) =>
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")), stop.Token);

    // No two files are equal, or they would be received once.
    private byte[] First(int index)
    {
        byte[] first = [.. block];
        first[0] = (byte)index;
        return first;
    }

    private string Digest(int index)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = size; left > 0; left -= BlockSize)
            hash.AppendData(left == size ? First(index) : block, 0, (int)Math.Min(left, BlockSize));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
