namespace Distill.Generation.Torch.Memory;

/// <summary>
/// Who works with a card at the moment. ONNX Runtime records a step in the mode in which every other thread's allocation on the card
/// fails: whoever records does it alone, everybody else side by side. It knows sessions of this process and nothing else: no model may be
/// loaded and no training be under way on another thread while one decodes. Safe from any thread; turns of one thread may lie within each
/// other, but for one alone within another.
/// </summary>
internal static class CardTurn
{
    private static readonly ReaderWriterLockSlim s_turns = new(LockRecursionPolicy.SupportsRecursion);

    /// <summary>A turn beside others, until it is disposed.</summary>
    public static Turn Shared()
    {
        s_turns.EnterReadLock();
        return new(alone: false);
    }

    /// <summary>A turn alone, until it is disposed.</summary>
    public static Turn Alone()
    {
        s_turns.EnterWriteLock();
        return new(alone: true);
    }

    /// <summary>Ends when it is disposed, by the thread that has it.</summary>
    internal readonly ref struct Turn(bool alone)
    {
        public void Dispose()
        {
            if (alone) s_turns.ExitWriteLock();
            else s_turns.ExitReadLock();
        }
    }
}
