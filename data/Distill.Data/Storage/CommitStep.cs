namespace Distill.Data.Storage;

/// <summary>The steps of one commit, in order; what a kill or an I/O error can interrupt.</summary>
internal enum CommitStep
{
    CreateFolder,
    CreateTemporary,
    Write,
    Flush,
    Reopen,
    Digest,
    Link,
    CompareExisting,
    RemoveTemporary,
    SyncFolder,
    Done,
}
