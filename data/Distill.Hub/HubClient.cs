using Distill.Hub.Download;
using Distill.Hub.Network;
using Distill.Hub.Upload;

namespace Distill.Hub;

/// <summary>
/// Models and data sets from the Hugging Face Hub, and to it. What is received is resumed where it was left, checked against the Hub's
/// digests and kept in the cache that huggingface_hub uses too. Thread-safe; dispose it when its last task has ended.
/// </summary>
public sealed class HubClient : IDisposable
{
    private readonly HubOptions options;
    private readonly TimeProvider clock;
    private readonly HubConnection connection;

    /// <param name="clock">Null is the system's.</param>
    /// <exception cref="HubException">The options would send a token in the clear.</exception>
    public HubClient(HubOptions options, TimeProvider? clock = null)
    {
        (this.options, this.clock) = (options, clock ?? TimeProvider.System);
        connection = new HubConnection(options, this.clock);
    }

    /// <summary>
    /// Brings files of a repository into the cache. Without a connection it works where the reference names a commit that is here whole,
    /// and with <see cref="HubOptions.IsOffline"/> for whatever the cache has.
    /// </summary>
    /// <param name="selection">Which files; null for all.</param>
    /// <exception cref="HubException">The Hub does not give them; what was received stays for the next time.</exception>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    public Task<HubSnapshot> PullAsync(
        HubReference reference, HubSelection? selection = null, IProgress<HubProgress>? progress = null,
        CancellationToken cancellation = default) =>
        new SnapshotPull(connection, reference, selection ?? HubSelection.All, options, clock, progress).RunAsync(cancellation);

    /// <summary>What a pull would bring: the reference at its commit, and the files' paths in order.</summary>
    /// <inheritdoc cref="PullAsync"/>
    internal Task<(HubReference Reference, IReadOnlyList<string> Files)> NamesAsync(
        HubReference reference, HubSelection? selection = null, CancellationToken cancellation = default) =>
        new SnapshotPull(connection, reference, selection ?? HubSelection.All, options, clock, null).NamesAsync(cancellation);

    /// <summary>
    /// Brings a folder into a repository by one commit, which nobody sees half of. A repository or a branch that is missing is created;
    /// what the repository has and the folder has not stays.
    /// </summary>
    /// <param name="target">The repository; its revision is the branch, its path a folder within.</param>
    /// <exception cref="HubException">No card (<c>README.md</c>), no token, or the Hub refuses; nothing became visible.</exception>
    public Task<HubPushResult> PushAsync(
        string folder, HubReference target, HubPushOptions? push = null, IProgress<HubProgress>? progress = null,
        CancellationToken cancellation = default) =>
        new FolderPush(connection, folder, target, push ?? new HubPushOptions(), options, clock, progress).RunAsync(cancellation);

    public void Dispose() => connection.Dispose();
}
