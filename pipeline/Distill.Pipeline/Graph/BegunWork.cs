using System.IO.Enumeration;
using Distill.Storage;

namespace Distill.Pipeline.Graph;

/// <summary>What earlier processes, or others beside this one, have left of an artefact that is not finished.</summary>
internal static class BegunWork
{
    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = 0 };

    /// <summary>Whether anything is there to go on from.</summary>
    /// <param name="work">Where the artefact is made.</param>
    public static bool IsIn(string work, ArtifactStore store, StoreKey key) => Holds(work) || Holds(store.ShardsFolder(key));

    /// <summary>Bytes on the disk. A file that another process removes meanwhile counts as none.</summary>
    public static long BytesOf(ArtifactStore store, StoreKey key) => Bytes(store.WorkFolder(key)) + Bytes(store.ShardsFolder(key));

    private static bool Holds(string folder) => Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any();

    private static long Bytes(string folder) => !Directory.Exists(folder) ? 0
        : new FileSystemEnumerable<long>(folder, (ref FileSystemEntry file) => file.Length, Everything)
        {
            ShouldIncludePredicate = (ref FileSystemEntry file) => !file.IsDirectory,
        }
        .Sum();
}
