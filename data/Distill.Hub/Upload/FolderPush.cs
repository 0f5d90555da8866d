using System.Text.Json.Nodes;
using Distill.Hub.Download;
using Distill.Hub.Network;

namespace Distill.Hub.Upload;

/// <summary>
/// One push: what differs from the branch, sent, and made visible by one commit that follows the one it was compared with. Files that the
/// repository has and the folder has not stay. Used once.
/// </summary>
internal sealed class FolderPush
{
    private const int MostAtOnce = 256; // files that the interface takes in one question

    private readonly string folder;
    private readonly HubReference what;
    private readonly HubPushOptions push;
    private readonly HubOptions options;
    private readonly HubInterface hub;
    private readonly LargeFiles large;
    private readonly TransferMeter meter;

    public FolderPush(
        HubConnection connection, string folder, HubReference what, HubPushOptions push, HubOptions options, TimeProvider clock,
        IProgress<HubProgress>? progress)
    {
        (this.folder, this.what, this.push, this.options) = (folder, what, push, options);
        meter = new TransferMeter(progress, clock);
        var retry = new HubRetry(options, clock, meter.Wait);
        hub = new HubInterface(connection, retry, options, clock);
        large = new LargeFiles(connection, hub, retry, what, options, clock, meter);
    }

    public async Task<HubPushResult> RunAsync(CancellationToken cancellation)
    {
        if (options.IsOffline) throw new HubException(HubFault.Offline, "HF_HUB_OFFLINE is set: nothing can be pushed.");
        if (options.Token is null && !push.IsDryRun)
            throw new HubException(HubFault.Unauthorized, "A push needs a token that may write: make one in your settings at the Hub and "
                + "put it into HF_TOKEN.");
        if (HubInterface.IsCommit(what.RevisionOrMain))
            throw new HubException(HubFault.Refused, $"{what} names a commit; a push goes to a branch. Name one, or none for main.");
        var files = LocalFolder.Read(folder, what.Path, push.Selection);
        var (head, isNew) = await HeadAsync(cancellation).ConfigureAwait(false);
        var remote = await RemoteAsync(head, cancellation).ConfigureAwait(false);
        var changed = files.Where(file => !(remote.TryGetValue(file.Path, out var there) && file.Equals(there))).ToList();
        var ways = push.IsDryRun && (isNew || options.Token is null) ? changed.ToDictionary(file => file.Path, _ => Way.Unknown)
            : await WaysAsync(changed, cancellation).ConfigureAwait(false);
        HubPushFile[] outcome = [.. files.Select(file => new HubPushFile(file.Path, file.Size, ChangeOf(file, ways, remote)))];
        changed.RemoveAll(file => ways[file.Path] == Way.Ignored);
        string? commit = push.IsDryRun || changed.Count == 0 ? head : await SendAsync(changed, ways, head, cancellation)
            .ConfigureAwait(false);
        var reference = push.IsDryRun || commit is null ? what : what.At(commit);
        return new HubPushResult(reference, outcome, meter.Moved, isNew, new Uri(HubFaults.PageOf(what, options)));
    }

    /// <summary>The commit to compare with; the repository and the branch are made if they are missing and this is no dry run.</summary>
    private async Task<(string? Head, bool IsNew)> HeadAsync(CancellationToken cancellation)
    {
        try
        {
            return (await hub.CommitOfAsync(what, cancellation).ConfigureAwait(false), false);
        }
        catch (HubException missing) when (missing.Fault == HubFault.NoRepository)
        {
            if (push.IsDryRun) return (null, true);
            await CreateAsync(cancellation).ConfigureAwait(false);
            if (what.Revision is not (null or "main")) await BranchAsync(cancellation).ConfigureAwait(false);
            return (await hub.CommitOfAsync(what, cancellation).ConfigureAwait(false), true);
        }
        catch (HubException missing) when (missing.Fault == HubFault.NoRevision && what.Revision is not (null or "main"))
        {
            if (!push.IsDryRun) await BranchAsync(cancellation).ConfigureAwait(false);
            return (await hub.CommitOfAsync(push.IsDryRun ? what with { Revision = null } : what, cancellation)
                .ConfigureAwait(false), false);
        }
    }

    private async Task CreateAsync(CancellationToken cancellation)
    {
        var asked = new JsonObject
        {
            ["name"] = what.Name, ["organization"] = what.Owner, ["type"] = what.Kind == HubKind.Model ? "model" : "dataset",
            ["visibility"] = push.IsPrivate ? "private" : "public",
        };
        try
        {
            await hub.AskAsync(hub.At("/api/repos/create"), asked, what, cancellation).ConfigureAwait(false);
        }
        catch (HubException existing) when (existing.Fault == HubFault.Conflict)
        {
            // An earlier try made it, or somebody else did at this moment.
        }
    }

