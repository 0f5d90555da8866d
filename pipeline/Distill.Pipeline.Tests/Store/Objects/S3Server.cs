using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Distill.Pipeline.Tests.Store.Objects;

/// <summary>What goes wrong with a request.</summary>
internal enum S3Trouble
{
    None,

    /// <summary>The server says 500 and does nothing.</summary>
    Error,

    /// <summary>The request has its effect, and the answer never comes.</summary>
    LostAnswer,

    /// <summary>Half of the answer comes.</summary>
    CutAnswer,

    /// <summary>Refused, as by a policy.</summary>
    Denied,
}

/// <summary>
/// A bucket that speaks as much of S3's protocol as the documentation of its operations asks of what we use: objects with conditional
/// writes and ranges, listings in pages, uploads in pieces, digests that are checked. Signatures are not.
/// </summary>
internal sealed class S3Server : IAsyncDisposable
{
    public const string Bucket = "distill", Key = "AKIATESTKEY", Secret = "a-secret-that-nobody-may-see";

    private const int PageSize = 3;

    private static readonly XNamespace Names = "http://s3.amazonaws.com/doc/2006-03-01/";

    private readonly ConcurrentDictionary<string, (byte[] Content, DateTimeOffset Changed)> objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Upload> uploads = new(StringComparer.Ordinal);
    private readonly WebApplication application;
    private int counter;

    private S3Server(WebApplication application) => this.application = application;

    private sealed record Upload(string Name, DateTimeOffset Begun, ConcurrentDictionary<int, byte[]> Pieces);

    /// <summary>Asked of every request, by its number, method and path with query.</summary>
    public Func<int, string, string, S3Trouble> Trouble { get; set; } = (_, _, _) => S3Trouble.None;

    /// <summary>A server that does not know conditional writes.</summary>
    public bool IgnoresConditions { get; init; }

    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Bytes of objects that were sent.</summary>
    public long Sent;

    public string Address { get; private set; } = "";

    public IReadOnlyCollection<string> ObjectNames => [.. objects.Keys.Order(StringComparer.Ordinal)];

    public IReadOnlyCollection<string> Unfinished => [.. uploads.Values.Select(upload => upload.Name)];

    /// <summary>Variables that lead the program here.</summary>
    public IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>
    {
        ["AWS_ENDPOINT_URL_S3"] = Address, ["AWS_ACCESS_KEY_ID"] = Key, ["AWS_SECRET_ACCESS_KEY"] = Secret, ["AWS_REGION"] = "us-east-1",
    };

