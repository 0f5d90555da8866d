namespace Distill.Generation;

/// <summary>As many requests wait already as the engine lets wait; the request was not taken. Try again later.</summary>
public sealed class EngineBusyException(int waiting) : Exception($"The engine is busy: {waiting} requests wait already.")
{
    public int Waiting => waiting;
}
