namespace Distill.Data.Storage;

/// <summary>Sees every step of a commit just before it happens; tests throw or end the process here.</summary>
internal interface ICommitHook
{
    void Before(CommitStep step, string path);
}