    public static async Task<S3Server> StartAsync(bool ignoresConditions = false)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        var application = builder.Build();
        var server = new S3Server(application) { IgnoresConditions = ignoresConditions };
        application.Run(server.AnswerAsync);
        await application.StartAsync();
        server.Address = application.Urls.Single();
        return server;
    }

    public byte[] Content(string name) => objects[name].Content;

    public void Replace(string name, byte[] content) => objects[name] = (content, DateTimeOffset.UtcNow);

    /// <summary>All objects are as old as that.</summary>
    public void Age(TimeSpan age)
    {
        foreach (var (name, (content, _)) in objects) objects[name] = (content, DateTimeOffset.UtcNow - age);
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        string line = request.Path + request.QueryString;
        Requests.Enqueue($"{request.Method} {line}");
        var trouble = Trouble(Interlocked.Increment(ref counter), request.Method, line);
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        if (trouble == S3Trouble.LostAnswer && request.Method is ("GET" or "HEAD")) context.Abort(); // it would have no effect
        else if (trouble == S3Trouble.Error) await FailAsync(response, 500, "InternalError");
        else if (trouble == S3Trouble.Denied) await FailAsync(response, 403, "AccessDenied");
        else if (!request.Path.StartsWithSegments("/" + Bucket, out var rest)) await FailAsync(response, 404, "NoSuchBucket");
        else
        {
            await DoAsync(context, rest.Value!.TrimStart('/'), body.ToArray(), trouble);
        }

        if (trouble == S3Trouble.LostAnswer) context.Abort();
    }

    private async Task DoAsync(HttpContext context, string name, byte[] body, S3Trouble trouble)
    {
        var (request, response, query) = (context.Request, context.Response, context.Request.Query);
        if (request.Headers["x-amz-checksum-sha256"] is [{ } digest] && digest != Convert.ToBase64String(SHA256.HashData(body)))
        {
            await FailAsync(response, 400, "BadDigest");
            return;
        }

        bool answers = trouble != S3Trouble.LostAnswer;
        switch (request.Method)
        {
            case "GET" when query.ContainsKey("list-type"): await ListAsync(response, query); break;
            case "GET" when query.ContainsKey("uploads"): await ListUploadsAsync(response, query["prefix"].ToString()); break;
            case "GET" when query.ContainsKey("uploadId"): await ListPiecesAsync(response, query["uploadId"].ToString()); break;
            case "POST" when query.ContainsKey("uploads"):
                string id = $"upload-{Interlocked.Increment(ref counter)}";
                uploads[id] = new Upload(name, DateTimeOffset.UtcNow, []);
                await XmlAsync(response, new XElement(Names + "InitiateMultipartUploadResult",
                    new XElement(Names + "Bucket", Bucket), new XElement(Names + "Key", name), new XElement(Names + "UploadId", id)));
                break;
            case "POST": await CompleteAsync(response, query["uploadId"].ToString(), answers); break;
            case "PUT" when query.ContainsKey("uploadId"):
                if (!uploads.TryGetValue(query["uploadId"].ToString(), out var upload)) await FailAsync(response, 404, "NoSuchUpload");
                else
                {
                    upload.Pieces[int.Parse(query["partNumber"].ToString(), CultureInfo.InvariantCulture)] = body;
                    response.Headers.ETag = Tag(body);
                }

                break;
            case "PUT": await PutAsync(response, name, body, request.Headers.IfNoneMatch == "*", answers); break;
            case "DELETE" when query.ContainsKey("uploadId"):
                uploads.TryRemove(query["uploadId"].ToString(), out _);
                response.StatusCode = 204;
                break;
            case "DELETE":
                objects.TryRemove(name, out _);
                response.StatusCode = 204;
                break;
            default: await GetAsync(context, name, trouble); break;
        }
    }

    private async Task PutAsync(HttpResponse response, string name, byte[] body, bool isConditional, bool answers)
    {
        var content = (body, DateTimeOffset.UtcNow);
        bool isPut = true;
        if (isConditional && !IgnoresConditions) isPut = objects.TryAdd(name, content);
        else objects[name] = content;
        if (!answers) return;
        if (!isPut) await FailAsync(response, 412, "PreconditionFailed");
        else response.Headers.ETag = Tag(body);
    }

    private async Task GetAsync(HttpContext context, string name, S3Trouble trouble)
    {
        var (request, response) = (context.Request, context.Response);
        if (!objects.TryGetValue(name, out var found))
        {
            await FailAsync(response, 404, "NoSuchKey");
            return;
        }

        var (content, changed) = found;
        var (from, to) = (0, content.Length - 1);
        if (request.GetTypedHeaders().Range?.Ranges.SingleOrDefault() is { } range)
        {
            (from, to) = ((int)range.From!.Value, (int)Math.Min(range.To ?? to, content.Length - 1));
            if (from >= content.Length)
            {
                await FailAsync(response, 416, "InvalidRange");
                return;
            }

            response.StatusCode = 206;
            response.Headers.ContentRange = $"bytes {from}-{to}/{content.Length}";
        }

        response.Headers.ETag = Tag(content);
        response.Headers.LastModified = changed.ToString("R", CultureInfo.InvariantCulture);
        response.ContentLength = to - from + 1;
        if (request.Method == "HEAD") return;
        int count = trouble == S3Trouble.CutAnswer ? (to - from + 1) / 2 : to - from + 1;
        await response.Body.WriteAsync(content.AsMemory(from, count));
        Interlocked.Add(ref Sent, count);
        if (trouble != S3Trouble.CutAnswer) return;
        await response.Body.FlushAsync();
        context.Abort();
    }

    private Task ListAsync(HttpResponse response, IQueryCollection query)
    {
        string prefix = query["prefix"].ToString(), after = query["continuation-token"].ToString();
        var names = objects.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)
            && string.CompareOrdinal(name, after) > 0).Order(StringComparer.Ordinal).ToList();
        bool isMore = names.Count > PageSize;
        var page = names.Take(PageSize).ToList();
        return XmlAsync(response, new XElement(Names + "ListBucketResult",
            new XElement(Names + "Name", Bucket), new XElement(Names + "Prefix", prefix), new XElement(Names + "KeyCount", page.Count),
            new XElement(Names + "IsTruncated", isMore ? "true" : "false"),
            isMore ? new XElement(Names + "NextContinuationToken", page[^1]) : null,
            page.Select(name => new XElement(Names + "Contents",
                new XElement(Names + "Key", name), new XElement(Names + "LastModified", Iso(objects[name].Changed)),
                new XElement(Names + "ETag", Tag(objects[name].Content)), new XElement(Names + "Size", objects[name].Content.Length)))));
    }

    private Task ListUploadsAsync(HttpResponse response, string prefix) => XmlAsync(response, new XElement(
        Names + "ListMultipartUploadsResult", new XElement(Names + "Bucket", Bucket), new XElement(Names + "IsTruncated", "false"),
        uploads.Where(upload => upload.Value.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(upload =>
            new XElement(Names + "Upload", new XElement(Names + "Key", upload.Value.Name), new XElement(Names + "UploadId", upload.Key),
                new XElement(Names + "Initiated", Iso(upload.Value.Begun))))));

    private Task ListPiecesAsync(HttpResponse response, string id) => !uploads.TryGetValue(id, out var upload)
        ? FailAsync(response, 404, "NoSuchUpload")
        : XmlAsync(response, new XElement(Names + "ListPartsResult", new XElement(Names + "IsTruncated", "false"),
            upload.Pieces.OrderBy(piece => piece.Key).Select(piece => new XElement(Names + "Part",
                new XElement(Names + "PartNumber", piece.Key), new XElement(Names + "ETag", Tag(piece.Value)),
                new XElement(Names + "Size", piece.Value.Length),
                new XElement(Names + "ChecksumSHA256", Convert.ToBase64String(SHA256.HashData(piece.Value)))))));

    private Task CompleteAsync(HttpResponse response, string id, bool answers)
    {
        if (!uploads.TryRemove(id, out var upload)) return FailAsync(response, 404, "NoSuchUpload");
        byte[] content = [.. upload.Pieces.OrderBy(piece => piece.Key).SelectMany(piece => piece.Value)];
        objects[upload.Name] = (content, DateTimeOffset.UtcNow);
        return !answers ? Task.CompletedTask : XmlAsync(response, new XElement(Names + "CompleteMultipartUploadResult",
            new XElement(Names + "Bucket", Bucket), new XElement(Names + "Key", upload.Name), new XElement(Names + "ETag", Tag(content))));
    }

    private static Task FailAsync(HttpResponse response, int status, string code)
    {
        response.StatusCode = status;
        return response.HttpContext.Request.Method == "HEAD" ? Task.CompletedTask
            : XmlAsync(response, new XElement("Error", new XElement("Code", code), new XElement("Message", code)));
    }

    private static async Task XmlAsync(HttpResponse response, XElement xml)
    {
        response.ContentType = "application/xml";
        await response.WriteAsync("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + xml);
    }

    private static string Tag(byte[] content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"";

    private static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
