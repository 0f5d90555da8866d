namespace Distill.Data.Problems.Words;

/// <summary>One event with its numbers; <paramref name="Second"/> is 0 where one number says all.</summary>
/// <param name="Phrasing">Which of the sentences for this kind; any number, taken modulo their count.</param>
internal sealed record StoryEvent(EventKind Kind, int First, int Second, int Phrasing)
{
    /// <summary>How many operations it takes.</summary>
    public int Steps => Kind switch { EventKind.Start => 0, EventKind.GainBoxes => 2, _ => 1 };
}
