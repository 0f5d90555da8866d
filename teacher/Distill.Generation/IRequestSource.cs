namespace Distill.Generation;

/// <summary>Where a batch takes its work and says what it did. Shared by the workers, so thread-safe.</summary>
internal interface IRequestSource
{
    /// <summary>True when no more work shall be done: another worker failed or the owner is being disposed.</summary>
    bool Closed { get; }

    /// <summary>The next request that asks for any completion; null when none waits now.</summary>
    RequestTicket? Take();

    void Report(in GenerationProgress done);
}
