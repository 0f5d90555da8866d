namespace Distill.Data.Storage;

/// <summary>The final name already holds other content: two writers disagree about what the file is. Nothing was changed.</summary>
public sealed class CommitConflictException : IOException
{
    public CommitConflictException()
    {
    }

    public CommitConflictException(string message)
        : base(message)
    {
    }

    public CommitConflictException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
