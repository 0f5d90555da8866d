using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Distill.Data.Tests.Hub.Servers;

/// <summary>Where the Hub keeps large files: another host, whose addresses are secrets in themselves and which must see no token.</summary>
internal sealed class StorageServer : TestServer
{
    /// <summary>Digest → content.</summary>
    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    /// <summary>Parts that were sent and not yet put together.</summary>
    public ConcurrentDictionary<string, byte[]> Parts { get; } = new();

    public static async Task<StorageServer> CreateAsync()
    {
        var server = new StorageServer();
        await server.StartAsync();
        return server;
    }

    protected override async Task AnswerAsync(HttpContext context, string path)
    {
        string[] parts = path.Trim('/').Split('/'); // objects/DIGEST or parts/DIGEST/NUMBER
        if (context.Request.Method == "GET" && Objects.TryGetValue(parts[1], out byte[]? content)) await ContentAsync(context, content);
        else if (context.Request.Method == "PUT" && context.Request.ContentLength is not null) await TakeAsync(context, parts);
        else await StatusAsync(context, 403);
    }

    private async Task TakeAsync(HttpContext context, string[] parts)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        byte[] content = body.ToArray();
        if (parts[0] == "parts") Parts[$"{parts[1]}/{parts[2]}"] = content;
        else if (Convert.ToHexStringLower(SHA256.HashData(content)) != parts[1])
        {
            await StatusAsync(context, 400, message: "the content is another");
            return;
        }
        else Objects[parts[1]] = content;

        context.Response.Headers.ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"";
    }
}
