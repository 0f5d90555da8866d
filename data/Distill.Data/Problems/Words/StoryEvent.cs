namespace Distill.Data.Problems.Words;

/// <summary>What a sentence of a story does to the number it is about.</summary>
internal enum EventKind
{
    /// <summary>The hero has this many.</summary>
    Start,

    /// <summary>The hero has boxes with so many in each.</summary>
    StartBoxes,

    /// <summary>Somebody has a number, and the hero so many more.</summary>
    StartMore,

    /// <summary>Somebody has a number, and the hero so many fewer.</summary>
    StartFewer,

    /// <summary>Somebody has a number, and the hero so many times as many.</summary>
    StartTimes,
    Gain,
    Lose,

    /// <summary>Gains boxes with so many in each: two steps.</summary>
    GainBoxes,
    Times,
    Half,

    /// <summary>Divides into equal bags and keeps one.</summary>
    Share,
}

/// <summary>One event with its numbers; <paramref name="Second"/> is 0 where one number says all.</summary>
/// <param name="Phrasing">Which of the sentences for this kind; any number, taken modulo their count.</param>
internal sealed record StoryEvent(EventKind Kind, int First, int Second, int Phrasing)
{
    public bool IsStart => Kind <= EventKind.StartTimes;

    /// <summary>How many operations it takes.</summary>
    public int Steps => Kind switch { EventKind.Start => 0, EventKind.GainBoxes => 2, _ => 1 };
}
