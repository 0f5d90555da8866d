using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Distill.Hub;
using Microsoft.AspNetCore.Http;

namespace Distill.Data.Tests.Hub.Servers;

/// <summary>
/// A small Hub: revisions, listings in pages, files (large ones by a redirect to another host), and what a push asks for, each as the
/// Hub's interface is documented and huggingface_hub reads it.
/// </summary>
internal sealed partial class HubServer : TestServer
{
    public const string Token = "hf_test0123456789";

    private HubServer(StorageServer storage) => Storage = storage;

    public StorageServer Storage { get; }

    /// <summary>By <c>models/owner/name</c>.</summary>
    public ConcurrentDictionary<string, TestRepository> Repositories { get; } = new();

    public int PageSize { get; set; } = 2;

    public static async Task<HubServer> CreateAsync()
    {
        var server = new HubServer(await StorageServer.CreateAsync());
        await server.StartAsync();
        return server;
    }

    public TestRepository Add(string name) => Repositories[name] = new TestRepository();

    /// <summary>A model with a small and a large file on main.</summary>
    public TestRepository AddModel(string name = "models/owner/name")
    {
        var repository = Add(name);
        repository.Commit("main", Small("config.json", "{}"), Large("onnx/model.onnx", 300_000));
        return repository;
    }

    public static TestFile Small(string path, string content) => new(path, System.Text.Encoding.UTF8.GetBytes(content), IsLarge: false);

    public static TestFile Large(string path, int size)
    {
        byte[] content = new byte[size];
        for (int i = 0; i < size; i++) content[i] = (byte)((i * 7) ^ (i >> 8));
        return new TestFile(path, content, IsLarge: true);
    }

    public HubOptions Options(TemporaryFolder home) => new()
    {
        Endpoint = new Uri(Address), CacheFolder = home.File("hub"), Token = Token, StallTimeout = TimeSpan.FromMinutes(20),
    };

    public HubClient Client(TemporaryFolder home, Func<HubOptions, HubOptions>? change = null, HastyClock? clock = null) =>
        new((change ?? (same => same))(Options(home)), clock ?? new HastyClock());

    protected override async Task AnswerAsync(HttpContext context, string path)
    {
        string[] parts = [.. path.Trim('/').Split('/').Select(Uri.UnescapeDataString)];
        bool isApi = parts[0] == "api";
        if (isApi && parts is [_, "repos", "create"])
        {
            await CreateAsync(context);
            return;
        }

        string[] rest = isApi ? parts[1..] : parts[0] == "datasets" ? parts : ["models", .. parts];
        string name = rest[2].EndsWith(".git", StringComparison.Ordinal) ? rest[2][..^4] : rest[2];
        bool isAuthorized = context.Request.Headers.Authorization == $"Bearer {Token}";
        if (!Repositories.TryGetValue($"{rest[0]}/{rest[1]}/{name}", out var repository) || (repository.IsPrivate && !isAuthorized))
            await StatusAsync(context, isAuthorized ? 404 : 401, isAuthorized ? "RepoNotFound" : "");
        else if (repository.IsGated && rest[3] != "revision") await StatusAsync(context, 403, "GatedRepo", "Access to it is restricted.");
        else await AnswerAsync(context, repository, rest[3], [.. rest[4..]], isAuthorized);
    }

    private async Task AnswerAsync(HttpContext context, TestRepository repository, string action, string[] rest, bool isAuthorized)
    {
        if (context.Request.Method == "POST")
        {
            if (!isAuthorized) await StatusAsync(context, 403, message: "Write access is needed");
            else await TakeAsync(context, repository, action, rest);
        }
        else if (repository.Resolve(rest[0]) is not { } commit) await StatusAsync(context, 404, "RevisionNotFound");
        else if (action == "revision") await context.Response.WriteAsync(new JsonObject { ["id"] = "x", ["sha"] = commit }.ToJsonString());
        else if (action == "tree") await ListAsync(context, repository.FilesAt(commit));
        else await ResolveAsync(context, repository.FilesAt(commit), commit, string.Join('/', rest[1..]));
    }

    private async Task ListAsync(HttpContext context, IReadOnlyList<TestFile> files)
    {
        int start = int.TryParse(context.Request.Query["cursor"], out int cursor) ? cursor : 0;
        if (start + PageSize < files.Count)
            context.Response.Headers.Link = $"<{Address}{context.Request.Path}?recursive=true&cursor={start + PageSize}>; rel=\"next\"";
        var page = files.Skip(start).Take(PageSize).Select(file => file.ToJson());
        var folder = new JsonObject { ["type"] = "directory", ["path"] = "onnx", ["oid"] = "" };
        await context.Response.WriteAsync(new JsonArray([folder, .. page]).ToJsonString());
    }

    private async Task ResolveAsync(HttpContext context, IReadOnlyList<TestFile> files, string commit, string path)
    {
        var file = files.FirstOrDefault(file => file.Path == path);
        context.Response.Headers["X-Repo-Commit"] = commit;
        if (file is null) await StatusAsync(context, 404, "EntryNotFound");
        else if (file.IsLarge)
        {
            Storage.Objects.TryAdd(file.Sha256, file.Content);
            context.Response.Headers["X-Linked-ETag"] = $"\"{file.ETag}\"";
            context.Response.Headers["X-Linked-Size"] = $"{file.Content.Length}";
            context.Response.Redirect($"{Storage.Address}/objects/{file.Sha256}");
        }
        else
        {
            context.Response.Headers.ETag = $"\"{file.ETag}\"";
            await ContentAsync(context, file.Content);
        }
    }
}
