using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Distill.Data.Tests.Hub.Servers;

/// <summary>A file in a repository of the test's server.</summary>
internal sealed record TestFile(string Path, byte[] Content, bool IsLarge)
{
    public string Sha256 { get; } = Convert.ToHexStringLower(SHA256.HashData(Content));

    /// <summary>git's name of the file, or of the pointer that lies in git for a large one.</summary>
    public string Oid { get; } = GitBlob(IsLarge
        ? Encoding.UTF8.GetBytes($"version https://git-lfs.github.com/spec/v1\noid "
            + $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Content))}\nsize {Content.Length}\n")
        : Content);

    public string ETag => IsLarge ? Sha256 : Oid;

    public static string GitBlob(byte[] content)
    {
        byte[] head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {content.Length}\0"));
        return GitDigest([.. head, .. content]);
    }

    // What git uses, so what the Hub uses.
    public static string GitDigest(byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>As the tree of a commit lists it.</summary>
    public JsonObject ToJson()
    {
        var entry = new JsonObject { ["type"] = "file", ["oid"] = Oid, ["size"] = Content.Length, ["path"] = Path };
        if (IsLarge) entry["lfs"] = new JsonObject { ["oid"] = Sha256, ["size"] = Content.Length, ["pointerSize"] = 130 };
        return entry;
    }
}

/// <summary>A repository: branches, and the files of every commit.</summary>
internal sealed class TestRepository
{
    private readonly Dictionary<string, IReadOnlyList<TestFile>> commits = [];
    private int count;

    public Dictionary<string, string> Branches { get; } = [];

    public bool IsGated { get; set; }

    public bool IsPrivate { get; set; }

    /// <summary>A commit on a branch with exactly these files.</summary>
    /// <returns>Its name.</returns>
    public string Commit(string branch, params TestFile[] files)
    {
        string commit = TestFile.GitDigest(Encoding.UTF8.GetBytes($"{GetHashCode()} {count++}"));
        commits[commit] = files;
        Branches[branch] = commit;
        return commit;
    }

    public string? Resolve(string revision) =>
        Branches.TryGetValue(revision, out string? commit) ? commit : commits.ContainsKey(revision) ? revision : null;

    public IReadOnlyList<TestFile> FilesAt(string commit) => commits[commit];
}