    private async Task BranchAsync(CancellationToken cancellation)
    {
        try
        {
            await hub.AskAsync(hub.ActionOf(what, $"branch/{HubInterface.Revision(what)}"), new JsonObject(), what, cancellation)
                .ConfigureAwait(false);
        }
        catch (HubException existing) when (existing.Fault == HubFault.Conflict)
        {
            // The same.
        }
    }

    private async Task<Dictionary<string, HubFile>> RemoteAsync(string? head, CancellationToken cancellation)
    {
        if (head is null) return [];
        var listing = await hub.FilesOfAsync(what.At(head), cancellation).ConfigureAwait(false);
        var remote = new Dictionary<string, HubFile>(StringComparer.Ordinal);
        foreach (var file in listing) remote[file.Path] = file;
        return remote;
    }

    /// <summary>The Hub decides how each file is kept, by its name, its size and how it begins.</summary>
    private async Task<Dictionary<string, Way>> WaysAsync(IReadOnlyList<LocalFile> files, CancellationToken cancellation)
    {
        var ways = new Dictionary<string, Way>(StringComparer.Ordinal);
        foreach (var chunk in files.Chunk(MostAtOnce))
        {
            var asked = new JsonObject
            {
                ["files"] = new JsonArray([.. chunk.Select(file => new JsonObject
                {
                    ["path"] = file.Path, ["size"] = file.Size, ["sample"] = Convert.ToBase64String(file.Sample()),
                })]),
            };
            var answer = await hub.AskAsync(
                hub.ActionOf(what, $"preupload/{HubInterface.Revision(what)}"), asked, what, cancellation).ConfigureAwait(false);
            foreach (var entry in (answer?["files"] as JsonArray ?? []).OfType<JsonObject>())
            {
                if (entry["path"]?.ToString() is { } path) ways[path] = WayOf(entry);
            }
        }

        foreach (var file in files)
        {
            if (!ways.TryGetValue(file.Path, out var way))
                throw new HubException(HubFault.BadAnswer, $"{options.Endpoint.Host} does not say how files are kept. Is HF_ENDPOINT "
                    + "right?");
            if (file.Size == 0 && way == Way.Large) ways[file.Path] = Way.Small; // the storage takes no empty objects
        }

        return ways;
    }

    private async Task<string> SendAsync(
        IReadOnlyList<LocalFile> changed, IReadOnlyDictionary<string, Way> ways, string? head, CancellationToken cancellation)
    {
        var separate = changed.Where(file => ways[file.Path] == Way.Large).ToList();
        var within = changed.Where(file => ways[file.Path] != Way.Large).ToList();
        meter.Expect(changed.Count, changed.Sum(file => file.Size));
        await large.SendAsync(separate, cancellation).ConfigureAwait(false);
        var content = new CommitContent(push.Message, head, within, separate);
        try
        {
            var answer = await hub.PostAsync(hub.ActionOf(what, $"commit/{HubInterface.Revision(what)}"),
                () => content.ToHttp(bytes => meter.Add(bytes, isReceived: true)), what, cancellation).ConfigureAwait(false);
            return answer?["commitOid"]?.ToString() is { } commit && HubInterface.IsCommit(commit) ? commit
                : throw new HubException(HubFault.ServerFault, $"{options.Endpoint.Host} does not say which commit it made.");
        }
        catch (HubException fault) when (fault.IsTransient || fault.Fault == HubFault.Conflict)
        {
            // An answer can be lost after the commit was made; the next try then finds that the branch has moved on: by us.
            return await MadeAsync(changed, head, cancellation).ConfigureAwait(false) ?? throw Unmade(fault);
        }
    }

    private async Task<string?> MadeAsync(IReadOnlyList<LocalFile> changed, string? head, CancellationToken cancellation)
    {
        string? now = await hub.CommitOfAsync(what, cancellation).ConfigureAwait(false);
        if (now is null || now == head) return null;
        var remote = await RemoteAsync(now, cancellation).ConfigureAwait(false);
        return changed.All(file => remote.TryGetValue(file.Path, out var there) && file.Equals(there)) ? now : null;
    }

    private static HubException Unmade(HubException fault) => new(fault.Fault, $"{fault.Message} Nothing of this push is visible.", fault);

    private static Way WayOf(JsonObject entry) =>
        entry["shouldIgnore"] is JsonValue ignored && ignored.TryGetValue(out bool isIgnored) && isIgnored ? Way.Ignored
            : entry["uploadMode"]?.ToString() == "lfs" ? Way.Large : Way.Small;

    private static HubChange ChangeOf(LocalFile file, Dictionary<string, Way> ways, Dictionary<string, HubFile> remote) =>
        !ways.TryGetValue(file.Path, out var way) ? HubChange.Unchanged
            : way == Way.Ignored ? HubChange.Ignored
            : remote.ContainsKey(file.Path) ? HubChange.Changed : HubChange.New;

    private enum Way
    {
        /// <summary>Nobody was asked.</summary>
        Unknown,

        /// <summary>In git, with the commit.</summary>
        Small,

        /// <summary>In the storage for large files.</summary>
        Large,

        Ignored,
    }
}
