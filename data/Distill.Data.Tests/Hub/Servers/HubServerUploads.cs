using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Distill.Data.Tests.Hub.Servers;

internal sealed partial class HubServer
{
    /// <summary>Files of this size and more, and those that are no text, are kept outside of git.</summary>
    public int LargeFrom { get; set; } = 1000;

    /// <summary>Larger objects than this are sent in parts of this size; 0 for never.</summary>
    public int PartSize { get; set; }

    /// <summary>Paths that the repository's .gitignore keeps out.</summary>
    public HashSet<string> Ignored { get; } = [];

    /// <summary>First lines of the commits that were taken.</summary>
    public List<JsonObject> Commits { get; } = [];

    private async Task CreateAsync(HttpContext context)
    {
        var asked = (await ReadAsync(context))[0];
        string key = $"{asked["type"]}s/{asked["organization"]}/{asked["name"]}";
        if (context.Request.Headers.Authorization != $"Bearer {Token}") await StatusAsync(context, 401);
        else if (Repositories.ContainsKey(key)) await StatusAsync(context, 409, message: "You already created this repo");
        else
        {
            var created = Add(key);
            created.IsPrivate = asked["visibility"]?.ToString() == "private";
            created.Commit("main", Small(".gitattributes", "*.onnx filter=lfs\n"));
            await context.Response.WriteAsync(new JsonObject { ["url"] = $"{Address}/{key}" }.ToJsonString());
        }
    }

    private async Task TakeAsync(HttpContext context, TestRepository repository, string action, string[] rest)
    {
        var lines = await ReadAsync(context);
        JsonNode answer = new JsonObject();
        switch (action)
        {
            case "branch":
                repository.Branches[rest[0]] = repository.Branches["main"];
                break;
            case "preupload":
                answer = new JsonObject { ["files"] = new JsonArray([.. lines[0]["files"]!.AsArray().Select(Way)]) };
                break;
            case "info":
                answer = new JsonObject { ["objects"] = new JsonArray([.. lines[0]["objects"]!.AsArray().Select(Actions)]) };
                break;
            case "verify" or "complete":
                Complete(lines[0]);
                break;
            case "commit" when lines[0]["value"]!["parentCommit"]?.ToString() != repository.Resolve(rest[0]):
                await StatusAsync(context, 412, message: "A commit has happened since. Please refresh and try again.");
                return;
            case "commit":
                answer = Take(repository, rest[0], lines);
                break;
            default:
                await StatusAsync(context, 404);
                return;
        }

        await context.Response.WriteAsync(answer.ToJsonString());
    }

    private JsonObject Way(JsonNode? file)
    {
        string path = file!["path"]!.ToString();
        bool isText = !Convert.FromBase64String(file["sample"]!.ToString()).Contains((byte)0);
        return new JsonObject
        {
            ["path"] = path, ["uploadMode"] = file["size"]!.GetValue<long>() >= LargeFrom || !isText ? "lfs" : "regular",
            ["shouldIgnore"] = Ignored.Contains(path),
        };
    }

    private JsonObject Actions(JsonNode? asked)
    {
        string digest = asked!["oid"]!.ToString();
        int size = asked["size"]!.GetValue<int>();
        var answer = new JsonObject { ["oid"] = digest, ["size"] = size };
        if (Storage.Objects.ContainsKey(digest)) return answer;
        var upload = new JsonObject { ["href"] = $"{Storage.Address}/objects/{digest}" };
        if (PartSize > 0 && size > PartSize)
        {
            upload["href"] = $"{Address}/owner/any/complete";
            var header = new JsonObject { ["chunk_size"] = $"{PartSize}" };
            for (int part = 1; (part - 1) * PartSize < size; part++) header[$"{part:D5}"] = $"{Storage.Address}/parts/{digest}/{part:D5}";
            upload["header"] = header;
            Repositories.TryAdd("models/owner/any", new TestRepository());
        }

        answer["actions"] = new JsonObject { ["upload"] = upload };
        return answer;
    }

    private void Complete(JsonObject whole)
    {
        string digest = whole["oid"]!.ToString();
        var parts = Storage.Parts.Where(part => part.Key.StartsWith(digest, StringComparison.Ordinal))
            .OrderBy(part => part.Key, StringComparer.Ordinal);
        Storage.Objects[digest] = [.. parts.SelectMany(part => part.Value)];
    }

    private JsonObject Take(TestRepository repository, string branch, List<JsonObject> lines)
    {
        var files = repository.FilesAt(repository.Branches[branch]).ToDictionary(file => file.Path);
        foreach (var value in lines.Skip(1).Select(line => line["value"]!))
        {
            string path = value["path"]!.ToString();
            files[path] = value["content"] is { } content ? new TestFile(path, Convert.FromBase64String(content.ToString()), IsLarge: false)
                : new TestFile(path, Storage.Objects[value["oid"]!.ToString()], IsLarge: true);
        }

        lock (Commits) Commits.Add(lines[0]["value"]!.AsObject());
        string commit = repository.Commit(branch, [.. files.Values]);
        return new JsonObject { ["commitOid"] = commit, ["commitUrl"] = $"{Address}/commit/{commit}" };
    }

    private static async Task<List<JsonObject>> ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        string body = await reader.ReadToEndAsync(context.RequestAborted);
        return [.. body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];
    }
}
