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
